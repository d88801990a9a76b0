//! Whether two numbers of the same texts put them in the same order.

use super::ranks::Ranks;

/// Spearman's rank correlation (Spearman 1904), as `scipy.stats.spearmanr` has it: Pearson's correlation of the mean ranks,
/// from -1, the opposite order, to 1, the same one.
///
/// `None` where one side is constant, as one number alone is; where the two differ in length; and where a number is not
/// finite.
///
/// ```
/// use tezgah::statistics::spearman;
/// assert_eq!(spearman(&[1.0, 2.0, 3.0], &[10.0, 100.0, 1000.0]), Some(1.0));
/// assert_eq!(spearman(&[1.0, 2.0, 3.0], &[5.0, 5.0, 5.0]), None);
/// ```
pub fn spearman(left: &[f64], right: &[f64]) -> Option<f64> {
    if left.len() != right.len() || !left.iter().chain(right).all(|value| value.is_finite()) {
        return None;
    }
    let (left, right) = (Ranks::of(left), Ranks::of(right));
    let product: f64 = left.centred().zip(right.centred()).map(|(left, right)| left * right).sum();
    let squares = |ranks: &Ranks| ranks.centred().map(|rank| rank * rank).sum::<f64>();
    let scale = (squares(&left) * squares(&right)).sqrt();
    // The root is rounded: without the bounds a correlation could be 1 + 2e-16.
    (scale > 0.0).then(|| (product / scale).clamp(-1.0, 1.0))
}

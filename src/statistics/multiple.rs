//! Several tests at once.

/// Holm's step-down adjustment (Holm 1979): with the m p-values in rising order, the i-th (from 1) becomes
/// max over j <= i of min(1, (m - j + 1) p_j). Calling those at most α significant keeps the chance of even one
/// false claim at α, whatever ties the tests together.
///
/// Returned in the order given. Numbers outside 0..=1 are taken as the nearer end, NaN as 1: a test without
/// a result never helps another one.
///
/// ```
/// let adjusted = tezgah::statistics::holm(&[0.01, 0.04, 0.03]);
/// assert_eq!(adjusted, [0.03, 0.06, 0.06]);
/// ```
pub fn holm(p: &[f64]) -> Vec<f64> {
    let clean: Vec<f64> = p.iter().map(|&p| if p.is_nan() { 1.0 } else { p.clamp(0.0, 1.0) }).collect();
    let mut order: Vec<usize> = (0..clean.len()).collect();
    order.sort_by(|&left, &right| clean[left].total_cmp(&clean[right]));

    let mut adjusted = vec![0.0; clean.len()];
    let mut largest: f64 = 0.0;
    for (rank, &index) in order.iter().enumerate() {
        largest = largest.max((clean.len() - rank) as f64 * clean[index]).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

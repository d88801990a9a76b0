//! Kendall's coefficient of concordance (Kendall and Babington Smith 1939), corrected for ties.
//!
//! Each of m raters ranks the n texts; R_i is the sum of text i's ranks. With t_j the sizes of rater j's groups of ties,
//! W = 12 Σ (R_i - R̄)² / (m² (n³ - n) - m Σ_j Σ (t_j³ - t_j)): 1 where all have one order, 1 / m on average where none
//! knows of the others. It sees no difference between a mild rater and a strict one.

use super::Answers;
use crate::statistics::ranks::Ranks;

/// Kendall's W over the texts that all raters answered; `None` below two raters, and where each rater gave one answer to all
/// of those texts, as is so of one text.
pub fn kendall_w(answers: &Answers) -> Option<f64> {
    let complete = answers.complete();
    let texts = complete.len() / answers.raters;
    if answers.raters < 2 {
        return None;
    }
    // Doubled and centred: 2 (R_i - R̄), whole numbers.
    let mut sums: Vec<f64> = vec![0.0; texts];
    let mut ties = 0.0;
    for rater in 0..answers.raters {
        let of_rater: Vec<f64> = complete.iter().skip(rater).step_by(answers.raters).copied().collect();
        let ranks = Ranks::of(&of_rater);
        for (sum, rank) in sums.iter_mut().zip(ranks.centred()) {
            *sum += rank;
        }
        ties += ranks.ties();
    }
    let (m, n) = (answers.raters as f64, texts as f64);
    let most = m * m * (n * n * n - n) - m * ties;
    // 12 / 4: the sums are doubled.
    (most > 0.0).then(|| 3.0 * sums.iter().map(|sum| sum * sum).sum::<f64>() / most)
}

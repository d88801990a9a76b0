//! Krippendorff's alpha with the ordinal metric (Krippendorff 2011).
//!
//! α = 1 - D_o / D_e: the squared distance of two answers to one text, over that of any two answers. The ordinal distance of
//! the values c < k, with n_g answers of each value, is n_c / 2 + Σ n_g over c < g < k + n_k / 2. That is the distance of
//! their mean ranks r among all N answers, so that with m_u answers to text u
//!
//! ```text
//! D_o = (2 / N) Σ_u (m_u Σ r² - (Σ r)²) / (m_u - 1)    sums over the answers to u
//! D_e = 2 Σ (r - r̄)² / (N - 1)                         sum over all answers
//! ```
//!
//! Only the order of the values counts. An answer that stands alone on its text is compared with none and takes no part.

use super::Answers;
use crate::statistics::ranks::Ranks;

/// Krippendorff's ordinal alpha; `None` where no text has two answers, or all answers that can be compared are equal.
pub fn alpha(answers: &Answers) -> Option<f64> {
    let values: Vec<f64> = answers.shared().flatten().flatten().copied().collect();
    // Doubled and centred ranks: the factor leaves the quotient alone, and their sum is 0.
    let ranks: Vec<f64> = Ranks::of(&values).centred().collect();
    let all_squares: f64 = ranks.iter().map(|rank| rank * rank).sum();
    if all_squares == 0.0 {
        return None;
    }
    let mut observed = 0.0;
    let mut rest = ranks.as_slice();
    for text in answers.shared() {
        let (own, further) = rest.split_at(text.iter().flatten().count());
        rest = further;
        let sum: f64 = own.iter().sum();
        let squares: f64 = own.iter().map(|rank| rank * rank).sum();
        let m = own.len() as f64;
        observed += (m * squares - sum * sum) / (m - 1.0);
    }
    let n = values.len() as f64;
    Some(1.0 - observed * (n - 1.0) / (n * all_squares))
}

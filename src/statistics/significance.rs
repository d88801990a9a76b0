//! Two paired tests of "the fine-tuned model is no different", both two-sided.

use super::ranks::Ranks;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};

/// More rows than this, and the signed-rank test takes its normal approximation.
const EXACT_ROWS: usize = 50;

/// With tied or unchanged rows the exact distribution is used up to here, as scipy does.
const EXACT_ROWS_WITH_TIES: usize = 13;

/// Result of the Wilcoxon signed-rank test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wilcoxon {
    /// Two-sided p.
    pub p: f64,
    /// Sum of the ranks of the positive differences: of losses, the improved rows.
    pub positive_rank_sum: f64,
    /// Rows ranked: those whose difference is not 0.
    pub rows: usize,
    /// Where p comes from.
    pub method: WilcoxonMethod,
}

/// Null distribution of the rank sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WilcoxonMethod {
    /// Over all 2^n signs.
    Exact,
    /// Normal approximation with tie correction, without continuity correction.
    Normal,
}

/// p of the paired permutation test. Were the two models alike, each row's two NLL sums could change places,
/// which flips the sign of its difference d_i = b_i - f_i. The statistic is T = Σ d_i: B - F is T / Σ t_i,
/// and flips leave Σ t_i alone, so the two order the flips alike.
///
/// p = (k + 1) / (flips + 1) with k the random flips whose |T| is at least the observed one; the observed
/// signs are one of the possible flips, so p is never 0 (Phipson and Smyth 2010).
pub(super) fn permutation_p(differences: &[f64], generator: &mut ChaCha8Rng, flips: usize) -> f64 {
    let observed = differences.iter().sum::<f64>().abs();
    // Two sums that are equal in real numbers may differ by rounding, at most by about n ε Σ|d_i|: such a flip
    // is as extreme as the observed one and has to count.
    let magnitude: f64 = differences.iter().map(|difference| difference.abs()).sum();
    let threshold = observed - differences.len() as f64 * f64::EPSILON * magnitude;

    let as_extreme = (0..flips).filter(|_| flipped_sum(differences, generator).abs() >= threshold).count();
    (as_extreme + 1) as f64 / (flips + 1) as f64
}

/// Σ ± d_i, each sign from one random bit, the lowest bit of a 64-bit draw first.
fn flipped_sum(differences: &[f64], generator: &mut ChaCha8Rng) -> f64 {
    let mut sum = 0.0;
    for word in differences.chunks(64) {
        let mut bits = generator.next_u64();
        for difference in word {
            // The random bit moves onto the sign bit: no branch that the processor would guess wrong.
            sum += f64::from_bits(difference.to_bits() ^ (bits << 63));
            bits >>= 1;
        }
    }
    sum
}

/// The signed-rank test (Wilcoxon 1945) as `scipy.stats.wilcoxon(d, correction=False)` computes it: rows that
/// did not change are left out (`zero_method='wilcox'`), equal |d| share their mean rank, and p is
/// - exact up to 50 rows where no two |d| are equal and none is 0, and up to 13 rows in any case;
/// - else that of z = (W+ - n (n + 1) / 4) / s, s² = (n (n + 1) (2 n + 1) - Σ (t³ - t) / 2) / 24 over groups of
///   t ties.
///
/// `None` where no row changed: there is nothing to rank. Also where a difference is no finite number.
///
/// ```
/// // Three of four rise: of all 16 signs, 4 have a rank sum as far from the middle.
/// let test = tezgah::statistics::signed_rank(&[0.5, 1.0, -0.25, 2.0]).expect("rows changed");
/// assert_eq!((test.positive_rank_sum, test.p), (9.0, 0.25));
/// ```
pub fn signed_rank(differences: &[f64]) -> Option<Wilcoxon> {
    if !differences.iter().all(|difference| difference.is_finite()) {
        return None;
    }
    let changed: Vec<f64> = differences.iter().copied().filter(|difference| *difference != 0.0).collect();
    if changed.is_empty() {
        return None;
    }
    let magnitudes: Vec<f64> = changed.iter().map(|difference| difference.abs()).collect();
    let ranks = Ranks::of(&magnitudes);
    let ranked = changed.iter().zip(&ranks.doubled);
    let doubled_positive: usize =
        ranked.filter(|(difference, _)| **difference > 0.0).map(|(_, rank)| rank).sum();
    let positive_rank_sum = doubled_positive as f64 / 2.0;

    // Fewer groups than differences: two are equal, or one is 0.
    let is_tied = ranks.tie_sizes.len() < differences.len();
    let exact_rows = if is_tied { EXACT_ROWS_WITH_TIES } else { EXACT_ROWS };
    let (p, method) = if differences.len() <= exact_rows {
        (exact_p(&ranks.doubled, doubled_positive), WilcoxonMethod::Exact)
    } else {
        (normal_p(changed.len() as f64, positive_rank_sum, ranks.ties()), WilcoxonMethod::Normal)
    };
    Some(Wilcoxon { p, positive_rank_sum, rows: changed.len(), method })
}

/// Twice the smaller tail of the rank sum over all 2^n signs, counted one rank after the other.
fn exact_p(doubled_ranks: &[usize], doubled_positive: usize) -> f64 {
    let total: usize = doubled_ranks.iter().sum();
    // Ways to reach each sum; at most 2^50 together, so f64 counts them exactly.
    let mut ways = vec![0.0; total + 1];
    ways[0] = 1.0;
    for &rank in doubled_ranks {
        for sum in (rank..=total).rev() {
            ways[sum] += ways[sum - rank];
        }
    }
    let all: f64 = ways.iter().sum();
    let at_most: f64 = ways[..=doubled_positive].iter().sum();
    let at_least: f64 = ways[doubled_positive..].iter().sum();
    (2.0 * at_most.min(at_least) / all).min(1.0)
}

/// Two-sided p of the rank sum's normal approximation, `ties` being Σ (t³ - t): 2 Φ(-|z|) = erfc(|z| / √2).
fn normal_p(rows: f64, positive_rank_sum: f64, ties: f64) -> f64 {
    let variance = (rows * (rows + 1.0) * (2.0 * rows + 1.0) - ties / 2.0) / 24.0;
    let z = (positive_rank_sum - rows * (rows + 1.0) / 4.0) / variance.sqrt();
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

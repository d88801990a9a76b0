//! What a model is worth on held-out rows: sums of NLL under two masks, and what they allow to say.

pub mod cross;
pub mod nll;
pub mod statistics;

use crate::record::run::{RowNll, RowScores};
use statistics::{PairedRow, Statistics, compare};

/// Intervals and tests of both masks from the rows' sums; none where a row lacks its fine-tuned sums or no token
/// was counted. The resampling is seeded by the split's seed: the same rows give the same interval.
pub fn statistics_of(rows: &[RowScores], seed: u64) -> Option<Statistics> {
    let paired =
        |tokens: fn(&RowScores) -> usize, bytes: fn(&RowScores) -> usize, nll: fn(&RowNll) -> f64| {
            let rows: Option<Vec<PairedRow>> = rows
                .iter()
                .map(|row| {
                    Some(PairedRow {
                        tokens: tokens(row),
                        bytes: bytes(row),
                        baseline_nll: nll(&row.baseline),
                        fine_tuned_nll: nll(row.fine_tuned.as_ref()?),
                    })
                })
                .collect();
            compare(&rows?, seed)
        };
    Some(Statistics {
        masked: paired(|row| row.masked_tokens, |row| row.masked_bytes, |nll| nll.masked)?,
        full: paired(|row| row.full_tokens, |row| row.full_bytes, |nll| nll.full)?,
    })
}

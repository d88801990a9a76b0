//! Base and best adapter on the held-out rows, under the same two masks.

use crate::statistics::{PairedRow, Statistics, compare};
use serde::{Deserialize, Serialize};

/// Base and best adapter on the same rows, under the same two masks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evaluation {
    /// The base model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Scores>,
    /// The best adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuned: Option<Scores>,
    /// One entry an evaluation row, in the order of the eval split.
    #[serde(default)]
    pub rows: Vec<RowScores>,
    /// Intervals and tests; present where both sides are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
}

/// One model under both masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Response tokens and their end-of-sequence token.
    pub masked: Score,
    /// Every token that has a predecessor.
    pub full: Score,
}

/// One model under one mask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Sum of -ln p over the counted tokens.
    pub nll: f64,
    /// Counted tokens.
    pub tokens: usize,
    /// nll / tokens.
    pub loss: f64,
    /// exp(loss).
    pub perplexity: f64,
}

/// One evaluation row under both models and both masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowScores {
    /// Counted response tokens.
    pub masked_tokens: usize,
    /// Counted tokens of the whole text.
    pub full_tokens: usize,
    /// UTF-8 bytes of the response.
    pub masked_bytes: usize,
    /// UTF-8 bytes of the whole text.
    pub full_bytes: usize,
    /// Sums of the base model.
    pub baseline: RowNll,
    /// Sums of the best adapter; absent until it was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuned: Option<RowNll>,
}

/// Sums of -ln p over one row.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RowNll {
    /// Over the response tokens.
    pub masked: f64,
    /// Over every token that has a predecessor.
    pub full: f64,
}

/// The rows' response sums of both models; none where a row lacks its fine-tuned sums.
pub(crate) fn responses(rows: &[RowScores]) -> Option<Vec<PairedRow>> {
    paired(rows, |row| row.masked_tokens, |row| row.masked_bytes, |nll| nll.masked)
}

fn paired(
    rows: &[RowScores],
    tokens: fn(&RowScores) -> usize,
    bytes: fn(&RowScores) -> usize,
    nll: fn(&RowNll) -> f64,
) -> Option<Vec<PairedRow>> {
    let row = |row: &RowScores| {
        Some(PairedRow {
            tokens: tokens(row),
            bytes: bytes(row),
            baseline_nll: nll(&row.baseline),
            fine_tuned_nll: nll(row.fine_tuned.as_ref()?),
        })
    };
    rows.iter().map(row).collect()
}

/// Intervals and tests of both masks from the rows' sums; none where a row lacks its fine-tuned sums or no token
/// was counted. The resampling is seeded by the split's seed: the same rows give the same interval.
pub fn statistics_of(rows: &[RowScores], seed: u64) -> Option<Statistics> {
    let full = paired(rows, |row| row.full_tokens, |row| row.full_bytes, |nll| nll.full)?;
    Some(Statistics { masked: compare(&responses(rows)?, seed)?, full: compare(&full, seed)? })
}

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
    paired(rows, |row, of| PairedRow {
        tokens: row.masked_tokens,
        bytes: row.masked_bytes,
        baseline_nll: row.baseline.masked,
        fine_tuned_nll: of.masked,
    })
}

/// The same over the full text.
fn full_texts(rows: &[RowScores]) -> Option<Vec<PairedRow>> {
    paired(rows, |row, of| PairedRow {
        tokens: row.full_tokens,
        bytes: row.full_bytes,
        baseline_nll: row.baseline.full,
        fine_tuned_nll: of.full,
    })
}

/// The same over what the full text has besides the response.
fn prompts(rows: &[RowScores]) -> Option<Vec<PairedRow>> {
    paired(rows, |row, of| PairedRow {
        tokens: row.full_tokens.saturating_sub(row.masked_tokens),
        bytes: row.full_bytes.saturating_sub(row.masked_bytes),
        baseline_nll: row.baseline.full - row.baseline.masked,
        fine_tuned_nll: of.full - of.masked,
    })
}

fn paired(rows: &[RowScores], pair: fn(&RowScores, RowNll) -> PairedRow) -> Option<Vec<PairedRow>> {
    rows.iter().map(|row| Some(pair(row, row.fine_tuned?))).collect()
}

/// Intervals and tests of all masks from the rows' sums; none where a row lacks its fine-tuned sums or no token
/// was counted. The resampling is seeded by the split's seed: the same rows give the same interval.
pub fn statistics_of(rows: &[RowScores], seed: u64) -> Option<Statistics> {
    Some(Statistics {
        masked: compare(&responses(rows)?, seed)?,
        full: compare(&full_texts(rows)?, seed)?,
        prompt: compare(&prompts(rows)?, seed),
    })
}

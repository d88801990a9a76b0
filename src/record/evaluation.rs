//! Base and best adapter on the held-out rows, under the same two masks.

use super::dataset::{Overlap, RowOverlap};
use crate::statistics::{Comparison, Gap, PairedRow, Statistics, compare, gap};
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
    /// The same on the half that the training answers say least about; absent where overlap tells no half apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least_overlapping: Option<LeastOverlapping>,
}

/// The responses of the half of the evaluation rows that overlap least with the training answers, by the covered share of
/// their words ([`Overlap`]); of equal shares those that come first in the split's order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeastOverlapping {
    /// The largest covered share of a row in this half.
    pub largest_share: f64,
    /// Covered words over all words of this half.
    pub covered_words: f64,
    /// The same of the other half.
    pub covered_words_of_others: f64,
    /// Base and best adapter on this half's responses.
    pub masked: Comparison,
    /// Base and best adapter on those of the other half.
    pub others: Comparison,
    /// This half's gain minus the other half's.
    pub gap: Gap,
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

/// The half of the rows with the least overlap beside the other half, from the sums that are there: nothing is evaluated
/// again. Of an odd number the one in the middle is in the least overlapping half.
///
/// None where the rows are not those of `overlap`, lack fine-tuned sums, or have one share: no half is then the less known.
pub fn least_overlapping_of(rows: &[RowScores], overlap: &Overlap, seed: u64) -> Option<LeastOverlapping> {
    if rows.len() != overlap.rows.len() {
        return None;
    }
    let responses = responses(rows)?;
    let share = |row: &RowOverlap| row.covered_words as f64 / row.words.max(1) as f64;
    let mut order: Vec<usize> = (0..rows.len()).collect();
    // The sort is stable: of equal shares the first stay first.
    order.sort_by(|one, other| share(&overlap.rows[*one]).total_cmp(&share(&overlap.rows[*other])));
    let (least, others) = order.split_at(order.len().div_ceil(2));
    let largest_share = share(&overlap.rows[*least.last()?]);
    if share(&overlap.rows[least[0]]) == share(&overlap.rows[*others.last()?]) {
        return None;
    }
    let covered = |half: &[usize]| {
        let sum =
            |of: fn(&RowOverlap) -> usize| half.iter().map(|&row| of(&overlap.rows[row])).sum::<usize>();
        sum(|row| row.covered_words) as f64 / sum(|row| row.words).max(1) as f64
    };
    let of = |half: &[usize]| half.iter().map(|&row| responses[row]).collect::<Vec<PairedRow>>();
    Some(LeastOverlapping {
        largest_share,
        covered_words: covered(least),
        covered_words_of_others: covered(others),
        masked: compare(&of(least), seed)?,
        others: compare(&of(others), seed)?,
        gap: gap(&of(others), &of(least), seed)?,
    })
}

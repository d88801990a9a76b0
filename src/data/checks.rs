//! What a reader must know about the rows before believing a result: repeats, leaks and lengths.

use super::alpaca::Row;
use crate::record::{Histogram, Lengths};
use std::collections::HashSet;

/// Repeats and leaks of a split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checks {
    /// Rows, of training, validation and evaluation in turn, whose three fields all equal those of an earlier row.
    pub duplicate_rows: usize,
    /// Evaluation rows whose answer is also the answer of a training row.
    pub leaked_rows: usize,
}

/// Counts repeats and leaks.
///
/// A row leaks by its answer, whatever the task above it: the answer is what the loss counts, so a model that
/// saw it in training is not tested by it. Answers are compared word by word, because other white space does
/// not make another text. A row whose prompt and answer are both in the training rows is thereby counted too.
pub fn check(train: &[Row], validation: &[Row], evaluation: &[Row]) -> Checks {
    let mut seen = HashSet::new();
    let duplicate_rows =
        train.iter().chain(validation).chain(evaluation).filter(|row| !seen.insert(*row)).count();
    let answers: HashSet<Vec<&str>> = train.iter().map(words).collect();
    let leaked_rows = evaluation.iter().filter(|row| answers.contains(&words(row))).count();
    Checks { duplicate_rows, leaked_rows }
}

/// Lengths of the answers in words, split at white space.
pub fn word_lengths<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Lengths {
    let counts: Vec<usize> = rows.into_iter().map(|row| words(row).len()).collect();
    lengths(&counts)
}

/// Mean, extremes and histogram of `values`; all 0, without a bin, where there are none.
pub fn lengths(values: &[usize]) -> Lengths {
    let min = values.iter().copied().min().unwrap_or(0);
    let max = values.iter().copied().max().unwrap_or(0);
    let mean = values.iter().sum::<usize>() as f64 / values.len().max(1) as f64;
    Lengths { mean, min, max, histogram: histogram(values, min, max) }
}

/// Bins of the smallest width among 1, 2, 5, 10, 20, 50 ... that needs at most [`MOST_BINS`] of them,
/// the first beginning at a multiple of the width, so that the edges are numbers one can read off an axis.
fn histogram(values: &[usize], min: usize, max: usize) -> Histogram {
    let bins = |width: usize| max / width - min / width + 1;
    let mut widths = (0..).flat_map(|power| [1, 2, 5].map(|digit| digit * 10usize.saturating_pow(power)));
    let width =
        widths.find(|&width| bins(width) <= MOST_BINS).expect("a width above the maximum needs one bin");
    let first = min / width * width;
    let mut counts = vec![0; if values.is_empty() { 0 } else { bins(width) }];
    for value in values {
        counts[(value - first) / width] += 1;
    }
    Histogram { first, width, counts }
}

/// Widths grow by at most 2.5 a stage, so a wide spread of lengths gets 12 to 30 bins.
const MOST_BINS: usize = 30;

fn words(row: &Row) -> Vec<&str> {
    row.output.split_whitespace().collect()
}

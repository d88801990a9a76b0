//! The paired percentile bootstrap (Efron and Tibshirani 1993, chapters 8 and 13).
//!
//! A resample draws n of the n rows with replacement and divides its own sums: Σ NLL / Σ tokens of the drawn
//! rows, so that the spread of the token counts is in the interval. Both models meet the same draws, which
//! keeps what makes a row hard for both out of the interval of their difference.
//!
//! The percentile form carries through exp: the perplexity's interval is exp of the loss's. On simulated rows
//! with strongly skewed losses its 95 % interval held the truth in 94 of 100 simulations of 200 rows, 92 of 50
//! rows, 90 of 20 (tests/engine/statistics/simulations.rs repeats the first). BCa was tried on the same rows and gained
//! nothing.

use super::{PairedRow, random};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// A figure and its bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The figure on the rows as they are.
    pub estimate: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

impl Interval {
    /// The interval of a rising function of the figure; `None` where the function overflows.
    pub(super) fn map(self, rising: impl Fn(f64) -> f64) -> Option<Interval> {
        let mapped =
            Interval { estimate: rising(self.estimate), low: rising(self.low), high: rising(self.high) };
        [mapped.estimate, mapped.low, mapped.high].iter().all(|value| value.is_finite()).then_some(mapped)
    }
}

/// Intervals from one set of resamples.
pub(super) struct Intervals {
    /// B.
    pub(super) baseline: Interval,
    /// F.
    pub(super) fine_tuned: Interval,
    /// B - F.
    pub(super) difference: Interval,
    /// (B - F) / B; absent where B is not positive on the rows or on a resample.
    pub(super) relative: Option<Interval>,
}

/// B and F of some rows.
struct Losses {
    baseline: f64,
    fine_tuned: f64,
}

impl Losses {
    /// Sums, divided once. Needs a row with tokens.
    fn of<'a>(rows: impl Iterator<Item = &'a PairedRow>) -> Losses {
        let (mut tokens, mut baseline, mut fine_tuned) = (0.0, 0.0, 0.0);
        for row in rows {
            tokens += row.tokens as f64;
            baseline += row.baseline_nll;
            fine_tuned += row.fine_tuned_nll;
        }
        Losses { baseline: baseline / tokens, fine_tuned: fine_tuned / tokens }
    }

    fn difference(&self) -> f64 {
        self.baseline - self.fine_tuned
    }

    fn relative(&self) -> Option<f64> {
        // A baseline so near 0 that the quotient overflows counts as 0.
        let relative = self.difference() / self.baseline;
        (self.baseline > 0.0 && relative.is_finite()).then_some(relative)
    }
}

/// Intervals of `rows`, of which there is at least one and each has tokens.
pub(super) fn paired(
    rows: &[PairedRow],
    generator: &mut ChaCha8Rng,
    resamples: usize,
    confidence: f64,
) -> Intervals {
    let observed = Losses::of(rows.iter());
    let drawn: Vec<Losses> = (0..resamples).map(|_| resampled(rows, generator)).collect();
    let interval = |estimate: f64, values: Vec<f64>| percentile_interval(estimate, values, confidence);

    let relative: Option<Vec<f64>> = drawn.iter().map(Losses::relative).collect();
    Intervals {
        baseline: interval(observed.baseline, drawn.iter().map(|losses| losses.baseline).collect()),
        fine_tuned: interval(observed.fine_tuned, drawn.iter().map(|losses| losses.fine_tuned).collect()),
        difference: interval(observed.difference(), drawn.iter().map(Losses::difference).collect()),
        relative: observed.relative().zip(relative).map(|(estimate, values)| interval(estimate, values)),
    }
}

/// B - F of some rows.
pub(super) struct Differences {
    /// On the rows as they are.
    pub(super) observed: f64,
    /// On each resample.
    pub(super) drawn: Vec<f64>,
}

/// B - F of resampled `rows`, of which there is at least one and each has tokens.
pub(super) fn differences(rows: &[PairedRow], generator: &mut ChaCha8Rng, resamples: usize) -> Differences {
    let drawn = (0..resamples).map(|_| resampled(rows, generator).difference()).collect();
    Differences { observed: Losses::of(rows.iter()).difference(), drawn }
}

/// The losses of as many rows as there are, drawn with replacement.
fn resampled(rows: &[PairedRow], generator: &mut ChaCha8Rng) -> Losses {
    Losses::of((0..rows.len()).map(|_| &rows[random::index_below(rows.len(), generator)]))
}

/// The central `confidence` of the resampled `values`, of which there is at least one.
pub(super) fn percentile_interval(estimate: f64, mut values: Vec<f64>, confidence: f64) -> Interval {
    values.sort_unstable_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Interval { estimate, low: quantile(&values, tail), high: quantile(&values, 1.0 - tail) }
}

/// Linear interpolation between order statistics: type 7 of Hyndman and Fan 1996, as numpy has it.
fn quantile(sorted: &[f64], probability: f64) -> f64 {
    let position = (sorted.len() - 1) as f64 * probability;
    let below = position.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (position - below as f64) * (sorted[above] - sorted[below])
}

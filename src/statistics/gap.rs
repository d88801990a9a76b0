//! How far two gains are apart that were measured on different rows: two levels, each on its own.
//!
//! That two intervals overlap does not say that their figures are alike (Schenker and Gentleman 2001): the difference
//! has an interval of its own, narrower than both together.

use super::bootstrap::{self, Interval};
use super::random::{self, Stream};
use super::{CONFIDENCE, PairedRow, RESAMPLES};
use serde::{Deserialize, Serialize};

/// The second gain minus the first.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// (B₂ - F₂) - (B₁ - F₁) in nats a token, each side resampled by itself.
    pub difference: Interval,
    /// Two-sided: twice the share of resamples beyond 0 on the rarer side, the observed rows counted on both.
    pub p: f64,
}

/// How much more the rows of `second` gained than those of `first`. With the same `seed` for both, the two sides draw from
/// one stream, one after the other: they share no rows, so nothing pairs them.
///
/// `None` where one side has no row with tokens.
pub fn gap(first: &[PairedRow], second: &[PairedRow], seed: u64) -> Option<Gap> {
    let counted = |rows: &[PairedRow]| -> Option<Vec<PairedRow>> {
        let rows: Vec<PairedRow> = rows.iter().copied().filter(|row| row.tokens > 0).collect();
        (!rows.is_empty()).then_some(rows)
    };
    let (first, second) = (counted(first)?, counted(second)?);
    let mut generator = random::stream(seed, Stream::Bootstrap);
    let [of_first, of_second] =
        [&first, &second].map(|rows| bootstrap::differences(rows, &mut generator, RESAMPLES));
    let drawn: Vec<f64> = of_first.drawn.iter().zip(&of_second.drawn).map(|(one, two)| two - one).collect();
    let beyond = |is_beyond: fn(&f64) -> bool| drawn.iter().filter(|gap| is_beyond(gap)).count();
    let rarer = beyond(|gap| *gap <= 0.0).min(beyond(|gap| *gap >= 0.0));
    let p = (2.0 * (rarer + 1) as f64 / (RESAMPLES + 1) as f64).min(1.0);
    let estimate = of_second.observed - of_first.observed;
    Some(Gap { difference: bootstrap::percentile_interval(estimate, drawn, CONFIDENCE), p })
}

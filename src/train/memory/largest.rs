//! The size of a batch, as memory sees it.

use crate::data::Prepared;
use crate::model::ops::heads::{PADDED_TO, QUERIES};
use crate::recipe::Recipe;
use crate::train::schedule::{Plan, epoch_order};

/// The largest batch in each measure that memory follows; the measures need not be of one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Largest {
    /// Tokens.
    pub tokens: usize,
    /// Tokens that have a target.
    pub targets: usize,
    /// Tokens where every row is as long as the longest.
    pub padded: usize,
    /// Scores of one head that exist at once: of all rows, queries of a block x keys.
    pub scores: usize,
}

impl Largest {
    /// The measures of one batch of rows of these lengths, as a device pads them, with so many targets in all.
    pub fn of(lengths: &[usize], targets: usize) -> Self {
        let longest = lengths.iter().copied().max().unwrap_or(0).next_multiple_of(PADDED_TO);
        let padded = lengths.len() * longest;
        let scores = padded * longest.min(QUERIES);
        Largest { tokens: lengths.iter().sum(), targets, padded, scores }
    }

    /// The larger of each measure.
    pub fn or(self, other: Self) -> Self {
        Largest {
            tokens: self.tokens.max(other.tokens),
            targets: self.targets.max(other.targets),
            padded: self.padded.max(other.padded),
            scores: self.scores.max(other.scores),
        }
    }

    /// That of a run. The order of every epoch follows from the seed, so it is known before.
    pub(super) fn of_run(recipe: &Recipe, rows: &Prepared) -> Self {
        let train = &recipe.train;
        let plan = Plan::new(rows.train.len(), train);
        let epochs = plan.total_steps.div_ceil(plan.steps_per_epoch);
        // An evaluation keeps one layer at a time: it is never the peak, unless its batches are far larger.
        (0..epochs).fold(Largest::default(), |largest, epoch| {
            let order = epoch_order(rows.train.len(), train, epoch);
            order.chunks(train.batch_size).fold(largest, |largest, batch| {
                let lengths: Vec<usize> = batch.iter().map(|&row| rows.train[row].ids.len()).collect();
                let targets = batch.iter().map(|&row| rows.train[row].targets()).sum();
                largest.or(Largest::of(&lengths, targets))
            })
        })
    }
}

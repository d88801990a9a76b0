//! One run repeated with other training seeds: how much of a result is the seed.

use crate::level::Level;
use crate::statistics::Summary;
use serde::{Deserialize, Serialize};

/// The newest layout of `replicates.json`.
pub const SCHEMA: u32 = 1;

/// A level's run under several training seeds, all else equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replicates {
    /// Layout number of this file.
    pub schema: u32,
    /// The level of all runs.
    pub level: Level,
    /// One entry a seed, in the order in which they were run.
    pub runs: Vec<Replicate>,
    /// Response tokens and their end-of-sequence token.
    pub masked: LossSummary,
    /// Every token that has a predecessor.
    pub full: LossSummary,
}

/// One seed's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replicate {
    /// The training seed.
    pub seed: u64,
    /// Fine-tuned response loss, in nats a token.
    pub masked_loss: f64,
    /// Fine-tuned full-text loss, in nats a token.
    pub full_loss: f64,
    /// B - F on the responses; positive: improved.
    pub masked_improvement: f64,
    /// B - F on the full text; positive: improved.
    pub full_improvement: f64,
}

/// A loss over the seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LossSummary {
    /// The fine-tuned model's loss F, in nats a token.
    pub fine_tuned: Summary,
    /// B - F, in nats a token; positive: improved.
    pub improvement: Summary,
}

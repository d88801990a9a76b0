//! Every level's adapter on every level's rows.

use super::texts::LevelTexts;
use crate::level::Level;
use crate::statistics::Interval;
use serde::{Deserialize, Serialize};

/// Response losses of several adapters on several levels' evaluation rows: Σ NLL / Σ tokens, in nats a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossMatrix {
    /// Levels that the adapters were trained on, in the order of `loss`.
    pub adapters: Vec<Level>,
    /// Levels of the evaluation rows, in the order of `base_loss` and of each row of `loss`.
    pub eval_sets: Vec<Level>,
    /// The base model on each evaluation set.
    pub base_loss: Vec<f64>,
    /// `loss[adapter][eval_set]`.
    pub loss: Vec<Vec<f64>>,
    /// What the own adapter gives beyond the others, an entry a set; none in matrices that were made before it was
    /// measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advantage: Vec<OwnAdvantage>,
    /// What the adapters write after the same prompts; absent where no texts were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<LevelTexts>,
}

/// A set's own adapter against the mean of the other adapters, on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OwnAdvantage {
    /// The level of the rows and of the own adapter.
    pub eval_set: Level,
    /// The others' mean loss minus the own adapter's, in nats a token; positive: better at home.
    pub difference: Interval,
    /// Confidence of the interval.
    pub confidence: f64,
    /// Permutation test over the rows, Holm-adjusted over the sets.
    pub p: f64,
}

impl OwnAdvantage {
    /// Whether it differs from 0 by both standards, as in `Comparison::is_significant`.
    pub fn is_sure(&self) -> bool {
        self.p <= 1.0 - self.confidence && (self.difference.low > 0.0 || self.difference.high < 0.0)
    }

    /// Whether the own adapter is better, by both standards.
    pub(crate) fn is_surely_better(&self) -> bool {
        self.is_sure() && self.difference.low > 0.0
    }
}

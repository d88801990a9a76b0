//! The course of a training: what a resumed run continues and what the record holds.

use crate::record::{Best, Eval, Step};
use serde::{Deserialize, Serialize};

/// Everything that a training measured so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Course {
    /// Steps taken.
    pub steps: Vec<Step>,
    /// Evaluations made.
    pub evals: Vec<Eval>,
    /// The evaluation of the lowest loss; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// Wall time of steps, evaluations and checkpoints, in seconds.
    pub seconds: f64,
}

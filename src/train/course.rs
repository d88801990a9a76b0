//! The course of a training: what a resumed run continues and what the record holds.

use crate::evaluate::nll::{self, RowSums};
use crate::record::{Best, Eval, Step};
use serde::{Deserialize, Serialize};

/// Everything that a training measured so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Course {
    /// Steps taken.
    pub steps: Vec<Step>,
    /// Evaluations made.
    pub evals: Vec<Eval>,
    /// The rows' sums of each evaluation: what another way of averaging is computed from.
    pub eval_sums: Vec<Vec<RowSums>>,
    /// The evaluation of the lowest loss; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// Wall time of steps, evaluations and checkpoints, in seconds.
    pub seconds: f64,
}

impl Course {
    /// The same course with the Trainer's figure as evaluation batches of `eval_batch_size` rows give it: no other figure
    /// depends on them.
    pub fn averaged_by(mut self, eval_batch_size: usize) -> Self {
        for (eval, sums) in self.evals.iter_mut().zip(&self.eval_sums) {
            eval.trainer_eval_loss = nll::eval_loss(sums, eval_batch_size).trainer_eval_loss;
        }
        self
    }
}

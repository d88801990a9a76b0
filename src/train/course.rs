//! The course of a training: what a resumed run continues and what the record holds.

use crate::evaluate::nll::{self, RowSums};
use crate::record::{Best, EarlyStop, Eval, Step};
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
    /// Where the training ended before its last planned step, since the evaluations no longer improved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<EarlyStop>,
    /// Wall time of steps, evaluations and checkpoints, in seconds.
    pub seconds: f64,
}

impl Course {
    /// The stop that is due after the last evaluation: `patience` evaluations in a row were not strictly lower than the lowest
    /// before them, as transformers' `EarlyStoppingCallback` counts with a threshold of 0. None with a patience of 0. It
    /// follows from the evaluations alone, so that a resumed training stops where one that was never interrupted does.
    pub fn stop_due(&self, patience: usize) -> Option<EarlyStop> {
        let best = self.best.as_ref()?.step;
        let evaluations = self.evals.iter().rev().take_while(|eval| eval.step != best).count();
        let step = self.evals.last()?.step;
        (patience > 0 && evaluations >= patience).then_some(EarlyStop { step, evaluations })
    }

    /// The same course with the Trainer's figure as evaluation batches of `eval_batch_size` rows give it: no other figure
    /// depends on them.
    pub fn averaged_by(mut self, eval_batch_size: usize) -> Self {
        for (eval, sums) in self.evals.iter_mut().zip(&self.eval_sums) {
            eval.trainer_eval_loss = nll::eval_loss(sums, eval_batch_size).trainer_eval_loss;
        }
        self
    }
}

//! The course of the training: its steps, its evaluations, and the best of them.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The course of the training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Optimizer steps of the whole run, planned.
    pub total_steps: usize,
    /// Optimizer steps an epoch.
    pub steps_per_epoch: usize,
    /// What made a step of the gradients.
    #[serde(default)]
    pub optimizer: Optimizer,
    /// The adapter that the update began with; absent where it began with random A and a B of zeros.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_adapter: Option<InitAdapter>,
    /// Whether activations were computed again, as decided.
    pub gradient_checkpointing: bool,
    /// Wall time of the steps, evaluations and checkpoints, in seconds.
    pub seconds: f64,
    /// Tokens of the training steps over the seconds of the training steps.
    pub tokens_per_second: f64,
    /// Highest resident memory of the process (on a GPU: of the card), in bytes.
    pub peak_memory_bytes: u64,
    /// One entry an optimizer step.
    pub steps: Vec<Step>,
    /// One entry an evaluation.
    pub evals: Vec<Eval>,
    /// The evaluation of the lowest loss; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// Where it ended before its last planned step, as `train.early_stopping_patience` asked; absent where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early_stop: Option<EarlyStop>,
}

/// A training that ended before its last planned step, since the evaluation loss no longer fell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlyStop {
    /// The last step that was taken.
    pub step: usize,
    /// Evaluations in a row, the one after that step among them, that were not lower than the lowest before them.
    pub evaluations: usize,
}

/// An adapter that a training went on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitAdapter {
    /// Its folder, as the user named it.
    pub source: String,
    /// SHA-256 of the file of its tensors.
    pub sha256: String,
}

/// The optimizer and those of its constants that no recipe changes. Records that do not have it are of the default one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Optimizer {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub epsilon: f64,
}

impl Optimizer {
    /// AdamW with the constants of torch and of transformers' Trainer.
    pub const ADAMW: Optimizer =
        Optimizer { name: Cow::Borrowed("AdamW"), beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
}

impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::ADAMW
    }
}

/// One optimizer step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// From 1.
    pub step: usize,
    /// Epochs done after it, as a fraction.
    pub epoch: f64,
    /// Token-weighted loss of the step's window, before its update.
    pub loss: f64,
    /// The rate it used.
    pub learning_rate: f64,
    /// L2 norm over all gradients, before clipping.
    pub grad_norm: f64,
    /// Tokens that went through the model.
    pub tokens: usize,
    /// Tokens that were targets.
    pub supervised_tokens: usize,
    /// Wall time, in seconds.
    pub seconds: f64,
}

/// One evaluation during the training, on response tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eval {
    /// After this optimizer step.
    pub step: usize,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// Sum of NLL over sum of tokens.
    pub loss: f64,
    /// The Trainer's figure: batch means weighted by rows; it depends on the batch size.
    pub trainer_eval_loss: f64,
}

/// The evaluation that the final adapter comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Its optimizer step.
    pub step: usize,
    /// Its token-weighted loss.
    pub loss: f64,
}

//! How the program computes where no setting chooses: what a method section says, and a later program may do otherwise.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A way of doing something, by its name.
type Way = Cow<'static, str>;

/// How a run was made, as far as no recipe decides it. A document says of a run what stands here; a way that it has no
/// words for is left out. Records that do not have it are of [`Method::CURRENT`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// How a row becomes tokens.
    pub tokenization: Way,
    /// Where a row longer than the limit is cut.
    pub truncation: Way,
    /// The update before its first step.
    pub adapter_start: Way,
    /// What dropout is applied to.
    pub dropout_on: Way,
    /// How the losses of a step's tokens become the step's loss.
    pub step_loss: Way,
    /// Which tokens the full loss counts.
    pub full_mask: Way,
    /// Evaluations besides those of `train.eval_steps`.
    pub final_evaluation: Way,
    /// How intervals are made.
    pub intervals: Way,
    /// How the difference of two models is tested.
    pub difference_test: Way,
    /// How the next token of a text is chosen.
    pub decoding: Way,
}

impl Method {
    /// What this program does.
    pub const CURRENT: Method = Method {
        tokenization: Cow::Borrowed("prompt and response apart, eos appended"),
        truncation: Cow::Borrowed("right"),
        adapter_start: Cow::Borrowed("A random, B zero"),
        dropout_on: Cow::Borrowed("input of A"),
        step_loss: Cow::Borrowed("sum over the window / target tokens"),
        full_mask: Cow::Borrowed("tokens with a predecessor"),
        final_evaluation: Cow::Borrowed("after the last step"),
        intervals: Cow::Borrowed("paired bootstrap over rows"),
        difference_test: Cow::Borrowed("two-sided sign flips over rows"),
        decoding: Cow::Borrowed("greedy"),
    };
}

impl Default for Method {
    fn default() -> Self {
        Method::CURRENT
    }
}

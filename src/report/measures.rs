//! Numbers that the record implies: ratios, differences and extremes, each with the formula it came from.
//!
//! What the documents say beyond the record's own fields is computed here and nowhere else; a [`Quantity`]'s
//! path is the formula over record paths. `None` stands where the record has nothing to compute from.

mod scores;

use super::quantity::Quantity;
use crate::recipe::Quantization;
use crate::record::{Eval, RunRecord, Step};
use crate::statistics::{Comparison, Interval};
pub(crate) use scores::{BothScores, both_scores, level_scores};

/// Steps whose losses are averaged, by tokens, before the training loss is set against the evaluation loss:
/// one window alone is noisy, and the last of an epoch may hold a few rows only.
const LATE_STEPS: usize = 10;

/// Which tokens a loss counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// Response tokens and their end-of-sequence token.
    Masked,
    /// Every token that has a predecessor.
    Full,
}

impl Mask {
    /// Both, response first.
    pub const ALL: [Mask; 2] = [Mask::Masked, Mask::Full];

    /// Its field in the record.
    pub fn name(self) -> &'static str {
        match self {
            Mask::Masked => "masked",
            Mask::Full => "full",
        }
    }

    /// The one of two values that belongs to it.
    pub(crate) fn of<T>(self, masked: T, full: T) -> T {
        match self {
            Mask::Masked => masked,
            Mask::Full => full,
        }
    }
}

/// after / before - 1.
fn change(after: &Quantity, before: &Quantity) -> Quantity {
    Quantity::new(format!("{} / {} - 1", after.path, before.path), after.real() / before.real() - 1.0)
}

/// A field of step `index` (from 0).
pub(crate) fn of_step(
    record: &RunRecord,
    index: usize,
    field: &str,
    value: fn(&Step) -> f64,
) -> Option<Quantity> {
    record
        .training
        .steps
        .get(index)
        .map(|step| Quantity::new(format!("training.steps[{index}].{field}"), value(step)))
}

/// Loss of the first step.
pub(crate) fn first_train_loss(record: &RunRecord) -> Option<Quantity> {
    of_step(record, 0, "loss", |step| step.loss)
}

/// Loss of the last step.
pub(crate) fn last_train_loss(record: &RunRecord) -> Option<Quantity> {
    of_step(record, record.training.steps.len().checked_sub(1)?, "loss", |step| step.loss)
}

/// |1 - last / first| of the training loss, as a fraction.
pub(crate) fn train_loss_change(record: &RunRecord) -> Option<Quantity> {
    let (first, last) = (first_train_loss(record)?, last_train_loss(record)?);
    let value = (1.0 - last.real() / first.real()).abs();
    value.is_finite().then(|| Quantity::new(format!("abs(1 - {} / {})", last.path, first.path), value))
}

/// Token-weighted training loss of the last [`LATE_STEPS`] steps.
pub(crate) fn late_train_loss(record: &RunRecord) -> Option<Quantity> {
    let steps = &record.training.steps;
    let first = steps.len().saturating_sub(LATE_STEPS);
    let late = &steps[first..];
    let tokens: usize = late.iter().map(|step| step.supervised_tokens).sum();
    let nll: f64 = late.iter().map(|step| step.loss * step.supervised_tokens as f64).sum();
    let path = format!(
        "sum(training.steps[{first}..{last}].loss * supervised_tokens) / sum(supervised_tokens)",
        last = steps.len()
    );
    (tokens > 0).then(|| Quantity::new(path, nll / tokens as f64))
}

/// How many steps [`late_train_loss`] averages.
pub(crate) fn late_steps(record: &RunRecord) -> Quantity {
    Quantity::new("min(10, len(training.steps))", record.training.steps.len().min(LATE_STEPS))
}

/// Loss of the evaluation at `index` (from 0).
pub(crate) fn eval_loss(record: &RunRecord, index: usize) -> Option<Quantity> {
    record
        .training
        .evals
        .get(index)
        .map(|eval| Quantity::new(format!("training.evals[{index}].loss"), eval.loss))
}

/// Step of the evaluation at `index` (from 0).
pub(crate) fn eval_step(record: &RunRecord, index: usize) -> Option<Quantity> {
    record
        .training
        .evals
        .get(index)
        .map(|eval| Quantity::new(format!("training.evals[{index}].step"), eval.step))
}

/// The last evaluation, and its index.
pub(crate) fn last_eval(record: &RunRecord) -> Option<(usize, &Eval)> {
    record.training.evals.iter().enumerate().next_back()
}

/// Highest learning rate of any step.
pub(crate) fn highest_learning_rate(record: &RunRecord) -> Option<Quantity> {
    record
        .training
        .steps
        .iter()
        .map(|step| step.learning_rate)
        .max_by(f64::total_cmp)
        .map(|rate| Quantity::new("max(training.steps[].learning_rate)", rate))
}

/// Trainable parameters over those of the base model, as a fraction.
pub(crate) fn trainable_share(record: &RunRecord) -> Option<Quantity> {
    let model = &record.model;
    let share = model.trainable_parameters as f64 / model.parameters as f64;
    share.is_finite().then(|| Quantity::new("model.trainable_parameters / model.parameters", share))
}

/// Parameters that are not trained, against training all of them, as a fraction.
pub(crate) fn spared_share(record: &RunRecord) -> Option<Quantity> {
    let share = trainable_share(record)?;
    (share.real() <= 1.0).then(|| Quantity::new(format!("1 - {}", share.path), 1.0 - share.real()))
}

/// Share of the rows that a part holds, as a fraction.
pub(crate) fn row_share(record: &RunRecord, part: &str, rows: usize) -> Option<Quantity> {
    let share = rows as f64 / record.dataset.rows as f64;
    share.is_finite().then(|| Quantity::new(format!("dataset.{part} / dataset.rows"), share))
}

/// The length that `dataset.tokens.over_512` counts from.
pub(crate) fn short_limit() -> Quantity {
    Quantity::new("512 (dataset.tokens.over_512)", 512u64)
}

/// Rows of one optimizer step.
pub(crate) fn effective_batch(record: &RunRecord) -> Quantity {
    let train = &record.recipe.train;
    Quantity::new(
        "recipe.train.batch_size * recipe.train.accumulation_steps",
        train.batch_size * train.accumulation_steps,
    )
}

/// The factor alpha / rank of the low-rank update.
pub(crate) fn lora_scale(record: &RunRecord) -> Quantity {
    let lora = &record.recipe.lora;
    Quantity::new("recipe.lora.alpha / recipe.lora.rank", lora.scale())
}

/// Whether frozen weights are stored quantized, or were to be: a GGUF file whose own types are dense has none.
pub(crate) fn is_quantized(record: &RunRecord) -> bool {
    let model = &record.model;
    let is_loaded = model.parameters > 0;
    model.quantization != Quantization::None && (!is_loaded || model.quantized_parameters > 0)
}

/// Memory of the frozen weights over what they would take unquantized, as a fraction saved.
pub(crate) fn weight_memory_saved(record: &RunRecord) -> Option<Quantity> {
    let model = &record.model;
    let saved = 1.0 - model.weight_bytes as f64 / model.dense_weight_bytes as f64;
    (saved.is_finite() && saved >= 0.0)
        .then(|| Quantity::new("1 - model.weight_bytes / model.dense_weight_bytes", saved))
}

/// Loss of a model that gives every token of the vocabulary the same probability: ln V.
pub(crate) fn uniform_loss(record: &RunRecord) -> Quantity {
    Quantity::new("ln(model.architecture.vocab_size)", (record.model.architecture.vocab_size as f64).ln())
}

/// Steps whose gradient was longer than the recipe's limit, and so was scaled down.
pub(crate) fn clipped_steps(record: &RunRecord) -> Quantity {
    let limit = record.recipe.train.max_grad_norm;
    let clipped = record.training.steps.iter().filter(|step| step.grad_norm > limit).count();
    Quantity::new("count(training.steps[].grad_norm > recipe.train.max_grad_norm)", clipped)
}

/// Steps that were made.
pub(crate) fn steps_made(record: &RunRecord) -> Quantity {
    Quantity::new("len(training.steps)", record.training.steps.len())
}

/// Steps that the recipe's epochs ask for: ceil(epochs x steps an epoch).
pub(crate) fn steps_of_epochs(record: &RunRecord) -> Quantity {
    let steps = (record.recipe.train.epochs * record.training.steps_per_epoch as f64).ceil();
    Quantity::new("ceil(recipe.train.epochs * training.steps_per_epoch)", steps.max(0.0) as u64)
}

/// F / B - 1 of the prompt's loss, where it was told apart.
pub(crate) fn prompt_loss_change(record: &RunRecord) -> Option<Quantity> {
    let prompt = record.evaluation.statistics.as_ref()?.prompt.as_ref()?;
    estimated_change("evaluation.statistics.prompt", prompt)
}

/// F / B - 1 of the response loss on the half of the rows that overlaps least with the training answers.
pub(crate) fn least_overlapping_loss_change(record: &RunRecord) -> Option<Quantity> {
    let half = record.evaluation.least_overlapping.as_ref()?;
    estimated_change("evaluation.least_overlapping.masked", &half.masked)
}

fn estimated_change(at: &str, of: &Comparison) -> Option<Quantity> {
    let loss =
        |side: &str, loss: &Interval| Quantity::new(format!("{at}.{side}.loss.estimate"), loss.estimate);
    let change = change(&loss("fine_tuned", &of.fine_tuned.loss), &loss("baseline", &of.baseline.loss));
    change.real().is_finite().then(|| change.within(of.relative_loss_reduction.as_ref()))
}

/// The p value below which a difference may count as significant: 1 - confidence, in the decimals it was meant in.
pub(crate) fn significance_level(record: &RunRecord) -> Option<Quantity> {
    let confidence = record.evaluation.statistics.as_ref()?.masked.confidence;
    // 1 - 0.95 is 0.050000000000000044.
    let level = ((1.0 - confidence) * 1e9).round() / 1e9;
    Some(Quantity::new("1 - evaluation.statistics.masked.confidence", level))
}

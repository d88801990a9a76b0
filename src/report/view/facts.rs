//! What is so, or is not: what a template may ask to choose its sentences, `{% if has.steps %}`.

use crate::recipe::{Projection, Quantization};
use crate::record::ratings::Who;
use crate::record::{Method, Optimizer, RunRecord, Status};
use crate::report::measures::{self, Mask};
use crate::statistics::{Comparison, Performance};
use minijinja::Value;

/// Its name in templates, what it says, and how it follows from a record.
pub(in crate::report) type Fact<R> = (&'static str, &'static str, fn(&R) -> bool);

/// `has`: the facts of `record` by their names.
pub(in crate::report) fn has<R>(facts: &[Fact<R>], record: &R) -> Value {
    Value::from_pairs(facts.iter().map(|(name, _, holds)| (*name, Value::from(holds(record)))))
}

/// The facts of one run.
#[rustfmt::skip] // a fact a line, as a table is read
pub(super) const FACTS: [Fact<RunRecord>; 61] = [
    // The run.
    ("completed", "it came to its end", |record| record.status == Status::Completed),
    ("failed", "it stopped at an error", |record| record.status == Status::Failed),
    ("failure", "the error is recorded", |record| record.failure.is_some()),
    ("finished", "its end has a time", |record| record.environment.finished_at.is_some()),
    ("commit", "the program's commit is known", |record| record.environment.git_commit.is_some()),
    ("dirty", "the working copy had changes", |record| record.environment.git_dirty),
    ("accelerator", "it ran on a GPU", |record| record.environment.accelerator.is_some()),
    ("card", "and its driver described it", |record| record.environment.card.is_some()),
    ("outputs", "it wrote data or weights", |record| !record.outputs.is_empty()),
    ("merged_output", "among them a merged model", |record| record.outputs.iter().any(|output| output.kind == "merged")),
    ("gguf_output", "also as a GGUF file", |record| record.outputs.iter().any(|output| output.kind == "gguf")),
    // The rows.
    ("split_seed", "they were split here", |record| record.dataset.split_seed.is_some()),
    ("validation", "some are for the choice of a checkpoint alone", |record| record.dataset.validation.is_some()),
    ("input", "they have an input field", |record| !record.dataset.example.input.is_empty()),
    ("leak", "some evaluation rows were trained on", |record| record.dataset.leaked_rows > 0),
    ("truncated", "some were cut", |record| record.dataset.truncated_rows > 0),
    // The model and its adapter.
    ("model_loaded", "its weights were loaded", |record| record.model.parameters > 0),
    ("grouped_heads", "several heads share keys and values", |record| {
        record.model.architecture.key_value_heads < record.model.architecture.attention_heads
    }),
    ("quantized", "weights are stored quantized", measures::is_quantized),
    ("as_is", "as the GGUF file has them", |record| record.model.quantization == Quantization::AsIs),
    ("nf4", "as NF4", |record| matches!(record.model.quantization, Quantization::Nf4 | Quantization::Nf4Double)),
    ("all_modules", "every projection has an adapter", |record| {
        Projection::ALL.iter().all(|module| record.recipe.lora.target_modules.contains(module))
    }),
    ("init_adapter", "its update began with another adapter", |record| record.training.init_adapter.is_some()),
    ("dropout", "the adapter drops inputs", |record| record.recipe.lora.dropout > 0.0),
    // The training.
    ("planned", "its steps are counted", |record| record.training.total_steps > 0),
    ("max_steps", "the recipe limits them", |record| record.recipe.train.max_steps > 0),
    ("steps", "one was made", |record| !record.training.steps.is_empty()),
    ("warmup", "the rate rises at first", |record| record.recipe.train.warmup_steps > 0),
    ("accumulation", "a step sums several batches", |record| record.recipe.train.accumulation_steps > 1),
    ("checkpointing", "activations are computed again", |record| record.training.gradient_checkpointing),
    ("evals", "its evaluation loss was followed", |record| !record.training.evals.is_empty()),
    ("best", "an evaluation was the best", |record| record.training.best.is_some()),
    ("load_best", "the best is used at the end", |record| record.recipe.train.load_best_at_end),
    ("early_stopping", "it ends where the loss no longer falls", |record| record.recipe.train.early_stopping_patience > 0),
    // How it was computed, where no setting chooses.
    ("tokenized_apart", "prompt and response by themselves", |record| record.method.tokenization == Method::CURRENT.tokenization),
    ("cut_right", "long rows lose their end", |record| record.method.truncation == Method::CURRENT.truncation),
    ("zero_start", "the update begins as nothing", |record| record.method.adapter_start == Method::CURRENT.adapter_start),
    ("dropout_before_a", "dropout meets A's input", |record| record.method.dropout_on == Method::CURRENT.dropout_on),
    ("token_mean", "a step's loss is a mean over tokens", |record| record.method.step_loss == Method::CURRENT.step_loss),
    ("full_but_first", "the full loss leaves out first tokens", |record| record.method.full_mask == Method::CURRENT.full_mask),
    ("evaluated_last", "the last step is evaluated", |record| record.method.final_evaluation == Method::CURRENT.final_evaluation),
    ("bootstrap", "intervals are bootstrapped", |record| record.method.intervals == Method::CURRENT.intervals),
    ("sign_flips", "differences are tested by sign flips", |record| record.method.difference_test == Method::CURRENT.difference_test),
    ("greedy", "the likeliest token is taken", |record| {
        record.method.decoding == Method::CURRENT.decoding && record.recipe.samples.temperature == 0.0
    }),
    ("adamw", "AdamW takes the steps", |record| record.training.optimizer.name == Optimizer::ADAMW.name),
    // The evaluation.
    ("baseline", "the base was evaluated", |record| record.evaluation.baseline.is_some()),
    ("comparison", "and the fine-tuned model too", is_compared),
    ("masked_fell", "the response loss fell surely, or fell untested", fell),
    ("texts", "all held-out prompts were answered and measured", |record| record.texts.is_some()),
    ("prompted", "also by the base model told to write at the level", |record| {
        record.texts.as_ref().is_some_and(|texts| texts.told.is_some())
    }),
    ("people", "people rated them", |record| is_rated_by(record, |who| *who == Who::People)),
    ("judge", "a judge model rated them", |record| is_rated_by(record, |who| *who != Who::People)),
    ("first_samples", "those of its first rows", |record| {
        record.samples.iter().enumerate().all(|(index, sample)| sample.row == index)
    }),
    ("statistics", "and both were tested", is_tested),
    ("prompt_loss", "the prompt's loss is told apart", |record| {
        record.evaluation.statistics.as_ref().is_some_and(|both| both.prompt.is_some())
    }),
    ("least_overlapping", "and half of the rows by themselves", |record| {
        measures::least_overlapping_loss_change(record).is_some()
    }),
    ("wilcoxon", "by the signed-rank test as well", |record| of_masks(record, |of| of.wilcoxon.is_some())),
    ("effect_size", "an effect size is known", |record| of_masks(record, |of| of.effect_size.is_some())),
    ("bits_per_byte", "losses are known by the byte", |record| of_models(record, |of| of.bits_per_byte.is_some())),
    ("perplexity_intervals", "perplexities have intervals", |record| of_models(record, |of| of.perplexity.is_some())),
    ("samples", "sample texts were written", |record| !record.samples.is_empty()),
];

/// Whether the response loss fell, and not by chance as far as that was tested.
fn fell(record: &RunRecord) -> bool {
    measures::both_scores(record, Mask::Masked).is_some_and(|both| {
        both.fine_tuned.loss < both.baseline.loss
            && both.statistics.is_none_or(|statistics| statistics.is_significant())
    })
}

/// Whether a panel of raters is as `is_so` says.
pub(in crate::report) fn is_rated_by(record: &RunRecord, is_so: impl Fn(&Who) -> bool) -> bool {
    record.ratings.as_ref().is_some_and(|ratings| ratings.panels.iter().any(|panel| is_so(&panel.who)))
}

/// Whether both models were evaluated.
pub(in crate::report) fn is_compared(record: &RunRecord) -> bool {
    record.evaluation.baseline.is_some() && record.evaluation.fine_tuned.is_some()
}

/// Whether both models were evaluated and their difference tested.
pub(in crate::report) fn is_tested(record: &RunRecord) -> bool {
    is_compared(record) && record.evaluation.statistics.is_some()
}

/// Whether something holds of the statistics under both masks.
fn of_masks(record: &RunRecord, holds: fn(&Comparison) -> bool) -> bool {
    record.evaluation.statistics.as_ref().is_some_and(|both| holds(&both.masked) && holds(&both.full))
}

/// Whether something holds of both models under both masks.
fn of_models(record: &RunRecord, holds: fn(&Performance) -> bool) -> bool {
    let statistics = record.evaluation.statistics.as_ref();
    statistics.is_some_and(|both| {
        [&both.masked, &both.full].into_iter().all(|of| holds(&of.baseline) && holds(&of.fine_tuned))
    })
}

#[cfg(test)]
mod tests {
    use super::super::derived::DERIVED;
    use super::*;
    use crate::report::engine::{Family, asked};
    use std::collections::BTreeSet;

    /// A name in a table that no template asks for is dead; one that is asked for and not there stops a document.
    #[test]
    fn the_tables_hold_what_templates_ask_for() {
        let facts: BTreeSet<&str> = FACTS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(facts, asked("has", Family::Run));
        let derived: BTreeSet<&str> = DERIVED.iter().map(|(name, _)| *name).collect();
        assert_eq!(derived, asked("derived", Family::Run));
        assert!(FACTS.iter().all(|(_, says, _)| !says.is_empty()));
    }
}

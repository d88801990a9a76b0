//! What a difference at each path of the record does to the numbers of two runs.

use super::{Effect, RECIPE, Subject};
use crate::recipe::{Reach, reach};

/// Subject, effect and reason of a path; none for what is volatile, measured, or follows from another fact.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn classified(
    path: &str,
    is_same_data: bool,
    is_same_eval: bool,
) -> Option<(Subject, Effect, &'static str)> {
    use Effect::{Explains, Harmless, Incomparable};
    Some(match path {
        "schema" => (Subject::Schema, Incomparable, "the two layouts do not hold the same fields"),
        "level" => (Subject::Level, Incomparable, "the rows of another level are another task"),
        "smoke" => (
            Subject::Recipe,
            Incomparable,
            "a smoke run is cut to a few rows and steps: its numbers say nothing",
        ),
        "status" | "failure.step" | "failure.message" => {
            (Subject::Status, Explains, "one of them came less far")
        }
        "dataset.sha256" if is_same_eval => (
            Subject::Data,
            Incomparable,
            "other data; the evaluation rows are the same ones, so their losses may be read side by side by hand",
        ),
        "dataset.sha256" => (Subject::Data, Incomparable, "other data: the losses are of other texts"),
        "dataset.eval_sha256" | "dataset.eval_rows" => {
            (Subject::Data, Incomparable, "other evaluation rows: the losses are of other texts")
        }
        "dataset.train_sha256" | "dataset.train_rows" | "dataset.rows" | "dataset.split_seed" => {
            (Subject::Data, Incomparable, "other rows were learned from")
        }
        "dataset.validation.sha256" | "dataset.validation.rows" => {
            (Subject::Data, Explains, "the checkpoint was chosen on other rows")
        }
        "dataset.tokens.over_max_seq_len" | "dataset.truncated_rows" | "dataset.rows_without_target" => {
            (Subject::Data, Explains, "the rows are cut in another place")
        }
        "dataset.tokens.mean" if is_same_data => (
            Subject::Tokenizer,
            Incomparable,
            "the same rows have other token lengths: a loss a token is of another token",
        ),
        "model.architecture.vocab_size" => {
            (Subject::Tokenizer, Incomparable, "another vocabulary: a loss a token is of another token")
        }
        // The weights' hash says it, whatever they are called.
        "model.source" | "model.commit" | "training.init_adapter.source" => return None,
        "training.init_adapter.sha256" => {
            (Subject::Recipe, Explains, "the update began with another adapter")
        }
        _ if path.starts_with("dataset.prompt.") => {
            (Subject::Data, Incomparable, "the rows were put into another prompt")
        }
        _ if path.starts_with("method.") => (Subject::Code, Explains, "computed in another way"),
        _ if path.starts_with("training.optimizer.") => (Subject::Recipe, Explains, "another optimizer"),
        "dataset.synthetic" => (Subject::Data, Explains, "only one of them was made by a program"),
        _ if path.starts_with("dataset.") => return None,
        _ if path.starts_with("model.") => {
            (Subject::Model, Explains, "another base model, or another form of it")
        }
        "recipe.train.seed" => {
            (Subject::Recipe, Explains, "another draw of initial values, dropout and row order")
        }
        _ if path.starts_with(RECIPE) => match reach(&path[RECIPE.len()..]) {
            Reach::Losses => (Subject::Recipe, Explains, "another choice"),
            Reach::Rounding => (Subject::Recipe, Explains, "no loss depends on it but by rounding"),
            Reach::Texts | Reach::Files => (Subject::Recipe, Harmless, "no loss depends on it"),
        },
        "training.total_steps" | "training.steps_per_epoch" | "training.gradient_checkpointing" => {
            (Subject::Recipe, Explains, "follows from the recipe or the memory")
        }
        "environment.tezgah_version" | "environment.git_commit" | "environment.git_dirty" => {
            (Subject::Code, Explains, "another state of the program")
        }
        "environment.platform"
        | "environment.cpu"
        | "environment.threads"
        | "environment.device"
        | "environment.accelerator"
        | "environment.card.compute_capability"
        | "environment.card.driver" => (Subject::Machine, Explains, "sums may be rounded in another order"),
        _ => return None,
    })
}

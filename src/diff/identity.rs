//! What kind of runs the two were: which differences make their numbers incomparable, which only explain a change.

use super::leaves::{leaves, paired};
use crate::record::{RowScores, RunRecord};
use serde::Serialize;
use serde_json::Value;

/// A fact in which the two runs differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fact {
    /// What it is about.
    pub subject: Subject,
    /// Its record path.
    pub path: String,
    /// In the old run; absent where its record has none.
    pub old: Option<Value>,
    /// In the new run.
    pub new: Option<Value>,
    /// What it does to the comparison.
    pub effect: Effect,
    /// Why, in words.
    pub reason: String,
}

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Layout of the record.
    Schema,
    /// The CEFR level.
    Level,
    /// The rows.
    Data,
    /// What a token is.
    Tokenizer,
    /// How far the run came.
    Status,
    /// The base model.
    Model,
    /// The choices of the run, and what was planned from them.
    Recipe,
    /// Version and commit.
    Code,
    /// Processor, accelerator, threads.
    Machine,
}

impl Subject {
    /// Every subject, the decisive ones first.
    pub const ALL: [Subject; 9] = [
        Subject::Schema,
        Subject::Level,
        Subject::Data,
        Subject::Tokenizer,
        Subject::Status,
        Subject::Model,
        Subject::Recipe,
        Subject::Code,
        Subject::Machine,
    ];

    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Schema => "schema",
            Subject::Level => "level",
            Subject::Data => "data",
            Subject::Tokenizer => "tokenizer",
            Subject::Status => "status",
            Subject::Model => "model",
            Subject::Recipe => "recipe",
            Subject::Code => "code",
            Subject::Machine => "machine",
        }
    }
}

/// What a fact does to the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The losses are not of the same thing.
    Incomparable,
    /// The losses can be compared; this may be why they differ.
    Explains,
}

/// The facts in which the two differ, the decisive ones first.
pub(super) fn facts(old: &RunRecord, new: &RunRecord) -> Vec<Fact> {
    let is_same_data = old.dataset.sha256 == new.dataset.sha256;
    let is_same_eval = old.dataset.eval_sha256 == new.dataset.eval_sha256;
    let mut facts: Vec<Fact> = paired(&leaves(&outline(old)), &leaves(&outline(new)))
        .into_iter()
        .filter(|pair| pair.old != pair.new)
        .filter_map(|pair| {
            let (subject, effect, reason) = classified(&pair.path, is_same_data, is_same_eval)?;
            Some(Fact {
                subject,
                path: pair.path,
                old: pair.old,
                new: pair.new,
                effect,
                reason: reason.into(),
            })
        })
        .collect();
    if is_same_eval {
        facts.extend(token_counts(old, new));
    }
    facts.sort_by_key(|fact| fact.subject);
    facts
}

/// Without what was measured.
fn outline(record: &RunRecord) -> RunRecord {
    let mut outline = record.clone();
    outline.training.steps.clear();
    outline.training.evals.clear();
    outline.training.best = None;
    outline.evaluation = Default::default();
    outline.samples.clear();
    outline.outputs.clear();
    outline
}

/// Subject, effect and reason of a path; none for what is volatile, measured, or follows from another fact.
fn classified(path: &str, is_same_data: bool, is_same_eval: bool) -> Option<(Subject, Effect, &'static str)> {
    use Effect::{Explains, Incomparable};
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
        "model.source" => return None,
        "dataset.synthetic" => (Subject::Data, Explains, "only one of them was made by a program"),
        _ if path.starts_with("dataset.") => return None,
        _ if path.starts_with("model.") => {
            (Subject::Model, Explains, "another base model, or another form of it")
        }
        "recipe.train.seed" => {
            (Subject::Recipe, Explains, "another draw of initial values, dropout and row order")
        }
        _ if path.starts_with("recipe.") => (Subject::Recipe, Explains, "another choice"),
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
        | "environment.accelerator" => (Subject::Machine, Explains, "sums may be rounded in another order"),
        _ => return None,
    })
}

/// The same evaluation rows with other token counts: another tokenizer, or rows cut in another place.
fn token_counts(old: &RunRecord, new: &RunRecord) -> Vec<Fact> {
    let reason = match old.recipe.data.max_seq_len == new.recipe.data.max_seq_len {
        true => "the same rows have other token counts: another tokenizer",
        false => "the same rows are cut in another place: the losses count other tokens",
    };
    let fact = |path: String, old: usize, new: usize| Fact {
        subject: Subject::Tokenizer,
        path,
        old: Some(old.into()),
        new: Some(new.into()),
        effect: Effect::Incomparable,
        reason: reason.into(),
    };
    let (before, after) = (&old.evaluation, &new.evaluation);
    let counts = |row: &RowScores| [row.masked_tokens, row.full_tokens];
    // A run that did not come to its evaluation has no rows; what is missing is no contradiction.
    if before.rows.len() != after.rows.len() && !before.rows.is_empty() && !after.rows.is_empty() {
        return vec![fact("len(evaluation.rows)".into(), before.rows.len(), after.rows.len())];
    }
    let pair = before.rows.iter().zip(&after.rows).enumerate();
    let row = pair.clone().find(|(_, (old, new))| counts(old) != counts(new));
    if let Some((index, (old, new))) = row {
        let path = |name: &str| format!("evaluation.rows[{index}].{name}");
        return vec![
            fact(path("masked_tokens"), old.masked_tokens, new.masked_tokens),
            fact(path("full_tokens"), old.full_tokens, new.full_tokens),
        ]
        .into_iter()
        .filter(|fact| fact.old != fact.new)
        .collect();
    }
    let (Some(old), Some(new)) = (&before.baseline, &after.baseline) else { return Vec::new() };
    [("masked", &old.masked, &new.masked), ("full", &old.full, &new.full)]
        .into_iter()
        .filter(|(_, old, new)| old.tokens != new.tokens)
        .map(|(mask, old, new)| fact(format!("evaluation.baseline.{mask}.tokens"), old.tokens, new.tokens))
        .collect()
}

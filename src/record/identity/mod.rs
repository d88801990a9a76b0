//! What differs between two runs, and what it does to their numbers: the one answer for a run that is asked for and the
//! one that lies in its folder, for replicates, for levels side by side, and for `diff`.

mod effects;

use super::evaluation::RowScores;
use super::run::RunRecord;
use crate::level::Level;
use crate::paths::{Sides, leaves, paired};
use crate::recipe::{Cell, Recipe, is_as_before};
use crate::sha256;
use effects::classified;
use serde::Serialize;
use serde_json::{Value, json};

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
    /// The losses can be compared, and none depends on this.
    Harmless,
}

impl Fact {
    /// A value as a person reads it: text without quotation marks, `nothing` for what is absent.
    pub fn read(value: Option<&Value>) -> String {
        match value {
            None => "nothing".into(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        }
    }

    /// Whether it reaches the result of `cell`.
    pub(crate) fn reaches(&self, cell: Cell) -> bool {
        reaches(&self.path, cell)
    }

    /// The path without the room of the record that settings stand in: `lora.rank`.
    pub fn setting(&self) -> Option<&str> {
        self.path.strip_prefix(RECIPE)
    }
}

/// Where settings stand in a record.
const RECIPE: &str = "recipe.";

/// All that is decided before a run computes its first number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Asked<'a> {
    /// The level of the rows.
    pub level: Level,
    /// Cut to a few rows and steps.
    pub smoke: bool,
    /// Every choice.
    pub recipe: &'a Recipe,
    /// SHA-256 over the base model's weights.
    pub model_sha256: &'a str,
    /// SHA-256 of the rows' file.
    pub rows_sha256: &'a str,
}

impl<'a> Asked<'a> {
    /// What was asked of a run that has a record.
    pub(crate) fn of(record: &'a RunRecord) -> Self {
        Asked {
            level: record.level,
            smoke: record.smoke,
            recipe: &record.recipe,
            model_sha256: &record.model.sha256,
            rows_sha256: &record.dataset.sha256,
        }
    }

    /// A hash of all that the result of `cell` follows from: the cell's version, what of this reaches it, and `more` that
    /// stands in no record.
    pub(crate) fn cell_sha256(&self, cell: Cell, more: &[&str]) -> String {
        let tree = self.tree();
        let is_told = |path: &str, value: &Value| {
            reaches(path, cell) && !path.strip_prefix(RECIPE).is_some_and(|path| is_as_before(path, value))
        };
        let facts: Vec<_> = leaves(&tree).into_iter().filter(|(path, value)| is_told(path, value)).collect();
        let text = serde_json::to_string(&(cell.name(), cell.version(), facts, more)).expect("plain values");
        sha256::of(text.as_bytes())
    }

    /// The record's tree as far as it is known before the run.
    fn tree(&self) -> Value {
        json!({
            "level": self.level,
            "smoke": self.smoke,
            "recipe": self.recipe,
            "model": { "sha256": self.model_sha256 },
            "dataset": { "sha256": self.rows_sha256 },
        })
    }

    /// The facts in which `other` was asked for something else, in the order of the fields.
    pub(crate) fn differences(&self, other: &Asked) -> Vec<Fact> {
        differing(&self.tree(), &other.tree(), self.rows_sha256 == other.rows_sha256, false)
    }
}

/// What is no setting reaches every cell.
fn reaches(path: &str, cell: Cell) -> bool {
    path.strip_prefix(RECIPE).is_none_or(|setting| cell.reads(setting))
}

/// The facts in which the two runs differ, the decisive ones first.
pub(crate) fn facts(old: &RunRecord, new: &RunRecord) -> Vec<Fact> {
    let is_same_data = old.dataset.sha256 == new.dataset.sha256;
    let is_same_eval = old.dataset.eval_sha256 == new.dataset.eval_sha256;
    let mut facts = differing(&outline(old), &outline(new), is_same_data, is_same_eval);
    if is_same_eval {
        facts.extend(token_counts(old, new));
    }
    facts.sort_by_key(|fact| fact.subject);
    facts
}

/// The first fact besides the training seed in which two runs were not made alike; how far they came is not asked.
pub(crate) fn beyond_seed(first: &RunRecord, other: &RunRecord) -> Option<Fact> {
    facts(first, other).into_iter().find(|fact| {
        let is_choice = fact.subject == Subject::Model || fact.setting().is_some_and(|path| path != SEED);
        is_choice || fact.effect == Effect::Incomparable
    })
}

/// The setting in which replicates differ.
pub(crate) const SEED: &str = "train.seed";

fn differing(old: &Value, new: &Value, is_same_data: bool, is_same_eval: bool) -> Vec<Fact> {
    let differing = paired(&leaves(old), &leaves(new)).into_iter().filter(|sides| sides.old != sides.new);
    differing
        .filter_map(|Sides { path, old, new }| {
            let (subject, effect, reason) = classified(&path, is_same_data, is_same_eval)?;
            let reason = reason.to_string();
            Some(Fact { subject, path, old: old.cloned(), new: new.cloned(), effect, reason })
        })
        .collect()
}

/// Without what was measured.
fn outline(record: &RunRecord) -> Value {
    let mut outline = record.clone();
    outline.training.steps.clear();
    outline.training.evals.clear();
    outline.training.best = None;
    outline.training.early_stop = None;
    outline.evaluation = Default::default();
    outline.texts = None;
    outline.samples.clear();
    outline.outputs.clear();
    serde_json::to_value(outline).expect("a record is plain numbers, names and lists")
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A setting that came later moves no key while it is at what was done before: the hashes are those of a30750d, which had
    /// none of them.
    #[test]
    fn cells_that_an_older_program_kept_are_found() {
        let old = include_str!("../../../tests/records-schema/1.json");
        let mut record: RunRecord = serde_json::from_str(old).expect("a record of this layout");
        let key = |record: &RunRecord, cell| Asked::of(record).cell_sha256(cell, &["more"])[..12].to_string();
        assert_eq!(
            [Cell::Baseline, Cell::Training].map(|cell| key(&record, cell)),
            ["418476857dc1", "0ce47210fbe7"]
        );
        record.recipe.data.test_fraction = 0.1;
        assert_ne!(key(&record, Cell::Baseline), "418476857dc1");
    }
}

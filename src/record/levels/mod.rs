//! Several levels side by side: what is taken from each run's record, and what only all of them together say.
//!
//! ```text
//! RunRecord a level ─┐
//!                    ├─> compare -> LevelsRecord -> report::levels
//! CrossMatrix ───────┘
//! ```
//! A level without a record is missing, a run that did not come to its evaluation is excluded; both are named and
//! neither is guessed. Numbers are copied, not computed again, but for Holm's adjustment of the p-values.

mod texts;
mod ratings;
mod matrix;
mod check;
mod compare;

pub use compare::compare;
pub use matrix::{CrossMatrix, OwnAdvantage};
pub use ratings::LevelRating;
pub use texts::{AdapterTexts, LevelTexts, MeasureMean, TextGap};

use super::evaluation::Scores;
use super::replicates::Replicates;
use crate::error::Error;
use crate::level::Level;
use crate::recipe::Quantization;
use crate::statistics::{Gap, Interval, Statistics};
use serde::{Deserialize, Serialize};

/// The newest layout of `karsilastirma.json`.
pub const SCHEMA: u32 = 1;

/// What a comparison of levels rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelsRecord {
    /// Layout number of this file.
    pub schema: u32,
    /// The levels that are compared, from A1 to C1.
    pub levels: Vec<LevelEntry>,
    /// Levels that no record was given for.
    pub missing: Vec<Level>,
    /// Levels whose run cannot be compared.
    #[serde(default)]
    pub excluded: Vec<Excluded>,
    /// Settings in which the runs differ, those without effect on a loss left out.
    #[serde(default)]
    pub differing_settings: Vec<DifferingSetting>,
    /// Every level's adapter on every level's evaluation rows; absent where it was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross: Option<CrossMatrix>,
    /// How far each level's gain is from that of the level before it; empty in records that did not measure it, and where
    /// the base models differ.
    #[serde(default)]
    pub neighbours: Vec<NeighbourGap>,
    /// What was said of the levels' texts, level after level; empty where nobody was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ratings: Vec<LevelRating>,
    /// Permutation tests adjusted over all levels and both masks; an entry a level that was tested.
    #[serde(default)]
    pub holm: Vec<AdjustedP>,
}

/// One level: the facts of its run's record that a comparison speaks of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelEntry {
    /// The level.
    pub level: Level,
    /// Cut to a few rows and steps to try the program out.
    pub smoke: bool,
    /// Made with the embedded demonstration model.
    pub demonstration: bool,
    /// Rows made by a program.
    pub synthetic: bool,
    /// All rows.
    pub rows: usize,
    /// Rows trained on.
    pub train_rows: usize,
    /// Rows held out.
    pub eval_rows: usize,
    /// Evaluation rows whose text is also in the training rows.
    pub leaked_rows: usize,
    /// Mean words of a response.
    pub words: f64,
    /// Mean tokens of an encoded row.
    pub tokens: f64,
    /// SHA-256 of the data.
    pub data_sha256: String,
    /// The base model.
    pub model: ModelIdentity,
    /// Seed of the training.
    pub seed: u64,
    /// Optimizer steps made.
    pub steps: usize,
    /// Wall time of the training, in seconds.
    pub seconds: f64,
    /// Name of the accelerator, or of the processor.
    pub machine: String,
    /// Start of the run, RFC 3339.
    pub started_at: String,
    /// Commit of the working copy; absent outside one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    /// The base model on the level's evaluation rows.
    pub baseline: Scores,
    /// The best adapter on the same rows.
    pub fine_tuned: Scores,
    /// Intervals and tests; absent where the rows' sums were not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
    /// The run repeated with other seeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicates: Option<Replicates>,
}

/// What makes two base models the same: losses a token of others cannot be set against each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Short name.
    pub name: String,
    /// SHA-256 over the weight files.
    pub sha256: String,
    /// Storage of the projections, as used.
    pub quantization: Quantization,
    /// Type of activations and of unquantized weights, as used.
    pub dtype: String,
    /// Parameters of the base model.
    pub parameters: u64,
}

/// A run that cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excluded {
    /// Its level.
    pub level: Level,
    /// Why.
    pub reason: Reason,
}

/// Why a run cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It stopped at an error.
    Failed,
    /// It had not come to its end.
    Running,
    /// It came to its end without scores of both models.
    NotEvaluated,
}

/// A setting in which runs differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DifferingSetting {
    /// Its dotted path in the recipe: `lora.rank`.
    pub path: String,
    /// Its value at each compared level, as JSON has it, in their order.
    pub values: Vec<String>,
}

/// How far apart the gains of two neighbouring levels are, on the responses of each one's own rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NeighbourGap {
    /// The lower level and the next that was compared.
    pub levels: [Level; 2],
    /// The next level's gain minus the lower one's.
    pub gap: Gap,
    /// Its p, adjusted over all neighbours.
    pub holm: f64,
}

impl NeighbourGap {
    /// Whether the two gains differ by both standards: the adjusted p, and an interval without 0.
    pub fn is_significant(&self, confidence: f64) -> bool {
        let Interval { low, high, .. } = self.gap.difference;
        self.holm <= 1.0 - confidence && (low > 0.0 || high < 0.0)
    }
}

/// Holm-adjusted p-values of one level's permutation tests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AdjustedP {
    /// The level.
    pub level: Level,
    /// On the responses.
    pub masked: f64,
    /// On the full text.
    pub full: f64,
}

impl LevelsRecord {
    /// The compared level, where it is one.
    pub fn entry(&self, level: Level) -> Option<&LevelEntry> {
        self.levels.iter().find(|entry| entry.level == level)
    }

    /// What the adapters wrote after the same prompts.
    pub fn texts(&self) -> Option<&LevelTexts> {
        self.cross.as_ref()?.texts.as_ref()
    }

    /// Whether one base model, stored in one way, stands under all runs.
    pub(crate) fn is_one_model(&self) -> bool {
        is_one_model(&self.levels)
    }
}

fn is_one_model(levels: &[LevelEntry]) -> bool {
    levels.windows(2).all(|pair| pair[0].model == pair[1].model)
}

fn refused(message: String) -> Error {
    Error::Setting { key: "levels".into(), message }
}

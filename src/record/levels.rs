//! Several levels side by side: what is taken from each run's record, and what only all of them together say.
//!
//! ```text
//! RunRecord a level ─┐
//!                    ├─> compare -> LevelsRecord -> report::levels
//! CrossMatrix ───────┘
//! ```
//! A level without a record is missing, a run that did not come to its evaluation is excluded; both are named and
//! neither is guessed. Numbers are copied, not computed again, but for Holm's adjustment of the p-values.

use super::evaluation::Scores;
use super::replicates::Replicates;
use super::run::{RunRecord, Status};
use crate::error::{Error, Result};
use crate::level::Level;
use crate::recipe::Quantization;
use crate::statistics::{Interval, Statistics, holm};
use serde::{Deserialize, Serialize};

/// The newest layout of `karsilastirma.json`.
pub const SCHEMA: u32 = 1;

/// Settings that no loss depends on: runs that differ in them were trained alike.
const WITHOUT_EFFECT: [&str; 5] = [
    "train.eval_batch_size",
    "train.save_total_limit",
    "train.gradient_checkpointing",
    "samples.count",
    "samples.max_new_tokens",
];

/// How far a loss of the matrix may lie from the same loss of the run's own record, as a share of it: the order
/// of the sums may differ on a GPU, another run's adapter shows.
const SAME_LOSS: f64 = 1e-3;

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

/// Response losses of several adapters on several levels' evaluation rows: Σ NLL / Σ tokens, in nats a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CrossMatrix {
    /// Levels that the adapters were trained on, in the order of `loss`.
    pub adapters: Vec<Level>,
    /// Levels of the evaluation rows, in the order of `base_loss` and of each row of `loss`.
    pub eval_sets: Vec<Level>,
    /// The base model on each evaluation set.
    pub base_loss: Vec<f64>,
    /// `loss[adapter][eval_set]`.
    pub loss: Vec<Vec<f64>>,
    /// What the own adapter gives beyond the others, an entry a set; none in matrices that were made before it was
    /// measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub advantage: Vec<OwnAdvantage>,
}

/// A set's own adapter against the mean of the other adapters, on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OwnAdvantage {
    /// The level of the rows and of the own adapter.
    pub eval_set: Level,
    /// The others' mean loss minus the own adapter's, in nats a token; positive: better at home.
    pub difference: Interval,
    /// Confidence of the interval.
    pub confidence: f64,
    /// Permutation test over the rows, Holm-adjusted over the sets.
    pub p: f64,
}

impl OwnAdvantage {
    /// Whether it differs from 0 by both standards, as in `Comparison::is_significant`.
    pub fn is_sure(&self) -> bool {
        self.p <= 1.0 - self.confidence && (self.difference.low > 0.0 || self.difference.high < 0.0)
    }

    /// Whether the own adapter is better, by both standards.
    pub fn is_surely_better(&self) -> bool {
        self.is_sure() && self.difference.low > 0.0
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

/// Puts the runs of two to five levels side by side, in the order of the levels, whatever the order given.
///
/// # Errors
/// `Error::Setting` for two records of one level; for fewer than two runs that came to their evaluation; and for
/// a matrix whose shape, levels or numbers do not belong to these runs.
pub fn compare(records: &[RunRecord], cross: Option<CrossMatrix>) -> Result<LevelsRecord> {
    let mut sorted: Vec<&RunRecord> = records.iter().collect();
    sorted.sort_by_key(|record| record.level);
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].level == pair[1].level) {
        return Err(refused(format!("expected one record a level, got two of {}", pair[0].level)));
    }
    let (mut compared, mut levels, mut excluded) = (Vec::new(), Vec::new(), Vec::new());
    for record in sorted {
        match entry(record) {
            Ok(entry) => {
                compared.push(record);
                levels.push(entry);
            }
            Err(reason) => excluded.push(Excluded { level: record.level, reason }),
        }
    }
    if levels.len() < 2 {
        let list = |levels: Vec<Level>| match levels.is_empty() {
            true => "none".to_string(),
            false => levels.iter().map(Level::to_string).collect::<Vec<_>>().join(", "),
        };
        return Err(refused(format!(
            "expected completed and evaluated runs of at least two, got {} (failed, unfinished or not evaluated: {})",
            list(levels.iter().map(|entry| entry.level).collect()),
            list(excluded.iter().map(|excluded| excluded.level).collect()),
        )));
    }
    if let Some(cross) = &cross {
        check(cross, &levels)?;
    }
    let is_given = |level: &Level| records.iter().any(|record| record.level == *level);
    Ok(LevelsRecord {
        schema: SCHEMA,
        missing: Level::ALL.into_iter().filter(|level| !is_given(level)).collect(),
        holm: adjusted(&levels),
        differing_settings: differing_settings(&compared),
        levels,
        excluded,
        cross,
    })
}

impl LevelsRecord {
    /// The compared level, where it is one.
    pub fn entry(&self, level: Level) -> Option<&LevelEntry> {
        self.levels.iter().find(|entry| entry.level == level)
    }

    /// Whether one base model, stored in one way, stands under all runs.
    pub fn is_one_model(&self) -> bool {
        self.levels.windows(2).all(|pair| pair[0].model == pair[1].model)
    }
}

fn entry(record: &RunRecord) -> std::result::Result<LevelEntry, Reason> {
    match record.status {
        Status::Completed => {}
        Status::Failed => return Err(Reason::Failed),
        Status::Running => return Err(Reason::Running),
    }
    let evaluation = &record.evaluation;
    let (Some(baseline), Some(fine_tuned)) = (&evaluation.baseline, &evaluation.fine_tuned) else {
        return Err(Reason::NotEvaluated);
    };
    let (dataset, model, environment) = (&record.dataset, &record.model, &record.environment);
    Ok(LevelEntry {
        level: record.level,
        smoke: record.smoke,
        demonstration: model.demonstration,
        synthetic: dataset.synthetic,
        rows: dataset.rows,
        train_rows: dataset.train_rows,
        eval_rows: dataset.eval_rows,
        leaked_rows: dataset.leaked_rows,
        words: dataset.words.mean,
        tokens: dataset.tokens.mean,
        data_sha256: dataset.sha256.clone(),
        model: ModelIdentity {
            name: model.name.clone(),
            sha256: model.sha256.clone(),
            quantization: model.quantization,
            dtype: model.dtype.clone(),
            parameters: model.parameters,
        },
        seed: record.recipe.train.seed,
        steps: record.training.steps.len(),
        seconds: record.training.seconds,
        machine: environment.accelerator.as_ref().unwrap_or(&environment.cpu).clone(),
        started_at: environment.started_at.clone(),
        git_commit: environment.git_commit.clone(),
        baseline: baseline.clone(),
        fine_tuned: fine_tuned.clone(),
        statistics: evaluation.statistics.clone(),
        replicates: record.replicates.clone(),
    })
}

/// Holm over all levels and both masks at once: one family, since a reader looks at all of them.
fn adjusted(levels: &[LevelEntry]) -> Vec<AdjustedP> {
    let tested: Vec<(Level, &Statistics)> = levels
        .iter()
        .filter_map(|entry| entry.statistics.as_ref().map(|statistics| (entry.level, statistics)))
        .collect();
    let p: Vec<f64> = tested
        .iter()
        .flat_map(|(_, statistics)| [statistics.masked.permutation_p, statistics.full.permutation_p])
        .collect();
    tested
        .iter()
        .zip(holm(&p).chunks_exact(2))
        .map(|((level, _), pair)| AdjustedP { level: *level, masked: pair[0], full: pair[1] })
        .collect()
}

fn differing_settings(records: &[&RunRecord]) -> Vec<DifferingSetting> {
    let settings: Vec<Vec<(String, String)>> =
        records.iter().map(|record| record.recipe.settings()).collect();
    let Some(first) = settings.first() else { return Vec::new() };
    (0..first.len())
        .map(|index| DifferingSetting {
            path: first[index].0.clone(),
            values: settings.iter().map(|settings| settings[index].1.clone()).collect(),
        })
        .filter(|setting| {
            !WITHOUT_EFFECT.contains(&setting.path.as_str())
                && setting.values.windows(2).any(|pair| pair[0] != pair[1])
        })
        .collect()
}

/// Whether the matrix is one of these runs.
fn check(cross: &CrossMatrix, levels: &[LevelEntry]) -> Result<()> {
    let wrong = |message: String| Err(refused(format!("cross-level matrix: {message}")));
    let (rows, columns) = (cross.adapters.len(), cross.eval_sets.len());
    let widths: Vec<usize> = cross.loss.iter().map(Vec::len).collect();
    if widths != vec![columns; rows] || cross.base_loss.len() != columns {
        return wrong(format!(
            "expected {rows} rows of {columns} and a base row, got rows of {widths:?} and a base row of {}",
            cross.base_loss.len()
        ));
    }
    for named in [&cross.adapters, &cross.eval_sets] {
        for (index, level) in named.iter().enumerate() {
            if named[..index].contains(level) {
                return wrong(format!("expected each level once, got {level} twice"));
            }
            if !levels.iter().any(|entry| entry.level == *level) {
                return wrong(format!("expected levels that are compared, got {level}"));
            }
        }
    }
    for (index, advantage) in cross.advantage.iter().enumerate() {
        let level = advantage.eval_set;
        let is_again = cross.advantage[..index].iter().any(|other| other.eval_set == level);
        if is_again || !cross.eval_sets.contains(&level) || !cross.adapters.contains(&level) {
            return wrong(format!("expected one advantage a set with its own adapter, got one of {level}"));
        }
        let Interval { estimate, low, high } = advantage.difference;
        if let Some(number) =
            [estimate, low, high, advantage.p].into_iter().find(|number| !number.is_finite())
        {
            return wrong(format!("expected finite advantages, got {number} at {level}"));
        }
    }
    if let Some(loss) = cross.loss.iter().flatten().chain(&cross.base_loss).find(|loss| !loss.is_finite()) {
        return wrong(format!("expected finite losses, got {loss}"));
    }
    if levels.windows(2).any(|pair| pair[0].model != pair[1].model) {
        return wrong("expected runs of one base model, got several".into());
    }
    for (column, level) in cross.eval_sets.iter().enumerate() {
        let entry =
            levels.iter().find(|entry| entry.level == *level).expect("each level was looked up above");
        let adapter = cross.adapters.iter().position(|adapter| adapter == level);
        let pairs = [
            ("base model", Some(cross.base_loss[column]), entry.baseline.masked.loss),
            ("adapter", adapter.map(|row| cross.loss[row][column]), entry.fine_tuned.masked.loss),
        ];
        for (what, got, expected) in pairs {
            if let Some(got) = got
                && (got - expected).abs() > SAME_LOSS * expected.abs()
            {
                return wrong(format!(
                    "expected the {level} {what} to lose {expected} on its rows, got {got}"
                ));
            }
        }
    }
    Ok(())
}

fn refused(message: String) -> Error {
    Error::Setting { key: "levels".into(), message }
}

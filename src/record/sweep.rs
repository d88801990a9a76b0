//! Many runs that differ in a few settings: what was planned, what each came to, and what the settings did.
//!
//! ```text
//! plan (levels x settings x seeds) ─┐
//! RunRecord a run ──────────────────┴─> collect -> SweepRecord -> report::sweep
//! ```
//! What decides between settings is the loss that each training chose its checkpoint by ([`Selection`]): of rows that no
//! update saw. Where the split has a part for testing, those rows decide nothing here.

mod plan;
mod contrasts;
mod choices;
mod collect;

pub use collect::collect;

use super::run::Status;
use crate::level::Level;
use crate::statistics::Summary;
use serde::{Deserialize, Serialize};

/// The newest layout of `tarama.json`.
pub const SCHEMA: u32 = 1;

/// What a sweep rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepRecord {
    /// Layout number of this file.
    pub schema: u32,
    /// The base model of the finished runs; absent where none is finished or they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<SweepModel>,
    /// Cut to a few rows and steps: the numbers say nothing.
    pub smoke: bool,
    /// Settings that differ between planned runs, the seed apart, in the order in which they were first asked for.
    pub axes: Vec<Axis>,
    /// Training seeds, in the order of the plan.
    pub seeds: Vec<u64>,
    /// Levels, from A1.
    pub levels: Vec<Level>,
    /// One entry a planned run, in the order of the plan.
    pub runs: Vec<SweepRun>,
    /// The finished runs of one level and one combination of settings, over their seeds.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// Two values of one setting, all else equal; see [`Contrast`].
    #[serde(default)]
    pub contrasts: Vec<Contrast>,
    /// The run of each level that the rule names; see [`Choice`].
    #[serde(default)]
    pub choices: Vec<Choice>,
}

/// The base model of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepModel {
    /// Short name.
    pub name: String,
    /// SHA-256 over the weight files.
    pub sha256: String,
    /// The embedded demonstration model.
    pub demonstration: bool,
}

/// A setting that varies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Axis {
    /// Its dotted path in the recipe: `lora.rank`.
    pub path: String,
    /// Its values as the recipe prints them: numbers from the smallest up, others by their text, whatever the order of the
    /// plan.
    pub values: Vec<String>,
}

/// One setting of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Assignment {
    /// Its dotted path.
    pub path: String,
    /// Its value, as the recipe prints it.
    pub value: String,
}

/// One planned run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepRun {
    /// Its folder below that of the sweep.
    pub name: String,
    /// The level.
    pub level: Level,
    /// The training seed.
    pub seed: u64,
    /// The value of every axis, in their order.
    pub settings: Vec<Assignment>,
    /// How far it came; absent where it was not begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What it came to; absent unless it is finished and evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<RunResult>,
}

/// What a finished run came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResult {
    /// What its checkpoint was chosen by, and what it is compared by here.
    pub selection: Selection,
    /// Loss of the base model on the reported rows' responses, in nats a token.
    pub baseline_loss: f64,
    /// Loss of the best adapter on the same rows.
    pub fine_tuned_loss: f64,
    /// Parameters that were trained.
    pub trained_parameters: u64,
    /// Optimizer steps made.
    pub steps: usize,
    /// Wall time of the training, in seconds.
    pub seconds: f64,
    /// Highest resident memory of the training, in bytes.
    pub peak_memory_bytes: u64,
}

/// The evaluation of the lowest loss during a training, on response tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Its optimizer step.
    pub step: usize,
    /// Token-weighted loss, in nats a token.
    pub loss: f64,
    /// Rows it was measured on.
    pub rows: usize,
    /// Whether these rows report the result too: the split has no part for testing.
    pub reported_too: bool,
}

/// The finished runs of one level and one combination of settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The level.
    pub level: Level,
    /// The value of every axis, in their order.
    pub settings: Vec<Assignment>,
    /// Names of its finished runs, in the order of the plan.
    pub runs: Vec<String>,
    /// Runs of it that were planned.
    pub planned: usize,
    /// [`Selection::loss`] over the seeds.
    pub selection_loss: Summary,
    /// [`RunResult::fine_tuned_loss`] over the seeds.
    pub fine_tuned_loss: Summary,
    /// Parameters that were trained.
    pub trained_parameters: u64,
    /// Mean wall time of a training, in seconds.
    pub seconds: f64,
}

impl Group {
    /// Standard deviation of the selection loss over the root of the number of seeds; absent for one seed.
    pub fn standard_error(&self) -> Option<f64> {
        let Summary { n, standard_deviation, .. } = self.selection_loss;
        standard_deviation.map(|deviation| deviation / (n as f64).sqrt())
    }
}

/// Two values of one setting, compared over all pairs of finished runs that are alike in level, seed and every other axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contrast {
    /// The setting.
    pub path: String,
    /// Two of its values, in the order of the axis.
    pub values: [String; 2],
    /// Pairs of runs.
    pub pairs: usize,
    /// Loss at the first value minus loss at the second ([`Selection::loss`]), over the pairs; positive: the second is better.
    pub difference: Summary,
    /// Pairs in which the second value has the lower loss.
    pub second_better: usize,
    /// d_z: mean of the differences over their standard deviation; absent for one pair, or without spread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_size: Option<f64>,
    /// Two-sided p of the signed-rank test over the pairs, exact for so few; absent where no pair differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The smallest p that so many pairs can give: 2 / 2^pairs.
    pub smallest_p: f64,
    /// p adjusted over all contrasts of the sweep (Holm); absent as `p` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holm: Option<f64>,
}

impl Contrast {
    /// Whether the two values differ at 5 %, all contrasts looked at together.
    pub fn is_significant(&self) -> bool {
        self.holm.is_some_and(|p| p <= 0.05)
    }

    /// Whether so few pairs could have shown a difference at all, were it the only contrast.
    pub fn could_be_significant(&self) -> bool {
        self.smallest_p <= 0.05
    }
}

/// The run that a thesis should report on a level. The rule knows the selection losses alone: of the combinations whose planned
/// runs are all finished, the one of the lowest mean over its seeds; of its runs that of the first seed of the plan, since
/// the best of several seeds would be luck.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Choice {
    /// The level.
    pub level: Level,
    /// The combination's settings.
    pub settings: Vec<Assignment>,
    /// The run: the name of its folder.
    pub run: String,
    /// Mean selection loss of the combination.
    pub loss: f64,
    /// Seeds that the mean is over.
    pub seeds: usize,
    /// Combinations of this level among which it was chosen.
    pub among: usize,
    /// The combination of the next lowest mean; absent where there is one combination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<RunnerUp>,
    /// The smallest combination, by trained parameters, whose mean is within one standard error of the chosen one's (Breiman et al.
    /// 1984); absent where the chosen one is the smallest itself, and where its spread was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smaller: Option<Smaller>,
}

/// The combination behind the chosen one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunnerUp {
    /// Its settings.
    pub settings: Vec<Assignment>,
    /// Its mean selection loss.
    pub loss: f64,
    /// By how much it is higher.
    pub distance: f64,
    /// Whether the distance is smaller than the larger of the two standard deviations over seeds; absent where none was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_spread: Option<bool>,
}

/// A combination that is as good within the noise of the seeds, and smaller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Smaller {
    /// Its settings.
    pub settings: Vec<Assignment>,
    /// Its mean selection loss.
    pub loss: f64,
    /// Its trained parameters over those of the chosen one.
    pub parameters_ratio: f64,
    /// Standard deviation over root of the number of seeds, of the chosen combination.
    pub standard_error: f64,
}

//! Claims across levels that were checked, each with the levels it speaks of and its evidence.
//!
//! As in [`crate::report::findings`]: the Turkish stands in `templates/duzey_bulgulari.md.j2`, decides nothing, and
//! says each of these kinds once for the results and once for the discussion.

mod losses;
mod matrix;
mod setup;
mod trend;

use crate::level::Level;
use crate::record::levels::LevelsRecord;
pub use crate::report::findings::Severity;
use crate::report::findings::kinds;
use crate::report::measures::Mask;
use crate::report::quantity::{Quantities, Quantity};
use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

/// One claim that holds across the compared levels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What is claimed.
    pub kind: Kind,
    /// How much a reader must mind it.
    pub severity: Severity,
    /// Which loss it speaks of, where it speaks of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// The levels that it holds for, from A1 to C1.
    pub levels: Vec<Level>,
    /// What it lists beyond numbers: models, settings, pairs of levels.
    pub items: Vec<Item>,
    /// The numbers that make it true, by the names that its sentences use, with their record paths.
    pub evidence: Quantities,
}

/// One thing of a list: levels, and what is said of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The levels.
    pub levels: Vec<Level>,
    /// A model's name, a setting's path with its values, or nothing.
    pub text: String,
}

/// Where the sentences of a finding belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Which levels are compared.
    Scope,
    /// What they were made of.
    Material,
    /// Whether they were made alike.
    Setup,
    /// Repetitions with other seeds.
    Seeds,
    /// Base against fine-tuned, level by level.
    Losses,
    /// What happens from level to level.
    Trend,
    /// Every adapter on every level's rows.
    Cross,
}

impl Topic {
    /// Every topic, in the order of the text.
    pub const ALL: [Topic; 7] = [
        Topic::Scope,
        Topic::Material,
        Topic::Setup,
        Topic::Seeds,
        Topic::Losses,
        Topic::Trend,
        Topic::Cross,
    ];

    /// Its name in templates: `setup`.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Scope => "scope",
            Topic::Material => "material",
            Topic::Setup => "setup",
            Topic::Seeds => "seeds",
            Topic::Losses => "losses",
            Topic::Trend => "trend",
            Topic::Cross => "cross",
        }
    }
}

kinds! {
    /// Levels that no record was given for.
    MissingLevels: Scope, Caution;
    /// Runs left out because they stopped at an error.
    FailedRuns: Scope, Warning;
    /// Runs left out because they had not come to their end.
    UnfinishedRuns: Scope, Warning;
    /// Runs left out because not both models were evaluated.
    UnevaluatedRuns: Scope, Warning;
    /// Runs cut to try the program out.
    SmokeRuns: Scope, Warning;

    /// Made with the embedded demonstration model.
    DemonstrationModel: Material, Warning;
    /// Rows made by a program.
    SyntheticData: Material, Warning;
    /// Evaluation rows whose text was also trained on.
    LeakedRows: Material, Warning;

    /// One base model and one recipe.
    SameSetup: Setup, Note;
    /// Several base models, or one stored in several ways.
    DifferingModels: Setup, Warning;
    /// Settings that differ from level to level.
    DifferingRecipes: Setup, Caution;
    /// Several machines: times cannot be compared.
    DifferingMachines: Setup, Note;

    /// Repeated with other seeds; one finding a level.
    SeveralSeeds: Seeds, Note;
    /// Levels trained with one seed.
    SingleSeed: Seeds, Caution;

    /// Levels whose loss fell, surely after Holm's adjustment.
    Improved: Losses, Note;
    /// No tested level's loss fell surely.
    NoneImproved: Losses, Warning;
    /// Levels whose loss rose, surely after Holm's adjustment.
    Worsened: Losses, Warning;
    /// Levels whose loss may have changed by chance.
    Uncertain: Losses, Caution;
    /// Levels that are sure alone, and not among the others.
    UnsureTogether: Losses, Caution;
    /// Levels whose difference was not tested.
    Untested: Losses, Caution;

    /// Fewer than three levels: no trend to look for.
    TooFewForTrend: Trend, Note;
    /// Other models from level to level: no trend to look for.
    TrendNotComparable: Trend, Caution;
    /// B - F grows from each level to the next.
    GainRises: Trend, Note;
    /// B - F shrinks from each level to the next.
    GainFalls: Trend, Note;
    /// B - F does neither.
    GainMixed: Trend, Note;
    /// The fine-tuned loss grows from each level to the next.
    LossRises: Trend, Note;
    /// The fine-tuned loss shrinks from each level to the next.
    LossFalls: Trend, Note;
    /// The fine-tuned loss does neither.
    LossMixed: Trend, Note;
    /// Neighbouring levels whose intervals of B - F overlap.
    NeighboursOverlap: Trend, Caution;

    /// Adapters were not evaluated on other levels' rows.
    NoCross: Cross, Caution;
    /// Compared levels that the matrix lacks.
    CrossPartial: Cross, Caution;
    /// Each set's own adapter is the best of the adapters.
    OwnBestEverywhere: Cross, Note;
    /// Some sets' own adapter is the best of the adapters.
    OwnBestSomewhere: Cross, Note;
    /// No set's own adapter is the best of the adapters.
    OwnBestNowhere: Cross, Caution;
    /// The adapters gained nothing on their own level.
    NoOwnGain: Cross, Warning;
    /// Own adapters are the best everywhere, by a tenth of their gain or more.
    LearnedLevel: Cross, Note;
    /// Own adapters are better by a tenth of their gain or more, but not everywhere the best.
    LevelPartly: Cross, Caution;
    /// Other levels' adapters give more than nine tenths of the gain: learned the format, not the level.
    LearnedFormat: Cross, Caution;
    /// Other levels' adapters give the whole gain, or more.
    OthersNotWorse: Cross, Caution;
    /// A part of the gain is not the level's.
    SharedGain: Cross, Note;
    /// Other levels' adapters gain nothing.
    NoSharedGain: Cross, Note;
    /// Sets whose own adapter is surely better than the others' mean.
    OwnSure: Cross, Note;
    /// Sets whose own adapter may be no better than the others' mean.
    OwnUnsure: Cross, Caution;
    /// Sets whose own adapter is surely worse than the others' mean.
    OwnWorse: Cross, Warning;
    /// The matrix has no intervals.
    CrossUntested: Cross, Caution;
}

impl Kind {
    /// Whether the first lines of the document must say it.
    pub fn is_warning_on_top(self) -> bool {
        matches!(self, Kind::SmokeRuns | Kind::DemonstrationModel | Kind::SyntheticData)
    }

    /// The name in templates: `own_best_everywhere`.
    pub fn name(self) -> String {
        Value::from(Serde(self)).to_string()
    }

    /// The claim for `levels`, with their number as `count`.
    fn of(self, levels: Vec<Level>) -> Finding {
        let count = Quantity::new("len(levels the finding holds for)", levels.len());
        Finding {
            kind: self,
            severity: self.severity(),
            mask: None,
            levels,
            items: Vec::new(),
            evidence: [("count", count)].into(),
        }
    }
}

impl Finding {
    fn with<const N: usize>(mut self, evidence: [(&'static str, Quantity); N]) -> Self {
        self.evidence.extend(evidence);
        self
    }

    fn on(self, mask: Mask) -> Self {
        Finding { mask: Some(mask), ..self }
    }

    fn listing(self, items: Vec<Item>) -> Self {
        Finding { items, ..self }
    }
}

/// Everything that holds for `comparison`, in the order of the text.
pub fn findings(comparison: &LevelsRecord) -> Vec<Finding> {
    let mut findings = setup::findings(comparison);
    findings.extend(losses::findings(comparison));
    findings.extend(trend::findings(comparison));
    findings.extend(matrix::findings(comparison));
    findings
}

/// `levels[2].baseline.masked.loss` of the level in place 2.
fn level_path(index: usize, field: &str) -> String {
    format!("levels[{index}].{field}")
}

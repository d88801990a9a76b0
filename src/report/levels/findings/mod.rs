//! What holds across levels. The sentences stand in `templates/duzey_bulgulari.md.j2`, one macro for the results and
//! one for the discussion a kind.

mod losses;
mod matrix;
mod setup;
mod texts;
mod trend;

use crate::record::levels::LevelsRecord;
use crate::report::finding::{self, kinds};

/// One claim that holds across the compared levels.
pub type Finding = finding::Finding<Kind>;

kinds! {
    topics {
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
        /// What the adapters write after the same prompts.
        Texts,
    }

    /// Levels that no record was given for.
    MissingLevels: Scope, Caution;
    /// Runs left out because they stopped at an error.
    FailedRuns: Scope, Warning;
    /// Runs left out because they had not come to their end.
    UnfinishedRuns: Scope, Warning;
    /// Runs left out because not both models were evaluated.
    UnevaluatedRuns: Scope, Warning;
    /// Runs cut to try the program out.
    SmokeRuns: Scope, Disqualification;

    /// Made with the embedded demonstration model.
    DemonstrationModel: Material, Disqualification;
    /// Rows made by a program.
    SyntheticData: Material, Disqualification;
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
    /// Each level's B - F differs surely from that of the level before it.
    NeighboursDiffer: Trend, Note;
    /// Neighbouring levels whose B - F may be the same.
    NeighboursUnsure: Trend, Caution;

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

    /// Each level's adapter writes surely harder than that of the level before it.
    TextsRise: Texts, Note;
    /// Some do.
    TextsRiseInPart: Texts, Caution;
    /// None does.
    TextsDoNotRise: Texts, Caution;
}

/// Everything that holds for `record`, in the order of the text.
pub fn findings(record: &LevelsRecord) -> Vec<Finding> {
    let mut findings = setup::findings(record);
    findings.extend(losses::findings(record));
    findings.extend(trend::findings(record));
    findings.extend(matrix::findings(record));
    findings.extend(texts::findings(record));
    findings
}

/// `levels[2].baseline.masked.loss` of the level in place 2.
fn level_path(index: usize, field: &str) -> String {
    format!("levels[{index}].{field}")
}

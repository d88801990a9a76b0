//! What holds of a sweep. The sentences stand in `templates/tarama_bulgulari.md.j2`, one macro for what was seen and one for
//! what it means a kind.

mod scope;
mod settings;
pub(super) mod rank;
mod choice;
mod limits;

use crate::level::Level;
use crate::record::sweep::{Assignment, Group, SweepRecord};
use crate::report::finding::{self, Item, kinds};

/// One claim that holds of a sweep.
pub type Finding = finding::Finding<Kind>;

kinds! {
    topics {
        /// Which runs are there.
        Scope,
        /// What they were made of.
        Material,
        /// Which settings matter.
        Settings,
        /// Whether the largest rank is worth its parameters.
        Rank,
        /// Which run to report.
        Choice,
        /// What may not be concluded.
        Limits,
    }

    /// Every planned run is finished and evaluated.
    AllRunsFinished: Scope, Note;
    /// Some are.
    SomeRunsFinished: Scope, Caution;
    /// None is.
    NoRunFinished: Scope, Warning;
    /// Runs that stopped at an error.
    FailedRuns: Scope, Warning;
    /// Runs that go on, or were interrupted.
    UnfinishedRuns: Scope, Caution;
    /// Runs that came to their end without an evaluation of both models.
    UnevaluatedRuns: Scope, Warning;
    /// Runs that were not begun.
    UnstartedRuns: Scope, Caution;

    /// Runs cut to try the program out.
    SmokeRuns: Material, Disqualification;
    /// Made with the embedded demonstration model.
    DemonstrationModel: Material, Disqualification;

    /// Levels and seeds alone vary.
    NoSetting: Settings, Note;
    /// Two values differ surely, all contrasts looked at together.
    SettingsMatter: Settings, Note;
    /// Two values differ surely alone, and not among the others.
    UnsureTogether: Settings, Caution;
    /// Pairs enough to show a difference, and none was shown.
    NotShown: Settings, Caution;
    /// So few pairs that no difference could be shown.
    CouldNotShow: Settings, Caution;
    /// No pair differs at all.
    Unchanged: Settings, Note;
    /// Two values that no two finished runs differ in alone.
    UnpairedValues: Settings, Caution;

    /// The largest rank is surely better than each smaller one.
    LargestRankBetter: Rank, Note;
    /// It is surely better than some.
    LargestRankBetterInPart: Rank, Caution;
    /// It was shown to be better than none.
    LargestRankNotBetter: Rank, Caution;
    /// A smaller one is surely better.
    LargestRankWorse: Rank, Warning;
    /// So few pairs that neither could be shown.
    LargestRankUntestable: Rank, Caution;
    /// The combination of the lowest mean has the smallest rank.
    SmallestRankChosen: Rank, Note;
    /// The smallest rank is within one standard error of it.
    SmallestRankWithin: Rank, Caution;
    /// The smallest rank is not.
    SmallestRankBeyond: Rank, Note;
    /// One seed: there is no standard error.
    RankSpreadUnmeasured: Rank, Caution;

    /// No combination whose planned runs are all finished.
    NoChoice: Choice, Warning;
    /// One combination: nothing to choose among.
    OnlyCombination: Choice, Note;
    /// The next one is farther away than the spread of the seeds.
    ClearChoice: Choice, Note;
    /// The next one is nearer than the spread of the seeds.
    CloseChoice: Choice, Caution;
    /// The spread of the seeds was not measured.
    UnmeasuredChoice: Choice, Caution;
    /// A smaller combination is as good within one standard error.
    SmallerAlternative: Choice, Note;
    /// One combination was chosen on every level.
    OneSettingForAll: Choice, Note;
    /// Other combinations from level to level.
    SettingsByLevel: Choice, Caution;

    /// What chose the settings reports the result too.
    ChosenOnReported: Limits, Caution;
    /// The rows that report the result chose nothing.
    ChosenOnValidation: Limits, Note;
    /// Each combination has one seed.
    SingleSeed: Limits, Caution;
    /// Means over other numbers of seeds stand beside each other.
    UnevenSeeds: Limits, Caution;
}

/// Everything that holds for `record`, in the order of the text.
pub fn findings(record: &SweepRecord) -> Vec<Finding> {
    let mut findings = scope::findings(record);
    findings.extend(settings::findings(record));
    findings.extend(rank::findings(record));
    findings.extend(choice::findings(record));
    findings.extend(limits::findings(record));
    findings
}

/// A thing of a list that belongs to no level.
fn named(text: String) -> Item {
    Item { text, ..Item::of(Vec::new()) }
}

/// A combination of a level whose planned runs are all finished.
fn whole<'a>(record: &'a SweepRecord, level: Level, settings: &[Assignment]) -> Option<&'a Group> {
    let is_it = |group: &&Group| group.level == level && group.settings == settings && is_whole(group);
    record.groups.iter().find(is_it)
}

fn is_whole(group: &Group) -> bool {
    group.runs.len() == group.planned
}

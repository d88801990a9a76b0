//! Findings on the run of each level that the rule names: how far the next combination is, and whether a smaller one would do.

use super::{Finding, Kind, named};
use crate::level::Level;
use crate::record::sweep::{Choice, RunnerUp, SweepRecord};
use crate::report::finding::{Claim, Item};
use crate::report::sweep::settings;

pub(super) fn findings(record: &SweepRecord) -> Vec<Finding> {
    let chosen = |level: &Level| record.choices.iter().any(|choice| choice.level == *level);
    let without: Vec<Level> = record.levels.iter().copied().filter(|level| !chosen(level)).collect();
    let mut found = vec![Kind::NoChoice.of(without)];
    for kind in [Kind::OnlyCombination, Kind::ClearChoice, Kind::CloseChoice, Kind::UnmeasuredChoice] {
        let of_kind = record.choices.iter().filter(|choice| class_of(choice) == kind);
        found.push(kind.of(of_kind.map(|choice| choice.level).collect()));
    }
    found.push(smaller(record));
    found.retain(|finding| !finding.levels.is_empty());
    found.extend(across_levels(record));
    found
}

fn class_of(choice: &Choice) -> Kind {
    match &choice.runner_up {
        None => Kind::OnlyCombination,
        Some(RunnerUp { within_spread: None, .. }) => Kind::UnmeasuredChoice,
        Some(RunnerUp { within_spread: Some(true), .. }) => Kind::CloseChoice,
        Some(RunnerUp { within_spread: Some(false), .. }) => Kind::ClearChoice,
    }
}

/// The levels with a smaller combination that is as good, each with it.
fn smaller(record: &SweepRecord) -> Finding {
    let (mut levels, mut items) = (Vec::new(), Vec::new());
    for choice in &record.choices {
        let Some(smaller) = &choice.smaller else { continue };
        levels.push(choice.level);
        let text = settings::combination(&smaller.settings);
        items.push(Item { text, ..Item::of(vec![choice.level]) });
    }
    Kind::SmallerAlternative.of(levels).listing(items)
}

/// Whether the levels agree on one combination.
fn across_levels(record: &SweepRecord) -> Option<Finding> {
    let [first, others @ ..] = record.choices.as_slice() else { return None };
    if others.is_empty() || record.axes.is_empty() {
        return None;
    }
    let levels = record.choices.iter().map(|choice| choice.level).collect();
    Some(match others.iter().all(|other| other.settings == first.settings) {
        true => {
            Kind::OneSettingForAll.of(levels).listing(vec![named(settings::combination(&first.settings))])
        }
        false => Kind::SettingsByLevel.of(levels),
    })
}

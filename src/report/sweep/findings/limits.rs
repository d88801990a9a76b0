//! Findings on what a sweep may not conclude: chosen on the rows that report, one seed, uneven numbers of seeds.

use super::{Finding, Kind, is_whole};
use crate::level::Level;
use crate::record::sweep::{Group, SweepRecord};
use crate::report::finding::Claim;

pub(super) fn findings(record: &SweepRecord) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut finished = record.runs.iter().filter_map(|run| run.result.as_ref()).peekable();
    if finished.peek().is_some() {
        findings.push(match finished.any(|result| result.selection.reported_too) {
            true => Kind::ChosenOnReported.with([]),
            false => Kind::ChosenOnValidation.with([]),
        });
    }
    let levels = |holds: &dyn Fn(&[&Group]) -> bool| -> Vec<Level> {
        let of_level = |level: &Level| {
            let groups: Vec<&Group> = record.groups.iter().filter(|group| group.level == *level).collect();
            !groups.is_empty() && holds(&groups)
        };
        record.levels.iter().copied().filter(of_level).collect()
    };
    let single = levels(&|groups| groups.iter().all(|group| group.selection_loss.n == 1));
    let uneven = levels(&|groups| {
        let mut seeds = groups.iter().filter(|group| is_whole(group)).map(|group| group.selection_loss.n);
        seeds.next().is_some_and(|first| seeds.any(|n| n != first))
    });
    findings.extend((!single.is_empty()).then(|| Kind::SingleSeed.of(single)));
    findings.extend((!uneven.is_empty()).then(|| Kind::UnevenSeeds.of(uneven)));
    findings
}

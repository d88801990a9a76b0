//! Findings on which runs are finished, which are not and why, and what they were made of.

use super::{Finding, Kind, named};
use crate::record::Status;
use crate::record::sweep::{SweepRecord, SweepRun};
use crate::report::finding::Claim;
use crate::report::markdown;
use crate::report::quantity::Quantity;

/// More names than these are counted and not listed: a sweep may have a thousand runs.
const NAMED: usize = 4;

pub(super) fn findings(record: &SweepRecord) -> Vec<Finding> {
    let finished = record.runs.iter().filter(|run| run.result.is_some()).count();
    let kind = match finished {
        0 => Kind::NoRunFinished,
        all if all == record.runs.len() => Kind::AllRunsFinished,
        _ => Kind::SomeRunsFinished,
    };
    let mut findings = vec![kind.with([
        ("planned", Quantity::new("len(runs)", record.runs.len())),
        ("finished", Quantity::new("count(runs[].result)", finished)),
    ])];
    findings.extend(UNFINISHED.into_iter().filter_map(|kind| of_runs(record, kind)));
    if record.smoke {
        findings.push(Kind::SmokeRuns.with([]));
    }
    if record.model.as_ref().is_some_and(|model| model.demonstration) {
        findings.push(Kind::DemonstrationModel.with([]));
    }
    findings
}

/// The kinds of runs that say nothing of the settings.
const UNFINISHED: [Kind; 4] =
    [Kind::FailedRuns, Kind::UnfinishedRuns, Kind::UnevaluatedRuns, Kind::UnstartedRuns];

fn is_of(kind: Kind, run: &SweepRun) -> bool {
    match kind {
        Kind::FailedRuns => run.status == Some(Status::Failed),
        Kind::UnfinishedRuns => matches!(run.status, Some(Status::Running | Status::Interrupted)),
        Kind::UnevaluatedRuns => run.status == Some(Status::Completed) && run.result.is_none(),
        _ => run.status.is_none(),
    }
}

/// The runs of one of these kinds, the first of them by name.
fn of_runs(record: &SweepRecord, kind: Kind) -> Option<Finding> {
    let runs: Vec<&SweepRun> = record.runs.iter().filter(|run| is_of(kind, run)).collect();
    let items = runs.iter().take(NAMED).map(|run| named(markdown::code(&run.name))).collect();
    let count = Quantity::new(format!("count(runs[] {})", kind.name()), runs.len());
    let finding = kind.with([("runs", count)]).listing(items);
    let more = runs.len().saturating_sub(NAMED);
    match (runs.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(finding),
        (false, more) => {
            let more = Quantity::new(format!("count(runs[] {}) - {NAMED}", kind.name()), more);
            Some(finding.with([("more", more)]))
        }
    }
}

//! Findings on base against fine-tuned, after Holm's adjustment over all levels and both losses.

use super::{Finding, Kind};
use crate::level::Level;
use crate::record::levels::LevelsRecord;
use crate::report::finding::{Claim, Item};
use crate::report::measures::{Mask, level_scores};
use crate::report::quantity::Quantity;
use crate::statistics::Comparison;

/// One level's answer under one mask.
struct Tested<'a> {
    index: usize,
    level: Level,
    comparison: &'a Comparison,
    p: f64,
}

impl Tested<'_> {
    /// By the standards of [`Comparison::is_significant`], with the adjusted p-value.
    fn is_sure(&self) -> bool {
        self.comparison.is_significant() && self.p <= 1.0 - self.comparison.confidence
    }

    fn is_lower(&self) -> bool {
        self.comparison.difference.estimate > 0.0
    }
}

pub(super) fn findings(record: &LevelsRecord) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Mask::ALL.into_iter().flat_map(|mask| of_mask(record, mask)).collect();
    let untested: Vec<Level> =
        record.levels.iter().filter(|entry| entry.statistics.is_none()).map(|entry| entry.level).collect();
    if !untested.is_empty() {
        findings.push(Kind::Untested.of(untested));
    }
    findings
}

fn of_mask(record: &LevelsRecord, mask: Mask) -> Vec<Finding> {
    let tested = tested(record, mask);
    if tested.is_empty() {
        return Vec::new();
    }
    let levels = |holds: &dyn Fn(&Tested<'_>) -> bool| -> Vec<Level> {
        tested.iter().filter(|tested| holds(tested)).map(|tested| tested.level).collect()
    };
    let of = Quantity::new("len(holm)", tested.len());
    let improved: Vec<&Tested<'_>> =
        tested.iter().filter(|tested| tested.is_sure() && tested.is_lower()).collect();
    let mut findings = vec![match improved.is_empty() {
        true => Kind::NoneImproved.of(levels(&|_| true)),
        false => extremes(record, mask, &improved).with([("tested", of.clone())]),
    }];
    findings.extend([
        Kind::Worsened.of(levels(&|tested| tested.is_sure() && !tested.is_lower())),
        Kind::Uncertain.of(levels(&|tested| !tested.is_sure())),
        Kind::UnsureTogether.of(levels(&|tested| !tested.is_sure() && tested.comparison.is_significant())),
    ]);
    findings.retain(|finding| !finding.levels.is_empty());
    findings.into_iter().map(|finding| finding.on(mask)).collect()
}

/// The improved levels, with the largest and the smallest fall as a share of the base loss.
fn extremes(record: &LevelsRecord, mask: Mask, improved: &[&Tested<'_>]) -> Finding {
    let change =
        |tested: &Tested<'_>| level_scores(tested.index, &record.levels[tested.index], mask).loss_change();
    let largest = improved.iter().max_by(|a, b| change(a).real().total_cmp(&change(b).real()));
    let smallest = improved.iter().min_by(|a, b| change(a).real().total_cmp(&change(b).real()));
    let finding = Kind::Improved.of(improved.iter().map(|tested| tested.level).collect());
    let (Some(largest), Some(smallest)) = (largest, smallest) else { return finding };
    let item = |tested: &Tested<'_>| Item::of(vec![tested.level]);
    // One level has no largest and smallest, and neither have equal falls.
    let items = match change(largest).real() == change(smallest).real() {
        true => Vec::new(),
        false => vec![item(largest), item(smallest)],
    };
    finding.listing(items).with([("largest", change(largest)), ("smallest", change(smallest))])
}

fn tested(record: &LevelsRecord, mask: Mask) -> Vec<Tested<'_>> {
    let levels = record.levels.iter().enumerate();
    levels
        .filter_map(|(index, entry)| {
            let adjusted = record.holm.iter().find(|adjusted| adjusted.level == entry.level)?;
            let statistics = entry.statistics.as_ref()?;
            Some(Tested {
                index,
                level: entry.level,
                comparison: mask.of(&statistics.masked, &statistics.full),
                p: mask.of(adjusted.masked, adjusted.full),
            })
        })
        .collect()
}

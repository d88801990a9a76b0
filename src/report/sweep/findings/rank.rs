//! Findings on the rank: is the largest one shown to be better than the smaller ones on the rows that runs are chosen on, and is
//! the smallest one as good within one standard error of the chosen combination (Breiman et al. 1984)?
//!
//! The contrasts of the largest rank with each smaller one decide, in this order:
//!
//! | holds | verdict |
//! |---|---|
//! | a smaller one is surely better | `LargestRankWorse` |
//! | no contrast has pairs enough | `LargestRankUntestable` |
//! | surely better than each | `LargestRankBetter` |
//! | surely better than some | `LargestRankBetterInPart` |
//! | else | `LargestRankNotBetter` |

use super::{Finding, Kind, named, whole};
use crate::level::Level;
use crate::record::sweep::{Assignment, Axis, Choice, Contrast, SweepRecord};
use crate::report::finding::Claim;
use crate::report::quantity::Quantity;
use crate::report::sweep::settings;

/// The setting.
const RANK: &str = "lora.rank";

/// The axis of the rank with its place, where it varies.
pub(in crate::report::sweep) fn axis(record: &SweepRecord) -> Option<(usize, &Axis)> {
    record.axes.iter().enumerate().find(|(_, axis)| axis.path == RANK)
}

pub(super) fn findings(record: &SweepRecord) -> Vec<Finding> {
    let Some((place, axis)) = axis(record) else { return Vec::new() };
    let rank = |index: usize| {
        let value: u64 = axis.values[index].parse().unwrap_or_default();
        Quantity::new(format!("axes[{place}].values[{index}]"), value)
    };
    let mut findings = vec![of_largest(record, axis).with([("rank", rank(axis.values.len() - 1))])];
    let kinds = [
        Kind::SmallestRankChosen,
        Kind::SmallestRankWithin,
        Kind::SmallestRankBeyond,
        Kind::RankSpreadUnmeasured,
    ];
    for kind in kinds {
        let of_kind = record.choices.iter().filter(|choice| of_smallest(record, axis, choice) == Some(kind));
        let levels: Vec<Level> = of_kind.map(|choice| choice.level).collect();
        if !levels.is_empty() {
            findings.push(kind.of(levels).with([("rank", rank(0))]));
        }
    }
    findings
}

/// What the contrasts say of the largest rank.
fn of_largest(record: &SweepRecord, axis: &Axis) -> Finding {
    let is_of_largest = |of: &&Contrast| of.path == RANK && Some(&of.values[1]) == axis.values.last();
    let contrasts: Vec<&Contrast> = record.contrasts.iter().filter(is_of_largest).collect();
    let is_better = |of: &&&Contrast| of.is_significant() && of.difference.mean > 0.0;
    let is_worse = |of: &&&Contrast| of.is_significant() && of.difference.mean < 0.0;
    let smaller = |holds: &dyn Fn(&&&Contrast) -> bool| {
        let found = contrasts.iter().filter(holds);
        found.map(|of| named(settings::value(&of.values[0]))).collect::<Vec<_>>()
    };
    let (better, worse) = (smaller(&is_better), smaller(&is_worse));
    if !worse.is_empty() {
        return Kind::LargestRankWorse.with([]).listing(worse);
    }
    if !contrasts.iter().any(|of| of.could_be_significant()) {
        return Kind::LargestRankUntestable.with([]);
    }
    match better.len() {
        0 => Kind::LargestRankNotBetter.with([]),
        all if all + 1 == axis.values.len() => Kind::LargestRankBetter.with([]),
        _ => Kind::LargestRankBetterInPart.with([]).listing(better),
    }
}

/// Where the smallest rank stands beside a level's choice, its other settings kept; nothing where that combination is not whole.
fn of_smallest(record: &SweepRecord, axis: &Axis, choice: &Choice) -> Option<Kind> {
    let smallest = axis.values.first()?;
    let with_smallest = |of: &Assignment| match of.path == RANK {
        true => Assignment { value: smallest.clone(), ..of.clone() },
        false => of.clone(),
    };
    let settings: Vec<Assignment> = choice.settings.iter().map(with_smallest).collect();
    if settings == choice.settings {
        return Some(Kind::SmallestRankChosen);
    }
    let (chosen, small) =
        (whole(record, choice.level, &choice.settings)?, whole(record, choice.level, &settings)?);
    let Some(standard_error) = chosen.standard_error() else { return Some(Kind::RankSpreadUnmeasured) };
    Some(match small.selection_loss.mean <= chosen.selection_loss.mean + standard_error {
        true => Kind::SmallestRankWithin,
        false => Kind::SmallestRankBeyond,
    })
}

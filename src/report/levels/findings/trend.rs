//! Findings on what happens to the response loss from one level to the next, in nats a token.
//!
//! A trend is one where each level's quantity is beyond the one before: the estimates decide, and neighbours whose gains
//! may be the same are named beside it, by the interval and the adjusted test of their difference. It needs three levels
//! and one base model.

use super::{Finding, Kind};
use crate::level::Level;
use crate::record::levels::LevelsRecord;
use crate::report::finding::{Claim, Item};
use crate::report::measures::{BothScores, Mask, level_scores};
use crate::report::quantity::Quantity;

pub(super) fn findings(record: &LevelsRecord) -> Vec<Finding> {
    let levels: Vec<Level> = record.levels.iter().map(|entry| entry.level).collect();
    if !record.is_one_model() {
        return vec![Kind::TrendNotComparable.of(levels)];
    }
    if levels.len() < 3 {
        return vec![Kind::TooFewForTrend.of(levels)];
    }
    let mut findings = vec![
        trend(record, |both| both.gain(), [Kind::GainRises, Kind::GainFalls, Kind::GainMixed]),
        trend(record, |both| both.fine_tuned_loss(), [Kind::LossRises, Kind::LossFalls, Kind::LossMixed]),
    ];
    findings.extend(neighbours(record));
    findings
}

/// Whether every two neighbours differ, or which may not.
fn neighbours(record: &LevelsRecord) -> Option<Finding> {
    let confidence =
        record.levels.iter().find_map(|entry| Some(entry.statistics.as_ref()?.masked.confidence))?;
    let (sure, unsure): (Vec<_>, Vec<_>) =
        record.neighbours.iter().partition(|pair| pair.is_significant(confidence));
    let (kind, named) =
        if unsure.is_empty() { (Kind::NeighboursDiffer, sure) } else { (Kind::NeighboursUnsure, unsure) };
    let items = named.iter().map(|pair| Item::of(pair.levels.to_vec()));
    let count = Quantity::new("len(neighbours)", record.neighbours.len());
    let levels = record.levels.iter().map(|entry| entry.level).collect();
    (!record.neighbours.is_empty()).then(|| kind.of(levels).listing(items.collect()).with([("pairs", count)]))
}

/// One of rising, falling and mixed, with the quantity of the first and the last level, or of the two extremes.
fn trend(
    record: &LevelsRecord,
    quantity: fn(&BothScores<'_>) -> Quantity,
    [rises, falls, mixed]: [Kind; 3],
) -> Finding {
    let levels = record.levels.iter().enumerate();
    let quantities: Vec<Quantity> =
        levels.map(|(index, entry)| quantity(&level_scores(index, entry, Mask::Masked))).collect();
    let holds = |beyond: fn(f64, f64) -> bool| {
        quantities.windows(2).all(|pair| beyond(pair[1].real(), pair[0].real()))
    };
    let by_size = |a: &usize, b: &usize| quantities[*a].real().total_cmp(&quantities[*b].real());
    let last = quantities.len() - 1;
    let (kind, from, to) = if holds(|next, this| next > this) {
        (rises, 0, last)
    } else if holds(|next, this| next < this) {
        (falls, 0, last)
    } else {
        let largest = (0..=last).max_by(by_size).unwrap_or(0);
        (mixed, largest, (0..=last).min_by(by_size).unwrap_or(last))
    };
    let item = |index: usize| Item::of(vec![record.levels[index].level]);
    kind.of(record.levels.iter().map(|entry| entry.level).collect())
        .listing(vec![item(from), item(to)])
        .with([("from", quantities[from].clone()), ("to", quantities[to].clone())])
}

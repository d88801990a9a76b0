//! Findings on every adapter on every level's rows: did it learn its level, or what the levels share?
//!
//! The quantities are defined in `report::levels::cross`. The verdict, in this order:
//!
//! | holds | verdict |
//! |---|---|
//! | Σ own gain ≤ 0 | `NoOwnGain`: nothing was learned, so not a level either |
//! | share < 0 | `OthersNotWorse`: other levels' adapters do as well or better |
//! | share < 10 % | `LearnedFormat`: other levels' adapters give more than nine tenths of the gain |
//! | own adapter strictly the best of the adapters on each set, and surely better than their mean where that was tested | `LearnedLevel` |
//! | else | `LevelPartly` |

use super::{Finding, Kind};
use crate::level::Level;
use crate::record::levels::LevelsRecord;
use crate::report::finding::{Claim, Item};
use crate::report::levels::cross::{self, Advantage, OWN_SHARE};
use crate::report::quantity::Quantity;

pub(super) fn findings(record: &LevelsRecord) -> Vec<Finding> {
    let all: Vec<Level> = record.levels.iter().map(|entry| entry.level).collect();
    let Some(cross) = &record.cross else { return vec![Kind::NoCross.of(all)] };
    let lacking: Vec<Level> = all
        .iter()
        .copied()
        .filter(|level| !cross.adapters.contains(level) || !cross.eval_sets.contains(level))
        .collect();
    let mut findings = Vec::new();
    if !lacking.is_empty() {
        findings.push(Kind::CrossPartial.of(lacking));
    }
    let advantage = cross::advantage(record);
    if let Some(advantage) = &advantage {
        findings.push(best(advantage));
        findings.extend(verdict(advantage));
    }
    match advantage.filter(Advantage::is_tested) {
        Some(advantage) => findings.extend(tests(&advantage)),
        None => findings.push(Kind::CrossUntested.of(all)),
    }
    findings
}

/// On which sets the own adapter is surely better than the others' mean, surely worse, or neither.
fn tests(advantage: &Advantage) -> Vec<Finding> {
    let levels = |kind: Kind| -> Vec<Level> {
        let of_kind = advantage.sets.iter().filter(|set| {
            set.measured.is_some_and(|(_, own)| match kind {
                Kind::OwnSure => own.is_surely_better(),
                Kind::OwnWorse => own.is_sure() && own.difference.high < 0.0,
                _ => !own.is_sure(),
            })
        });
        of_kind.map(|set| set.level).collect()
    };
    [Kind::OwnSure, Kind::OwnUnsure, Kind::OwnWorse]
        .into_iter()
        .map(|kind| (kind, levels(kind)))
        .filter(|(_, levels)| !levels.is_empty())
        .map(|(kind, levels)| kind.of(levels))
        .collect()
}

/// On which sets the own adapter is the best one; the others with theirs.
fn best(advantage: &Advantage) -> Finding {
    let sets = &advantage.sets;
    let own: Vec<Level> =
        sets.iter().filter(|set| set.best == Some(set.level)).map(|set| set.level).collect();
    let items = sets
        .iter()
        .filter(|set| set.best != Some(set.level))
        .filter_map(|set| {
            set.best.map(|best| Item { text: best.label().to_string(), ..Item::of(vec![set.level]) })
        })
        .collect();
    let count = Quantity::new("count(cross.loss[own][e] < cross.loss[others][e])", own.len());
    let kind = match own.len() {
        0 => Kind::OwnBestNowhere,
        count if count == sets.len() => Kind::OwnBestEverywhere,
        _ => Kind::OwnBestSomewhere,
    };
    kind.of(own)
        .listing(items)
        .with([("best", count), ("sets", Quantity::new("len(cross.eval_sets)", sets.len()))])
}

fn verdict(advantage: &Advantage) -> Vec<Finding> {
    let levels: Vec<Level> = advantage.sets.iter().map(|set| set.level).collect();
    let gains = || [("own", advantage.own.clone()), ("others", advantage.others.clone())];
    let Some(share) = &advantage.share else { return vec![Kind::NoOwnGain.of(levels).with(gains())] };
    let is_best = advantage.sets.iter().all(|set| {
        set.best == Some(set.level) && set.measured.as_ref().is_none_or(|(_, own)| own.is_surely_better())
    });
    let kind = match share.real() {
        share if share < 0.0 => Kind::OthersNotWorse,
        share if share < OWN_SHARE => Kind::LearnedFormat,
        _ if is_best => Kind::LearnedLevel,
        _ => Kind::LevelPartly,
    };
    let mut found = kind.of(levels.clone()).with(gains());
    // More than the whole gain is no part of it: the others lost.
    if share.real() <= 1.0 {
        found = found.with([("share", share.clone())]);
    }
    let mut findings = vec![found];
    if matches!(kind, Kind::LearnedLevel | Kind::LevelPartly) {
        let rest = Quantity::new(format!("1 - {}", share.path), 1.0 - share.real());
        findings.push(match advantage.others.real() > 0.0 {
            true => Kind::SharedGain.of(levels).with([("rest", rest)]),
            false => Kind::NoSharedGain.of(levels).with([("others", advantage.others.clone())]),
        });
    }
    findings
}

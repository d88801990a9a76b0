//! Means over the texts of two runs: the records keep no number a text, so an interval is all there is to judge by.

use super::measured::{MetricVerdict, short, text_measure};
use crate::record::RunRecord;
use crate::record::texts::{Measure, System, Texts};
use crate::statistics::Interval;

/// What the means of `path` are to each other, and why; nothing where `path` names no measure of texts that both runs have.
///
/// Noise is what both intervals allow: each mean lies in the interval of the other. Levels told by another list of words
/// are not compared.
pub(super) fn judged(old: &RunRecord, new: &RunRecord, path: &str) -> Option<(MetricVerdict, String)> {
    let (before, after) = (old.texts.as_ref()?, new.texts.as_ref()?);
    let (measure, system) = named(path)?;
    let lists = |texts: &Texts| texts.word_lists.iter().map(|list| list.sha256.clone()).collect::<Vec<_>>();
    if measure == Measure::AboveLevel && lists(before) != lists(after) {
        return Some((MetricVerdict::NotComparable, "levels of another list of words".into()));
    }
    let (old, new) = (before.mean(measure, system)?, after.mean(measure, system)?);
    let difference = short(new.estimate - old.estimate);
    let holds = |interval: Interval, value: f64| (interval.low..=interval.high).contains(&value);
    Some(match holds(old, new.estimate) && holds(new, old.estimate) {
        true => {
            let reason = format!("new - old = {difference}; each mean lies in the interval of the other");
            (MetricVerdict::WithinNoise, reason)
        }
        false => {
            let [before, after] = [old, new].map(|of| format!("[{}; {}]", short(of.low), short(of.high)));
            let reason = format!("new - old = {difference}; intervals of the means {before} and {after}");
            (MetricVerdict::Changed, reason)
        }
    })
}

/// The measure and the system that a path names.
fn named(path: &str) -> Option<(Measure, System)> {
    let pairs = Measure::ALL.into_iter().flat_map(|measure| System::ALL.map(|system| (measure, system)));
    pairs.into_iter().find(|(measure, system)| text_measure(*measure, *system) == path)
}

//! Findings on what the texts measure. No measure is good by itself: what a text is compared with is the references, so a
//! system is said to be nearer to them, or not.

use super::{Finding, Kind};
use crate::record::RunRecord;
use crate::record::texts::{Measure, System, Texts};
use crate::report::finding::Claim;
use crate::report::quantity::Quantity;
use crate::texts::word_list::BY_FREQUENCY;

pub(super) fn findings(record: &RunRecord) -> Vec<Finding> {
    let Some(texts) = &record.texts else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(against(texts, System::Baseline, Kind::TextsNearer, Kind::TextsNotNearer));
    findings.extend(against(
        texts,
        System::Prompted,
        Kind::TextsNearerThanPrompted,
        Kind::TextsNotNearerThanPrompted,
    ));
    findings.extend(copied(texts));
    if let Some(place) = texts.word_lists.iter().position(|list| list.name == BY_FREQUENCY) {
        let headwords = texts.word_lists[place].headwords;
        let path = format!("texts.word_lists[{place}].headwords");
        findings.push(Kind::WordsByFrequency.with([("headwords", Quantity::new(path, headwords))]));
    }
    findings
}

/// How many measures bring the fine-tuned model nearer to the references than `other` is, of those in which the two differ
/// surely.
fn against(texts: &Texts, other: System, nearer: Kind, not_nearer: Kind) -> Option<Finding> {
    let distance = |measure, system| -> Option<f64> {
        let mean = |system| texts.mean(measure, system).map(|mean| mean.estimate);
        Some((mean(system)? - mean(System::Reference)?).abs())
    };
    let compared: Vec<(Measure, bool)> = Measure::ALL
        .into_iter()
        .filter_map(|measure| Some((measure, texts.difference(measure, other)?.is_significant())))
        .collect();
    if compared.is_empty() {
        return None;
    }
    let differing = || compared.iter().filter(|(_, differs)| *differs).map(|(measure, _)| *measure);
    let is_nearer = |measure: &Measure| distance(*measure, System::FineTuned) < distance(*measure, other);
    let count = |what: &str, count: usize| {
        Quantity::new(format!("count(texts.differences against {} {what})", other.name()), count)
    };
    let (near, all) = (differing().filter(is_nearer).count(), differing().count());
    // More of them nearer than farther.
    let kind = if 2 * near > all { nearer } else { not_nearer };
    Some(kind.with([
        ("measures", count("in all", compared.len())),
        ("nearer", count("nearer to the references", near)),
        ("farther", count("farther from the references", all - near)),
        ("alike", count("that do not differ", compared.len() - all)),
    ]))
}

/// Whether the fine-tuned texts hold more of the training answers than the references do.
fn copied(texts: &Texts) -> Option<Finding> {
    let difference = texts.difference(Measure::CopiedWords, System::Reference)?;
    let more = difference.is_significant() && difference.difference.estimate > 0.0;
    let share = |system: System| {
        let place = texts.place(Measure::CopiedWords, system)?;
        let path = format!("texts.measures[{place}].mean.estimate");
        Some(Quantity::new(path, texts.measures[place].mean.estimate))
    };
    let kind = if more { Kind::TextsCopyMore } else { Kind::TextsCopyNoMore };
    Some(kind.with([("tuned", share(System::FineTuned)?), ("reference", share(System::Reference)?)]))
}

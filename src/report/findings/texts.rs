//! Findings on what the texts measure. No measure is good by itself: what a text is compared with is the references, so a
//! system is said to be nearer to them, or not.

use super::{Finding, Kind};
use crate::record::RunRecord;
use crate::record::texts::{Measure, System, Texts};
use crate::report::finding::Claim;
use crate::report::profile::Limits;
use crate::report::quantity::Quantity;
use crate::texts::word_list::BY_FREQUENCY;

pub(super) fn findings(record: &RunRecord, limits: Limits) -> Vec<Finding> {
    let Some(texts) = &record.texts else { return Vec::new() };
    let mut findings = Vec::new();
    findings.extend(against(texts, System::Baseline, Kind::TextsNearer, Kind::TextsNotNearer));
    findings.extend(against(
        texts,
        System::Prompted,
        Kind::TextsNearerThanPrompted,
        Kind::TextsNotNearerThanPrompted,
    ));
    findings.extend(against_references(
        texts,
        Measure::CopiedWords,
        Kind::TextsCopyMore,
        Kind::TextsCopyNoMore,
    ));
    findings.extend(against_references(
        texts,
        Measure::Repeated4grams,
        Kind::TextsRepeatMore,
        Kind::TextsRepeatNoMore,
    ));
    match texts.word_lists.iter().position(|list| list.name == BY_FREQUENCY) {
        Some(place) => {
            let headwords = texts.word_lists[place].headwords;
            let path = format!("texts.word_lists[{place}].headwords");
            findings.push(Kind::WordsByFrequency.with([("headwords", Quantity::new(path, headwords))]));
        }
        None => findings.extend(level(texts, limits)),
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
    let finding = kind.with([
        ("measures", count("in all", compared.len())),
        ("nearer", count("nearer to the references", near)),
        ("farther", count("farther from the references", all - near)),
    ]);
    let alike = compared.len() - all;
    Some(if alike > 0 { finding.with([("alike", count("that do not differ", alike))]) } else { finding })
}

/// Whether the fine-tuned texts have surely more of what a share measures than the references, with both shares.
fn against_references(texts: &Texts, measure: Measure, more: Kind, no_more: Kind) -> Option<Finding> {
    let difference = texts.difference(measure, System::Reference)?;
    let is_more = difference.is_significant() && difference.difference.estimate > 0.0;
    Some((if is_more { more } else { no_more }).with(shares(texts, measure)?))
}

/// Whether the fine-tuned texts keep to the level: more words above it than in the references, surely; or no more than the
/// margin even at the upper end of the interval.
fn level(texts: &Texts, limits: Limits) -> Option<Finding> {
    let margin = f64::from(limits.above_level_points) / 100.0;
    let difference = texts.difference(Measure::AboveLevel, System::Reference)?;
    let kind = match difference.difference {
        within if within.high <= margin => Kind::TextsOfTheLevel,
        more if difference.is_significant() && more.estimate > 0.0 => Kind::TextsAboveLevel,
        _ => Kind::TextsOfUnsureLevel,
    };
    let limit = Quantity::new("limit(limits.above_level_points)", margin);
    Some(kind.with(shares(texts, Measure::AboveLevel)?).with([("limit", limit)]))
}

/// The mean share of the fine-tuned texts and of the references, to the digit that the table has as well.
fn shares(texts: &Texts, measure: Measure) -> Option<[(&'static str, Quantity); 2]> {
    let share = |system: System| {
        let place = texts.place(measure, system)?;
        let (path, mean) = (format!("texts.measures[{place}].mean.estimate"), &texts.measures[place].mean);
        Some(Quantity::new(path, mean.estimate).within(Some(mean)))
    };
    Some([("tuned", share(System::FineTuned)?), ("reference", share(System::Reference)?)])
}

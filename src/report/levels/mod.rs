//! The Turkish comparison of levels, `karsilastirma.md`: its two thesis texts, their tables and their charts.
//!
//! ```text
//! LevelsRecord -> findings -> view -> templates/karsilastirma.md.j2 -> tidy Markdown
//!                  -> charts::levels
//! ```
//! Template engine, filters and numbering are those of the documents of one run.

mod cross;
pub mod findings;
mod view;

use super::charts::{Chart, levels};
use super::document::{self, ChartReference, Document};
use super::numbering::Numbering;
use super::numbers::Style;
use super::profile::Profile;
use crate::error::Result;
use crate::level::Level;
use crate::record::levels::LevelsRecord;
use findings::{Finding, Topic};
use minijinja::value::Serde;
use minijinja::{Environment, Value};
use serde::Serialize;
use std::collections::BTreeMap;

/// Name of the document below its folder.
pub const FILE_NAME: &str = "karsilastirma.md";

/// Name of the record that it is rendered from.
pub const RECORD: &str = "karsilastirma.json";

const SENTENCES: &str = "duzey_bulgulari.md.j2";

/// Renders `comparison`; the text refers to `charts` and to no other.
///
/// # Errors
/// `Error::Report`, as [`document::render`].
pub fn render(comparison: &LevelsRecord, charts: &[ChartReference], profile: &Profile) -> Result<Document> {
    let findings = findings::findings(comparison);
    let room = room(comparison, charts, profile)?;
    let mut view = view::common(comparison, profile, charts)?;
    view.extend(said(&room, &findings)?);
    Ok(document::document(FILE_NAME.to_string(), &document::print(&room, "karsilastirma.md.j2", &view)?))
}

/// The sentences of all findings of `comparison`, in their order, for readers outside the document.
///
/// # Errors
/// As [`render`].
pub fn finding_sentences(
    comparison: &LevelsRecord,
    profile: &Profile,
) -> Result<Vec<(Finding, document::Sentences)>> {
    let room = room(comparison, &[], profile)?;
    let lines = |finding: &Finding, part: &str| -> Result<Vec<String>> {
        Ok(say(&room, finding, part)?.lines().map(super::trace::plain).collect())
    };
    findings::findings(comparison)
        .into_iter()
        .map(|finding| {
            let sentences = document::Sentences {
                results: lines(&finding, "sonuc")?,
                discussion: lines(&finding, "tartisma")?,
            };
            Ok((finding, sentences))
        })
        .collect()
}

/// The charts across levels that `comparison` has the numbers for: losses with their intervals, and the matrix.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub fn charts(comparison: &LevelsRecord, style: Style) -> Result<Vec<Chart>> {
    let mut confidence = None;
    let losses: Vec<levels::LevelLosses> = comparison
        .levels
        .iter()
        .filter_map(|entry| {
            // A whisker that was not measured is not drawn, and neither is the point that it belongs to.
            let masked = &entry.statistics.as_ref()?.masked;
            confidence = confidence.or(Some(masked.confidence));
            Some(levels::LevelLosses {
                level: entry.level,
                baseline: masked.baseline.loss,
                fine_tuned: masked.fine_tuned.loss,
            })
        })
        .collect();
    let losses = match confidence {
        Some(confidence) => levels::losses(&losses, confidence, style)?,
        None => None,
    };
    let matrix = match cross_losses(comparison) {
        Some(cross) => levels::matrix(&cross, style)?,
        None => None,
    };
    Ok(losses.into_iter().chain(matrix).collect())
}

/// The matrix as its chart wants it: square, over every level that is an adapter's or an evaluation set's.
fn cross_losses(comparison: &LevelsRecord) -> Option<levels::CrossLosses> {
    let cross = comparison.cross.as_ref()?;
    let place = |levels: &[Level], level: Level| levels.iter().position(|other| *other == level);
    let levels: Vec<Level> = Level::ALL
        .into_iter()
        .filter(|level| cross.adapters.contains(level) || cross.eval_sets.contains(level))
        .collect();
    let cell = |adapter: Level, set: Level| {
        Some(cross.loss[place(&cross.adapters, adapter)?][place(&cross.eval_sets, set)?])
    };
    let losses =
        levels.iter().map(|adapter| levels.iter().map(|set| cell(*adapter, *set)).collect()).collect();
    let baseline = levels.iter().map(|set| Some(cross.base_loss[place(&cross.eval_sets, *set)?])).collect();
    Some(levels::CrossLosses { levels, losses, baseline: Some(baseline) })
}

/// The engine with this text's tables and figures, which count on in the chapter of the results.
fn room(
    comparison: &LevelsRecord,
    charts: &[ChartReference],
    profile: &Profile,
) -> Result<Environment<'static>> {
    let mut tables = vec!["duzeyler", "yanit_kayiplari", "tam_metin_kayiplari"];
    if comparison.cross.is_some() {
        tables.push("matris");
        tables.extend(cross::advantage(comparison).map(|_| "ustunluk"));
    }
    let mut numbering = Numbering::new(profile);
    numbering.chapter(Some(profile.results), &tables, charts);
    // Where the models differ, no text calls one of them "the model".
    let first = &comparison.levels[0];
    document::room(document::name_of(&first.model.name, first.demonstration), profile, numbering)
}

fn say(room: &Environment<'_>, finding: &Finding, part: &str) -> Result<String> {
    document::say(room, SENTENCES, &format!("{}_{part}", finding.kind.name()), view::finding(finding))
}

/// The sentences of a topic's findings.
#[derive(Debug, Default, Serialize)]
struct Said {
    results: Vec<String>,
    discussion: Vec<String>,
}

/// Sentences by topic, and the warnings for the first lines.
fn said(room: &Environment<'_>, findings: &[Finding]) -> Result<BTreeMap<&'static str, Value>> {
    let mut by_topic: BTreeMap<&'static str, Said> =
        Topic::ALL.into_iter().map(|topic| (topic.name(), Said::default())).collect();
    let mut warnings = Vec::new();
    for finding in findings {
        let said = by_topic.entry(finding.kind.topic().name()).or_default();
        for (lines, part) in [(&mut said.results, "sonuc"), (&mut said.discussion, "tartisma")] {
            for line in say(room, finding, part)?.lines() {
                // Two findings may lead to the same remark: once is enough.
                if !lines.iter().any(|said| said == line) {
                    lines.push(line.to_string());
                }
            }
        }
        if finding.kind.is_warning_on_top() {
            warnings.extend(say(room, finding, "uyari")?.lines().map(str::to_string));
        }
    }
    Ok(BTreeMap::from([("said", Value::from(Serde(&by_topic))), ("warnings", Value::from(warnings))]))
}

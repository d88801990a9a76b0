//! The Turkish document of several levels, `karsilastirma.md`: its two thesis texts, their tables and their charts.
//!
//! ```text
//! LevelsRecord -> findings -> view -> templates/karsilastirma.md.j2 -> tidy Markdown
//!                  -> charts::levels
//! ```
//! Template engine, filters and numbering are those of the documents of one run.

mod columns;
mod cross;
pub mod findings;
mod view;

use super::charts::{Chart, levels};
use super::document::{ChartReference, Document, Sentences};
use super::engine::Engine;
use super::model_name::ModelName;
use super::numbering::{Numbering, Place};
use super::numbers::Style;
use super::profile::Profile;
use super::{files, sentences};
use crate::error::Result;
use crate::level::Level;
use crate::record::levels::LevelsRecord;
use findings::Finding;

/// The sentences of findings.
const FINDINGS: &str = "duzey_bulgulari.md.j2";

/// Renders `record`; the text refers to `charts` and to no other.
///
/// # Errors
/// `Error::Report`, as [`super::document::render`].
pub fn render(record: &LevelsRecord, charts: &[ChartReference], profile: &Profile) -> Result<Document> {
    let engine = engine(record, charts, profile)?;
    let mut view = view::common(record, profile, charts)?;
    view.extend(sentences::of_findings(&mut engine.macros(FINDINGS)?, &findings::findings(record))?);
    let printed = engine.print("karsilastirma.md.j2", &view)?;
    Ok(Document::new(files::LEVELS, files::LEVELS_RECORD, &printed, 2))
}

/// The sentences of all findings of `record`, in their order, for readers outside the document.
///
/// # Errors
/// As [`render`].
pub fn finding_sentences(record: &LevelsRecord, profile: &Profile) -> Result<Vec<(Finding, Sentences)>> {
    let engine = engine(record, &[], profile)?;
    sentences::plain(&mut engine.macros(FINDINGS)?, findings::findings(record))
}

/// The engine with this text's tables and figures, which count on in the chapter of the results.
fn engine(record: &LevelsRecord, charts: &[ChartReference], profile: &Profile) -> Result<Engine> {
    let mut tables = vec!["duzeyler", "yanit_kayiplari", "tam_metin_kayiplari"];
    tables.extend((!record.neighbours.is_empty()).then_some("komsular"));
    if record.cross.is_some() {
        tables.push("matris");
        tables.extend(cross::advantage(record).map(|_| "ustunluk"));
        tables.extend(record.texts().map(|_| "duzey_metinleri"));
    }
    tables.extend((!record.ratings.is_empty()).then_some("duzey_puanlari"));
    let mut numbering = Numbering::new(profile);
    numbering.add(Place::Chapter(profile.results), &tables, charts);
    // Where the models differ, no text calls one of them "the model".
    let first = &record.levels[0];
    Engine::new(ModelName::new(&first.model.name, first.demonstration, profile), profile, numbering)
}

/// The charts across levels that `record` has the numbers for: losses with their intervals, and the matrix.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub fn charts(record: &LevelsRecord, style: Style) -> Result<Vec<Chart>> {
    let mut confidence = None;
    let losses: Vec<levels::LevelLosses> = record
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
    let matrix = match cross_losses(record) {
        Some(cross) => levels::matrix(&cross, style)?,
        None => None,
    };
    Ok(losses.into_iter().chain(matrix).collect())
}

/// The matrix as its chart wants it: square, over every level that is an adapter's or an evaluation set's.
fn cross_losses(record: &LevelsRecord) -> Option<levels::CrossLosses> {
    let cross = record.cross.as_ref()?;
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

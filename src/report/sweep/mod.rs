//! The Turkish document of a sweep, `tarama.md`: what varied, which settings matter, and which run to report.
//!
//! ```text
//! SweepRecord -> findings -> view -> templates/tarama.md.j2 -> tidy Markdown
//!             -> charts::sweep
//! ```
//! It is read beside a thesis and is no section of one: its tables and figures count from 1.

mod settings;
pub mod findings;
mod view;

use super::charts::{Chart, sweep};
use super::document::{ChartReference, Document, Sentences};
use super::engine::Engine;
use super::model_name::ModelName;
use super::numbering::{Numbering, Place};
use super::numbers::Style;
use super::profile::Profile;
use super::{files, sentences};
use crate::error::Result;
use crate::record::sweep::{Group, SweepRecord};
use findings::Finding;

/// The sentences of findings.
const FINDINGS: &str = "tarama_bulgulari.md.j2";

/// Renders `record`; the text refers to `charts` and to no other.
///
/// # Errors
/// `Error::Report`, as [`super::document::render`].
pub fn render(record: &SweepRecord, charts: &[ChartReference], profile: &Profile) -> Result<Document> {
    let engine = engine(record, charts, profile)?;
    let mut view = view::common(record, charts);
    view.extend(sentences::of_findings(&mut engine.macros(FINDINGS)?, &findings::findings(record))?);
    let printed = engine.print("tarama.md.j2", &view)?;
    Ok(Document::new(files::SWEEP, files::SWEEP_RECORD, &printed, 2))
}

/// The sentences of all findings of `record`, in their order, for readers outside the document.
///
/// # Errors
/// As [`render`].
pub fn finding_sentences(record: &SweepRecord, profile: &Profile) -> Result<Vec<(Finding, Sentences)>> {
    let engine = engine(record, &[], profile)?;
    sentences::plain(&mut engine.macros(FINDINGS)?, findings::findings(record))
}

fn engine(record: &SweepRecord, charts: &[ChartReference], profile: &Profile) -> Result<Engine> {
    let mut tables = Vec::new();
    tables.extend((!record.groups.is_empty()).then_some("birlesimler"));
    tables.extend((!record.contrasts.is_empty()).then_some("karsitliklar"));
    tables.extend((!record.choices.is_empty()).then_some("secimler"));
    let mut numbering = Numbering::new(profile);
    numbering.add(Place::Whole, &tables, charts);
    // Where no run is finished, or the models differ, no text calls one of them "the model".
    let (name, demonstration) =
        record.model.as_ref().map_or(("", false), |model| (model.name.as_str(), model.demonstration));
    Engine::new(ModelName::new(name, demonstration, profile), profile, numbering)
}

/// The chart of the selection losses, where a run is finished.
///
/// # Errors
/// `Error::Report` where a number cannot be printed.
pub fn charts(record: &SweepRecord, style: Style) -> Result<Vec<Chart>> {
    let combination = |group: &Group| {
        let runs = record.runs.iter().filter(|run| group.runs.contains(&run.name));
        sweep::Combination {
            level: group.level,
            name: match group.settings.as_slice() {
                [] => "tek birleşim".into(),
                all => settings::plain(all),
            },
            losses: runs.filter_map(|run| Some(run.result.as_ref()?.selection.loss)).collect(),
            mean: group.selection_loss.mean,
        }
    };
    let combinations: Vec<sweep::Combination> = record.groups.iter().map(combination).collect();
    Ok(sweep::losses(&combinations, style)?.into_iter().collect())
}

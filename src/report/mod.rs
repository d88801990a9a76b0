//! From the record to Turkish text: nothing in here sees a tensor, a model or a clock.
//!
//! ```text
//! record -> measures            the numbers it implies, each a quantity with its path
//!        -> charts              SVG and PNG
//!        -> findings, criteria  what may be said, each with its evidence
//!        -> sentences           what of it is said, by the macros of templates/
//!        -> view                what a template sees besides
//!        -> document, levels, sweep    Markdown, by the engine with its filters
//!        -> weave               the experiment's sources, with the results of their cells
//!        -> export              pages; Word and LaTeX
//! ```
//! Below them: what is cited (`citations`), how a number is traced, printed (`numbers`) and read aloud (`turkish`), and what a thesis's guide asks
//! for (`profile`, `numbering`).

// From the ground up.
mod decimal_mark;
pub mod files;
pub mod trace;
pub mod citations;
pub(crate) mod quantity;
pub mod markdown;
pub mod turkish;
pub mod numbers;
pub mod profile;
mod numbering;
pub(crate) mod measures;
pub mod charts;
pub mod finding;
pub mod findings;
mod filters;
mod model_name;
mod engine;
mod sentences;
mod view;
mod layout;
pub mod document;
pub mod levels;
pub mod sweep;
pub mod weave;
pub mod export;

use crate::error::Result;
use crate::record::RunRecord;
use crate::record::levels::LevelsRecord;
use crate::record::sweep::SweepRecord;
use charts::Chart;
pub use decimal_mark::DecimalMark;
use document::Document;
use export::{Conversion, File};
use profile::Profile;
use std::path::Path;

/// Everything a record becomes: the documents, the whole one first, and the charts they refer to.
pub struct Report {
    /// Markdown, see [`document::render`].
    pub documents: Vec<Document>,
    /// Pictures, see [`charts::all`].
    pub charts: Vec<Chart>,
}

impl Report {
    /// What needs no other program, by its path below the output folder: each document as Markdown, what they cite as
    /// BibTeX, each chart as SVG and PNG, and the first document and the appendix as a page each.
    ///
    /// # Errors
    /// As [`export::html`].
    pub fn files(&self) -> Result<Vec<File>> {
        let mut files = Vec::new();
        let mut add = |path: String, bytes: Vec<u8>| files.push(File { path, bytes });
        for chart in &self.charts {
            add(files::chart(chart.name, "svg"), chart.svg.clone().into_bytes());
            add(files::chart(chart.name, "png"), chart.png.clone());
        }
        for document in &self.documents {
            add(document.file_name.clone(), document.markdown.clone().into_bytes());
        }
        let cited = citations::cited(self.documents.iter().map(|document| document.traced.as_str()));
        if !cited.is_empty() {
            add(files::BIBLIOGRAPHY.into(), citations::bibtex(&cited).into_bytes());
        }
        let appendix = self.documents.iter().skip(1).find(|document| document.file_name == files::APPENDIX);
        for document in self.documents.first().into_iter().chain(appendix) {
            let page = files::with_ending(&document.file_name, "html");
            add(page, export::html(document, &self.charts)?.into_bytes());
        }
        Ok(files)
    }

    /// The thesis sections (the document itself where it has none) for Word and LaTeX. `seconds` since 1970 are the
    /// date that Word files carry.
    pub fn sections(&self, profile: &Profile, seconds: i64) -> Conversion {
        let sections = match self.documents.as_slice() {
            [_, sections @ ..] if !sections.is_empty() => sections,
            all => all,
        };
        export::sections(Path::new(export::PROGRAM), sections, &self.charts, profile, seconds)
    }
}

/// Renders `record`. The same record and profile give the same bytes.
///
/// # Errors
/// As [`document::render`] and [`charts::all`].
pub fn render(record: &RunRecord, profile: &Profile) -> Result<Report> {
    let charts = charts::all(record, numbers::Style { decimal: profile.decimal })?;
    Ok(Report { documents: document::render(record, &references(&charts), profile)?, charts })
}

/// Renders the document of several levels and its charts.
///
/// # Errors
/// As [`levels::render`] and [`levels::charts`].
pub(crate) fn render_levels(record: &LevelsRecord, profile: &Profile) -> Result<Report> {
    let charts = levels::charts(record, numbers::Style { decimal: profile.decimal })?;
    Ok(Report { documents: vec![levels::render(record, &references(&charts), profile)?], charts })
}

/// Renders the document of a sweep and its chart.
///
/// # Errors
/// As [`sweep::render`] and [`sweep::charts`].
pub(crate) fn render_sweep(record: &SweepRecord, profile: &Profile) -> Result<Report> {
    let charts = sweep::charts(record, numbers::Style { decimal: profile.decimal })?;
    Ok(Report { documents: vec![sweep::render(record, &references(&charts), profile)?], charts })
}

/// What a text needs to know of its charts.
fn references(charts: &[Chart]) -> Vec<document::ChartReference> {
    charts
        .iter()
        .map(|chart| document::ChartReference {
            name: chart.name.to_string(),
            caption: chart.caption.clone(),
            alt: chart.alt.clone(),
        })
        .collect()
}

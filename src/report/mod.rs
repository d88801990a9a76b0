//! From the record to Turkish text: nothing in here sees a tensor, a model or a clock.

pub mod charts;
pub mod comparison;
pub mod document;
pub mod export;
pub mod figure;
mod filters;
pub mod findings;
pub mod markdown;
pub mod measures;
pub mod numbering;
pub mod numbers;
pub mod profile;
pub mod turkish;
mod view;

use crate::error::Result;
use crate::record::comparison::ComparisonRecord;
use crate::record::run::RunRecord;
use charts::Chart;
use document::Document;
use export::File;
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
    /// Every file of it, by its path below the output folder, and what the person at the terminal should know: each
    /// document as Markdown, each chart as SVG and PNG, the first document as one page, and the thesis sections (the
    /// document itself where it has none) for Word and LaTeX. `seconds` since 1970 are the date that Word files carry.
    ///
    /// # Errors
    /// As [`export::html`] and [`export::sections`].
    pub fn files(&self, profile: &Profile, seconds: i64) -> Result<(Vec<File>, Vec<String>)> {
        let mut files = Vec::new();
        let mut add = |path: String, bytes: Vec<u8>| files.push(File { path, bytes });
        for chart in &self.charts {
            add(format!("charts/{}.svg", chart.name), chart.svg.clone().into_bytes());
            add(format!("charts/{}.png", chart.name), chart.png.clone());
        }
        for document in &self.documents {
            add(document.file_name.clone(), document.markdown.clone().into_bytes());
        }
        let (first, sections) = match self.documents.as_slice() {
            [] => return Ok((files, Vec::new())),
            [only] => (only, std::slice::from_ref(only)),
            [first, sections @ ..] => (first, sections),
        };
        let page = format!("{}.html", first.file_name.trim_end_matches(".md"));
        add(page, export::html(first, &self.charts)?.into_bytes());
        let converted =
            export::sections(Path::new(export::PROGRAM), sections, &self.charts, profile, seconds)?;
        files.extend_from_slice(converted.files());
        Ok((files, converted.notices()))
    }
}

/// Renders `record`. The same record and profile give the same bytes.
///
/// # Errors
/// As [`document::render`] and [`charts::all`].
pub fn render(record: &RunRecord, profile: &Profile) -> Result<Report> {
    let charts = charts::all(record, numbers::Style { decimal: profile.mark() })?;
    Ok(Report { documents: document::render(record, &references(&charts), profile)?, charts })
}

/// Renders the comparison of levels: one document and its charts.
///
/// # Errors
/// As [`comparison::render`] and [`comparison::charts`].
pub fn render_comparison(record: &ComparisonRecord, profile: &Profile) -> Result<Report> {
    let charts = comparison::charts(record, numbers::Style { decimal: profile.mark() })?;
    Ok(Report { documents: vec![comparison::render(record, &references(&charts), profile)?], charts })
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

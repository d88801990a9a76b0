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
use profile::Profile;

/// Everything a record becomes: the documents, the whole one first, and the charts they refer to.
pub struct Report {
    /// Markdown, see [`document::render`].
    pub documents: Vec<Document>,
    /// Pictures, see [`charts::all`].
    pub charts: Vec<Chart>,
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

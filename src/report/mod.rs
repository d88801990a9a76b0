//! From the record to Turkish text: nothing in here sees a tensor, a model or a clock.

pub mod charts;
pub mod document;
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
    let references: Vec<_> = charts
        .iter()
        .map(|chart| document::ChartReference {
            name: chart.name.to_string(),
            caption: chart.caption.clone(),
            alt: chart.alt.clone(),
        })
        .collect();
    Ok(Report { documents: document::render(record, &references, profile)?, charts })
}

//! Charts and documents, rendered from the record alone.

use super::Notebook;
use crate::error::Result;
use crate::record::run::RunRecord;
use crate::record::{environment, replicates, store};
use crate::report::{self, export};
use std::path::Path;

impl Notebook {
    /// Puts the summary of several seeds into the record and the documents, and into `replicates.json`.
    pub(super) fn add_replicates(&mut self, records: &[RunRecord]) -> Result<()> {
        let replicates = replicates::summarize(records)?;
        let mut text = serde_json::to_string_pretty(&replicates).expect("a summary is finite numbers");
        text.push('\n');
        store::write_file(&self.out.join("replicates.json"), text.as_bytes())?;
        self.record().replicates = Some(replicates);
        self.save()?;
        self.render()
    }

    pub(super) fn render_again(&mut self) -> Result<()> {
        self.record = Some(store::read(&self.out.join("record.json"))?);
        self.render()
    }

    /// Charts and documents of the record as it stands, each file whole or not at all.
    pub(super) fn render(&mut self) -> Result<()> {
        let profile = self.flags.profile(&self.out, Some(self.level))?;
        let report = report::render(self.record(), &profile)?;
        for chart in &report.charts {
            let path = self.out.join("charts").join(chart.name);
            write_changed(&path.with_extension("svg"), chart.svg.as_bytes())?;
            write_changed(&path.with_extension("png"), &chart.png)?;
        }
        for document in &report.documents {
            write_changed(&self.out.join(&document.file_name), document.markdown.as_bytes())?;
        }
        let page = self.out.join(format!("{}_FINE_TUNING_RESULTS.html", self.level.label()));
        write_changed(&page, export::html(&report.documents[0], &report.charts)?.as_bytes())?;
        // Word files carry the time of the run, not of the rendering: equal records give equal bytes.
        let seconds = environment::unix_seconds(&self.record().environment.started_at);
        let pandoc = Path::new(export::PROGRAM);
        let sections = export::sections(pandoc, &report.documents[1..], &report.charts, &profile, seconds)?;
        for file in sections.files() {
            write_changed(&self.out.join(&file.path), &file.bytes)?;
        }
        for notice in sections.notices() {
            self.progress.say(&notice);
        }
        let names: Vec<&str> = report.documents.iter().map(|document| document.file_name.as_str()).collect();
        self.progress.say(&format!(
            "{}: {}, {} charts",
            self.out.display(),
            names.join(", "),
            report.charts.len()
        ));
        Ok(())
    }
}

/// Writes a file that is not there with these bytes already: reading it costs less than waiting for the disk, and a
/// file that stays the same keeps its date.
fn write_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|written| written == bytes) {
        return Ok(());
    }
    store::write_file(path, bytes)
}

//! Charts and documents, rendered from the record alone.

use super::Notebook;
use crate::error::Result;
use crate::record::run::RunRecord;
use crate::record::{environment, replicates, store};
use crate::report::{self, export};
use rayon::prelude::*;
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
        let page = format!("{}_FINE_TUNING_RESULTS.html", self.level.label());
        let html = export::html(&report.documents[0], &report.charts)?;
        let charts = report.charts.iter().flat_map(|chart| {
            let file = |ending: &str| format!("charts/{}.{ending}", chart.name);
            [(file("svg"), chart.svg.as_bytes()), (file("png"), chart.png.as_slice())]
        });
        let documents = report
            .documents
            .iter()
            .map(|document| (document.file_name.clone(), document.markdown.as_bytes()));
        let files: Vec<(String, &[u8])> = charts.chain(documents).chain([(page, html.as_bytes())]).collect();
        // Word files carry the time of the run, not of the rendering: equal records give equal bytes.
        let seconds = environment::unix_seconds(&self.record().environment.started_at);
        let pandoc = Path::new(export::PROGRAM);
        // The files wait for the disk, pandoc for the processor: neither waits for the other.
        let (written, sections) = rayon::join(
            || files.par_iter().try_for_each(|(path, bytes)| write_changed(&self.out.join(path), bytes)),
            || export::sections(pandoc, &report.documents[1..], &report.charts, &profile, seconds),
        );
        written?;
        let sections = sections?;
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

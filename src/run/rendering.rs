//! Charts and documents, rendered from the record alone and written where they belong.

use super::Notebook;
use crate::error::Result;
use crate::record::RunRecord;
use crate::record::{environment, repeated, store};
use crate::report::profile::Profile;
use crate::report::{self, Report};
use rayon::prelude::*;
use std::path::Path;

/// Writes every file of `report` below `folder`, each whole or not at all, and returns what the person at the
/// terminal should know, a line each. `moment` (RFC 3339) is the date that Word files carry: the run's and not the
/// rendering's, so that equal records give equal bytes.
///
/// # Errors
/// As [`Report::files`] and [`Report::sections`]; `Error::File` where one cannot be written.
pub fn write(report: &Report, profile: &Profile, moment: &str, folder: &Path) -> Result<Vec<String>> {
    let files = report.files()?;
    // The files wait for the disk, pandoc for the processor: neither waits for the other.
    let (written, sections) = rayon::join(
        || files.par_iter().try_for_each(|file| write_changed(&folder.join(&file.path), &file.bytes)),
        || report.sections(profile, environment::unix_seconds(moment)),
    );
    written?;
    let sections = sections?;
    for file in sections.files() {
        write_changed(&folder.join(&file.path), &file.bytes)?;
    }
    Ok(sections.notices())
}

/// Writes a file that is not there with these bytes already: reading it costs less than waiting for the disk, and a
/// file that stays the same keeps its date.
fn write_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|written| written == bytes) {
        return Ok(());
    }
    store::write_file(path, bytes)
}

impl Notebook {
    /// Puts the summary of several seeds into the record and the documents, and into `replicates.json`.
    pub(super) fn add_replicates(&mut self, records: &[RunRecord]) -> Result<()> {
        let replicates = repeated::summarize(records)?;
        let mut text = serde_json::to_string_pretty(&replicates).expect("a summary is finite numbers");
        text.push('\n');
        store::write_file(&self.out.join("replicates.json"), text.as_bytes())?;
        self.record().replicates = Some(replicates);
        self.save()?;
        self.render()
    }

    pub(super) fn render_again(&mut self) -> Result<()> {
        self.record = Some(store::read(&self.record_path())?);
        self.render()
    }

    /// Charts and documents of the record as it stands.
    pub(super) fn render(&mut self) -> Result<()> {
        let record = self.record.as_ref().expect("`load` or `render_again` has set the record");
        let report = report::render(record, &self.profile)?;
        for notice in write(&report, &self.profile, &record.environment.started_at, &self.out)? {
            self.progress.say(&notice);
        }
        let names: Vec<&str> = report.documents.iter().map(|document| document.file_name.as_str()).collect();
        let charts = report.charts.len();
        self.progress.say(&format!("{}: {}, {charts} charts", self.out.display(), names.join(", ")));
        Ok(())
    }
}

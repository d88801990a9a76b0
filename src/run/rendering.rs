//! Charts and documents, rendered from a record alone and written where they belong.

use super::progress::Progress;
use crate::error::Result;
use crate::record::folder::RunFolder;
use crate::record::{RunRecord, environment, store};
use crate::report::profile::Profile;
use crate::report::{self, Report, export};
use rayon::prelude::*;
use std::path::Path;

/// Charts and documents of `record` as it stands, with what was said of its texts, written and returned.
///
/// # Errors
/// As [`store::ratings`], [`report::render`] and [`write`].
pub(crate) fn render(
    record: &RunRecord,
    profile: &Profile,
    folder: &RunFolder,
    progress: &Progress,
) -> Result<Report> {
    let report = report::render(&with_ratings(record.clone(), folder, progress)?, profile)?;
    write(&report, profile, &record.environment.started_at, folder.path(), progress)?;
    let names: Vec<&str> = report.documents.iter().map(|document| document.file_name.as_str()).collect();
    let charts = report.charts.len();
    progress.say(&format!("{}: {}, {charts} charts", folder.path().display(), names.join(", ")));
    Ok(report)
}

/// `record` with the ratings that lie in its `folder`, where they are of its texts.
///
/// # Errors
/// As [`store::ratings`].
pub(crate) fn with_ratings(record: RunRecord, folder: &RunFolder, progress: &Progress) -> Result<RunRecord> {
    let (Some(texts), path) = (&record.texts, folder.ratings()) else { return Ok(record) };
    let Some(ratings) = store::ratings(&path)? else { return Ok(record) };
    if ratings.texts != texts.sha256() {
        progress
            .say(&format!("{}: of other texts than this run's, left out of the documents", path.display()));
        return Ok(record);
    }
    Ok(RunRecord { ratings: Some(ratings), ..record })
}

/// Writes every file of `report` below `folder`, each whole or not at all, and says what the person at the terminal
/// should know. `moment` (RFC 3339) is the date that Word files carry: the run's and not the rendering's, so that equal
/// records give equal bytes.
///
/// # Errors
/// As [`Report::files`]; `Error::File` where one cannot be written.
#[expect(clippy::disallowed_methods, reason = "a report sees no tensor")]
pub(crate) fn write(
    report: &Report,
    profile: &Profile,
    moment: &str,
    folder: &Path,
    progress: &Progress,
) -> Result<()> {
    // The files wait for the disk, pandoc for the processor: neither waits for the other.
    let (written, sections) = rayon::join(
        // Of several that cannot be written the first is told, whichever thread was the fastest.
        || -> Result<Vec<Result<()>>> {
            let files = report.files()?;
            let write = |file: &export::File| write_changed(&folder.join(&file.path), &file.bytes);
            Ok(files.par_iter().map(write).collect())
        },
        || report.sections(profile, environment::unix_seconds(moment)),
    );
    written?.into_iter().collect::<Result<()>>()?;
    for file in sections.files() {
        write_changed(&folder.join(&file.path), &file.bytes)?;
    }
    sections.notices().iter().for_each(|notice| progress.say(notice));
    Ok(())
}

/// Writes a file that is not there with these bytes already: reading it costs less than waiting for the disk, and a
/// file that stays the same keeps its date.
///
/// # Errors
/// `Error::File` where it cannot be written.
pub(super) fn write_changed(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|written| written == bytes) {
        return Ok(());
    }
    store::write_file(path, bytes)
}

//! Files, written whole or not at all; the record among them.

use crate::error::{Error, Result};
use crate::paths::walk;
use crate::record::migrate;
use crate::record::ratings::{self, Ratings};
use crate::record::{RunRecord, SCHEMA};
use serde::Serialize;
use serde_json::Value;
use std::fs::TryLockError;
use std::path::Path;

/// Writes `bytes` to `path` through a temporary file beside it: a reader sees the old file or the new one.
///
/// Folders on the way are made. The file and its folder are synced before the return.
///
/// # Errors
/// `Error::File` with the path that was to be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    write_path(path, |temporary| std::fs::write(temporary, bytes))
}

/// The same, for contents that `fill` writes to the temporary path it is given.
///
/// # Errors
/// As [`write_file`].
pub(crate) fn write_path(path: &Path, fill: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    let failed = |source: std::io::Error| Error::file(path, source);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(failed)?;
    let file = temporary(folder).map_err(failed)?;
    fill(file.path()).map_err(failed)?;
    let written = std::fs::File::open(file.path()).map_err(failed)?;
    written.sync_all().map_err(failed)?;
    set_permissions(&written).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    // The rename lasts once the folder is on the disk; not every platform lets a folder be synced.
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Removes the file at `path` where there is one: a setting that asked for it no longer does.
///
/// # Errors
/// `Error::File` where it cannot be removed.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path, error)),
        _ => Ok(()),
    }
}

/// Takes a file for this process, until it is closed: whether it could, or another process holds it. A file system without
/// locks, such as some network ones, says yes: better unguarded than not at all.
///
/// # Errors
/// What the system says.
pub(crate) fn hold(file: &std::fs::File) -> std::io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// How names of files begin that are being written.
const TEMPORARY: &str = ".tezgah-";

/// A file to be written in `folder`, gone again unless it gets a name: also that of a trial is swept after a kill.
///
/// # Errors
/// What the system says, without tempfile's ` at path` and a name that nobody has asked for.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(folder).map_err(|error| {
        let text = error.to_string();
        let cause = text.rsplit_once(" at path ").map_or(&*text, |(cause, _)| cause);
        std::io::Error::new(error.kind(), cause)
    })
}

/// Whether a file of this name is one that is being written, or was when its process was killed.
pub(crate) fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}

/// Whether files could be written below `folder`, which need not exist yet; nothing is left behind.
///
/// # Errors
/// `Error::Setting` with the part of the path that is in the way.
pub(crate) fn check_writable(folder: &Path) -> Result<()> {
    let refused = |at: &Path, error: std::io::Error| Error::Setting {
        key: "out".into(),
        message: format!(
            "expected a folder that can be written to, got {}: {} ({})",
            folder.display(),
            at.display(),
            error.kind()
        ),
    };
    match std::fs::metadata(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::InvalidFilename => {
            return Err(refused(folder, error));
        }
        _ => {}
    }
    let existing = folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    temporary(existing).map(|_| ()).map_err(|error| refused(existing, error))
}

/// Temporary files are private to their owner; a report is meant to be read by others.
#[cfg(unix)]
fn set_permissions(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_permissions(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// A record as the text of its file.
///
/// # Errors
/// A number that is not finite, with its path: JSON would turn it into null.
pub fn to_json(record: &impl Serialize) -> std::result::Result<String, String> {
    let value = serde_json::to_value(record).map_err(|error| error.to_string())?;
    if let Some(path) = first_null(&value) {
        return Err(format!("{path} is no finite number"));
    }
    let mut text = serde_json::to_string_pretty(&value).map_err(|error| error.to_string())?;
    text.push('\n');
    Ok(text)
}

/// Absent values are left out, so the only null is a number that JSON cannot write.
fn first_null(tree: &Value) -> Option<String> {
    let mut found = None;
    walk(tree, &mut |path, value| {
        if found.is_none() && value.is_null() {
            found = Some(path.to_string());
        }
        found.is_none()
    });
    found
}

/// Writes a record: `record.json`, `replicates.json` or `karsilastirma.json`.
///
/// # Errors
/// `Error::Record` for a number that is not finite, `Error::File` where it cannot be written.
pub fn write(path: &Path, record: &impl Serialize) -> Result<()> {
    let text = to_json(record).map_err(|message| Error::Record { path: path.to_path_buf(), message })?;
    write_file(path, text.as_bytes())
}

/// Reads `record.json`; one of an older layout comes back in the newest.
///
/// # Errors
/// A file that is no record, a damaged one, or one of a newer layout than this program knows.
pub fn read(path: &Path) -> Result<RunRecord> {
    let bytes = std::fs::read(path).map_err(|source| Error::file(path, source))?;
    from_json(&bytes).map_err(|message| Error::Record { path: path.to_path_buf(), message })
}

/// Reads `ratings.json`: what was said of a run's texts; none where nobody was asked.
///
/// # Errors
/// As [`read`].
pub fn ratings(path: &Path) -> Result<Option<Ratings>> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| Error::file(path, error))?,
    };
    let refused = |message: String| Error::Record { path: path.to_path_buf(), message };
    let kept: Ratings = serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))?;
    check_schema(kept.schema.into(), ratings::SCHEMA).and_then(|()| kept.check()).map_err(refused)?;
    Ok(Some(kept))
}

/// Refuses a file of a newer layout than the `known` one.
pub(crate) fn check_schema(schema: u64, known: u32) -> std::result::Result<(), String> {
    match schema > u64::from(known) {
        true => Err(format!("its schema is {schema}, this program knows up to {known}; use a newer tezgah")),
        false => Ok(()),
    }
}

/// The record in the bytes of a `record.json`.
///
/// # Errors
/// One line: the place in the file, expected and got.
pub fn from_json(bytes: &[u8]) -> std::result::Result<RunRecord, String> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| format!("no JSON: {error}"))?;
    let schema = value.get("schema").and_then(Value::as_u64);
    let schema = schema.ok_or("expected a field 'schema' with a whole number")?;
    check_schema(schema, SCHEMA)?;
    if let Some(path) = first_null(&value) {
        return Err(format!(
            "{path}: expected a value, got null: no record has one, and no number that is not finite"
        ));
    }
    if schema == u64::from(SCHEMA) {
        // From the text and not from `value`: only so does an error know its line.
        return serde_json::from_slice(bytes).map_err(|error| error.to_string());
    }
    let newest = migrate::to_newest(value, schema)?;
    serde_json::from_value(newest)
        .map_err(|error| format!("brought from schema {schema} to {SCHEMA}: {error}"))
}

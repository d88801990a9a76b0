//! What came back: workbooks and CSV files, each held against the key, sides turned back into systems.
//!
//! Every file is read and checked before any answer counts: a fault in one stops all, with its file, sheet and cell. Raters
//! who returned nothing, sheets without an answer and items left empty are no faults; they are said.

// From the ground up: a file uses what stands above it in this list.
mod table;
mod workbook;
mod separated;
mod sheet;

use super::items::Key;
use super::rated::Rated;
use crate::error::{Error, Result};
use crate::record::ratings::{Answer, Rater};
use sheet::{Returned, Sent};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use table::Table;

/// Largest file that is opened; a sheet of a hundred items has a tenth of it.
const MOST_BYTES: u64 = 8 << 20;

/// What the raters of a key said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// The raters, in the order of the key's sheets; one who returned nothing has answered no item.
    pub raters: Vec<Rater>,
    /// Rater after rater, each in the order of the items' numbers; items without any answer are left out.
    pub answers: Vec<Answer>,
    /// What is missing, in English, a line each.
    pub notices: Vec<String>,
}

/// Reads the sheets of `key` in `paths`: files, and folders with `.xlsx` and `.csv` files in them.
///
/// # Errors
/// `Error::Setting` where the key is of other texts, or no sheet has an answer; `Error::File` where something cannot be read;
/// `Error::Data` with file, sheet, cell, expected and got: a file that is no sheet, a sheet of another key, changed texts or
/// headers, an answer that is none, a rater twice.
pub fn collect(rated: &Rated, key: &Key, paths: &[PathBuf]) -> Result<Collected> {
    rated.check_texts(&key.texts)?;
    let sent = Sent::of(rated, key)?;
    let mut notices = Vec::new();
    let mut returned: BTreeMap<usize, (String, Returned)> = BTreeMap::new();
    let files = files(paths)?;
    for path in &files {
        let table = read(path)?;
        let sheet = sent.read(&table)?;
        if sheet.answers.is_empty() {
            notices.push(format!("{}: no answer in it", table.path()));
            continue;
        }
        if let Some((earlier, _)) = returned.get(&sheet.rater) {
            let rater = &key.sheets[sheet.rater].rater;
            let message =
                format!("expected each rater once, got rater {rater} twice: it is in {earlier} too");
            return Err(table.whole_fault(message));
        }
        returned.insert(sheet.rater, (table.path().to_string(), sheet));
    }
    if returned.is_empty() {
        let message = format!("expected at least one answer, got none in {} sheets", files.len());
        return Err(Error::Setting { key: "sheets".into(), message });
    }
    Ok(together(key, returned, notices))
}

/// All raters, those with nothing too.
fn together(key: &Key, mut returned: BTreeMap<usize, (String, Returned)>, notices: Vec<String>) -> Collected {
    let mut collected = Collected { raters: Vec::new(), answers: Vec::new(), notices };
    for (index, sheet) in key.sheets.iter().enumerate() {
        let (name, asked) = (sheet.rater.clone(), sheet.shown.len());
        let found = returned.remove(&index).map(|(_, found)| found);
        let (answered, in_part) = found.as_ref().map_or((0, 0), |found| (found.answers.len(), found.in_part));
        if answered == 0 {
            collected.notices.push(format!("rater {name}: nothing came back yet"));
        } else if answered < asked || in_part > 0 {
            collected.notices.push(format!(
                "rater {name}: {answered} of {asked} items answered, {in_part} of them in part"
            ));
        }
        collected.raters.push(Rater { name, answered, asked });
        collected.answers.extend(found.into_iter().flat_map(|found| found.answers));
    }
    collected
}

/// Workbook or CSV, by its name.
fn read(path: &Path) -> Result<Table> {
    let failed = |error| Error::file(path, error);
    let name = path.display().to_string();
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > MOST_BYTES {
        let message = format!("expected a sheet of at most {} MB, got {bytes} bytes", MOST_BYTES >> 20);
        return Err(Error::Data { path: name, row: None, message });
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    match ending(path).as_deref() {
        Some("csv") => separated::read(&name, &bytes),
        _ => workbook::read(&name, &bytes),
    }
}

/// The files that `paths` name, each once, in the order of their names within a folder.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut known = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        let found = if path.is_dir() { sheets_in(path)? } else { vec![path.clone()] };
        for file in found {
            let whole = std::fs::canonicalize(&file).map_err(|error| Error::file(&file, error))?;
            if !known.contains(&whole) {
                known.push(whole);
                files.push(file);
            }
        }
    }
    Ok(files)
}

/// The sheets in a folder, without what Excel and LibreOffice put beside an open file.
fn sheets_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| Error::file(folder, error);
    let mut sheets = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_lock = entry.file_name().to_string_lossy().starts_with(['~', '.']);
        if !is_lock && matches!(ending(&entry.path()).as_deref(), Some("xlsx" | "csv")) {
            sheets.push(entry.path());
        }
    }
    sheets.sort();
    Ok(sheets)
}

/// What follows the last point of a file's name, in small letters.
fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_string_lossy().to_lowercase())
}

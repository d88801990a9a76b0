//! What a returned file holds, cell by cell, whichever program wrote it.

use crate::error::Error;
use std::collections::{BTreeMap, BTreeSet};

/// Longest piece of a foreign text in a message, in letters.
const LONGEST_QUOTE: usize = 60;

/// The filled cells of a sheet. Rows and columns count from 0 here and as a spreadsheet names them in messages. Kept by place
/// and not as a rectangle, which two cells far apart could make as large as they like.
#[derive(Debug, Clone)]
pub(super) struct Table {
    path: String,
    sheet: Option<&'static str>,
    cells: BTreeMap<(usize, usize), String>,
}

impl Table {
    /// An empty sheet of the file at `path`; a CSV file has no name for it.
    pub(super) fn new(path: &str, sheet: Option<&'static str>) -> Self {
        Table { path: path.to_string(), sheet, cells: BTreeMap::new() }
    }

    /// Puts `text` into a cell; white space alone is nothing.
    pub(super) fn put(&mut self, row: usize, column: usize, text: String) {
        if !text.trim().is_empty() {
            self.cells.insert((row, column), text);
        }
    }

    /// The file, as the user named it.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// What stands in a cell, without white space at its ends; nothing in an empty one.
    pub(super) fn cell(&self, row: usize, column: usize) -> &str {
        self.cells.get(&(row, column)).map_or("", |text| text.trim())
    }

    /// The rows below the header with something in them.
    pub(super) fn rows(&self) -> BTreeSet<usize> {
        self.cells.keys().map(|(row, _)| *row).filter(|row| *row > 0).collect()
    }

    /// A fault in one cell.
    pub(super) fn fault(&self, row: usize, column: usize, message: impl std::fmt::Display) -> Error {
        let sheet = self.sheet.map(|name| format!("sheet '{name}', ")).unwrap_or_default();
        let message = format!("{sheet}cell {}{}: {message}", letters(column), row + 1);
        Error::Data { path: self.path.clone(), row: None, message }
    }

    /// A fault of the sheet as a whole.
    pub(super) fn whole_fault(&self, message: impl std::fmt::Display) -> Error {
        let sheet = self.sheet.map(|name| format!("sheet '{name}': ")).unwrap_or_default();
        Error::Data { path: self.path.clone(), row: None, message: format!("{sheet}{message}") }
    }
}

/// The name of a column: `A`, `Z`, `AA`.
fn letters(column: usize) -> String {
    let last = char::from(b'A' + (column % 26) as u8);
    if column < 26 { last.to_string() } else { letters(column / 26 - 1) + &last.to_string() }
}

/// A foreign text in one line of a message.
pub(super) fn quoted(text: &str) -> String {
    let mut line: String = text.chars().take(LONGEST_QUOTE).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST_QUOTE).is_some() {
        line.push('…');
    }
    format!("'{line}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_named_as_a_spreadsheet_names_it() {
        let names = [0, 25, 26, 51, 52, 701, 702].map(letters);
        assert_eq!(names, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
        let fault = Table::new("a.xlsx", Some("Değerlendirme")).fault(6, 5, "no");
        assert_eq!(fault.to_string(), "a.xlsx: sheet 'Değerlendirme', cell F7: no");
    }
}

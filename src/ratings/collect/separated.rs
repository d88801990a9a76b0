//! The cells of a returned CSV file, whichever separator the program's language has: a Turkish Excel writes semicolons.

use super::table::{Table, quoted};
use crate::error::{Error, Result};

/// The cells in `bytes`.
///
/// # Errors
/// `Error::Data` where that is no UTF-8 text or no table.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Table> {
    let refuse = |message: String| Error::Data { path: path.to_string(), row: None, message };
    // Excel's plain CSV is in the code page of the machine, which has lost letters already.
    let text = Error::unless_text(path, bytes).map_err(|error| match error {
        Error::Data { message, .. } => {
            refuse(format!("{message}; save the sheet as 'CSV UTF-8', or as .xlsx"))
        }
        other => other,
    })?;
    let mut table = Table::new(path, None);
    for (row, record) in reader(text, separator(text)).records().enumerate() {
        let record = record
            .map_err(|error| refuse(format!("expected a table, got {}", quoted(&error.to_string()))))?;
        for (column, field) in record.iter().enumerate() {
            table.put(row, column, field.to_string());
        }
    }
    Ok(table)
}

/// Rows may be of any length here: an empty cell at the end is often left out.
fn reader(text: &str, separator: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(text.as_bytes())
}

/// The separator that makes most fields of the header.
fn separator(text: &str) -> u8 {
    let fields = |separator: u8| {
        let header = reader(text, separator).records().next();
        header.and_then(|header| header.ok()).map_or(0, |header| header.len())
    };
    // The last of equals is the comma, which a table of one column has as well as any.
    *b"\t;,".iter().max_by_key(|separator| fields(**separator)).unwrap_or(&b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_separator_and_a_line_end_in_a_cell_are_read() {
        for separator in [",", ";", "\t"] {
            let text =
                ["\u{feff}No", "Görev", "\"A, ya da; B\"\r\n1", "\"iki\r\nsatır\"", "5\r\n"].join(separator);
            let table = read("a.csv", text.as_bytes()).expect("a table");
            assert_eq!((table.cell(0, 0), table.cell(0, 2)), ("No", "A, ya da; B"));
            assert_eq!((table.cell(1, 1), table.cell(1, 2), table.cell(1, 9)), ("iki\r\nsatır", "5", ""));
        }
        let said = read("a.csv", b"No;G\xF6rev").expect_err("a code page").to_string();
        assert_eq!(
            said,
            "a.csv: expected UTF-8, got the byte 0xF6 at byte 4; save the sheet as 'CSV UTF-8', or as .xlsx"
        );
    }
}

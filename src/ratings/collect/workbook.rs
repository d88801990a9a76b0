//! The cells of a returned workbook, whichever program saved it.
//!
//! A file from outside may unpack to anything, and its table of strings says by itself how many it has: both are looked at
//! before the reader gets it, which believes what it is told.

use super::table::{Table, quoted};
use crate::error::{Error, Result};
use crate::ratings::sheets::layout::ITEMS;
use calamine::{Data, Reader, Xlsx};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Most bytes that a workbook may unpack to.
const MOST_UNPACKED: u64 = 64 << 20;

/// Digits of the most strings that a workbook may say it has.
const MOST_DIGITS: usize = 6;

/// How a password-protected workbook begins, and one of Excel 97: the older kind of file.
const OLDER_KIND: [u8; 4] = [0xD0, 0xCF, 0x11, 0xE0];

/// The cells of the sheet of items in `bytes`.
///
/// # Errors
/// `Error::Data` where that is no workbook, unpacks to too much or has no such sheet.
pub(super) fn read(path: &str, bytes: &[u8]) -> Result<Table> {
    let refuse = |message: String| Error::Data { path: path.to_string(), row: None, message };
    let unreadable = |error: calamine::XlsxError| {
        refuse(format!("expected an Excel workbook (.xlsx), got {}", quoted(&error.to_string())))
    };
    unpackable(bytes).map_err(refuse)?;
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(unreadable)?;
    let names = workbook.sheet_names();
    if !names.iter().any(|name| name == ITEMS) {
        return Err(refuse(format!("expected a sheet '{ITEMS}', got {}", quoted(&names.join(", ")))));
    }
    let mut table = Table::new(path, Some(ITEMS));
    let mut cells = workbook.worksheet_cells_reader(ITEMS).map_err(unreadable)?;
    while let Some(cell) = cells.next_cell().map_err(unreadable)? {
        let (row, column) = cell.get_position();
        // A whole number is written without a point, be it 4 or 4.0 in the file.
        table.put(row as usize, column as usize, Data::from(cell.get_value().clone()).to_string());
    }
    Ok(table)
}

/// Whether `bytes` are an archive of a bearable size.
fn unpackable(bytes: &[u8]) -> std::result::Result<(), String> {
    if bytes.starts_with(&OLDER_KIND) {
        return Err(
            "expected an Excel workbook (.xlsx) without a password, got one with a password or an .xls file"
                .into(),
        );
    }
    let broken = |error: &dyn std::fmt::Display| {
        format!("expected an Excel workbook (.xlsx), got {}", quoted(&error.to_string()))
    };
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    let mut left = MOST_UNPACKED;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|error| broken(&error))?;
        let mut content = Vec::new();
        let read = entry.take(left + 1).read_to_end(&mut content).map_err(|error| broken(&error))? as u64;
        if read > left {
            return Err(format!(
                "expected a workbook of at most {} MB unpacked, got more",
                MOST_UNPACKED >> 20
            ));
        }
        left -= read;
        if says_too_many(&content) {
            return Err(
                "expected a workbook of less than a million strings, got one that says it has more".into()
            );
        }
    }
    Ok(())
}

/// Whether an XML file says that it has more strings than a sheet could need, in whatever encoding of Unicode.
fn says_too_many(content: &[u8]) -> bool {
    const FIELD: &[u8] = b"uniqueCount=";
    let is_bare = |byte: &&u8| **byte != 0 && !byte.is_ascii_whitespace();
    let bare: Vec<u8> = content.iter().filter(is_bare).copied().collect();
    let ends = bare.windows(FIELD.len()).enumerate().filter(|(_, window)| *window == FIELD);
    ends.map(|(at, _)| &bare[at + FIELD.len()..]).any(|value| {
        let is_digit = |byte: &&u8| byte.is_ascii_digit();
        value.iter().skip(1).take_while(is_digit).count() > MOST_DIGITS
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_strings_is_not_believed() {
        let said = |count: &str| format!("<sst count=\"1\" uniqueCount = \"{count}\">").into_bytes();
        assert!(!says_too_many(&said("960")) && !says_too_many(&said("999999")) && !says_too_many(b"<sst>"));
        assert!(says_too_many(&said("1000000")) && says_too_many(&said("18446744073709551615")));
        let wide: Vec<u8> = said("99999999").into_iter().flat_map(|byte| [byte, 0]).collect();
        assert!(says_too_many(&wide));
    }

    #[test]
    fn what_is_no_workbook_is_said_in_one_line() {
        let kinds: [(&[u8], &str); 4] = [
            (b"", "expected an Excel workbook"),
            (b"No;Task\r\n1;a", "expected an Excel workbook"),
            (b"PK\x03\x04 and then nothing", "expected an Excel workbook"),
            (&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1], "with a password"),
        ];
        for (bytes, message) in kinds {
            let said = read("a.xlsx", bytes).expect_err("no workbook").to_string();
            assert!(said.contains(message) && said.lines().count() == 1, "{said}");
        }
    }
}

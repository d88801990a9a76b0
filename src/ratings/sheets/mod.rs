//! Sheets for people: a workbook and a printable form a rater, the key that nobody gets, and what goes to whom.
//!
//! ```text
//! <out>/anahtar.json               which text is whose, in which order, on which side; what was asked
//! <out>/degerlendirici_1.xlsx      the sheet that comes back
//! <out>/degerlendirici_1.html      the same on paper
//! <out>/OKUBENI.txt                what is sent to whom
//! ```
//! The same run, questions and plan give the same bytes.

// From the ground up: a file uses what stands above it in this list.
pub(super) mod layout;
mod workbook;
mod printed;

use super::criteria::Questionnaire;
use super::items::{self, Key, Plan, Sheet};
use super::rated::Rated;
use crate::error::{Error, Result};
use crate::record::store::write_file;
use layout::Form;
use std::path::{Path, PathBuf};

/// The file of the key, in the folder of the sheets.
pub const KEY: &str = "anahtar.json";

/// The file that says what goes to whom.
const README: &str = "OKUBENI.txt";

/// Draws the items of `plan` and writes the sheets, the key and what goes to whom into `out`; says what it wrote, the key
/// first. A folder that has this very key already gets the same files again.
///
/// # Errors
/// As [`items::draw`]; `Error::Setting` where `out` holds another key, by which ratings may be out; `Error::Report` for what a
/// workbook cannot hold; `Error::File` where something cannot be written.
pub fn prepare(rated: &Rated, questionnaire: Questionnaire, plan: Plan, out: &Path) -> Result<Vec<PathBuf>> {
    let key = items::draw(rated.texts(), questionnaire, plan)?;
    let json = key.to_json()?;
    let mut files = vec![(out.join(KEY), json.into_bytes())];
    refuse_another(&files[0].0, &files[0].1)?;
    // All is made before anything is written; the key goes first, so that no sheet is ever without it.
    let codes = key.codes()?;
    for (sheet, code) in key.sheets.iter().zip(&codes) {
        let form = form(rated, &key, sheet, code)?;
        let file = |ending: &str| out.join(format!("degerlendirici_{}.{ending}", sheet.rater));
        files.push((file("xlsx"), workbook::workbook(&form)?));
        files.push((file("html"), printed::form(&form)?.into_bytes()));
    }
    files.push((out.join(README), printed::readme(&key)?.into_bytes()));
    for (path, bytes) in &files {
        write_file(path, bytes)?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

/// What the rater of `sheet` gets.
fn form<'a>(rated: &'a Rated, key: &'a Key, sheet: &'a Sheet, code: &'a str) -> Result<Form<'a>> {
    Ok(Form {
        rater: &sheet.rater,
        code,
        questionnaire: &key.questionnaire,
        lines: layout::lines(rated, key, sheet)?,
        moment: &rated.record.environment.started_at,
    })
}

/// A key in the way is either this one or a reason to stop.
fn refuse_another(path: &Path, json: &[u8]) -> Result<()> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Error::file(path, error)),
        Ok(kept) if kept == json => Ok(()),
        Ok(_) => {
            let message = format!(
                "expected a folder without another key, got {}: sheets of it may be out, and could not be read without it; \
                 name another folder, or remove that key if nobody has a sheet",
                path.display()
            );
            Err(Error::Setting { key: "out".into(), message })
        }
    }
}

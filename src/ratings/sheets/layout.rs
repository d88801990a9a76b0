//! What stands where on a sheet: the columns, and the lines of one rater.
//!
//! ```text
//! No | Görev | A metni | B metni | for each criterion: A, B | Tercih | Not | Kod (hidden)
//! ```
//! The workbook, the printed form and what reads a returned sheet have it from here. The last column says on each line whose
//! sheet it is and of which key, so that it is not lost in a CSV file.

use crate::error::Result;
use crate::ratings::criteria::Questionnaire;
use crate::ratings::items::{Key, Sheet, Shown};
use crate::ratings::rated::Rated;

/// The name of the sheet of items in a workbook.
pub(crate) const ITEMS: &str = "Değerlendirme";
/// The name of the sheet that says how to rate.
pub(crate) const INSTRUCTIONS: &str = "Yönerge";

/// Column of the line's number.
pub(crate) const NUMBER: usize = 0;
/// Column of the task.
pub(crate) const TASK: usize = 1;
/// Columns of the two texts.
pub(crate) const TEXTS: [usize; 2] = [2, 3];
/// Column of the first score.
const SCORES: usize = 4;

/// The answers to the question of preference, as they stand on a sheet.
pub(crate) const PREFERENCES: [&str; 3] = ["A", "B", "Eşit"];

/// What stands over a sheet.
pub(crate) const TITLE: &str = "İngilizce Metin Değerlendirme Formu";

/// Longest text of a cell in UTF-16 units; Excel allows 32,767.
const LONGEST: usize = 32_000;

/// The columns that follow from the number of criteria.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    /// How many criteria there are.
    pub(crate) criteria: usize,
}

impl Columns {
    /// The columns of a questionnaire's sheet.
    pub(crate) fn of(questionnaire: &Questionnaire) -> Self {
        Columns { criteria: questionnaire.criteria.len() }
    }

    /// Scores of text A and of text B by the criterion in place `index`.
    pub(crate) fn scores(self, index: usize) -> [usize; 2] {
        [SCORES + 2 * index, SCORES + 2 * index + 1]
    }

    /// The preferred text.
    pub(crate) fn preference(self) -> usize {
        SCORES + 2 * self.criteria
    }

    /// What a rater wants to add.
    pub(crate) fn note(self) -> usize {
        self.preference() + 1
    }

    /// Whose sheet it is.
    pub(crate) fn code(self) -> usize {
        self.note() + 1
    }

    /// What stands over each column, in their order.
    pub(crate) fn headers(self, questionnaire: &Questionnaire) -> Vec<String> {
        let mut headers: Vec<String> = ["No", "Görev", "A metni", "B metni"].map(String::from).to_vec();
        for criterion in &questionnaire.criteria {
            headers.extend(["A", "B"].map(|side| cell_text(&format!("{} – {side}", criterion.name))));
        }
        headers.extend(["Tercih (A / B / Eşit)", "Not", "Kod"].map(String::from));
        headers
    }
}

/// What one rater gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form<'a> {
    /// The rater's name: `1`.
    pub(crate) rater: &'a str,
    /// What binds the sheet to its key.
    pub(crate) code: &'a str,
    /// What is asked and told.
    pub(crate) questionnaire: &'a Questionnaire,
    /// The items.
    pub(crate) lines: Vec<Line>,
    /// The run's start, RFC 3339: the time of the files.
    pub(crate) moment: &'a str,
}

/// One item as one rater sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// The item, and which side is whose.
    pub(crate) shown: Shown,
    /// Task and input, as [`cell_text`].
    pub(crate) task: String,
    /// Text A and text B, as [`cell_text`].
    pub(crate) texts: [String; 2],
}

/// The lines of `sheet`, in their order; the first is number 1.
///
/// # Errors
/// As [`crate::ratings::items::Item::reading`].
pub(crate) fn lines(rated: &Rated, key: &Key, sheet: &Sheet) -> Result<Vec<Line>> {
    sheet.shown.iter().map(|shown| line(rated, key, shown)).collect()
}

fn line(rated: &Rated, key: &Key, shown: &Shown) -> Result<Line> {
    let reading = key.items[shown.item - 1].reading(rated, key.against)?;
    let task = match reading.task.input.trim() {
        "" => cell_text(&reading.task.instruction),
        input => cell_text(&format!("{}\n\n{input}", reading.task.instruction)),
    };
    let [first, second] = match shown.fine_tuned_first {
        true => [reading.fine_tuned, reading.other],
        false => [reading.other, reading.fine_tuned],
    };
    Ok(Line { shown: *shown, task, texts: [first, second].map(cell_text) })
}

/// A text as it stands in a cell: without what a spreadsheet file cannot hold, and no longer than it can. A model may write
/// anything; what is replaced or cut here is so for the workbook, the form and the comparison alike.
pub(crate) fn cell_text(text: &str) -> String {
    let is_refused = |letter: char| {
        (letter.is_control() && letter != '\n' && letter != '\t')
            || ['\u{fffe}', '\u{ffff}'].contains(&letter)
    };
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut units = 0;
    let mut cell = String::new();
    for letter in text.chars() {
        units += letter.len_utf16();
        if units > LONGEST {
            cell.push_str(" […]");
            break;
        }
        cell.push(if is_refused(letter) { char::REPLACEMENT_CHARACTER } else { letter });
    }
    cell
}

/// Whether a returned cell still has the words that were written into it. Programs write line ends and white space at the ends
/// of a cell in their own ways; some keep the mark before what looks like an escape of Excel's.
pub(crate) fn is_same(written: &str, found: &str) -> bool {
    let bare = |text: &str| text.replace("_x005F_", "_");
    bare(written).split_whitespace().eq(bare(found).split_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_what_a_spreadsheet_can() {
        assert_eq!(cell_text("a\r\nb\rc\td"), "a\nb\nc\td");
        assert_eq!(cell_text("\u{0}\u{1b}[1m\u{ffff}=1+1"), "\u{fffd}\u{fffd}[1m\u{fffd}=1+1");
        let long = cell_text(&"😀".repeat(20_000));
        assert_eq!((long.encode_utf16().count(), long.ends_with("😀 […]")), (LONGEST + 4, true));
    }

    #[test]
    fn white_space_is_no_change_and_a_letter_is() {
        assert!(is_same("a b\n\nc ", " a b\r\nc"));
        assert!(is_same("_x0041_", "_x005F_x0041_"));
        assert!(!is_same("a b", "a c") && !is_same("a b", "ab") && !is_same("a", ""));
    }
}

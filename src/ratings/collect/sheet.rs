//! A returned sheet held against the key: whose it is, whether it is as it was sent, and what was answered.

use super::table::{Table, quoted};
use crate::error::Result;
use crate::ratings::items::{Key, Shown};
use crate::ratings::rated::Rated;
use crate::ratings::sheets::layout::{self, Columns, Line, NUMBER, PREFERENCES, TASK, TEXTS};
use crate::record::ratings::{Answer, Preferred};

/// What was sent out.
pub(super) struct Sent<'a> {
    key: &'a Key,
    codes: Vec<String>,
    columns: Columns,
    headers: Vec<String>,
    /// The lines of each rater.
    lines: Vec<Vec<Line>>,
}

/// What one sheet says.
pub(super) struct Returned {
    /// Index of the rater's sheet in the key.
    pub(super) rater: usize,
    /// In the order of the items' numbers; items without any answer are left out.
    pub(super) answers: Vec<Answer>,
    /// Items answered in part.
    pub(super) in_part: usize,
}

impl<'a> Sent<'a> {
    /// The sheets of `key`.
    ///
    /// # Errors
    /// As [`layout::lines`].
    pub(super) fn of(rated: &Rated, key: &'a Key) -> Result<Self> {
        let columns = Columns::of(&key.questionnaire);
        let lines = key.sheets.iter().map(|sheet| layout::lines(rated, key, sheet));
        Ok(Sent {
            key,
            codes: key.codes()?,
            columns,
            headers: columns.headers(&key.questionnaire),
            lines: lines.collect::<Result<_>>()?,
        })
    }

    /// What `table` says, if it is one of these sheets and unchanged but for its answers. The lines may have been sorted.
    ///
    /// # Errors
    /// `Error::Data` with the cell, expected and got.
    pub(super) fn read(&self, table: &Table) -> Result<Returned> {
        for (column, header) in self.headers.iter().enumerate() {
            unchanged(table, 0, column, header)?;
        }
        let rater = self.rater(table)?;
        let lines = &self.lines[rater];
        let mut returned = Returned { rater, answers: Vec::new(), in_part: 0 };
        let mut seen = vec![false; lines.len()];
        for row in table.rows() {
            let number = self.number(table, row, &mut seen)?;
            let line = &lines[number];
            unchanged(table, row, TASK, &line.task)?;
            for (column, text) in TEXTS.into_iter().zip(&line.texts) {
                unchanged(table, row, column, text)?;
            }
            let answer = self.answer(table, row, rater, line.shown)?;
            let scores = answer.fine_tuned.iter().chain(&answer.other);
            let given = scores.filter(|score| **score > 0).count() + usize::from(answer.preferred.is_some());
            if given > 0 {
                returned.answers.push(answer);
                returned.in_part += usize::from(given < 2 * self.columns.criteria + 1);
            }
        }
        if let Some(missing) = seen.iter().position(|is_seen| !is_seen) {
            let (all, missing) = (lines.len(), missing + 1);
            return Err(
                table.whole_fault(format!("expected all {all} lines, got none with the number {missing}"))
            );
        }
        returned.answers.sort_by_key(|answer| answer.item);
        Ok(returned)
    }

    /// Whose sheet it is: each line says the same.
    fn rater(&self, table: &Table) -> Result<usize> {
        let column = self.columns.code();
        let mut rater: Option<usize> = None;
        for row in table.rows() {
            let found = table.cell(row, column);
            let known = self.codes.iter().position(|code| code == found);
            match (known, rater) {
                (Some(known), None) => rater = Some(known),
                (Some(known), Some(rater)) if known == rater => {}
                (Some(_), Some(rater)) => {
                    let code = &self.codes[rater];
                    return Err(table.fault(
                        row,
                        column,
                        format!("expected {code} as above, got {}", quoted(found)),
                    ));
                }
                (None, _) => {
                    let first = self.codes.first().map_or("one", String::as_str);
                    let message = format!(
                        "expected a code of this key such as {first}, got {}: a sheet of another key or run",
                        quoted(found)
                    );
                    return Err(table.fault(row, column, message));
                }
            }
        }
        rater.ok_or_else(|| table.whole_fault("expected a line an item below the header, got none"))
    }

    /// The line of `row`, from 0; each stands once.
    fn number(&self, table: &Table, row: usize, seen: &mut [bool]) -> Result<usize> {
        let found = table.cell(row, NUMBER);
        let number = found.parse::<usize>().ok().filter(|number| (1..=seen.len()).contains(number));
        match number {
            Some(number) if !seen[number - 1] => {
                seen[number - 1] = true;
                Ok(number - 1)
            }
            Some(_) => Err(table.fault(
                row,
                NUMBER,
                format!("expected each line once, got the number {found} twice"),
            )),
            None => {
                let last = seen.len();
                Err(table.fault(
                    row,
                    NUMBER,
                    format!("expected a number from 1 to {last}, got {}", quoted(found)),
                ))
            }
        }
    }

    /// The answers in `row`, by system.
    fn answer(&self, table: &Table, row: usize, rater: usize, shown: Shown) -> Result<Answer> {
        let scores = |side: usize| {
            let columns = (0..self.columns.criteria).map(|criterion| self.columns.scores(criterion)[side]);
            columns.map(|column| score(table, row, column)).collect::<Result<Vec<u8>>>()
        };
        let (first, second) = (scores(0)?, scores(1)?);
        let (fine_tuned, other) = if shown.fine_tuned_first { (first, second) } else { (second, first) };
        let preferred = preference(table, row, self.columns.preference())?.map(|place| match place {
            2 => Preferred::Equal,
            place if (place == 0) == shown.fine_tuned_first => Preferred::FineTuned,
            _ => Preferred::Other,
        });
        let item = &self.key.items[shown.item - 1];
        Ok(Answer { rater, item: item.number, row: item.row, kind: item.kind, fine_tuned, other, preferred })
    }
}

/// Refuses a cell whose words are not those that were written, from the first that differs.
fn unchanged(table: &Table, row: usize, column: usize, written: &str) -> Result<()> {
    let found = table.cell(row, column);
    if layout::is_same(written, found) {
        return Ok(());
    }
    let same =
        written.split_whitespace().zip(found.split_whitespace()).take_while(|(left, right)| left == right);
    let same = same.count();
    let rest = |text: &str| quoted(&text.split_whitespace().skip(same).collect::<Vec<_>>().join(" "));
    let place = if same > 0 { format!(" after {same} words") } else { String::new() };
    let message = format!("expected the text as it was sent,{place} {}, got {}", rest(written), rest(found));
    Err(table.fault(row, column, message))
}

/// A score; 0 in an empty cell.
fn score(table: &Table, row: usize, column: usize) -> Result<u8> {
    match table.cell(row, column) {
        "" => Ok(0),
        "1" => Ok(1),
        "2" => Ok(2),
        "3" => Ok(3),
        "4" => Ok(4),
        "5" => Ok(5),
        other => Err(table.fault(row, column, format!("expected 1, 2, 3, 4 or 5, got {}", quoted(other)))),
    }
}

/// Place of the preference among [`PREFERENCES`], however it is written; none in an empty cell.
fn preference(table: &Table, row: usize, column: usize) -> Result<Option<usize>> {
    // The dotted capital would become two letters in lower case.
    let folded = |text: &str| text.replace('İ', "i").to_lowercase();
    let found = table.cell(row, column);
    let place = PREFERENCES.iter().position(|answer| folded(answer) == folded(found));
    match found.is_empty() || place.is_some() {
        true => Ok(place),
        false => Err(table.fault(row, column, format!("expected A, B or Eşit, got {}", quoted(found)))),
    }
}

//! The thesis sections of two runs, word by word.

use crate::report::document::Document;
use serde::Serialize;
use similar::{Algorithm, ChangeTag, DiffOp, TextDiff};

/// A section with changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// Its file: `sonuclar.md`.
    pub file_name: String,
    /// The lines that differ, in the order of the text; a line is a sentence or a row of a table.
    pub changes: Vec<Change>,
}

/// A line that differs: changed, gone or new.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The heading above it.
    pub heading: String,
    /// Its words.
    pub pieces: Vec<Piece>,
}

/// Words that share a fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// Their fate.
    pub kind: PieceKind,
    /// The words with their spaces.
    pub text: String,
}

/// The fate of some words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PieceKind {
    /// In both.
    Kept,
    /// In the old text.
    Removed,
    /// In the new text.
    Added,
}

/// Two lines less alike than this are two lines, not a changed one.
const ALIKE: f32 = 0.5;

/// More pairs of lines than this are not weighed against each other: that would take long, and would read no better.
const MOST_PAIRS: usize = 10_000;

/// The sections in which two renderings differ; the first document of each is the whole one, and is left out.
pub(super) fn compare(before: &[Document], after: &[Document]) -> Vec<Section> {
    let sections = before.iter().zip(after).skip(1).map(|(old, new)| Section {
        file_name: new.file_name.clone(),
        changes: changes(&old.markdown, &new.markdown),
    });
    sections.filter(|section| !section.changes.is_empty()).collect()
}

fn changes(old: &str, new: &str) -> Vec<Change> {
    let [before, after]: [Vec<&str>; 2] =
        [old, new].map(|text| text.lines().filter(|line| !line.trim().is_empty()).collect());
    let mut changes = Vec::new();
    for operation in TextDiff::configure().algorithm(Algorithm::Patience).diff_slices(&before, &after).ops() {
        if matches!(operation, DiffOp::Equal { .. }) {
            continue;
        }
        let (old_lines, new_lines) = (operation.old_range(), operation.new_range());
        for (old_line, new_line) in aligned(&before[old_lines.clone()], &after[new_lines.clone()]) {
            let old_text = old_line.map(|line| before[old_lines.start + line]);
            let new_text = new_line.map(|line| after[new_lines.start + line]);
            changes.push(Change {
                heading: match (old_line, new_line) {
                    (_, Some(line)) => heading_above(&after, new_lines.start + line),
                    (Some(line), None) => heading_above(&before, old_lines.start + line),
                    (None, None) => String::new(),
                },
                pieces: pieces(old_text.unwrap_or_default(), new_text.unwrap_or_default()),
            });
        }
    }
    changes
}

/// Text of the nearest heading at or above `line`; empty before the first.
fn heading_above(lines: &[&str], line: usize) -> String {
    let heading = lines[..=line].iter().rev().find(|line| line.starts_with('#'));
    heading.map_or_else(String::new, |heading| heading.trim_start_matches('#').trim().to_string())
}

/// Pairs each old line with the new line it became, in order, so that the likenesses add up to the most
/// (Needleman and Wunsch 1970, gaps for free).
fn aligned(old: &[&str], new: &[&str]) -> Vec<(Option<usize>, Option<usize>)> {
    let mut pairs = Vec::new();
    let (rows, columns) = (old.len(), new.len());
    let (mut row, mut column) = (0, 0);
    if rows * columns <= MOST_PAIRS {
        let likeness: Vec<Vec<f32>> = old
            .iter()
            .map(|old| new.iter().map(|new| TextDiff::from_words(*old, *new).ratio()).collect())
            .collect();
        // best[i][j]: the most that the lines from i and from j on can add up to.
        let mut best = vec![vec![0f32; columns + 1]; rows + 1];
        for i in (0..rows).rev() {
            for j in (0..columns).rev() {
                let alike = likeness[i][j];
                let pair = if alike >= ALIKE { alike + best[i + 1][j + 1] } else { 0.0 };
                best[i][j] = pair.max(best[i + 1][j]).max(best[i][j + 1]);
            }
        }
        while row < rows && column < columns {
            let alike = likeness[row][column];
            if alike >= ALIKE && best[row][column] == alike + best[row + 1][column + 1] {
                pairs.push((Some(row), Some(column)));
                (row, column) = (row + 1, column + 1);
            } else if best[row][column] == best[row + 1][column] {
                pairs.push((Some(row), None));
                row += 1;
            } else {
                pairs.push((None, Some(column)));
                column += 1;
            }
        }
    }
    pairs.extend((row..rows).map(|row| (Some(row), None)));
    pairs.extend((column..columns).map(|column| (None, Some(column))));
    pairs
}

/// The words of both lines. A word goes whole, with its suffix: 0,63'e becomes 0,64'e.
fn pieces(old: &str, new: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for change in TextDiff::from_words(old, new).iter_all_changes() {
        let kind = match change.tag() {
            ChangeTag::Equal => PieceKind::Kept,
            ChangeTag::Delete => PieceKind::Removed,
            ChangeTag::Insert => PieceKind::Added,
        };
        match pieces.last_mut() {
            Some(last) if last.kind == kind => last.text.push_str(change.value()),
            _ => pieces.push(Piece { kind, text: change.value().to_string() }),
        }
    }
    pieces
}

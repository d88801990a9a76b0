//! The experiment as it is read: the prose and code of its sources, and under each piece of code what its cells gave.
//!
//! ```text
//! sources -> source::pieces     prose and code
//! cells   -> results            what a cell gave, from the record, in Turkish
//!         -> weave              both in one, each cell under the code that called it
//!         -> export::notebook   one page
//! ```
//! The sources are shown as they were compiled and no copy of them is kept by hand. The prose is the experiment's own; the
//! page's words, its table heads and captions, are the thesis's.

pub mod source;
mod results;

use super::charts::Chart;
use super::document;
use super::numbers::{self, Style};
use super::profile::Profile;
use crate::error::Result;
use crate::recipe::Cell;
use crate::record::{RunRecord, environment};
use serde::{Deserialize, Serialize};
use source::Kind;

/// A source file as it was compiled: `Listing { file: file!(), text: include_str!("a1.rs") }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Its path, as `file!()` and the compiler's locations spell it.
    pub file: &'static str,
    /// All of it.
    pub text: &'static str,
}

/// A cell as it went in a call of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// Which.
    pub cell: Cell,
    /// Where the experiment called it: a source's path, and the line from 1.
    pub place: (&'static str, u32),
    /// How it went.
    pub went: Went,
    /// What was said meanwhile, a line each.
    pub lines: Vec<String>,
}

/// How a cell went.
#[derive(Debug, Clone, PartialEq)]
pub enum Went {
    /// It is not at its end.
    Begun,
    /// It was computed.
    Computed(Moment),
    /// An earlier call has computed it.
    Kept(Moment),
}

/// When a cell was at its end, and how long it took.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// RFC 3339.
    pub at: String,
    /// Seconds.
    pub seconds: f64,
}

/// A row as the model meets it: what it is given, and what it learns from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskedRow {
    /// The prompt, with the token that begins a text where there is one.
    pub prompt: String,
    /// The response, with the token that ends it.
    pub response: String,
    /// Tokens of both.
    pub tokens: usize,
    /// Tokens of the response.
    pub targets: usize,
}

/// What a page is woven from.
#[derive(Clone, Copy)]
pub struct Woven<'a> {
    /// The experiment's sources, in reading order; one that is named twice is shown once.
    pub sources: &'a [Listing],
    /// The cells so far, in the order in which they were called.
    pub cells: &'a [Shown],
    /// The first rows trained on.
    pub rows: &'a [MaskedRow],
    /// What was measured so far.
    pub record: &'a RunRecord,
    /// The charts that can be shown.
    pub charts: &'a [Chart],
    /// The look of its numbers.
    pub profile: &'a Profile,
    /// Of a run that goes on, the moment and when to look again.
    pub live: Option<Live<'a>>,
}

/// A page that is written again and again.
#[derive(Debug, Clone, Copy)]
pub struct Live<'a> {
    /// When it was written, RFC 3339.
    pub now: &'a str,
    /// Seconds after which a reader should look again.
    pub again: u32,
    /// Seconds after which a page that was not written again is of a run that has ended without a word.
    pub patience: u64,
}

/// The sign of life that a page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// When it was given, in words, to the second.
    pub at: String,
    /// The same in seconds since 1970.
    pub unix_seconds: i64,
    /// As [`Live::again`].
    pub again: u32,
    /// As [`Live::patience`].
    pub patience: u64,
}

/// A page, before it is HTML.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Its title where the experiment's prose has none.
    pub title: String,
    /// What a reader must know first, as traced Markdown.
    pub warnings: Vec<String>,
    /// Of a run that goes on, the last sign of it.
    pub live: Option<Sign>,
    /// From top to bottom.
    pub parts: Vec<Part>,
}

/// A part of the page, from top to bottom.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// The source that the following parts are of, by its path.
    File(String),
    /// The experiment's own Markdown.
    Prose(String),
    /// Code; whether it only brings names into the file.
    Code(String, bool),
    /// What a cell gave.
    Result(Box<Given>),
}

/// What a cell gave, for a reader.
#[derive(Debug, Clone, PartialEq)]
pub struct Given {
    /// Which cell.
    pub cell: Cell,
    /// Its name in the thesis's words.
    pub title: &'static str,
    /// When, how long, and whether in an earlier call.
    pub went: String,
    /// Its numbers, as traced Markdown; see [`super::trace`].
    pub traced: String,
    /// Rows with their mask.
    pub rows: Vec<MaskedRow>,
    /// What was said.
    pub lines: Vec<String>,
}

/// The parts of a page. Each cell stands once: under the code that called it, or behind the last source where that code is in
/// none of them.
///
/// # Errors
/// `Error::Report` for a number or a moment of the record that cannot be printed.
pub fn weave(woven: &Woven) -> Result<Page> {
    Ok(Page {
        title: format!("{} düzeyi: deney defteri", woven.record.level),
        warnings: document::warnings(woven.record, woven.profile)?,
        live: woven.live.map(sign).transpose()?,
        parts: parts(woven)?,
    })
}

fn sign(Live { now, again, patience }: Live) -> Result<Sign> {
    let minute = numbers::date_and_time(now)?;
    // Documents need no seconds, a run that may have stopped does: the two digits behind 2026-11-26T10:00:
    let second = now.get(17..19).unwrap_or_default();
    Ok(Sign {
        at: format!("{minute}.{second}"),
        unix_seconds: environment::unix_seconds(now),
        again,
        patience,
    })
}

fn parts(woven: &Woven) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    let mut waiting: Vec<&Shown> = woven.cells.iter().collect();
    for (index, source) in woven.sources.iter().enumerate() {
        if woven.sources[..index].iter().any(|earlier| earlier.file == source.file) {
            continue;
        }
        parts.push(Part::File(path(source.file)));
        for piece in source::pieces(source.text) {
            match piece.kind {
                Kind::Prose => parts.push(Part::Prose(piece.text)),
                Kind::Code => parts.push(Part::Code(piece.text, false)),
                Kind::Names => parts.push(Part::Code(piece.text, true)),
            }
            let (here, elsewhere) = waiting.into_iter().partition(|cell: &&Shown| {
                cell.place.0 == source.file && piece.lines.contains(&cell.place.1)
            });
            waiting = elsewhere;
            for cell in here {
                parts.push(Part::Result(Box::new(given(woven, cell)?)));
            }
        }
    }
    for cell in waiting {
        parts.push(Part::Result(Box::new(given(woven, cell)?)));
    }
    Ok(parts)
}

fn given(woven: &Woven, shown: &Shown) -> Result<Given> {
    let style = Style { decimal: woven.profile.decimal };
    let moment = |words: &str, Moment { at, seconds }: &Moment| -> Result<String> {
        let at = numbers::date_and_time(at)?;
        // Nothing was computed, but what had been was put into the record.
        if *seconds < 0.001 {
            return Ok(format!("{words}: {at}"));
        }
        Ok(format!("{words}: {at} · süre: {}", style.duration(*seconds)?))
    };
    Ok(Given {
        cell: shown.cell,
        title: results::title(shown.cell),
        went: match &shown.went {
            Went::Begun => "bitmedi".into(),
            Went::Computed(at) => moment("hesaplandı", at)?,
            Went::Kept(at) => moment("önceki bir çağrıdan", at)?,
        },
        traced: results::traced(woven, shown, style)?,
        rows: if shown.cell == Cell::Rows { woven.rows.to_vec() } else { Vec::new() },
        lines: shown.lines.clone(),
    })
}

/// A source's path as a person writes it: `src/../experiments/thesis.rs` is `experiments/thesis.rs`.
pub(super) fn path(file: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in file.split(['/', '\\']) {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !last.is_empty() && *last != "..") => _ = parts.pop(),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

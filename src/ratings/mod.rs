//! Raters and a judge: a run's texts shown blind to people and to a model, and what both say.
//!
//! ```text
//! texts of a run -> items (a seed, blind, balanced) -> sheets   -> people -> collect ┐
//!                                                   -> requests -> judge  ───────────┴-> panels -> ratings.json
//! ```
//! - [`criteria`]: what is asked, from a TOML file;
//! - [`rated`]: the run whose texts are rated, and where what belongs to the rating lies;
//! - [`items`]: which texts stand beside which, and the key that raters do not get;
//! - [`sheets`]: a workbook and a printable form a rater;
//! - [`collect`]: what came back, checked;
//! - [`judge`]: the same items, asked of a model behind an OpenAI-compatible address;
//! - [`panel`]: from answers to means, tests and agreement;
//! - [`triangulation`]: people, judge and measures on the same texts.

// From the ground up: a file uses what stands above it in this list.
pub mod criteria;
pub mod rated;
pub mod items;
pub mod sheets;
pub mod collect;
pub mod panel;
pub mod judge;
pub mod triangulation;

use crate::error::{Error, Result};
use crate::record::ratings::{Panel, Ratings, SCHEMA};
use crate::record::store;
use crate::texts::word_list::{Source, WordList};
use rated::Rated;
use std::path::PathBuf;

/// Puts `panel` beside what was said before, in the place of the same raters' panel, and writes `ratings.json`. The measures
/// that it is held against are by the word lists in `files`, which must be the run's.
///
/// # Errors
/// As [`WordList::of`] and [`store::ratings`]; `Error::Setting` where the lists are not those of the run; `Error::File` where
/// it cannot be written.
pub fn keep(rated: &Rated, panel: Panel, files: &[PathBuf]) -> Result<Ratings> {
    let list = WordList::of(files)?;
    let (expected, got) = (&rated.texts().word_lists, list.sources());
    let hashes = |lists: &[Source]| lists.iter().map(|list| list.sha256.clone()).collect::<Vec<_>>();
    if hashes(expected) != hashes(got) {
        let named = |lists: &[Source]| {
            let names: Vec<&str> = lists.iter().map(|list| list.name.as_str()).collect();
            if names.is_empty() { "none".to_string() } else { names.join(" and ") }
        };
        let message = format!("expected the run's, {}, got {}", named(expected), named(got));
        return Err(Error::Setting { key: "word-list".into(), message });
    }
    let mut panels = rated.ratings()?.map(|kept| kept.panels).unwrap_or_default();
    panels.retain(|kept| kept.who.name() != panel.who.name());
    panels.push(panel);
    let ratings = together(rated, panels, &list);
    store::write(&rated.folder.ratings(), &ratings)?;
    Ok(ratings)
}

/// What all `panels` said, people before judges, held against each other and against the measures by `list`.
pub fn together(rated: &Rated, mut panels: Vec<Panel>, list: &WordList) -> Ratings {
    panels.sort_by(|left, right| left.who.name().cmp(&right.who.name()));
    let correlations = triangulation::correlations(rated, &panels, list);
    Ratings { schema: SCHEMA, texts: rated.texts().sha256(), panels, correlations }
}

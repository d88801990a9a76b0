//! # C1: the advanced level
//!
//! **Question.** C1 rows are the longest and the rarest in their words: inversion, nominalisation, hedging. Does the
//! same small update, with the same settings as at A1, still fit them, or does the gap between training and
//! evaluation loss open first here?
//!
//! | | |
//! |---|---|
//! | reads | the sample rows in `data/c1.json`, or `--data FILE` |
//! | writes | `reports/c1`: record, Turkish results document, three thesis sections, charts, adapter |
//! | run | `cargo run --example c1`, or with a model of your own: `-- --model DIR` |

use std::process::ExitCode;
use tezgah::level::Level;
use tezgah::model::source;
use tezgah::notebook::{self, Notebook};

/// ## Settings
///
/// A1's, to the last digit. Were a level given its own rank or rate, a difference between two levels could be the
/// setting's as well as the level's.
#[path = "a1.rs"]
#[allow(dead_code, reason = "only its recipe is wanted here")]
mod a1;

pub(crate) fn experiment(notebook: &mut Notebook) -> anyhow::Result<()> {
    // ## The base model and the rows
    // The same model as at every level; only the rows are C1's.
    let base = source::open(&notebook.model()?)?;
    let rows = notebook.prepare(notebook.rows()?, &base)?;
    if notebook.stops_at_preview(&base, &rows)? {
        return Ok(());
    }

    // ## Before
    let mut model = notebook.load(&base, &rows)?;
    notebook.evaluate_baseline(&model, &rows)?;

    // ## Training
    notebook.train(&mut model, &base, &rows)?;

    // ## After
    notebook.evaluate_fine_tuned(&model, &rows)?;
    notebook.sample(&model, &base, &rows)?;
    notebook.finish(&model, &base)?;
    Ok(())
}

fn main() -> ExitCode {
    notebook::run(Level::C1, a1::recipe(), include_bytes!("../data/c1.json"), experiment)
}

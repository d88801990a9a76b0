//! # B2: the upper intermediate level
//!
//! **Question.** Passives, reported speech and linked arguments are what a base model writes by itself. If the update
//! still lowers the loss here, is it on the answers, or on the frame around them? Masked and full loss are read
//! side by side for that.
//!
//! | | |
//! |---|---|
//! | reads | the sample rows in `data/b2.json`, or `--data FILE` |
//! | writes | `reports/b2`: record, Turkish results document, three thesis sections, charts, adapter |
//! | run | `cargo run --example b2`, or with a model of your own: `-- --model DIR` |

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
    // The same model as at every level; only the rows are B2's.
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
    notebook::run(Level::B2, a1::recipe(), include_bytes!("../data/b2.json"), experiment)
}

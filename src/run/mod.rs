//! A run: what the flags ask for, and its cells in the order in which they can be run. Several runs in one call are the
//! matter of [`crate::series`].
//!
//! An experiment walks through stages, each of which owns what it needs. The next exists only through the one before, so
//! that the compiler knows the order:
//!
//! ```text
//! Notebook ── prepare ──> Study ── load ──> Loaded ── evaluate_baseline ──> Measured ── train ──> Tuned
//!                                                      finish <── Evaluated <── evaluate ──────────┘
//! ```
//! ```no_run
//! # use tezgah::{error::Result, run::Notebook, train::training};
//! fn cells(notebook: Notebook) -> Result<()> {
//!     let study = notebook.prepare()?;
//!     let measured = study.load()?.evaluate_baseline()?;
//!     let mut evaluated = measured.train(training::LOOP)?.evaluate()?;
//!     evaluated.sample()?;
//!     evaluated.finish()
//! }
//! ```
//! A fine-tuned model cannot be measured before its training:
//!
//! ```compile_fail,E0599
//! # use tezgah::{error::Result, run::Notebook};
//! fn cells(notebook: Notebook) -> Result<()> {
//!     let evaluated = notebook.prepare()?.load()?.evaluate()?;
//!     evaluated.finish()
//! }
//! ```
//! Nor can a run be trained whose base model was not measured:
//!
//! ```compile_fail,E0599
//! # use tezgah::{error::Result, run::Notebook, train::training};
//! fn cells(notebook: Notebook) -> Result<()> {
//!     notebook.prepare()?.load()?.train(training::LOOP)?;
//!     Ok(())
//! }
//! ```
//! A finished cell is kept in the run's folder: the next call uses it again where nothing that it follows from has changed,
//! and says so. From [`Study::load`] on there is a record beside the run, written after every cell that was computed. A cell
//! that fails says so in it before its error goes on, and a run that is dropped before its last cell does too. Beside it lies
//! the run's page: the experiment's source, with each cell's result under the line that called it.

pub(crate) mod progress;
pub(crate) mod interrupt;
pub(crate) mod lock;
mod download;
pub(crate) mod rendering;
mod cells;
mod base;
mod prompts;
pub(crate) mod notebook;
mod weaving;
mod preview;
mod earlier;
pub(crate) mod events;
mod tensorboard;
mod recording;
mod opening;
mod measuring;
mod tuning;
mod answering;
mod exporting;
mod stages;
pub mod writing;

pub use crate::report::weave::Listing;
pub use base::OpenedBase;
pub use notebook::{Notebook, Study};
pub use stages::{Evaluated, Loaded, Measured, Tuned};

use crate::error::Error;
use crate::level::Level;
use crate::recipe::Recipe;
use std::process::ExitCode;

/// What one experiment asks: a level, its rows, and its settings.
#[derive(Debug, Clone)]
pub struct Question {
    /// The CEFR level.
    pub level: Level,
    /// The sample rows that are part of the program, as the bytes of their file.
    pub rows: &'static [u8],
    /// The file that asks, which the run's page shows before the procedure's.
    pub source: Listing,
    /// Every choice that can move a number.
    pub recipe: Recipe,
}

/// The cells of an experiment, from the flags to the documents.
#[derive(Debug, Clone, Copy)]
pub struct Procedure {
    /// The file that it is written in: the run's page shows under each call of a cell what the cell gave.
    pub source: Listing,
    /// What it does.
    pub cells: fn(Notebook) -> anyhow::Result<()>,
}

/// The end of a program: nothing, or one line with its causes, and the error's exit code.
pub fn answer(outcome: anyhow::Result<()>) -> ExitCode {
    let Err(error) = outcome else { return ExitCode::SUCCESS };
    progress::tell(&format!("error: {error:#}"));
    // What is no error of this crate is the sum of several runs, or the experiment's own.
    ExitCode::from(error.downcast_ref::<Error>().map_or(1, Error::exit_code))
}

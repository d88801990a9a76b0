//! Several runs in one call, each an ordinary one in a folder of its own.
//!
//! ```text
//! seeds    one level x training seeds                         OUT, OUT/seed-N; their summary in the first one's record
//! levels   levels (x training seeds)                          OUT/<level>; their comparison in OUT/karsilastirma
//! sweep    levels x values of settings x training seeds       OUT/<name>; what the settings did in OUT/tarama.json
//! ```
//! What is wrong with a request is said before the first training. After that a run that fails does not keep the others;
//! an interruption ends them all, and the same call goes on.

mod expansion;
mod matrix;
mod seeds;
pub mod levels;
pub mod sweep;

pub use seeds::run;

use crate::cli::Flags;
use crate::error::{Error, Result};
use crate::record::folder::RunFolder;
use crate::run::progress::Progress;
use crate::run::{Notebook, OpenedBase, Procedure, Question, interrupt};
use anyhow::bail;

/// Makes one run of `question` into `folder`, or renders its documents again.
///
/// # Errors
/// As [`Notebook::open`] and `procedure`.
fn one(
    question: &Question,
    procedure: Procedure,
    flags: &Flags,
    folder: RunFolder,
    base: &OpenedBase,
) -> anyhow::Result<()> {
    let notebook = Notebook::open(question, procedure, flags, folder, base)?;
    match flags.render_only {
        true => Ok(notebook.render_again()?),
        false => (procedure.cells)(notebook),
    }
}

/// Refuses what the run would be refused for before it computes anything.
///
/// # Errors
/// As [`Notebook::open`] and [`Notebook::prepare`].
fn check(
    question: &Question,
    procedure: Procedure,
    flags: &Flags,
    folder: RunFolder,
    base: &OpenedBase,
) -> Result<()> {
    // The run itself says again what there is to say.
    let flags = Flags { quiet: true, ..flags.clone() };
    Notebook::open(question, procedure, &flags, folder, base)?.prepare().map(drop)
}

/// Makes `runs` by `make`, one after another. One that fails is named and does not keep the others.
///
/// # Errors
/// An interruption alone: who ends one run ends them all.
fn in_turn<'a, T>(
    runs: &'a [T],
    progress: &Progress,
    name: impl Fn(&T) -> String,
    mut make: impl FnMut(&'a T) -> anyhow::Result<()>,
) -> anyhow::Result<Failures> {
    let mut failures = Failures::default();
    for run in runs {
        interrupt::check()?;
        match make(run) {
            Ok(()) => {}
            Err(error) if is_interruption(&error) => return Err(error),
            Err(error) => progress.say(&failures.add(&name(run), error)),
        }
    }
    Ok(failures)
}

fn is_interruption(error: &anyhow::Error) -> bool {
    error.downcast_ref().is_some_and(Error::is_interruption)
}

/// The runs of a series that failed.
#[derive(Debug, Default)]
struct Failures {
    /// A line each: its name and its error.
    lines: Vec<String>,
    /// The first error of a run that was refused before it began.
    refusal: Option<anyhow::Error>,
    /// How many were.
    refused: usize,
}

impl Failures {
    /// Notes a failure, and gives the line that tells of it.
    fn add(&mut self, name: &str, error: anyhow::Error) -> String {
        let line = format!("{name}: {error:#}");
        self.lines.push(line.clone());
        if error.downcast_ref::<Error>().is_some_and(|error| error.exit_code() == 2) {
            self.refused += 1;
            self.refusal.get_or_insert(error);
        }
        line
    }

    /// What a series of so many runs ends with; `what` they are, in the plural.
    ///
    /// # Errors
    /// The failures in one line. Where no run was begun, the request is at fault: the first error is that of all.
    fn answer(self, runs: usize, what: &str) -> anyhow::Result<()> {
        match (self.lines.as_slice(), self.refusal) {
            ([], _) => Ok(()),
            (_, Some(refusal)) if self.refused == runs => Err(refusal),
            (lines, _) => bail!("{} of {runs} {what} failed: {}", lines.len(), lines.join("; ")),
        }
    }
}

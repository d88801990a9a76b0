//! Many runs that differ in level, settings and seed: planned once, made here or by Slurm, finished in any order.
//!
//! ```text
//! plan ──> OUT/manifest.json ──> local   one after another, or --jobs at a time      ──┐
//!                            └─> slurm   OUT/slurm/job.sh, a job array: task OUT INDEX ─┴─> OUT/<name>, ordinary runs
//! status                     OUT/<name>/record.json, squeue and sacct -> how far each is
//! collect                    OUT/<name>/record.json -> OUT/tarama.json -> OUT/tarama.md, .html, charts
//! ```
//! A run is done when its record is at its end and is of the level, settings and rows that are asked for; what is done is
//! skipped, by every way of making it. The list grows: a run that is asked for again keeps its index and its folder.
//! Nothing is scheduled here: what runs when beyond one machine is Slurm's to decide.

pub mod manifest;
mod resolved;
mod plan;
pub mod slurm;
pub mod status;
mod prune;
mod task;
mod local;
mod prefetch;
mod collect;

pub use collect::{Rerender, collect};
pub use prefetch::prefetch;
pub use prune::Keep;
pub use task::task;

use crate::cli::{self, Flags};
use crate::error::{Error, Result};
use crate::run::progress::Progress;
use crate::run::{OpenedBase, Procedure, Question};
use clap::{Args, ValueEnum};
use manifest::Manifest;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use task::Sweep;

/// What a sweep is told besides the flags of its runs.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// A setting and its values, e.g. lora.rank=16,128; may be given again. In a setting that is a list, + joins the parts of
    /// a value
    #[arg(long, value_name = "PATH=VALUES")]
    pub vary: Vec<String>,
    /// Where the runs are made: on this machine, or by Slurm as a job array
    #[arg(long, value_enum, default_value_t = Engine::Local)]
    pub engine: Engine,
    /// Runs at the same time on this machine, as many of them as its memory takes
    #[arg(long, value_name = "N", default_value_t = NonZeroUsize::MIN)]
    pub jobs: NonZeroUsize,
    /// What a finished run keeps
    #[arg(long, value_enum, default_value_t = Keep::All)]
    pub keep: Keep,
    /// What Slurm is asked for: partition, account, time and so on
    #[arg(long, value_name = "FILE.toml")]
    pub slurm: Option<PathBuf>,
    /// Submit the job array, instead of printing how
    #[arg(long)]
    pub submit: bool,
}

/// Where the runs are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// On this machine.
    Local,
    /// By Slurm.
    Slurm,
}

/// Plans the runs that `options` and `flags` ask of `questions`, and makes those that are not done, or has them made.
///
/// # Errors
/// What is wrong with a flag, a setting, the model or any level's rows is said before the first run. A run that fails does
/// not keep the others: they are named at the end. `Error::Interrupted` ends them all.
pub fn run(
    questions: &[Question],
    procedure: Procedure,
    options: &Options,
    flags: &Flags,
) -> anyhow::Result<()> {
    options.check()?;
    let out = flags.out.clone().unwrap_or_else(|| PathBuf::from("reports/sweep"));
    // Before anything is planned: a wrong line in it is found now.
    let slurm = slurm::Settings::read(options.slurm.as_deref())?;
    let (manifest, indices) = plan::plan(&out, questions, flags, &options.vary)?;
    let (base, progress) = (OpenedBase::new(flags), Progress::new(flags.quiet));
    let sweep =
        Sweep { out: &out, manifest: &manifest, questions, procedure, base: &base, keep: options.keep };
    let pending = sweep.pending(&indices, &progress)?;
    let done = indices.len() - pending.len();
    progress.say(&format!("{}: {} runs, {done} of them done", out.display(), indices.len()));
    match options.engine {
        _ if pending.is_empty() => Ok(()),
        Engine::Local => local::run(&sweep, &pending, options.jobs, &progress),
        Engine::Slurm => Ok(queue(&sweep, &pending, slurm, options)?),
    }
}

/// Writes the job array, and submits it or prints how to.
fn queue(sweep: &Sweep, pending: &[usize], mut settings: slurm::Settings, options: &Options) -> Result<()> {
    if sweep.keep == Keep::Best {
        settings.task_arguments = vec!["--keep".into(), "best".into()];
    }
    let script = slurm::write(sweep.out, sweep.manifest, pending, &settings)?;
    if !options.submit {
        return cli::print(&format!("sbatch {}\n", script.display()));
    }
    let job = slurm::submit(sweep.out, &script, pending)?;
    cli::print(&format!("submitted as job {job}, {} runs\n", pending.len()))
}

impl Options {
    /// Refuses what the engine would not hear of.
    fn check(&self) -> Result<()> {
        let is_alone = self.jobs == NonZeroUsize::MIN;
        let (key, expected) = match self.engine {
            Engine::Local if self.submit => ("submit", "--engine slurm with it"),
            Engine::Local if self.slurm.is_some() => ("slurm", "--engine slurm with it"),
            Engine::Slurm if !is_alone => {
                ("jobs", "none with --engine slurm: at_once of --slurm is its limit")
            }
            _ => return Ok(()),
        };
        Err(Error::Setting { key: key.into(), message: format!("expected {expected}") })
    }
}

/// How far the runs of the sweep in `out` are, as text.
///
/// # Errors
/// `Error::Record` where no sweep was planned there; `Error::File` where something cannot be read.
pub fn status(out: &Path) -> Result<String> {
    status::print(out, &planned(out)?)
}

/// The list of the sweep in `out`.
fn planned(out: &Path) -> Result<Manifest> {
    let none = || Error::Record {
        path: Manifest::path(out),
        message: "expected the list of a sweep, got none; a call with --out plans it".into(),
    };
    Manifest::read(out)?.ok_or_else(none)
}

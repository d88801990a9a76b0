//! The runs of a sweep on this machine: one after another in this process, or a few at a time in processes of their own.
//!
//! Nothing is planned ahead. With `--jobs N` the next run of the list is begun as soon as fewer than N are at work and the
//! sum of their memory estimates leaves room for it; one is always at work, and whether it fits it says itself.

use super::super::{Failures, check, in_turn};
use super::manifest::Planned;
use super::prune::Keep;
use super::resolved::{Resolved, resolve};
use super::task::Sweep;
use crate::cli::Flags;
use crate::error::{Error, Result};
use crate::level::Level;
use crate::record::sweep::Assignment;
use crate::run::progress::Progress;
use crate::run::{Notebook, interrupt};
use std::fs::{File, OpenOptions};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// How often the children are looked at: a run takes minutes, and a second is none of a person's time.
const PAUSE: Duration = Duration::from_millis(100);

/// Makes the runs at the indices `pending`, `jobs` at a time.
///
/// # Errors
/// What is wrong with the request, before the first training; an interruption; the runs that failed, which do not keep the
/// others.
pub(super) fn run(
    sweep: &Sweep,
    pending: &[usize],
    jobs: NonZeroUsize,
    progress: &Progress,
) -> anyhow::Result<()> {
    let runs: Vec<Resolved> = pending
        .iter()
        .map(|&index| resolve(sweep.out, &sweep.manifest.runs[index], sweep.questions))
        .collect::<Result<_>>()?;
    let mut checked: Vec<Level> = Vec::new();
    for Resolved { planned, question, flags, .. } in &runs {
        if !checked.contains(&planned.level) {
            check(question, sweep.procedure, flags, planned.folder(sweep.out), sweep.base)?;
            checked.push(planned.level);
        }
    }
    let failures = match jobs.get() {
        1 => in_this_process(sweep, &runs, progress)?,
        jobs => side_by_side(sweep, &runs, jobs, progress)?,
    };
    failures.answer(runs.len(), "runs")
}

fn in_this_process(sweep: &Sweep, runs: &[Resolved], progress: &Progress) -> anyhow::Result<Failures> {
    let mut begun = 0;
    in_turn(
        runs,
        progress,
        |run| run.planned.name.clone(),
        |run| {
            begun += 1;
            progress.say(&format!("{begun} of {}: {}", runs.len(), run.planned.name));
            sweep.make(run, progress)
        },
    )
}

/// A run at work in a process of its own.
struct Running<'a> {
    planned: &'a Planned,
    child: Child,
    /// What it may take of the memory.
    bytes: u64,
}

/// The runs at work. However the series ends, none of them is left behind: each is told to save, and waited for.
#[derive(Default)]
struct AtWork<'a>(Vec<Running<'a>>);

impl Drop for AtWork<'_> {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(|running| terminate(&mut running.child));
        for running in &mut self.0 {
            // There is nobody left to tell what it ended with.
            let _ = running.child.wait();
        }
    }
}

fn side_by_side(
    sweep: &Sweep,
    runs: &[Resolved],
    jobs: usize,
    progress: &Progress,
) -> anyhow::Result<Failures> {
    interrupt::listen();
    let mut memory = Memory { sweep, free: 0, estimates: Vec::new() };
    let threads = (rayon::current_num_threads() / jobs).max(1);
    let (mut failures, mut at_work, mut ended) = (Failures::default(), AtWork::default(), 0);
    let mut waiting = runs.iter().peekable();
    while waiting.peek().is_some() || !at_work.0.is_empty() {
        interrupt::check()?;
        while let Some(run) = waiting.peek()
            && at_work.0.len() < jobs
        {
            let bytes = memory.estimate(run);
            let taken: u64 = at_work.0.iter().map(|running| running.bytes).sum();
            if !at_work.0.is_empty() && taken.saturating_add(bytes) > memory.free {
                break;
            }
            let planned = run.planned;
            let child = start(sweep, planned, threads)?;
            at_work.0.push(Running { planned, child, bytes });
            progress.say(&format!(
                "{}: begun, its log is {}",
                planned.name,
                planned.log(sweep.out).display()
            ));
            waiting.next();
        }
        let mut place = 0;
        while let Some(running) = at_work.0.get_mut(place) {
            let planned = running.planned;
            let status = running.child.try_wait().map_err(|error| Error::file(&planned.name, error))?;
            let Some(status) = status else {
                place += 1;
                continue;
            };
            ended += 1;
            let outcome = match status.success() {
                true => format!("{}: done", planned.name),
                false => failures.add(&planned.name, failure(status, &planned.log(sweep.out))),
            };
            progress.say(&format!("{ended} of {}: {outcome}", runs.len()));
            at_work.0.remove(place);
        }
        std::thread::sleep(PAUSE);
    }
    Ok(failures)
}

/// Begins a run in a process of its own: this program's `task`.
fn start(sweep: &Sweep, planned: &Planned, threads: usize) -> Result<Child> {
    let program = std::env::current_exe().map_err(|error| Error::file("the program itself", error))?;
    let log = open_log(&planned.log(sweep.out))?;
    let errors = log.try_clone().map_err(|error| Error::file(planned.log(sweep.out), error))?;
    let mut command = Command::new(&program);
    command.arg("task").arg(sweep.out).arg(planned.index.to_string());
    if sweep.keep == Keep::Best {
        command.args(["--keep", "best"]);
    }
    command.env("RAYON_NUM_THREADS", threads.to_string());
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    in_own_group(&mut command);
    command.spawn().map_err(|error| Error::file(program, error))
}

/// A log goes on where an earlier call's ended.
fn open_log(path: &Path) -> Result<File> {
    let failed = |error| Error::file(path, error);
    std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    OpenOptions::new().create(true).append(true).open(path).map_err(failed)
}

/// What a run of another process failed with: the last line of its log, and as an error what its exit code says.
fn failure(status: ExitStatus, log: &Path) -> anyhow::Error {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_default();
    let last =
        text.lines().rfind(|line| !line.trim().is_empty()).and_then(|line| line.strip_prefix("error: "));
    anyhow::anyhow!("{} ({status}; {})", last.unwrap_or("it ended without a word"), log.display())
}

/// Ctrl-C reaches every process of a terminal's group. A child that got it and the SIGTERM that follows would take the second
/// for the order to end at once.
#[cfg(unix)]
fn in_own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn in_own_group(_: &mut Command) {}

/// Tells a run to save and end. One that has ended already needs no telling.
#[cfg(unix)]
fn terminate(child: &mut Child) {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    if let (Ok(None), Ok(id)) = (child.try_wait(), i32::try_from(child.id())) {
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
}

/// Where there are no signals: it goes on from its last checkpoint.
#[cfg(not(unix))]
fn terminate(child: &mut Child) {
    let _ = child.kill();
}

/// What the runs will take of the device's memory, and what is free without them.
struct Memory<'a> {
    sweep: &'a Sweep<'a>,
    free: u64,
    /// One estimate a level and settings: the seed moves it by a row or two.
    estimates: Vec<(Level, &'a [Assignment], u64)>,
}

impl<'a> Memory<'a> {
    /// The estimate that refuses a run that does not fit. Where there is none, the run itself will say what is wrong.
    fn estimate(&mut self, run: &Resolved<'a>) -> u64 {
        let (level, settings) = (run.planned.level, run.planned.settings.as_slice());
        if let Some((.., bytes)) = self.estimates.iter().find(|known| (known.0, known.1) == (level, settings))
        {
            return *bytes;
        }
        let (bytes, free) = self.measured(run).unwrap_or_default();
        // The first time, before any run is at work, is when the most is free.
        self.free = self.free.max(free);
        self.estimates.push((level, settings, bytes));
        bytes
    }

    fn measured(&self, run: &Resolved) -> Result<(u64, u64)> {
        let Sweep { out, procedure, base, .. } = self.sweep;
        let flags = Flags { quiet: true, ..run.flags.clone() };
        let folder = run.planned.folder(out);
        Notebook::open(run.question, *procedure, &flags, folder, base)?.prepare()?.memory()
    }
}

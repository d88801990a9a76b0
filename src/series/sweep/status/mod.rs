//! How far the runs of a sweep are: what their folders say, and what Slurm says of those that it was given.
//!
//! A folder knows what a run did, Slurm what will become of it. Where both speak, a finished record counts before all, then a task
//! that is queued or running, then the record, and last the way in which a task ended. What the record calls running while no task
//! runs it and no process holds its folder was killed: it is `stopped`, or `failed` where Slurm knows by what.

mod state;

use super::manifest::{Manifest, Planned};
use super::slurm;
use super::slurm::jobs::{self, Submission};
use super::slurm::queue::{self, Element, Elements, Phase};
use crate::error::Result;
use crate::record::folder::RunFolder;
use crate::record::{RunRecord, Status, store};
use crate::run::events::step_of;
use state::{Facts, Recorded, Seen, State, judged};
use std::fmt::Write;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

/// The runs of the sweep in `out` as a table, their count by state, and where the output of those is that failed.
///
/// # Errors
/// `Error::File` or `Error::Record` where the list of submissions cannot be read. A record that cannot be read is a failed run's.
pub fn print(out: &Path, manifest: &Manifest) -> Result<String> {
    let submissions = jobs::read(out)?;
    let jobs: Vec<u64> = submissions.iter().map(|submission| submission.job).collect();
    let (elements, silence) = match jobs.is_empty() {
        true => (Elements::new(), None),
        false => match queue::ask(&jobs) {
            Ok(elements) => (elements, None),
            Err(message) => (Elements::new(), Some(message)),
        },
    };
    let lines = manifest.runs.iter().map(|planned| {
        let seen = seen(&planned.folder(out), element(planned.index, &submissions, &elements));
        (planned, judged(&seen))
    });
    let mut text = table(out, &lines.collect::<Vec<_>>());
    if let Some(message) = silence {
        let _ =
            writeln!(text, "Slurm does not answer ({message}): what is queued or running there is not known");
    }
    Ok(text)
}

fn seen(folder: &RunFolder, element: Option<&Element>) -> Seen {
    let record = match folder.record().exists().then(|| folder.read()) {
        None => Recorded::Nothing,
        Some(Err(error)) => Recorded::Unreadable(error.to_string()),
        Some(Ok(record)) => Recorded::Run(facts(record, folder)),
    };
    // To look at a lock is to hold it for an instant, in which a task that begins would be refused: only where it matters.
    let may_run = matches!(&record, Recorded::Run(facts) if facts.status == Status::Running);
    let is_held = may_run && is_held(&folder.lock());
    Seen { record, element: element.cloned(), is_held }
}

fn facts(record: RunRecord, folder: &RunFolder) -> Facts {
    let events = std::fs::read_to_string(folder.events()).unwrap_or_default();
    Facts {
        status: record.status,
        failure: record.failure.map(|failure| failure.message),
        started_at: record.environment.started_at,
        step: last_step(&events),
        total_steps: record.training.total_steps,
    }
}

/// The last step that `events.jsonl` tells of; 0 before the first.
fn last_step(events: &str) -> usize {
    events.lines().rev().find_map(step_of).unwrap_or(0)
}

/// Whether a process holds the lock at `path`, as far as this machine sees.
fn is_held(path: &Path) -> bool {
    let file = OpenOptions::new().read(true).write(true).open(path);
    file.and_then(|file| store::hold(&file)).is_ok_and(|is_free| !is_free)
}

/// What Slurm says of the run at `index`: the task that waits or runs, else the last one.
fn element<'a>(index: usize, submissions: &[Submission], elements: &'a Elements) -> Option<&'a Element> {
    let own = submissions.iter().rev().filter(|submission| submission.indices.contains(&index));
    let known: Vec<&Element> = own.filter_map(|submission| elements.get(&(submission.job, index))).collect();
    let is_active = |element: &&&Element| matches!(element.phase(), Phase::Waiting | Phase::Running);
    known.iter().find(is_active).or(known.first()).copied()
}

fn table(out: &Path, lines: &[(&Planned, (State, String))]) -> String {
    let width = lines.iter().map(|(planned, _)| planned.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (planned, (state, detail)) in lines {
        let line = format!("{:width$}  {:11}  {detail}", planned.name, state.word());
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let count = |state: &State| lines.iter().filter(|(_, (other, _))| other == state).count();
    let counts = State::ALL.iter().map(|state| (count(state), state.word())).filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
    let _ = writeln!(text, "{} runs: {}", lines.len(), counts.join(", "));
    for (planned, (state, _)) in lines {
        let is_of_interest = matches!(state, State::Failed | State::Stopped);
        if let (true, Some(log)) = (is_of_interest, log(out, planned)) {
            let _ = writeln!(text, "log of {}: {}", planned.name, log.display());
        }
    }
    text
}

/// Where a run's last output is: that of its task, or of a local child.
fn log(out: &Path, planned: &Planned) -> Option<PathBuf> {
    let modified = |path: &PathBuf| std::fs::metadata(path).and_then(|facts| facts.modified()).ok();
    let logs = [planned.log(out), slurm::log(out, planned.index)];
    logs.into_iter().filter(|path| path.exists()).max_by_key(modified)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second submission of a run whose first task failed: the queue's task counts, and after it the newer end.
    #[test]
    fn the_task_that_goes_on_counts_before_those_that_ended() {
        let submission =
            |job| Submission { job, indices: vec![0, 4], submitted_at: "2026-11-27T02:44:12+03:00".into() };
        let submissions = [submission(7), submission(9)];
        let element_of = |state: &str| Element { state: state.into(), reason: String::new() };
        let mut elements = Elements::new();
        elements.insert((7, 4), element_of("PENDING"));
        elements.insert((9, 4), element_of("FAILED"));
        let state = |elements: &Elements, index| {
            element(index, &submissions, elements).map(|known| known.state.clone())
        };
        assert_eq!(state(&elements, 4).as_deref(), Some("PENDING"));
        elements.insert((7, 4), element_of("TIMEOUT"));
        assert_eq!(state(&elements, 4).as_deref(), Some("FAILED"));
        assert_eq!(state(&elements, 0), None);
        assert_eq!(state(&elements, 3), None);
    }

    /// The lines are those of a run; the last was cut by a kill.
    #[test]
    fn the_step_is_the_last_that_was_written_whole() {
        let events = "{\"event\":\"step\",\"step\":{\"step\":1,\"loss\":2.5}}\n{\"event\":\"step\",\"step\":{\"step\":2,\"loss\":2.4}}\n\
                      {\"event\":\"eval\",\"eval\":{\"step\":2,\"loss\":2.6},\"best\":true}\n{\"event\":\"checkpoint\",\"step\":2}\n\
                      {\"event\":\"step\",\"step\":{\"st";
        assert_eq!(last_step(events), 2);
        assert_eq!(last_step(""), 0);
    }

    #[test]
    fn the_table_counts_and_points_at_logs() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path();
        let planned = |index: usize, name: &str| Planned {
            index,
            name: name.into(),
            level: crate::level::Level::A1,
            seed: 1,
            settings: Vec::new(),
            arguments: Vec::new(),
            rows_sha256: String::new(),
            sha256: index.to_string(),
        };
        let runs = vec![planned(0, "a1-seed-3407"), planned(1, "a1-seed-1")];
        let manifest = Manifest { schema: 1, directory: out.into(), runs };
        std::fs::create_dir_all(out.join("a1-seed-1")).expect("folder");
        std::fs::write(out.join("a1-seed-1/record.json"), "{").expect("written");
        std::fs::create_dir_all(out.join("slurm/logs")).expect("folder");
        let log = out.join("slurm/logs/1.log");
        std::fs::write(&log, "error\n").expect("written");
        let text = print(out, &manifest).expect("a table");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "a1-seed-3407  not begun");
        assert!(lines[1].starts_with("a1-seed-1     failed       record "), "{text}");
        assert_eq!(lines[2], "2 runs: 1 failed, 1 not begun");
        assert_eq!(lines[3], format!("log of a1-seed-1: {}", log.display()));
    }
}

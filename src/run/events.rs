//! What happens in a training, a line each, as it happens.

use crate::error::{Error, Result};
use crate::record::store;
use crate::train::course::Course;
use crate::train::training::Event;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

/// `events.jsonl`, open behind the step that a training goes on from.
pub(super) struct Events {
    path: PathBuf,
    file: std::fs::File,
}

impl Events {
    /// Opens the file behind the steps of `course`: what an interrupted run wrote after its checkpoint is made again. Where
    /// the file does not tell the whole course, since it was cut or removed, it is written from the course; whether it was.
    ///
    /// # Errors
    /// `Error::File` where it cannot be read or written.
    pub(super) fn open(path: PathBuf, course: &Course) -> Result<(Self, bool)> {
        let earlier = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::file(&path, error)),
        };
        let step = course.steps.len();
        let is_kept = |line: &&str| line.ends_with('\n') && step_of(line).is_some_and(|of| of <= step);
        let mut kept: String = earlier.split_inclusive('\n').filter(is_kept).collect();
        let lines: BTreeSet<&str> = kept.split_inclusive('\n').collect();
        let is_whole = events(course).iter().all(|line| lines.contains(line.as_str()));
        if !is_whole {
            kept = events(course).concat();
        }
        store::write_file(&path, kept.as_bytes())?;
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        Ok((Events { file: file.map_err(|source| Error::file(&path, source))?, path }, !is_whole))
    }

    /// Appends one event.
    pub(super) fn write(&mut self, event: Event) -> Result<()> {
        let Some(line) = line(event) else { return Ok(()) };
        self.file.write_all(line.as_bytes()).map_err(|source| Error::file(&self.path, source))
    }
}

/// An event's line; none for what only shows that a run is alive.
fn line(event: Event) -> Option<String> {
    let value = match event {
        Event::Step(step) => json!({ "event": "step", "step": step }),
        Event::MicroBatch | Event::Evaluating(_) => return None,
        Event::Eval(eval, is_best) => json!({ "event": "eval", "eval": eval, "best": is_best }),
        Event::Checkpoint(step) => json!({ "event": "checkpoint", "step": step }),
    };
    Some(format!("{value}\n"))
}

/// The lines of a course, as they were written when it happened; its checkpoints are not part of it.
fn events(course: &Course) -> Vec<String> {
    let mut lines = Vec::new();
    let mut best = f64::INFINITY;
    for step in &course.steps {
        lines.extend(line(Event::Step(step)));
        for eval in course.evals.iter().filter(|eval| eval.step == step.step) {
            lines.extend(line(Event::Eval(eval, eval.loss < best)));
            best = best.min(eval.loss);
        }
    }
    lines
}

/// The step that a line of `events.jsonl` is of; none for a line that was not written to its end.
pub(crate) fn step_of(line: &str) -> Option<usize> {
    let event: Value = serde_json::from_str(line).ok()?;
    let step = match event["event"].as_str()? {
        kind @ ("step" | "eval") => &event[kind]["step"],
        _ => &event["step"],
    };
    usize::try_from(step.as_u64()?).ok()
}

//! What happens in a training, a line each, as it happens.

use crate::error::{Error, Result};
use crate::record::store;
use crate::train::training::Event;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// `events.jsonl`, open behind the step that a training goes on from.
pub(super) struct Events {
    path: PathBuf,
    file: std::fs::File,
}

impl Events {
    /// Opens the file behind step `step`: what an interrupted run wrote after its checkpoint is made again.
    pub(super) fn open(path: PathBuf, step: usize) -> Result<Self> {
        let earlier = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::file(&path, error)),
        };
        let is_kept = |line: &&str| line.ends_with('\n') && step_of(line).is_some_and(|of| of <= step);
        let kept: String = earlier.split_inclusive('\n').filter(is_kept).collect();
        store::write_file(&path, kept.as_bytes())?;
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        Ok(Events { file: file.map_err(|source| Error::file(&path, source))?, path })
    }

    /// Appends one event.
    pub(super) fn write(&mut self, event: Event) -> Result<()> {
        let line = match event {
            Event::Step(step) => json!({ "event": "step", "step": step }),
            Event::MicroBatch | Event::Evaluating(_) => return Ok(()),
            Event::Eval(eval, is_best) => json!({ "event": "eval", "eval": eval, "best": is_best }),
            Event::Checkpoint(step) => json!({ "event": "checkpoint", "step": step }),
        };
        writeln!(self.file, "{line}").map_err(|source| Error::file(&self.path, source))
    }
}

/// The step that a line of `events.jsonl` is of; none for a line that was not written to its end.
fn step_of(line: &str) -> Option<usize> {
    let event: Value = serde_json::from_str(line).ok()?;
    let step = match event["event"].as_str()? {
        kind @ ("step" | "eval") => &event[kind]["step"],
        _ => &event["step"],
    };
    usize::try_from(step.as_u64()?).ok()
}

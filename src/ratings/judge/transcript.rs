//! Every request and what came of it, a line a call, in `judge/<model>-<hash>.jsonl` of the run's folder.
//!
//! A line is on the disk before the next request is made, so an interrupted session has lost nothing but the call that it was
//! waiting for. The hash is of all that decides what is asked: a session with another rubric, other texts or another seed has a
//! file of its own, one that only asks more often goes on in the same.

use super::request::{Order, Question, Turn, is_of};
use crate::error::{Error, Result};
use crate::record::store;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    /// The item's number in the key.
    pub(super) item: usize,
    /// The order of its texts.
    pub(super) order: Order,
    /// Which of the repeats, from 1.
    pub(super) repeat: usize,
    /// 1, and 2 where the first answer could not be used.
    pub(super) attempt: usize,
    /// Who was asked.
    pub(super) endpoint: String,
    /// The request's body.
    pub(super) request: Value,
    /// The answer's status; none where there was no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    /// The answer's body, as it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<String>,
    /// What came instead of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fault: Option<String>,
    /// From the request to its end.
    pub(super) seconds: f64,
}

/// The file, open behind its last line and held against a second session.
pub(super) struct Transcript {
    path: PathBuf,
    file: File,
    /// The lines that are answers, by what they answer; of two the first.
    answers: BTreeMap<(Turn, usize), (usize, Call)>,
    lines: usize,
}

impl Transcript {
    /// Opens the file, made where there is none. Whether its last line was cut off: it was not written to its end.
    ///
    /// # Errors
    /// `Error::File` where it cannot be read or written, `Error::Locked` where another session writes it, `Error::Data` with the
    /// line that is none.
    pub(super) fn open(path: PathBuf) -> Result<(Self, bool)> {
        let failed = |error| Error::file(&path, error);
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| Error::file(folder, error))?;
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(failed)?;
        if !store::hold(&file).map_err(failed)? {
            let message = "in use by another session with this judge; wait for it".into();
            return Err(Error::Locked { folder: path.clone(), message });
        }
        // The file lasts once its folder is on the disk; not every platform lets a folder be synced.
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let is_torn = whole < bytes.len();
        if is_torn {
            file.set_len(whole as u64).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(whole as u64)).map_err(failed)?;
        let name = path.display().to_string();
        let text = Error::unless_text(&name, &bytes[..whole])?.to_string();
        let mut transcript = Transcript { path, file, answers: BTreeMap::new(), lines: 0 };
        for line in text.lines() {
            let call: Call = serde_json::from_str(line).map_err(|error| {
                let message = format!("expected a call of a judge, got no such line: {error}");
                Error::Data { path: name.clone(), row: Some(transcript.lines + 1), message }
            })?;
            transcript.add(call);
        }
        Ok((transcript, is_torn))
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing was answered yet.
    pub(super) fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The body of the answer to an attempt at `turn`, where it was given.
    ///
    /// # Errors
    /// `Error::Data` where the line is of another question: the file was changed.
    pub(super) fn answer(&self, question: &Question, turn: Turn, attempt: usize) -> Result<Option<&str>> {
        let Some((line, call)) = self.answers.get(&(turn, attempt)) else { return Ok(None) };
        if !is_of(&call.request, question, turn.order) {
            let message = format!(
                "expected the request of item {}, {}, got another one: the file was changed",
                turn.item,
                turn.rater()
            );
            return Err(Error::Data { path: self.path.display().to_string(), row: Some(*line), message });
        }
        Ok(call.answer.as_deref())
    }

    /// The answers, as they came.
    pub(super) fn answered(&self) -> impl Iterator<Item = &Call> {
        let mut calls: Vec<&(usize, Call)> = self.answers.values().collect();
        calls.sort_by_key(|(line, _)| *line);
        calls.into_iter().map(|(_, call)| call)
    }

    /// Appends a call, and returns when it is on the disk.
    ///
    /// # Errors
    /// `Error::File` where it cannot be written.
    pub(super) fn keep(&mut self, call: Call) -> Result<()> {
        let line = serde_json::to_string(&call).expect("texts and finite numbers") + "\n";
        let written = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_data());
        written.map_err(|error| Error::file(&self.path, error))?;
        self.add(call);
        Ok(())
    }

    fn add(&mut self, call: Call) {
        self.lines += 1;
        if call.answer.is_some() {
            let turn = Turn { item: call.item, order: call.order, repeat: call.repeat };
            self.answers.entry((turn, call.attempt)).or_insert((self.lines, call));
        }
    }
}

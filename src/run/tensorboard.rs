//! The course of a training for TensorBoard: `train/loss`, `train/learning_rate`, `train/grad_norm` and `eval/loss` by step.
//!
//! The file is a function of the course and of the run's start: a training that goes on writes it anew up to its checkpoint
//! and appends, so that no step stands in it twice, and the end has the bytes of a training that never stopped, but for its
//! times. Each record is framed as TensorFlow's `TFRecord`, and holds one `Event` of TensorFlow's `event.proto`:
//!
//! ```text
//! u64 length | u32 crc(length) | event | u32 crc(event)      little-endian, crc = masked CRC-32C
//! Event { 1: wall_time f64, 2: step i64, 3: file_version | 5: Summary { 1: Value { 1: tag, 2: simple_value f32 } } }
//! ```

use super::rendering::write_changed;
use crate::error::{Error, Result};
use crate::record::{Environment, Eval, Step, environment, store};
use crate::train::training::Event;
use crc::{CRC_32_ISCSI, Crc};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file of events, open behind its last.
pub(super) struct Scalars {
    path: PathBuf,
    file: File,
    clock: Clock,
}

/// The time of an event is that of the run's start and of the steps since, so that it is in the record too.
struct Clock {
    /// Seconds since 1970.
    now: f64,
}

impl Scalars {
    /// Writes what was measured before, and opens the file behind it.
    ///
    /// # Errors
    /// `Error::File` where it cannot be written.
    pub(super) fn open(path: PathBuf, of: &Environment, steps: &[Step], evals: &[Eval]) -> Result<Self> {
        let (bytes, clock) = whole(of, steps, evals);
        store::write_file(&path, &bytes)?;
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        Ok(Scalars { file: file.map_err(|source| Error::file(&path, source))?, path, clock })
    }

    /// Appends what `event` measured.
    ///
    /// # Errors
    /// `Error::File` where it cannot be written.
    pub(super) fn write(&mut self, event: &Event) -> Result<()> {
        let bytes = match event {
            Event::Step(step) => self.clock.step(step),
            Event::Eval(eval, _) => self.clock.eval(eval),
            _ => return Ok(()),
        };
        self.file.write_all(&bytes).map_err(|source| Error::file(&self.path, source))
    }
}

/// Writes the file of a training that is at its end, where it is not there as it should be.
///
/// # Errors
/// `Error::File` where it cannot be written.
pub(super) fn settle(path: &Path, of: &Environment, steps: &[Step], evals: &[Eval]) -> Result<()> {
    write_changed(path, &whole(of, steps, evals).0)
}

/// The bytes of a course, and the clock behind them.
fn whole(of: &Environment, steps: &[Step], evals: &[Eval]) -> (Vec<u8>, Clock) {
    let mut clock = Clock { now: environment::unix_seconds(&of.started_at) as f64 };
    let mut bytes = record(&[double(1, clock.now), text(3, b"brain.Event:2")].concat());
    for step in steps {
        bytes.extend(clock.step(step));
        evals.iter().filter(|eval| eval.step == step.step).for_each(|eval| bytes.extend(clock.eval(eval)));
    }
    (bytes, clock)
}

impl Clock {
    fn step(&mut self, step: &Step) -> Vec<u8> {
        self.now += step.seconds;
        let Step { loss, learning_rate, grad_norm, .. } = *step;
        let scalars =
            [("train/loss", loss), ("train/learning_rate", learning_rate), ("train/grad_norm", grad_norm)];
        self.event(step.step, &scalars)
    }

    fn eval(&self, eval: &Eval) -> Vec<u8> {
        self.event(eval.step, &[("eval/loss", eval.loss)])
    }

    fn event(&self, step: usize, scalars: &[(&str, f64)]) -> Vec<u8> {
        let value =
            |(tag, value): &(&str, f64)| text(1, &[text(1, tag.as_bytes()), float(2, *value)].concat());
        let summary: Vec<u8> = scalars.iter().flat_map(value).collect();
        record(&[double(1, self.now), whole_number(2, step as u64), text(5, &summary)].concat())
    }
}

fn record(event: &[u8]) -> Vec<u8> {
    let length = (event.len() as u64).to_le_bytes();
    [&length[..], &checksum(&length), event, &checksum(event)].concat()
}

/// CRC-32C, turned and moved, so that the checksum of a text that holds checksums is none of them.
fn checksum(bytes: &[u8]) -> [u8; 4] {
    const CASTAGNOLI: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);
    CASTAGNOLI.checksum(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

// Fields of a protocol buffer: a key, which is the field's number and the kind of its value, and the value.

fn double(field: u8, value: f64) -> Vec<u8> {
    [&[field << 3 | 1][..], &value.to_le_bytes()].concat()
}

fn float(field: u8, value: f64) -> Vec<u8> {
    [&[field << 3 | 5][..], &(value as f32).to_le_bytes()].concat()
}

/// Text, bytes, or another message.
fn text(field: u8, bytes: &[u8]) -> Vec<u8> {
    [&[field << 3 | 2][..], &varint(bytes.len() as u64), bytes].concat()
}

fn whole_number(field: u8, value: u64) -> Vec<u8> {
    [&[field << 3][..], &varint(value)].concat()
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

//! What can go wrong, each variant saying when it occurs.

use std::path::{Path, PathBuf};

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything a run can fail with. Messages are one line: where, what was expected, what was found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file in question.
        path: PathBuf,
        /// What the operating system said; part of the message, so not a source to be printed again.
        cause: std::io::Error,
    },
    /// A data file does not hold what it must.
    #[error("{path}{}: {message}", row.map(|row| format!(", row {row}")).unwrap_or_default())]
    Data {
        /// The data file.
        path: String,
        /// The row, counted from 1, where one row is at fault.
        row: Option<usize>,
        /// Field, expected and got.
        message: String,
    },
    /// A setting is unknown, of the wrong type or out of its range.
    #[error("setting {key}: {message}")]
    Setting {
        /// The dotted path of the setting.
        key: String,
        /// Expected and got, or the known keys.
        message: String,
    },
    /// A model folder or file is not one that can be run.
    #[error("model {source_name}: {message}")]
    Model {
        /// The model as the user named it.
        source_name: String,
        /// Expected and got, and what to do.
        message: String,
    },
    /// An adapter does not fit the model.
    #[error("adapter {path}: {message}")]
    Adapter {
        /// The adapter's folder or file.
        path: PathBuf,
        /// Expected and got.
        message: String,
    },
    /// The device asked for is not there, or too small.
    #[error("device {device}: {message}")]
    Device {
        /// The device as the user named it.
        device: String,
        /// What to do about it.
        message: String,
    },
    /// The training diverged: a loss or a gradient is no number any more.
    #[error("training diverged at step {step}: {message}")]
    Diverged {
        /// The optimizer step, from 1.
        step: usize,
        /// Which quantity stopped being finite.
        message: String,
    },
    /// A record could not be understood.
    #[error("record {path}: {message}")]
    Record {
        /// The record's file.
        path: PathBuf,
        /// Expected and got.
        message: String,
    },
    /// Another process runs into the same folder.
    #[error("{folder}: {message}")]
    Locked {
        /// The run's folder.
        folder: PathBuf,
        /// Who holds it, and what to do.
        message: String,
    },
    /// A person or the system asked the run to stop.
    #[error("interrupted by signal {signal}")]
    Interrupted {
        /// Number of the signal: 2 for Ctrl-C, 15 for SIGTERM.
        signal: usize,
    },
    /// Any of the others, after a run had begun: what was measured until then is in its record.
    #[error(transparent)]
    Begun(Box<Error>),
    /// A document could not be rendered.
    #[error("report: {0}")]
    Report(String),
    /// An operation of the tensor library failed.
    #[error(transparent)]
    Tensor(candle_core::Error),
}

impl From<candle_core::Error> for Error {
    /// A GPU that ran out of memory says so in the text alone: it becomes `Error::Device`, with what helps.
    fn from(error: candle_core::Error) -> Self {
        let text = error.to_string();
        let lower = text.to_lowercase();
        if !lower.contains("out of memory") && !lower.contains("out_of_memory") {
            return Error::Tensor(error);
        }
        let message = format!(
            "out of memory ({}); try --set train.gradient_checkpointing=true, --set model.quantization=nf4_double or a \
             smaller train.batch_size (with more train.accumulation_steps)",
            text.lines().next().unwrap_or_default()
        );
        Error::Device { device: "in use".into(), message }
    }
}

impl Error {
    /// Exit code of a program that ends with it: 2 where the request was at fault and nothing was begun, 1 where a run
    /// failed, 128 and the signal's number where it was interrupted.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Interrupted { signal } => 128 + *signal as u8,
            Error::Begun(error) if error.is_interruption() => error.exit_code(),
            Error::Begun(_) => 1,
            _ => 2,
        }
    }

    /// Whether a person or the system asked for the end.
    pub fn is_interruption(&self) -> bool {
        match self {
            Error::Interrupted { .. } => true,
            Error::Begun(error) => error.is_interruption(),
            _ => false,
        }
    }

    /// A failed read or write of `path`.
    pub fn file(path: impl AsRef<Path>, cause: std::io::Error) -> Self {
        Error::File { path: path.as_ref().to_path_buf(), cause }
    }

    /// A model that cannot be run, by the name the user gave it.
    pub fn model(source_name: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Model { source_name: source_name.into(), message: in_one_line(&message.into()) }
    }

    /// The text of a data file, which is UTF-8, without its byte-order mark.
    ///
    /// # Errors
    /// `Error::Data` with the first byte that is none and its place.
    pub(crate) fn unless_text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let offset = error.valid_up_to();
            let message = format!("expected UTF-8, got the byte 0x{:02X} at byte {offset}", bytes[offset]);
            Error::Data { path: path.to_string(), row: None, message }
        })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// An adapter that cannot be used, by its file.
    pub(crate) fn adapter(path: impl AsRef<Path>, message: impl AsRef<str>) -> Self {
        Error::Adapter { path: path.as_ref().to_path_buf(), message: in_one_line(message.as_ref()) }
    }
}

/// A message may hold a name out of a foreign file, and that anything.
fn in_one_line(message: &str) -> String {
    const LONGEST: usize = 1_000;
    let mut line = String::new();
    for letter in message.chars().take(LONGEST) {
        match letter.is_control() {
            true => line.extend(letter.escape_debug()),
            false => line.push(letter),
        }
    }
    if message.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_name_does_not_break_the_line() {
        let line = Error::model("a.gguf", format!("key \n\0{}", "x".repeat(5_000))).to_string();
        assert!(line.starts_with("model a.gguf: key \\n\\0xxx") && line.ends_with("x…"), "{line}");
        assert!(line.chars().count() < 1_100);
    }

    /// The text is cudarc's, from candle issue reports.
    #[test]
    fn a_full_gpu_is_told_what_to_do() {
        let full = candle_core::Error::Msg("DriverError(CUDA_ERROR_OUT_OF_MEMORY, \"out of memory\")".into());
        let text = Error::from(full).to_string();
        assert!(text.contains("train.batch_size") && !text.contains('\n'), "{text}");
        let other = Error::from(candle_core::Error::Msg("shape mismatch".into())).to_string();
        assert_eq!(other, "shape mismatch");
    }
}

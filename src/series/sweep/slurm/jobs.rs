//! What was submitted: `slurm/jobs.jsonl`, a line a job array, in the order of submission.

use crate::error::{Error, Result};
use crate::record::store;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// One job array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::series::sweep) struct Submission {
    /// Slurm's number for it.
    pub(in crate::series::sweep) job: u64,
    /// The runs that are its elements.
    pub(in crate::series::sweep) indices: Vec<usize>,
    /// When, RFC 3339.
    pub(in crate::series::sweep) submitted_at: String,
}

/// What was submitted for the sweep in `out`, the earliest first.
///
/// # Errors
/// `Error::File` where the file cannot be read; `Error::Record` with the line that is none.
pub(in crate::series::sweep) fn read(out: &Path) -> Result<Vec<Submission>> {
    let path = path(out);
    let parsed = |(place, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| Error::Record {
            path: path.clone(),
            message: format!("line {}: expected job, indices and submitted_at: {error}", place + 1),
        })
    };
    text(&path)?.lines().enumerate().filter(|(_, line)| !line.is_empty()).map(parsed).collect()
}

/// Adds a line for a job that was submitted just now.
///
/// # Errors
/// As [`store::write_file`].
pub(super) fn append(out: &Path, submission: &Submission) -> Result<()> {
    let path = path(out);
    let refused = |error: serde_json::Error| Error::Record { path: path.clone(), message: error.to_string() };
    let line = serde_json::to_string(submission).map_err(refused)?;
    let earlier = text(&path)?;
    store::write_file(&path, format!("{earlier}{line}\n").as_bytes())
}

fn path(out: &Path) -> PathBuf {
    super::folder(out).join("jobs.jsonl")
}

/// The file's text, empty before the first submission.
fn text(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|error| Error::file(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn submissions_come_back_in_their_order_and_a_line_that_is_none_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path();
        assert!(read(out).expect("nothing yet").is_empty());
        let submission = |job, indices: &[usize]| Submission {
            job,
            indices: indices.to_vec(),
            submitted_at: "2026-11-27T02:44:12+03:00".into(),
        };
        let both = [submission(7, &[0, 1, 5]), submission(12, &[5])];
        for submission in &both {
            append(out, submission).expect("written");
        }
        assert_eq!(read(out).expect("read"), both);
        std::fs::write(path(out), "{\"job\": 7}\n").expect("written");
        let error = read(out).expect_err("no line").to_string();
        assert!(error.contains("jobs.jsonl: line 1: expected job, indices"), "{error}");
    }
}

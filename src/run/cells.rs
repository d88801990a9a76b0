//! Finished cells, kept in the run's folder: what they gave, the hash of all that it follows from, and the hashes of the
//! files that they wrote. A cell is used again where all of these are as they were.
//!
//! ```text
//! cells/<name>/cell.json   when, how long, the result, the files
//! cells/<name>/seal.json   what it follows from, and the SHA-256 of cell.json
//! ```

use crate::error::{Error, Result};
use crate::recipe::Cell;
use crate::record::folder::RunFolder;
use crate::record::{seal, store};
use crate::report::weave::Moment;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// A finished cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Kept<T> {
    /// When it was finished, RFC 3339.
    pub(super) made_at: String,
    /// How long it took.
    pub(super) seconds: f64,
    /// What it gave to the record.
    pub(super) result: T,
    /// What was said meanwhile.
    #[serde(default)]
    pub(super) lines: Vec<String>,
    /// What it wrote, below the run's folder.
    files: Vec<Sealed>,
}

impl<T> Kept<T> {
    /// A cell that was at its end then, before its files are sealed.
    pub(super) fn new(Moment { at, seconds }: Moment, result: T, lines: Vec<String>) -> Self {
        Kept { made_at: at, seconds, result, lines, files: Vec::new() }
    }

    /// When it was at its end.
    pub(super) fn moment(&self) -> Moment {
        Moment { at: self.made_at.clone(), seconds: self.seconds }
    }
}

/// What was found of a cell.
pub(super) enum Found<T> {
    /// It holds.
    Kept(Kept<T>),
    /// There is none, or it follows from something else.
    Nothing,
    /// It would hold, but for what was done to it.
    Unusable(String),
}

/// A file as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub(super) path: PathBuf,
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
}

impl Stamp {
    /// The file at `path` as it is.
    ///
    /// # Errors
    /// `Error::File` where it cannot be looked at.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let failed = |error| Error::file(path, error);
        let metadata = std::fs::metadata(path).map_err(failed)?;
        let since = metadata.modified().map_err(failed)?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let modified = u64::try_from(since.as_nanos()).unwrap_or_default();
        Ok(Stamp { path: path.to_path_buf(), bytes: metadata.len(), modified })
    }

    /// Whether the file is still as it was, by size and time.
    pub(super) fn is_current(&self) -> bool {
        Stamp::of(&self.path).is_ok_and(|now| now == *self)
    }
}

/// A file that a cell wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sealed {
    stamp: Stamp,
    sha256: String,
}

/// A larger file whose size and time are those of then is not read again: a merged model has gigabytes, and a changed
/// comma in a template must not wait for them.
const READ_AGAIN: u64 = 64 << 20;

impl Sealed {
    fn of(folder: &RunFolder, path: &Path) -> Result<Self> {
        let mut stamp = Stamp::of(path)?;
        stamp.path = path.strip_prefix(folder.path()).unwrap_or(path).to_path_buf();
        Ok(Sealed { stamp, sha256: seal::hash(path)? })
    }

    /// What was done to the file since; nothing where it is as it was.
    fn fault(&self, folder: &RunFolder) -> Option<String> {
        let path = folder.path().join(&self.stamp.path);
        let Ok(mut stamp) = Stamp::of(&path) else { return Some(format!("{} is missing", path.display())) };
        stamp.path.clone_from(&self.stamp.path);
        if stamp == self.stamp && stamp.bytes >= READ_AGAIN {
            return None;
        }
        match seal::hash(&path) {
            Ok(sha256) if sha256 == self.sha256 => None,
            _ => Some(format!("{} is not what was written", path.display())),
        }
    }
}

const CELL: &str = "cell.json";

/// What `cell` gave, where it follows from `of`.
pub(super) fn find<T: DeserializeOwned>(folder: &RunFolder, cell: Cell, of: &str) -> Found<T> {
    find_in(folder, &folder.cell(cell), of)
}

/// The same of what is kept in `own`: a part of a cell.
pub(super) fn find_in<T: DeserializeOwned>(folder: &RunFolder, own: &Path, of: &str) -> Found<T> {
    if !seal::read(own).is_ok_and(|seal| seal.of == of) {
        return Found::Nothing;
    }
    let read = || -> Result<Kept<T>> {
        seal::open(own)?;
        let path = own.join(CELL);
        let text = std::fs::read(&path).map_err(|error| Error::file(&path, error))?;
        serde_json::from_slice(&text)
            .map_err(|error| Error::Record { path: path.clone(), message: error.to_string() })
    };
    match read() {
        Ok(kept) => match kept.files.iter().find_map(|file| file.fault(folder)) {
            None => Found::Kept(kept),
            Some(fault) => Found::Unusable(fault),
        },
        Err(error) => Found::Unusable(error.to_string()),
    }
}

/// Whether `cell` gave something that follows from a hash that begins with `of`, whatever was done to it since.
pub(super) fn is_kept(folder: &RunFolder, cell: Cell, of: &str) -> bool {
    seal::read(&folder.cell(cell)).is_ok_and(|seal| seal.of.starts_with(of))
}

/// Keeps what `cell` gave, and the hashes of `files` that it wrote.
///
/// # Errors
/// `Error::File` where a file cannot be read or written.
pub(super) fn keep<T: Serialize>(
    folder: &RunFolder,
    cell: Cell,
    of: &str,
    kept: &mut Kept<T>,
    files: &[PathBuf],
) -> Result<()> {
    keep_in(folder, &folder.cell(cell), of, kept, files)
}

/// The same in `own`: a part of a cell.
///
/// # Errors
/// As [`keep`].
pub(super) fn keep_in<T: Serialize>(
    folder: &RunFolder,
    own: &Path,
    of: &str,
    kept: &mut Kept<T>,
    files: &[PathBuf],
) -> Result<()> {
    kept.files = files.iter().map(|path| Sealed::of(folder, path)).collect::<Result<_>>()?;
    store::write(&own.join(CELL), kept)?;
    seal::close(own, of, &[CELL])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;
    use rand_chacha::rand_core::Rng;

    /// Whatever is done to a kept cell, it is found as it was or not at all, and nothing panics on it.
    #[test]
    fn a_spoiled_cell_is_never_another_result() {
        let scratch = tempfile::tempdir().expect("a folder");
        let folder = RunFolder::new(scratch.path());
        let output = scratch.path().join("written.json");
        std::fs::write(&output, b"[1, 2, 3]").expect("written");
        let moment = Moment { at: "2026-11-26T12:00:00+03:00".into(), seconds: 0.25 };
        let result = vec![0.5f64, 1.25, -3.0];
        let mut kept = Kept::new(moment, result.clone(), vec!["said".into()]);
        keep(&folder, Cell::Texts, "of this", &mut kept, std::slice::from_ref(&output)).expect("kept");
        let found = |of: &str| match find::<Vec<f64>>(&folder, Cell::Texts, of) {
            Found::Kept(kept) => Some(kept.result),
            Found::Nothing | Found::Unusable(_) => None,
        };
        assert_eq!((found("of this"), found("of that")), (Some(result.clone()), None));
        let own = folder.cell(Cell::Texts);
        let mut draws = random::stream(5, "spoiled cells");
        let mut refused = 0;
        for path in [own.join(CELL), own.join(seal::SEAL), output] {
            let sound = std::fs::read(&path).expect("a file");
            for _ in 0..300 {
                let mut bytes = sound.clone();
                let place = draws.next_u64() as usize % bytes.len();
                match draws.next_u64() % 4 {
                    0 => bytes.truncate(place),
                    1 => bytes[place] ^= 1 << (draws.next_u64() % 8),
                    2 => drop(bytes.splice(place..place, [draws.next_u64() as u8; 3])),
                    _ => bytes[place..].reverse(),
                }
                std::fs::write(&path, &bytes).expect("written");
                match found("of this") {
                    // Other white space in a seal says the same.
                    Some(found) => {
                        assert!(bytes == sound || path.ends_with(seal::SEAL), "{}", path.display());
                        assert_eq!(found, result, "{}", path.display());
                    }
                    None => refused += 1,
                }
            }
            std::fs::write(&path, sound).expect("written");
        }
        assert!(refused > 800, "only {refused} of 900 were refused");
        assert_eq!(found("of this"), Some(result));
    }
}

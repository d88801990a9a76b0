//! Folders whose files are held together by their hashes: what is read back is what was written, or is named as damaged.
//!
//! `seal.json` is written last, so that a folder without it was never finished.

use super::store;
use crate::error::{Error, Result};
use crate::sha256;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The file that holds the hashes of the others.
pub const SEAL: &str = "seal.json";

/// What a sealed folder holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// What the files belong to: a hash of all that they follow from.
    pub of: String,
    /// SHA-256 of each file, by its name.
    pub files: BTreeMap<String, String>,
}

/// Seals the files `names` in `folder`, which belong to `of`.
///
/// # Errors
/// `Error::File` where one cannot be read, or the seal not be written.
pub fn close(folder: &Path, of: &str, names: &[&str]) -> Result<()> {
    let hashes = names.iter().map(|name| Ok((name.to_string(), hash(&folder.join(name))?)));
    let seal = Seal { of: of.to_string(), files: hashes.collect::<Result<_>>()? };
    store::write(&folder.join(SEAL), &seal)
}

/// The seal of `folder`, its files not looked at.
///
/// # Errors
/// `Error::File` where there is none; `Error::Record` where it is damaged.
pub fn read(folder: &Path) -> Result<Seal> {
    let path = folder.join(SEAL);
    let text = std::fs::read(&path).map_err(|error| Error::file(&path, error))?;
    serde_json::from_slice(&text).map_err(|error| Error::Record { path, message: error.to_string() })
}

/// The seal of `folder`, all its files checked.
///
/// # Errors
/// As [`read`]; `Error::File` where a file is missing; `Error::Record` where one is not what was written.
pub fn open(folder: &Path) -> Result<Seal> {
    let seal = read(folder)?;
    for (name, sealed) in &seal.files {
        let path = folder.join(name);
        let found = if name.contains(['/', '\\']) { String::new() } else { hash(&path)? };
        if found != *sealed {
            let message = format!("damaged: expected the SHA-256 {sealed}, got {found}");
            return Err(Error::Record { path, message });
        }
    }
    Ok(seal)
}

/// SHA-256 of a file.
///
/// # Errors
/// `Error::File` where it cannot be read.
pub(crate) fn hash(path: &Path) -> Result<String> {
    let digest = std::fs::File::open(path).and_then(sha256::of_reader);
    digest.map_err(|error| Error::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_folder_opens_until_one_bit_of_it_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        assert!(open(path).is_err(), "never sealed");
        std::fs::write(path.join("a"), b"first").expect("written");
        std::fs::write(path.join("b"), b"second").expect("written");
        close(path, "this run", &["a", "b"]).expect("sealed");
        assert_eq!(open(path).expect("as it was sealed").of, "this run");
        std::fs::write(path.join("b"), b"secone").expect("written");
        let error = open(path).expect_err("another letter").to_string();
        assert!(error.contains("/b: damaged"), "{error}");
        std::fs::remove_file(path.join("b")).expect("removed");
        assert!(open(path).is_err(), "a file is missing");
    }
}

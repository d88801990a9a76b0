//! SHA-256 in lower-case hexadecimal: the identity of data, split and model files.

use sha2::{Digest, Sha256};
use std::io::Read;

/// The digest of `bytes`.
pub fn of(bytes: &[u8]) -> String {
    of_parts([bytes])
}

/// The digest of `parts` put end to end.
pub(crate) fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    parts.into_iter().for_each(|part| hasher.update(part));
    written(hasher)
}

/// The digest of all that `reader` gives; a mebibyte of it is in memory.
///
/// # Errors
/// What the reader fails with.
pub(crate) fn of_reader(mut reader: impl Read) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut part = vec![0; 1 << 20];
    loop {
        match reader.read(&mut part)? {
            0 => return Ok(written(hasher)),
            read => hasher.update(&part[..read]),
        }
    }
}

fn written(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

//! SHA-256 in lower-case hexadecimal: the identity of data, split and model files.

use sha2::{Digest, Sha256};

/// The digest of `bytes`.
pub fn of(bytes: &[u8]) -> String {
    of_parts([bytes])
}

/// The digest of `parts` put end to end.
pub(crate) fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    parts.into_iter().for_each(|part| hasher.update(part));
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

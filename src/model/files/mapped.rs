//! Weight files in memory: mapped rather than read, so that only what is looked at takes memory.

use crate::error::{Error, Result};
use std::path::Path;

/// The bytes of a weight file.
#[derive(Debug)]
pub(super) enum FileBytes {
    /// Of a file that is mapped.
    Mapped(memmap2::Mmap),
    /// Part of the program.
    Embedded(&'static [u8]),
}

impl FileBytes {
    /// Maps a file.
    ///
    /// # Errors
    /// `Error::File` where it cannot be opened.
    #[allow(unsafe_code, reason = "weights are mapped rather than read: a map is unsafe by nature")]
    pub(super) fn map(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|error| Error::file(path, error))?;
        // SAFETY: the map is private and read-only, and this program never writes to a weight file it
        // has open (outputs are written beside and renamed). Another process that changes or cuts the
        // file while it is mapped breaks the promise; that is the known price of mapping, paid by every
        // reader of safetensors.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(|error| Error::file(path, error))?;
        Ok(FileBytes::Mapped(map))
    }

    /// Lets the operating system take back the pages that were read.
    #[allow(
        unsafe_code,
        reason = "MADV_DONTNEED is unsafe by its use on private memory; a file's map reads again"
    )]
    pub(super) fn release_pages(&self) {
        #[cfg(unix)]
        if let FileBytes::Mapped(map) = self {
            // SAFETY: the map is read-only and backed by its file, so a dropped page is read again with the same
            // bytes; borrowed slices stay valid. A refusal changes nothing.
            let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }

    /// All of them.
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            FileBytes::Mapped(map) => map,
            FileBytes::Embedded(bytes) => bytes,
        }
    }
}

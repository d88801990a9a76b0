//! Weight files in memory: mapped rather than read, so that only what is looked at takes memory.

use crate::error::{Error, Result};
use std::ops::Range;
use std::path::Path;

/// Bytes of a file that are read through once are held so many at a time.
const PART: usize = 16 << 20;

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

    /// Lets the operating system take back the pages of `range` that were read, which would otherwise count as this
    /// process's memory.
    #[allow(
        unsafe_code,
        reason = "MADV_DONTNEED is unsafe by its use on private memory; a file's map reads again"
    )]
    pub(super) fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let FileBytes::Mapped(map) = self {
            let advice = memmap2::UncheckedAdvice::DontNeed;
            // SAFETY: the map is read-only and backed by its file, so a dropped page is read again with the same
            // bytes; borrowed slices stay valid. A refusal changes nothing.
            let _ = unsafe { map.unchecked_advise_range(advice, range.start, range.len()) };
        }
    }

    /// All of them, a part at a time: the one before it is given back.
    pub(super) fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let all = self.as_slice();
        (0..all.len()).step_by(PART).map(move |start| {
            self.release(start.saturating_sub(PART)..start);
            &all[start..all.len().min(start + PART)]
        })
    }

    /// All of them.
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            FileBytes::Mapped(map) => map,
            FileBytes::Embedded(bytes) => bytes,
        }
    }
}

//! Weight files in memory: mapped rather than read, so that only what is looked at takes memory.

use crate::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The bytes of a weight file.
#[derive(Debug)]
pub(super) enum FileBytes {
    /// Of a file that is mapped.
    Mapped(Mapped),
    /// Part of the program.
    Embedded(&'static [u8]),
}

/// A mapped file, and what it was when it was mapped.
#[derive(Debug)]
pub(super) struct Mapped {
    map: memmap2::Mmap,
    path: PathBuf,
    modified: Option<SystemTime>,
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
        let modified = file.metadata().and_then(|metadata| metadata.modified()).ok();
        Ok(FileBytes::Mapped(Mapped { map, path: path.to_path_buf(), modified }))
    }

    /// Refuses a file that was changed, cut or removed since it was mapped: what is read from it now is another model's, and
    /// a part that is gone would end the process.
    ///
    /// # Errors
    /// `Error::File` with the file.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        let FileBytes::Mapped(Mapped { map, path, modified }) = self else { return Ok(()) };
        let now = std::fs::metadata(path).map_err(|error| Error::file(path, error))?;
        match now.len() == map.len() as u64 && now.modified().ok() == *modified {
            true => Ok(()),
            false => {
                Err(Error::file(path, std::io::Error::other("changed since the run began; run it again")))
            }
        }
    }

    /// Lets the operating system take back the pages that were read.
    #[allow(
        unsafe_code,
        reason = "MADV_DONTNEED is unsafe by its use on private memory; a file's map reads again"
    )]
    pub(super) fn release_pages(&self) {
        #[cfg(unix)]
        if let FileBytes::Mapped(Mapped { map, .. }) = self {
            // SAFETY: the map is read-only and backed by its file, so a dropped page is read again with the same
            // bytes; borrowed slices stay valid. A refusal changes nothing.
            let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }

    /// All of them.
    pub(super) fn as_slice(&self) -> &[u8] {
        match self {
            FileBytes::Mapped(mapped) => &mapped.map,
            FileBytes::Embedded(bytes) => bytes,
        }
    }
}

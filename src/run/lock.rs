//! One run a folder: an advisory lock that the operating system takes back when its process ends, however it ends.

use crate::error::{Error, Result};
use crate::record::environment;
use crate::record::folder::RunFolder;
use crate::record::store;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A held folder. It is free again when this is dropped.
pub(crate) struct Lock {
    _file: File,
    path: PathBuf,
}

/// How often a lock is asked for, half a second in all. A program that a process had just begun when it was killed holds the
/// lock until it is loaded: for some milliseconds after the death of that process, on a busy machine.
const ATTEMPTS: u32 = 26;

/// Between two of them.
const BETWEEN: Duration = Duration::from_millis(20);

/// Who holds a folder, for the one who is refused.
#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    pid: u32,
    host: String,
    since: String,
}

impl Lock {
    /// Takes the folder of a run for this process, and removes what a killed one has left half written in it.
    ///
    /// # Errors
    /// As [`Lock::hold`], and as [`RunFolder::sweep`].
    pub(crate) fn take(folder: &RunFolder) -> Result<Lock> {
        let lock = Lock::hold(folder)?;
        folder.sweep()?;
        Ok(lock)
    }

    /// Takes a folder in which other processes write into folders of their own.
    ///
    /// # Errors
    /// `Error::Locked` with the process that holds it; `Error::File` where the lock's file cannot be written.
    pub(crate) fn hold(folder: &RunFolder) -> Result<Lock> {
        let path = folder.lock();
        let failed = |error| Error::file(&path, error);
        std::fs::create_dir_all(folder.path()).map_err(failed)?;
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = options.map_err(failed)?;
        let mut attempts = 1;
        while !store::hold(&file).map_err(failed)? {
            if attempts == ATTEMPTS {
                return Err(refusal(folder.path(), &mut file));
            }
            std::thread::sleep(BETWEEN);
            attempts += 1;
        }
        let holder = Holder { pid: std::process::id(), host: environment::host(), since: environment::now() };
        let text = serde_json::to_string(&holder).expect("a number and two texts");
        file.set_len(0).and_then(|()| file.write_all(text.as_bytes())).map_err(failed)?;
        Ok(Lock { _file: file, path })
    }

    /// Whether the folder is still there: a run must not end well whose files were removed on the way.
    ///
    /// # Errors
    /// `Error::File` where it is gone.
    pub(super) fn check(&self) -> Result<()> {
        match self.path.exists() {
            true => Ok(()),
            false => {
                let gone =
                    std::io::Error::other("removed while the run went on, and the run's files with it");
                Err(Error::file(&self.path, gone))
            }
        }
    }
}

fn refusal(folder: &Path, file: &mut File) -> Error {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    let holder = read.ok().and_then(|_| serde_json::from_str::<Holder>(&text).ok());
    let who = match holder {
        Some(Holder { pid, host, since }) => format!("process {pid} on {host} since {since}"),
        None => "another process".into(),
    };
    Error::Locked {
        folder: folder.to_path_buf(),
        message: format!("in use by {who}; wait for it, or give another --out"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lock that outlives its process for a moment is waited for, one that stays is not.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "no tensor is near")]
    fn a_lock_of_the_dead_is_waited_for() {
        let temporary = tempfile::tempdir().expect("folder");
        let folder = RunFolder::new(temporary.path());
        let held = Lock::hold(&folder).expect("free");
        assert!(matches!(Lock::hold(&folder), Err(Error::Locked { .. })));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(3 * BETWEEN);
                drop(held);
            });
            Lock::hold(&folder).expect("free after a moment");
        });
    }
}

//! What a finished run keeps. The adapter, the record with its documents, the events and the rows are some megabytes;
//! checkpoints and merged models are the rest of a disk.

use crate::error::{Error, Result};
use crate::record::Status;
use crate::record::folder::{RunFolder, files_below};
use crate::run::lock::Lock;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// What a run keeps when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Keep {
    /// Everything.
    All,
    /// The best adapter, the record and what is read: no checkpoints, no merged model.
    Best,
}

/// Removes what a finished run in `folder` does not need any more, and gives the bytes that are free again. A run that is not
/// finished keeps everything: it goes on from there.
///
/// # Errors
/// `Error::Locked` where another process runs into the folder; `Error::File` where something cannot be removed; as
/// [`RunFolder::read`].
pub(super) fn prune(folder: &RunFolder) -> Result<u64> {
    let _lock = Lock::take(folder)?;
    if folder.read()?.status != Status::Completed {
        return Ok(0);
    }
    disposable(folder).iter().map(|path| removed(path)).sum()
}

/// What only a run that goes on, or another program, reads. Each can be had again from the adapter, or by the same run.
fn disposable(folder: &RunFolder) -> Vec<PathBuf> {
    let around = [folder.base_memo(), folder.tensorboard()];
    let folders = around.iter().filter_map(|file| file.parent()).map(Path::to_path_buf);
    let own = [folder.checkpoints(), folder.merged(), folder.gguf(), folder.modelfile(), folder.live()];
    own.into_iter().chain(folders).collect()
}

/// Removes a file or a folder, where there is one.
fn removed(path: &Path) -> Result<u64> {
    let failed = |error| Error::file(path, error);
    let Ok(metadata) = std::fs::symlink_metadata(path) else { return Ok(0) };
    if !metadata.is_dir() {
        std::fs::remove_file(path).map_err(failed)?;
        return Ok(metadata.len());
    }
    let size = |file: &PathBuf| std::fs::symlink_metadata(file).map(|metadata| metadata.len()).unwrap_or(0);
    let bytes = files_below(path)?.iter().map(size).sum();
    std::fs::remove_dir_all(path).map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a run that is not at its end nothing is removed, and of a finished one nothing that is read.
    #[test]
    fn a_finished_run_keeps_what_is_read_and_another_keeps_everything() {
        let scratch = tempfile::tempdir().expect("a folder");
        let folder = RunFolder::new(scratch.path().join("run"));
        let files = [
            ("adapter/adapter_model.safetensors", 3),
            ("events.jsonl", 5),
            ("split/training_data_a1_train.json", 7),
            ("checkpoints/checkpoint-3/adapter.safetensors", 11),
            ("checkpoints/earlier/x", 13),
            ("cells/training/cell.json", 17),
            ("merged/model.safetensors", 19),
            ("merged.gguf", 23),
            ("Modelfile", 29),
            ("tensorboard/events.out.tfevents.0.tezgah", 31),
            ("canli.html", 37),
        ];
        for (name, bytes) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, vec![b'x'; bytes]).expect("written");
        }
        let completed = include_str!("../../../tests/records-schema/1.json");
        assert!(completed.contains("\"completed\""));
        let there = || files_below(folder.path()).expect("files").len();

        std::fs::write(folder.record(), completed.replace("\"completed\"", "\"interrupted\""))
            .expect("written");
        assert_eq!(prune(&folder).expect("nothing to do"), 0);
        assert_eq!(there(), files.len() + 2, "with record and lock");

        std::fs::write(folder.record(), completed).expect("written");
        assert_eq!(prune(&folder).expect("pruned"), 11 + 13 + 17 + 19 + 23 + 29 + 31 + 37);
        assert_eq!(there(), 3 + 2);
        assert_eq!(prune(&folder).expect("nothing left"), 0);
    }
}

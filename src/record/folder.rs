//! The folders of runs, and the place of every file in them. No other module spells these names.

mod written;

pub(crate) use written::{Part, Written};

use super::{RunRecord, store};
use crate::error::{Error, Result};
use crate::level::Level;
use crate::recipe::Cell;
use std::path::{Path, PathBuf};

/// The run record, in the folder of a run.
pub(crate) const RECORD: &str = "record.json";
/// The events as they happened, a line each.
pub(crate) const EVENTS: &str = "events.jsonl";
/// The comparison of levels, in its folder.
pub(crate) const LEVELS_RECORD: &str = "karsilastirma.json";
/// What a sweep's numbers say, in its folder.
pub(crate) const SWEEP_RECORD: &str = "tarama.json";
/// The folder of the comparison of levels, beside those of the levels.
const LEVELS: &str = "karsilastirma";

/// The folder that one run reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFolder {
    path: PathBuf,
    /// Where runs that share base weights keep them quantized.
    quantized: PathBuf,
}

impl RunFolder {
    /// A run in `path`, which need not exist yet. Quantized weights are kept in `quantized/` beside it, so that the
    /// levels of one model share them.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let quantized = path.parent().unwrap_or(Path::new("")).join("quantized");
        RunFolder { path, quantized }
    }

    /// The run of `level` among several in `reports`.
    pub(crate) fn of_level(reports: &Path, level: Level) -> Self {
        RunFolder::new(reports.join(level.slug()))
    }

    /// The folder of a run that is named by itself or by a file in it.
    pub(crate) fn around(path: &Path) -> Self {
        RunFolder::new(if path.is_dir() { path } else { path.parent().unwrap_or(Path::new("")) })
    }

    /// The same run with another training seed. What the first of them quantized serves all.
    pub(crate) fn replicate(&self, seed: u64) -> Self {
        RunFolder { path: self.path.join(format!("{SEED}{seed}")), quantized: self.quantized.clone() }
    }

    /// The run that this one may be a replicate of.
    pub(crate) fn replicated(&self) -> Option<Self> {
        self.path.parent().map(RunFolder::new)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the process that runs into this folder holds.
    pub fn lock(&self) -> PathBuf {
        self.path.join(LOCK)
    }

    /// The record.
    pub fn record(&self) -> PathBuf {
        self.path.join(RECORD)
    }

    /// The events.
    pub(crate) fn events(&self) -> PathBuf {
        self.path.join(EVENTS)
    }

    /// The experiment with the results of its cells.
    pub(crate) fn woven(&self) -> PathBuf {
        self.path.join("defter.html")
    }

    /// The same while the run goes on.
    pub(crate) fn live(&self) -> PathBuf {
        self.path.join("canli.html")
    }

    /// What TensorBoard reads.
    pub(crate) fn tensorboard(&self) -> PathBuf {
        self.path.join("tensorboard/events.out.tfevents.0.tezgah")
    }

    /// The summary over the training seeds.
    pub(crate) fn replicates(&self) -> PathBuf {
        self.path.join("replicates.json")
    }

    /// The sheets of people who rate the texts, with their key.
    pub fn sheets(&self) -> PathBuf {
        self.path.join("ratings")
    }

    /// What people and judges said of the texts.
    pub fn ratings(&self) -> PathBuf {
        self.path.join("ratings.json")
    }

    /// What was asked of judges, and what they answered, request by request.
    pub(crate) fn judged(&self) -> PathBuf {
        self.path.join("judge")
    }

    /// The best adapter, in PEFT's layout.
    pub(crate) fn adapter(&self) -> PathBuf {
        self.path.join(ADAPTER)
    }

    /// Base and adapter in one model folder.
    pub(crate) fn merged(&self) -> PathBuf {
        self.path.join(MERGED)
    }

    /// The same in one file for llama.cpp, where it is asked for.
    pub(crate) fn gguf(&self) -> PathBuf {
        self.path.join(GGUF)
    }

    /// What Ollama makes a model of that file by.
    pub(crate) fn modelfile(&self) -> PathBuf {
        self.path.join(MODELFILE)
    }

    /// The best adapter in half its size, where it is asked for. The run itself goes on from [`RunFolder::adapter`].
    pub(crate) fn adapter_bf16(&self) -> PathBuf {
        self.path.join(ADAPTER_BF16)
    }

    /// What a resumed run goes on from.
    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// What a finished cell left.
    pub(crate) fn cell(&self, cell: Cell) -> PathBuf {
        self.path.join(CELLS).join(cell.name())
    }

    /// What is known of the base model without reading it.
    pub(crate) fn base_memo(&self) -> PathBuf {
        self.path.join(CELLS).join("base.json")
    }

    /// The rows of one part of the split.
    pub(crate) fn split(&self, level: Level, part: Part) -> PathBuf {
        self.path.join(SPLIT).join(part.file(level))
    }

    /// The record of a finished run that another replaced, by its start or whatever names it.
    pub(crate) fn earlier(&self, name: &str) -> PathBuf {
        self.path.join("earlier").join(format!("{name}.json"))
    }

    /// Checkpoints of runs that another took the place of.
    pub fn earlier_checkpoints(&self) -> PathBuf {
        self.checkpoints().join("earlier")
    }

    /// Moves all that a run left to `earlier/<name>/`, and says where that is; none where there was nothing. What is no
    /// run's stays: the lock, the earlier runs, other seeds' runs, a profile.
    ///
    /// # Errors
    /// `Error::File` where something cannot be moved.
    pub fn set_aside(&self, name: &str) -> Result<Option<PathBuf>> {
        let stays = |name: &str| {
            ["earlier", LOCK, "profil.toml"].contains(&name)
                || name.starts_with(SEED)
                || name.starts_with('.')
        };
        let failed = |error| Error::file(&self.path, error);
        let mut moved = Vec::new();
        for entry in std::fs::read_dir(&self.path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if !stays(&entry.file_name().to_string_lossy()) {
                moved.push(entry.path());
            }
        }
        if moved.is_empty() {
            return Ok(None);
        }
        let earlier = self.path.join("earlier");
        let free = |index: &usize| !earlier.join(numbered(name, *index)).exists();
        let target = earlier.join(numbered(name, (1..).find(free).unwrap_or(1)));
        std::fs::create_dir_all(&target).map_err(failed)?;
        for path in moved {
            let name = path.file_name().unwrap_or_default();
            std::fs::rename(&path, target.join(name)).map_err(|error| Error::file(&path, error))?;
        }
        Ok(Some(target))
    }

    /// The folders that a run writes into, and the GGUF file: what lies there is not safe from it.
    pub(crate) fn written(&self) -> Vec<PathBuf> {
        let folders = [SPLIT, CELLS].map(|name| self.path.join(name));
        let of_model = [self.adapter(), self.adapter_bf16(), self.merged(), self.gguf(), self.checkpoints()];
        folders.into_iter().chain(of_model).collect()
    }

    /// Removes what a process that was killed while it wrote has left: temporary files, which never got their name. Other
    /// seeds' runs have locks of their own, and may be written just now.
    ///
    /// # Errors
    /// `Error::File` where the folder cannot be read, or one cannot be removed.
    pub fn sweep(&self) -> Result<()> {
        let of_seed = |path: &Path| {
            let below = path.strip_prefix(&self.path).unwrap_or(path);
            below
                .components()
                .next()
                .is_some_and(|first| first.as_os_str().to_string_lossy().starts_with(SEED))
        };
        for path in files_below(&self.path)?.into_iter().filter(|path| !of_seed(path)) {
            if path.file_name().is_some_and(|name| store::is_temporary(&name.to_string_lossy())) {
                std::fs::remove_file(&path).map_err(|error| Error::file(&path, error))?;
            }
        }
        Ok(())
    }

    /// Quantized base weights that several runs share.
    pub(crate) fn quantized(&self) -> &Path {
        &self.quantized
    }

    /// Reads the record.
    ///
    /// # Errors
    /// As [`store::read`].
    pub fn read(&self) -> Result<RunRecord> {
        store::read(&self.record())
    }
}

/// `name`, `name-2`, `name-3`.
fn numbered(name: &str, index: usize) -> String {
    if index == 1 { name.to_string() } else { format!("{name}-{index}") }
}

const LOCK: &str = "run.lock";
const CELLS: &str = "cells";
const SEED: &str = "seed-";
const SPLIT: &str = "split";
const ADAPTER: &str = "adapter";
const ADAPTER_BF16: &str = "adapter-bf16";
const MERGED: &str = "merged";
const GGUF: &str = "merged.gguf";
const MODELFILE: &str = "Modelfile";

/// The folder of the comparison of the levels in `reports`.
pub(crate) fn of_levels(reports: &Path) -> PathBuf {
    reports.join(LEVELS)
}

/// Bytes of a file, or of all files below a folder.
fn size_of(path: &Path) -> Result<u64> {
    let size = |path: &PathBuf| std::fs::metadata(path).map_err(|error| Error::file(path, error));
    files_below(path)?.iter().map(|path| Ok(size(path)?.len())).sum()
}

/// A file, or all files below a folder, in the order of their names.
///
/// # Errors
/// `Error::File` where a folder cannot be read.
pub(crate) fn files_below(path: &Path) -> Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let failed = |error| Error::file(path, error);
    let entries = std::fs::read_dir(path).map_err(failed)?;
    let mut entries = entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect::<Result<Vec<_>>>()?;
    entries.sort();
    let files = entries.iter().map(|entry| files_below(entry)).collect::<Result<Vec<_>>>()?;
    Ok(files.concat())
}

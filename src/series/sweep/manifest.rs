//! The list of a sweep's runs, `manifest.json`: what a task of a job array, `status` and `collect` go by.

use crate::error::{Error, Result};
use crate::level::Level;
use crate::record::folder::RunFolder;
use crate::record::store;
use crate::record::sweep::Assignment;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The newest layout of `manifest.json`.
pub const SCHEMA: u32 = 1;

/// The planned runs. The list grows and never shrinks: an index is a run's for ever.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout number of this file.
    pub schema: u32,
    /// Where it was planned: relative paths among the arguments start here.
    pub directory: PathBuf,
    /// The runs, at their indices.
    pub runs: Vec<Planned>,
}

/// One planned run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Planned {
    /// Its place in the list, from 0, and in the job array.
    pub index: usize,
    /// Its folder below that of the sweep.
    pub name: String,
    /// The level.
    pub level: Level,
    /// The training seed.
    pub seed: u64,
    /// What varies, the seed apart, as it was asked for when the run was planned.
    pub settings: Vec<Assignment>,
    /// The flags that make the run directly, without `--out`.
    pub arguments: Vec<String>,
    /// SHA-256 of the rows' file, or files.
    pub rows_sha256: String,
    /// SHA-256 of what is asked: level, recipe, rows, and the model as it is named.
    pub sha256: String,
}

impl Manifest {
    /// The place of the manifest in the folder `out` of a sweep.
    pub fn path(out: &Path) -> PathBuf {
        out.join("manifest.json")
    }

    /// Reads the manifest of the sweep in `out`; none where nothing was planned yet.
    ///
    /// # Errors
    /// `Error::File` where it cannot be read, `Error::Record` where it is none, or one of a newer layout.
    pub fn read(out: &Path) -> Result<Option<Manifest>> {
        let path = Manifest::path(out);
        let bytes = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(|error| Error::file(&path, error))?,
        };
        let refused = |message: String| Error::Record { path: path.clone(), message };
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))?;
        store::check_schema(manifest.schema.into(), SCHEMA).map_err(refused)?;
        manifest.check().map_err(refused)?;
        Ok(Some(manifest))
    }

    /// Writes the manifest of the sweep in `out`.
    ///
    /// # Errors
    /// As [`store::write`].
    pub fn write(&self, out: &Path) -> Result<()> {
        store::write(&Manifest::path(out), self)
    }

    /// Indices in order, and names that stay in the folder and are told apart.
    fn check(&self) -> std::result::Result<(), String> {
        for (place, run) in self.runs.iter().enumerate() {
            if run.index != place {
                return Err(format!("runs[{place}].index: expected {place}, got {}", run.index));
            }
            let is_plain = |name: &str| {
                !name.is_empty()
                    && !name.starts_with('.')
                    && name.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
            };
            if !is_plain(&run.name) {
                return Err(format!("runs[{place}].name: expected the name of a folder, got '{}'", run.name));
            }
            if self.runs[..place].iter().any(|other| other.name == run.name) {
                return Err(format!("runs[{place}].name: expected each once, got '{}' twice", run.name));
            }
        }
        Ok(())
    }
}

impl Planned {
    /// Its folder in that of the sweep.
    pub fn folder(&self, out: &Path) -> RunFolder {
        RunFolder::new(out.join(&self.name))
    }

    /// Where its terminal output goes when nobody sits before a terminal.
    pub fn log(&self, out: &Path) -> PathBuf {
        out.join("logs").join(format!("{}.log", self.name))
    }
}

//! Checkpoints: adapter, moments and course, enough to go on as if nothing had happened.
//!
//! The newest `save_total_limit` are kept, and the best whatever its age. Each is sealed by the hashes of its files and
//! says what run it is of: a damaged one, or another run's, is not gone on from.

use crate::error::{Error, Result};
use crate::model::network::adapter;
use crate::model::network::llama::Llama;
use crate::recipe::LoraRecipe;
use crate::record::{seal, store};
use crate::train::course::Course;
use crate::train::optimizer::AdamW;
use std::path::{Path, PathBuf};

const OPTIMIZER: &str = "optimizer.safetensors";
const COURSE: &str = "course.json";
const FILES: [&str; 4] = [adapter::TENSORS, adapter::CONFIG, OPTIMIZER, COURSE];

/// The checkpoints of one run.
pub struct Checkpoints {
    folder: PathBuf,
    limit: usize,
    base_model: String,
    run: String,
}

/// What a training goes on from.
#[derive(Debug)]
pub struct Resumed {
    /// The newest sound checkpoint's course; none where there is no such checkpoint.
    pub course: Option<Course>,
    /// Newer checkpoints that cannot be used, and why.
    pub unusable: Vec<String>,
}

impl Checkpoints {
    /// Checkpoints in `folder`, which need not exist yet. `run` is a hash of all that decides the training.
    pub fn new(folder: &Path, limit: usize, base_model: &str, run: &str) -> Self {
        let (base_model, run) = (base_model.to_string(), run.to_string());
        Checkpoints { folder: folder.to_path_buf(), limit, base_model, run }
    }

    /// The folder of a step's checkpoint.
    fn path(&self, step: usize) -> PathBuf {
        self.folder.join(format!("checkpoint-{step}"))
    }

    /// Moves the checkpoints of other runs out of the way, below `folder` and each run's own hash: nothing that a person
    /// did not ask to delete is deleted.
    ///
    /// # Errors
    /// `Error::File` where one cannot be moved.
    pub(crate) fn set_aside(&self, folder: &Path) -> Result<()> {
        for step in self.steps()? {
            let (path, Ok(seal)) = (self.path(step), seal::read(&self.path(step))) else { continue };
            if seal.of == self.run {
                continue;
            }
            let aside = folder.join(seal.of.get(..12).unwrap_or(&seal.of)).join(format!("checkpoint-{step}"));
            let failed = |error| Error::file(&aside, error);
            std::fs::create_dir_all(aside.parent().unwrap_or(folder)).map_err(failed)?;
            // The same run may have been set aside before: what it left then is what it leaves now.
            if aside.exists() {
                std::fs::remove_dir_all(&aside).map_err(failed)?;
            }
            std::fs::rename(&path, &aside).map_err(failed)?;
        }
        Ok(())
    }

    /// Whether a run whose hash begins with this one's has left a checkpoint.
    ///
    /// # Errors
    /// `Error::File` where the folder cannot be read.
    pub(crate) fn is_begun(&self) -> Result<bool> {
        let is_own =
            |step: usize| seal::read(&self.path(step)).is_ok_and(|seal| seal.of.starts_with(&self.run));
        Ok(self.steps()?.into_iter().any(is_own))
    }

    /// Whether a step has a finished checkpoint.
    pub(super) fn has(&self, step: usize) -> bool {
        self.path(step).join(seal::SEAL).exists()
    }

    /// Writes the checkpoint of the last step in `course`, then deletes the ones beyond the limit.
    pub(super) fn save(
        &mut self,
        model: &Llama,
        optimizer: &AdamW,
        lora: &LoraRecipe,
        course: &Course,
    ) -> Result<()> {
        let folder = self.path(course.steps.len());
        adapter::write(model, lora, &self.base_model, &folder)?;
        adapter::write_tensors(&folder.join(OPTIMIZER), optimizer.state(model)?)?;
        store::write(&folder.join(COURSE), course)?;
        seal::close(&folder, &self.run, &FILES)?;
        let best = course.best.as_ref().map(|best| best.step);
        let mut steps = self.steps()?;
        steps.retain(|&step| Some(step) != best);
        let spared = self.limit.saturating_sub(usize::from(best.is_some()));
        for &step in steps.iter().rev().skip(spared) {
            let path = self.path(step);
            std::fs::remove_dir_all(&path).map_err(|source| Error::file(&path, source))?;
        }
        Ok(())
    }

    /// Steps that have a checkpoint, ascending.
    fn steps(&self) -> Result<Vec<usize>> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::file(&self.folder, error)),
        };
        let mut steps: Vec<usize> = entries
            .filter_map(|entry| entry.ok())
            .filter(|entry| entry.path().join(seal::SEAL).exists())
            .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("checkpoint-")?.parse().ok())
            .collect();
        steps.sort_unstable();
        Ok(steps)
    }

    /// Puts a step's adapter into the model.
    ///
    /// # Errors
    /// `Error::Record` where the checkpoint is damaged or another run's; as [`adapter::load`].
    pub(super) fn load_adapter(&self, model: &mut Llama, step: usize) -> Result<()> {
        self.check(step)?;
        adapter::load(model, &self.path(step))
    }

    /// Restores the newest sound checkpoint of this run: adapter, moments and course.
    ///
    /// # Errors
    /// `Error::File` where the folder cannot be read.
    pub(crate) fn resume(&self, model: &mut Llama, optimizer: &mut AdamW) -> Result<Resumed> {
        let mut unusable = Vec::new();
        for step in self.steps()?.into_iter().rev() {
            match self.restore(step, model, optimizer) {
                Ok(course) => return Ok(Resumed { course: Some(course), unusable }),
                Err(error) => unusable.push(error.to_string()),
            }
        }
        Ok(Resumed { course: None, unusable })
    }

    /// Whether a step's checkpoint is whole and of this run.
    fn check(&self, step: usize) -> Result<()> {
        let folder = self.path(step);
        let seal = seal::open(&folder)?;
        match seal.of == self.run {
            true => Ok(()),
            false => Err(Error::Record { path: folder, message: "another run's checkpoint".into() }),
        }
    }

    fn restore(&self, step: usize, model: &mut Llama, optimizer: &mut AdamW) -> Result<Course> {
        self.check(step)?;
        let folder = self.path(step);
        let path = folder.join(COURSE);
        let text = std::fs::read(&path).map_err(|source| Error::file(&path, source))?;
        let course: Course = serde_json::from_slice(&text)
            .map_err(|error| Error::Record { path: path.clone(), message: error.to_string() })?;
        let path = folder.join(OPTIMIZER);
        let mut state = candle_core::safetensors::load(&path, &candle_core::Device::Cpu)
            .map_err(|error| Error::Adapter { path: path.clone(), message: error.to_string() })?;
        adapter::load(model, &folder)?;
        optimizer.restore(model, |name| state.remove(name))?;
        Ok(course)
    }
}

//! Checkpoints: adapter, moments and course, enough to go on as if nothing had happened.
//!
//! The newest `save_total_limit` are kept, and the best whatever its age.

use crate::error::{Error, Result};
use crate::model::network::adapter;
use crate::model::network::llama::Llama;
use crate::recipe::LoraRecipe;
use crate::record::store;
use crate::train::course::Course;
use crate::train::optimizer::AdamW;
use std::path::{Path, PathBuf};

const OPTIMIZER: &str = "optimizer.safetensors";
const COURSE: &str = "course.json";

/// The checkpoints of one run.
pub struct Checkpoints {
    folder: PathBuf,
    limit: usize,
    base_model: String,
}

impl Checkpoints {
    /// Checkpoints in `folder`, which need not exist yet.
    pub fn new(folder: &Path, limit: usize, base_model: &str) -> Self {
        Checkpoints { folder: folder.to_path_buf(), limit, base_model: base_model.to_string() }
    }

    /// Removes what an earlier run left.
    pub(crate) fn clear(&self) -> Result<()> {
        match std::fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::file(&self.folder, error))
            }
            _ => Ok(()),
        }
    }

    /// The folder of a step's checkpoint.
    fn path(&self, step: usize) -> PathBuf {
        self.folder.join(format!("checkpoint-{step}"))
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
        store::write_file(&folder.join(OPTIMIZER), &adapter::serialize(optimizer.state(model)?)?)?;
        // The course is written last: a folder without it is no checkpoint.
        let text = serde_json::to_vec_pretty(course).expect("a course is finite numbers");
        store::write_file(&folder.join(COURSE), &text)?;
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
            .filter(|entry| entry.path().join(COURSE).exists())
            .filter_map(|entry| entry.file_name().to_str()?.strip_prefix("checkpoint-")?.parse().ok())
            .collect();
        steps.sort_unstable();
        Ok(steps)
    }

    /// Puts a step's adapter into the model.
    pub(super) fn load_adapter(&self, model: &mut Llama, step: usize) -> Result<()> {
        adapter::load(model, &self.path(step))
    }

    /// Restores the newest checkpoint: adapter, moments and course. None where there is none.
    pub(crate) fn resume(&self, model: &mut Llama, optimizer: &mut AdamW) -> Result<Option<Course>> {
        let Some(step) = self.steps()?.pop() else { return Ok(None) };
        let folder = self.path(step);
        self.load_adapter(model, step)?;
        let path = folder.join(OPTIMIZER);
        let mut state = candle_core::safetensors::load(&path, &candle_core::Device::Cpu)
            .map_err(|error| Error::Adapter { path: path.clone(), message: error.to_string() })?;
        optimizer.restore(model, |name| state.remove(name))?;
        let path = folder.join(COURSE);
        let text = std::fs::read(&path).map_err(|source| Error::file(&path, source))?;
        let course: Course = serde_json::from_slice(&text)
            .map_err(|error| Error::Record { path: path.clone(), message: error.to_string() })?;
        Ok(Some(course))
    }
}

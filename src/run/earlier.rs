//! What an earlier run left in the output folder: whether it is the run that is asked for, and its record, kept when
//! another run takes its place.

use super::Notebook;
use crate::error::{Error, Result};
use crate::model::files::source;
use crate::record::store;
use crate::record::{RunRecord, Status};
use crate::sha256;
use std::path::PathBuf;

/// What lies in the output folder.
#[derive(Debug)]
pub enum Earlier {
    /// No record.
    Nothing,
    /// A finished run of the same recipe, base model and rows, and of the same seeds where several are asked for.
    Same(Box<RunRecord>),
    /// Another run, and in what it is another.
    Other(String),
}

impl Notebook {
    /// What an earlier run left. The rows and the base model are read to be compared; the program's own version is
    /// not: a run of older code counts as done.
    ///
    /// # Errors
    /// As [`Notebook::rows`] and [`source::open`].
    pub fn earlier(&self) -> Result<Earlier> {
        let path = self.record_path();
        if !path.exists() {
            return Ok(Earlier::Nothing);
        }
        let record = match store::read(&path) {
            Ok(record) => record,
            Err(error) => return Ok(Earlier::Other(error.to_string())),
        };
        let other = match record.status {
            Status::Completed => {
                let base = source::open(&self.model()?)?;
                self.difference(&record, &base.sha256, self.rows()?.sha256())
            }
            Status::Failed => Some("it failed".into()),
            Status::Running => Some("it did not come to its end".into()),
        };
        let seeds: Vec<u64> =
            record.replicates.iter().flat_map(|several| several.runs.iter().map(|run| run.seed)).collect();
        let other = other.or_else(|| {
            let is_whole = self.flags.seeds.is_empty() || seeds == self.flags.seeds;
            (!is_whole).then(|| format!("its seeds are {seeds:?}"))
        });
        Ok(match (other, &self.flags.init_adapter) {
            (Some(other), _) => Earlier::Other(other),
            // The record does not say which adapter a run began with.
            (None, Some(_)) => Earlier::Other("it may have begun with another adapter".into()),
            (None, None) => Earlier::Same(Box::new(record)),
        })
    }

    /// The first thing in which `record` is of another run than this one, in words.
    fn difference(&self, record: &RunRecord, model_sha256: &str, rows_sha256: &str) -> Option<String> {
        if record.level != self.level {
            return Some(format!("it is of {}", record.level));
        }
        if record.smoke != self.flags.smoke {
            return Some(if record.smoke { "it is a smoke run" } else { "it is no smoke run" }.into());
        }
        let settings = record.recipe.settings().into_iter().zip(self.recipe.settings());
        for ((path, there), (_, here)) in settings {
            if there != here {
                return Some(format!("its {path} is {there}, here {here}"));
            }
        }
        if record.model.sha256 != model_sha256 {
            return Some(format!("its base model is {}, with other weights", record.model.source));
        }
        (record.dataset.sha256 != rows_sha256).then(|| format!("its rows are {}", record.dataset.source))
    }

    /// With `--resume`, refuses to go on with another run's checkpoints.
    pub(super) fn check_resumed(&self, model_sha256: &str, rows_sha256: &str) -> Result<()> {
        let path = self.record_path();
        if !self.flags.resume || !path.exists() {
            return Ok(());
        }
        let mut record = store::read(&path)?;
        // How many texts are generated in the end changes nothing before it.
        record.recipe.samples.clone_from(&self.recipe.samples);
        match self.difference(&record, model_sha256, rows_sha256) {
            None => Ok(()),
            Some(other) => {
                let message =
                    format!("cannot be resumed: {other}; give the same flags, or leave out --resume");
                Err(Error::Record { path, message })
            }
        }
    }

    /// Keeps the record of a finished run that this one replaces as `earlier/<start>.json`: all documents can be
    /// rendered from it again, and the two runs compared. A run that was cut short to try the program out is not kept;
    /// a record that cannot be read, a newer program's perhaps, is kept under its hash.
    pub(super) fn keep_earlier(&self) -> Result<()> {
        let path = self.record_path();
        let Ok(bytes) = std::fs::read(&path) else { return Ok(()) };
        let name = match store::read(&path) {
            Ok(_) if self.flags.resume => return Ok(()),
            Ok(record) if record.smoke || record.status != Status::Completed => return Ok(()),
            Ok(record) => record.environment.started_at.replace(':', "-"),
            Err(_) => format!("unread-{}", &sha256::of(&bytes)[..12]),
        };
        let kept = self.out.join("earlier").join(format!("{name}.json"));
        store::write_file(&kept, &bytes)?;
        self.progress.say(&format!("the record of the earlier run is kept as {}", kept.display()));
        Ok(())
    }

    pub(super) fn record_path(&self) -> PathBuf {
        self.out.join("record.json")
    }
}

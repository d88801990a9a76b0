//! What an earlier run left in the output folder: whether it is the run that is asked for, and its record, kept when
//! another run takes its place.

use super::notebook::{Notebook, Study};
use crate::error::{Error, Result};
use crate::model::network::adapter;
use crate::record::identity::{Asked, Fact};
use crate::record::{RunRecord, Status, store};
use crate::sha256;
use crate::train::checkpoint::Checkpoints;

/// What lies in the output folder.
#[derive(Debug)]
pub(super) enum Earlier {
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
    /// As [`Notebook::rows`] and [`Notebook::base`]; `Error::File` where the adapter to begin with cannot be read.
    pub(super) fn earlier(&self) -> Result<Earlier> {
        if !self.folder.record().exists() {
            return Ok(Earlier::Nothing);
        }
        let record = match self.folder.read() {
            Ok(record) => record,
            Err(error) => return Ok(Earlier::Other(error.to_string())),
        };
        let other = match record.status {
            Status::Completed => {
                let (base, rows) = (self.base()?, self.rows()?);
                let differences = Asked::of(&record).differences(&self.asked(&base.sha256, rows.sha256()));
                differences.first().map(|fact| told(fact, &record))
            }
            Status::Failed => Some("it failed".into()),
            Status::Interrupted => Some("it was interrupted".into()),
            Status::Running => Some("it did not come to its end".into()),
        };
        let seeds: Vec<u64> =
            record.replicates.iter().flat_map(|several| several.runs.iter().map(|run| run.seed)).collect();
        let other = other.or_else(|| {
            let is_whole = self.flags.seeds.is_empty() || seeds == self.flags.seeds;
            (!is_whole).then(|| format!("its seeds are {seeds:?}"))
        });
        let other = match other {
            None if self.beginning()?
                != record.training.init_adapter.as_ref().map(|found| found.sha256.clone()) =>
            {
                Some("it began with another adapter".into())
            }
            other => other,
        };
        Ok(match other {
            Some(other) => Earlier::Other(other),
            None => Earlier::Same(Box::new(record)),
        })
    }

    /// SHA-256 of the adapter that this run begins with.
    fn beginning(&self) -> Result<Option<String>> {
        let Some(folder) = &self.flags.init_adapter else { return Ok(None) };
        let path = folder.join(adapter::TENSORS);
        let bytes = std::fs::read(&path).map_err(|error| Error::file(&path, error))?;
        Ok(Some(sha256::of(&bytes)))
    }

    fn asked<'a>(&'a self, model_sha256: &'a str, rows_sha256: &'a str) -> Asked<'a> {
        Asked { level: self.level, smoke: self.flags.smoke, recipe: &self.recipe, model_sha256, rows_sha256 }
    }
}

impl Study {
    /// With `--resume`, refuses to begin: where there is no checkpoint of this very run. What changes nothing before the
    /// training's end, such as the number of texts that are generated after it, may differ.
    ///
    /// # Errors
    /// `Error::Record` with the first thing in which the run that lies there is another.
    pub(super) fn check_resumed(&self) -> Result<()> {
        if !self.notebook.flags.resume || self.checkpoints()?.is_begun()? {
            return Ok(());
        }
        let path = self.notebook.folder.record();
        let asked = self.notebook.asked(&self.base.sha256, &self.rows.dataset.sha256);
        let other = store::read(&path).ok().and_then(|record| {
            let fact = Asked::of(&record).differences(&asked).into_iter().find(Fact::decides_training)?;
            Some(format!(
                "cannot be resumed: {}; give the same flags, or leave out --resume",
                told(&fact, &record)
            ))
        });
        let none = || "expected a checkpoint of this run, got none; leave out --resume to begin".into();
        Err(Error::Record { path, message: other.unwrap_or_else(none) })
    }

    /// Where this run's checkpoints are and will be.
    ///
    /// # Errors
    /// As [`Study::training_sha256`].
    pub(super) fn checkpoints(&self) -> Result<Checkpoints> {
        let Notebook { folder, recipe, .. } = &self.notebook;
        let run = self.training_sha256()?;
        let limit = recipe.train.save_total_limit;
        Ok(Checkpoints::new(&folder.checkpoints(), limit, &self.base.source, &run))
    }

    /// A hash of all that decides this run's training, the adapter that it begins with included.
    ///
    /// # Errors
    /// `Error::File` where that adapter cannot be read.
    fn training_sha256(&self) -> Result<String> {
        let asked = self.notebook.asked(&self.base.sha256, &self.rows.dataset.sha256).training_sha256();
        let Some(folder) = &self.notebook.flags.init_adapter else { return Ok(asked) };
        let path = folder.join(adapter::TENSORS);
        let bytes = std::fs::read(&path).map_err(|error| Error::file(&path, error))?;
        Ok(sha256::of_parts([asked.as_bytes(), &bytes]))
    }

    /// Makes room for this run. With `--fresh` all that an earlier one left goes to `earlier/`. Else, where the folder
    /// holds another finished run, its record is kept there: all documents can be rendered from it again, and the two
    /// runs compared. A run that was cut short to try the program out is not kept; a record that cannot be read, a newer
    /// program's perhaps, is kept under its hash.
    ///
    /// # Errors
    /// `Error::File` where something cannot be moved or written.
    pub(super) fn keep_earlier(&self) -> Result<()> {
        let Notebook { folder, flags, progress, .. } = &self.notebook;
        let bytes = std::fs::read(folder.record()).ok();
        let record = bytes.as_ref().map(|_| folder.read());
        let name = match (&record, &bytes) {
            (Some(Ok(record)), _) => record.environment.started_at.replace(':', "-"),
            (Some(Err(_)), Some(bytes)) => format!("unread-{}", &sha256::of(bytes)[..12]),
            _ => "without-record".into(),
        };
        if flags.fresh {
            if let Some(kept) = folder.set_aside(&name)? {
                progress.say(&format!("the earlier run is kept in {}", kept.display()));
            }
            return Ok(());
        }
        let asked = self.notebook.asked(&self.base.sha256, &self.rows.dataset.sha256);
        let is_kept = match &record {
            None => false,
            Some(Err(_)) => true,
            Some(Ok(record)) => {
                let is_other = !Asked::of(record).differences(&asked).is_empty();
                is_other && record.status == Status::Completed && !record.smoke
            }
        };
        if let (true, Some(bytes)) = (is_kept, bytes) {
            let kept = folder.earlier(&name);
            store::write_file(&kept, &bytes)?;
            progress.say(&format!("the record of the earlier run is kept as {}", kept.display()));
        }
        Ok(())
    }
}

/// In what `record` is of another run, in words; `fact` has its value first and then the one that is asked for.
fn told(fact: &Fact, record: &RunRecord) -> String {
    match fact.path.as_str() {
        "level" => format!("it is of {}", record.level),
        "smoke" if record.smoke => "it is a smoke run".into(),
        "smoke" => "it is no smoke run".into(),
        "model.sha256" => format!("its base model is {}, with other weights", record.model.source),
        "dataset.sha256" => format!("its rows are {}", record.dataset.source),
        path => {
            let json = |value: &Option<serde_json::Value>| {
                value.as_ref().map(ToString::to_string).unwrap_or_default()
            };
            let path = fact.setting().unwrap_or(path);
            format!("its {path} is {}, here {}", json(&fact.old), json(&fact.new))
        }
    }
}

//! What an earlier run left in the output folder: what of it is of the run that is asked for, and its record, kept when
//! another run takes its place.

use super::cells;
use super::notebook::{Notebook, Study};
use crate::error::{Error, Result};
use crate::recipe::Cell;
use crate::record::identity::{Asked, Fact};
use crate::record::{RunRecord, Status, environment, store};
use crate::sha256;
use crate::train::checkpoint::Checkpoints;

impl Study {
    /// With `--resume`, refuses to begin: where there is no checkpoint of this very run. What changes nothing before the
    /// training's end, such as the number of texts that are generated after it, may differ.
    ///
    /// # Errors
    /// `Error::Record` with the first thing in which the run that lies there is another.
    pub(super) fn check_resumed(&self) -> Result<()> {
        if !self.notebook.flags.resume || self.is_trained() || self.checkpoints("").is_begun()? {
            return Ok(());
        }
        let path = self.notebook.folder.record();
        let other = store::read(&path).ok().and_then(|record| {
            let differences = Asked::of(&record).differences(&self.asked());
            let fact = differences.into_iter().find(|fact| fact.reaches(Cell::Training))?;
            Some(format!(
                "cannot be resumed: {}; give the same flags, or leave out --resume",
                told(&fact, &record)
            ))
        });
        let none = || "expected a checkpoint of this run, got none; leave out --resume to begin".into();
        Err(Error::Record { path, message: other.unwrap_or_else(none) })
    }

    /// All that is decided before the run.
    pub(super) fn asked(&self) -> Asked<'_> {
        let Notebook { level, flags, recipe, .. } = &self.notebook;
        let (model_sha256, rows_sha256) = (&self.identity.weights, self.rows.sha256());
        Asked { level: *level, smoke: flags.smoke, recipe, model_sha256, rows_sha256 }
    }

    /// A hash of all that the result of `cell` follows from, as far as it is known before the run; `more` is what only the
    /// run knows.
    pub(super) fn follows_from(&self, cell: Cell, more: &str) -> String {
        let begins_with = match &self.begins_with {
            Some(adapter) if cell == Cell::Training => &*adapter.sha256,
            _ => "",
        };
        let dtype = self.notebook.dtype().as_str();
        // The same numbers on the first card and on the second, others on a processor.
        let device = environment::device_name(&self.notebook.device);
        let device = device.split(':').next().unwrap_or_default();
        self.asked().cell_sha256(cell, &[&self.identity.whole, dtype, device, begins_with, more])
    }

    /// Whether an earlier call has come to the end of this very training.
    pub(super) fn is_trained(&self) -> bool {
        let of = self.follows_from(Cell::Training, "");
        !self.notebook.flags.fresh && cells::is_kept(&self.notebook.folder, Cell::Training, &of)
    }

    /// Where the checkpoints of this run, trained by the loop called `loop_name`, are and will be.
    pub(super) fn checkpoints(&self, loop_name: &str) -> Checkpoints {
        let Notebook { folder, recipe, flags, .. } = &self.notebook;
        let run = self.follows_from(Cell::Training, "") + loop_name;
        Checkpoints::new(&folder.checkpoints(), recipe.train.save_total_limit, &flags.model, &run)
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
        let is_kept = match &record {
            None => false,
            Some(Err(_)) => true,
            Some(Ok(record)) => {
                let differences = Asked::of(record).differences(&self.asked());
                if let Some(first) = differences.first() {
                    let told = told(first, record);
                    progress.say(&format!(
                        "the folder holds another run ({told}); what both share is used again"
                    ));
                }
                !differences.is_empty() && record.status == Status::Completed && !record.smoke
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

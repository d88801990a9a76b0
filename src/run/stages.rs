//! The cells of a run: each stage does what can be done in it, and is used up by the cell that leads to the next.

use super::lock::Lock;
use super::notebook::{MemoryPlan, Study};
use super::recording::{Held, Run};
use super::{answering, exporting, measuring, preview, tuning};
use crate::data::{self, alpaca};
use crate::device;
use crate::error::Result;
use crate::level::Level;
use crate::recipe::{Cell, ModelDtype};
use crate::record::folder::{Part, RunFolder, Written};
use crate::record::*;
use crate::report::weave::MaskedRow;
use crate::train::memory;
use crate::train::training::Loop;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The record is open, and the rows and the base model are known.
pub struct Loaded(pub(super) Run);

/// The base model was measured on the held-out rows.
pub struct Measured(Run);

/// The update is trained; the best adapter is in the model.
pub struct Tuned(Run);

/// Base and fine-tuned model were measured on the same rows: the record can be closed.
pub struct Evaluated(Run);

impl Study {
    /// Takes the folder, opens the record, loads the base weights where a cell that computes needs them, and writes the
    /// parts of the rows.
    ///
    /// # Errors
    /// `Error::Locked` where another process runs into the folder; `Error::Device` where the run would not fit the free
    /// memory; `Error::Record` where `--resume` has nothing to go on from; `Error::Data` or `Error::Model` where rows or
    /// weights cannot be used; `Error::File` where something cannot be written.
    #[track_caller]
    pub fn load(self) -> Result<Loaded> {
        let notebook = &self.notebook;
        self.check_resumed()?;
        if !self.is_trained() {
            let MemoryPlan { estimate, activations, free } = self.opened()?.memory;
            memory::check_fits(estimate, activations, free, &notebook.flags.device)?;
            notebook.progress.say(&format!("memory: {estimate}"));
            if let (ModelDtype::Auto, Some(instructions)) =
                (notebook.recipe.model.dtype, device::fast_bf16(&notebook.device))
            {
                notebook
                    .progress
                    .say(&format!("bf16, multiplied by {instructions}; f32 by --set model.dtype=f32"));
            }
        }
        // From here on something is written; what is wrong with the request was said before.
        let lock = Lock::take(&notebook.folder)?;
        self.keep_earlier()?;
        let (record, held) = self.begin()?;
        let mut run = Run::new(self, held, record, lock);
        run.attempt(begin)?;
        Ok(Loaded(run))
    }
}

impl Loaded {
    /// Measures the base model on the held-out rows, under both masks.
    ///
    /// # Errors
    /// `Error::Diverged` where its loss is no finite number; `Error::File` where the record cannot be written.
    #[track_caller]
    pub fn evaluate_baseline(mut self) -> Result<Measured> {
        self.0.attempt(measuring::evaluate_baseline)?;
        Ok(Measured(self.0))
    }
}

impl Measured {
    /// Attaches the update, whose B is zero, so that the first step meets exactly the model that was measured, and
    /// trains it by `training`: [`crate::train::training::LOOP`], or a loop of your own.
    ///
    /// # Errors
    /// As [`Loop`]; `Error::Adapter` where `--init-adapter` does not fit; `Error::File` where something cannot be
    /// written.
    #[track_caller]
    pub fn train(mut self, training: Loop) -> Result<Tuned> {
        self.0.attempt(|run| tuning::train(run, training))?;
        Ok(Tuned(self.0))
    }
}

impl Tuned {
    /// Measures the model with its update on the same rows and masks, and what the difference is worth.
    ///
    /// # Errors
    /// As [`Loaded::evaluate_baseline`].
    #[track_caller]
    pub fn evaluate(mut self) -> Result<Evaluated> {
        self.0.attempt(measuring::evaluate_fine_tuned)?;
        Ok(Evaluated(self.0))
    }
}

impl Evaluated {
    /// Lets base and fine-tuned model answer the held-out prompts, and measures the texts.
    ///
    /// # Errors
    /// `Error::Model` where a text cannot be encoded or decoded; `Error::File` where the record cannot be written.
    #[track_caller]
    pub fn sample(&mut self) -> Result<()> {
        self.0.attempt(answering::answer)
    }

    /// Writes the merged model and what else is for other programs, closes the record and renders the documents from it.
    ///
    /// # Errors
    /// `Error::File` where something cannot be written; `Error::Report` where a document cannot be rendered.
    #[track_caller]
    pub fn finish(mut self) -> Result<()> {
        self.0.attempt(finish)
    }
}

/// What the rows leave to the record, and to the page.
#[derive(Serialize, Deserialize)]
struct Rows {
    #[serde(flatten)]
    dataset: Dataset,
    /// The first of those trained on.
    #[serde(default)]
    first: Vec<MaskedRow>,
}

/// Rows that the page shows.
const FIRST_ROWS: usize = 3;

/// The rows, part by part, and what is known of the base model.
fn begin(run: &mut Run) -> Result<()> {
    run.study.identity.remember(&run.folder().base_memo())?;
    let level = run.record.level;
    let of = run.study.follows_from(Cell::Rows, "");
    let Rows { dataset, first } = run.cell(Cell::Rows, &of, |run| {
        let opened = run.study.opened()?;
        let dataset = run.study.dataset()?;
        let written = write_split(run.folder(), level, &dataset, &opened.rows.split)?;
        let first = opened.rows.train.iter().take(FIRST_ROWS);
        let first = first.map(|row| preview::masked(row, &opened.encoder)).collect::<Result<_>>()?;
        Ok((Rows { dataset, first }, written))
    })?;
    (run.record.dataset, run.page.rows) = (dataset, first);
    let parts = parts(&run.record.dataset);
    parts.into_iter().try_for_each(|part| run.list(Written::Split(level, part)))?;
    let of = run.study.follows_from(Cell::BaseModel, "");
    run.record.model = run.cell(Cell::BaseModel, &of, |run| Ok((run.record.model.clone(), Vec::new())))?;
    run.save()
}

/// The parts of the rows, in the order of the run.
fn parts(dataset: &Dataset) -> Vec<Part> {
    match Part::reported(dataset) {
        Part::Test => vec![Part::Train, Part::Validation, Part::Test],
        reported => vec![Part::Train, reported],
    }
}

/// Writes a file a part, and removes that of a part which another split had: it would hold rows of these.
fn write_split(
    folder: &RunFolder,
    level: Level,
    dataset: &Dataset,
    split: &data::split::Split,
) -> Result<Vec<PathBuf>> {
    let parts = parts(dataset);
    for part in Part::ALL.into_iter().filter(|part| !parts.contains(part)) {
        store::remove(&folder.split(level, part))?;
    }
    let write = |part: &Part| {
        let rows = match part {
            Part::Train => &split.train,
            Part::Validation => &split.validation,
            Part::Evaluation | Part::Test => &split.evaluation,
        };
        let path = folder.split(level, *part);
        store::write_file(&path, alpaca::to_json(rows).as_bytes())?;
        Ok(path)
    };
    parts.iter().map(write).collect()
}

fn finish(run: &mut Run) -> Result<()> {
    // A merged model is written from the base's mapped file, and no document needs a model.
    device::heap::give_back_freed();
    exporting::export(run)?;
    run.held = Held::default();
    run.complete()?;
    run.render()
}

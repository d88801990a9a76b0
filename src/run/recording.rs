//! The record beside a run: opened before the first cell, written after every cell that was computed, closed also when the
//! run fails.

use super::cells::{self, Found, Kept};
use super::lock::Lock;
use super::notebook::Study;
use super::progress::tell;
use super::rendering;
use super::weaving::{SOON, Weaving};
use crate::device;
use crate::error::{Error, Result};
use crate::model::network::adapter;
use crate::model::network::llama::Llama;
use crate::recipe::{Cell, LoraRecipe};
use crate::record::folder::{RunFolder, Written};
use crate::record::identity::Asked;
use crate::record::*;
use crate::report::weave::{Moment, Shown, Went};
use crate::train::course::Course;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A run and its record. What the stages share; none of them can be had without it.
pub(super) struct Run {
    pub(super) study: Study,
    pub(super) held: Held,
    pub(super) record: RunRecord,
    /// SHA-256 of the trained adapter; empty before it is there.
    pub(super) adapter: String,
    /// The page that shows what the cells gave.
    pub(super) page: Weaving,
    /// Where the experiment called the cell that is at work.
    place: &'static Location<'static>,
    /// Whether a cell was computed: else all is as an earlier call left it.
    computed: bool,
    /// The folder is this run's as long as it lives.
    pub(super) lock: Lock,
}

/// The model, as far as a cell has needed it.
#[derive(Default)]
pub(super) struct Held {
    model: Option<Llama>,
    /// The trained update is in it.
    is_tuned: bool,
}

impl Held {
    /// A model that is loaded already.
    pub(super) fn loaded(model: Llama) -> Self {
        Held { model: Some(model), is_tuned: false }
    }

    /// The model, with or without its update.
    ///
    /// # Errors
    /// As [`Study::model`].
    pub(super) fn base(&mut self, study: &Study) -> Result<&mut Llama> {
        let model = match self.model.take() {
            Some(model) => model,
            None => study.model()?,
        };
        Ok(self.model.insert(model))
    }

    /// The model with its trained update, from `adapter` where an earlier call trained it.
    ///
    /// # Errors
    /// As [`Held::base`]; `Error::Adapter` where the adapter does not fit.
    pub(super) fn tuned(&mut self, study: &Study, lora: &LoraRecipe, adapter: &Path) -> Result<&mut Llama> {
        if !self.is_tuned {
            let model = self.base(study)?;
            adapter::attach(model, lora, study.notebook.recipe.train.seed)?;
            adapter::load(model, adapter)?;
            self.is_tuned = true;
        }
        self.base(study)
    }

    /// Says that the update in the model is the trained one.
    pub(super) fn is_now_tuned(&mut self) {
        self.is_tuned = true;
    }
}

impl Run {
    /// A run with its record as it is before the first measurement; nothing is written yet.
    pub(super) fn new(study: Study, held: Held, record: RunRecord, lock: Lock) -> Self {
        let (page, place) = (Weaving::default(), study.place);
        Run { study, held, record, adapter: String::new(), page, place, computed: false, lock }
    }

    /// The result of `cell`: that of an earlier call where all that it follows from is as it was, else computed, and kept with
    /// the files that it wrote. `of` is a hash of all that it follows from.
    ///
    /// # Errors
    /// As `compute`; `Error::File` where the result cannot be kept.
    pub(super) fn cell<T: Serialize + DeserializeOwned>(
        &mut self,
        cell: Cell,
        of: &str,
        compute: impl FnOnce(&mut Run) -> Result<(T, Vec<PathBuf>)>,
    ) -> Result<T> {
        let progress = &self.study.notebook.progress;
        // The rows were known where the experiment asked for them, and are written where the record is opened.
        let place = if cell == Cell::Rows { self.study.place } else { self.place };
        let shown = |went, lines| Shown { cell, place: (place.file(), place.line()), went, lines };
        match cells::find::<T>(self.folder(), cell, of) {
            Found::Kept(kept) => {
                progress.say(&format!("{}: as computed {}", cell.name(), kept.made_at));
                progress.taken();
                self.page.cell(shown(Went::Kept(kept.moment()), kept.lines));
                return Ok(kept.result);
            }
            Found::Unusable(fault) => {
                progress.say(&format!("{}: computed again, since {fault}", cell.name()))
            }
            Found::Nothing => {}
        }
        self.study.identity.check_unchanged()?;
        self.computed = true;
        self.page.cell(shown(Went::Begun, Vec::new()));
        self.page.look(&self.study.notebook, &self.record, SOON)?;
        let began = Instant::now();
        let (result, files) = compute(self)?;
        let moment = Moment { at: environment::now(), seconds: began.elapsed().as_secs_f64() };
        let lines = self.study.notebook.progress.taken();
        self.page.computed(moment.clone(), lines.clone());
        let mut kept = Kept::new(moment, result, lines);
        cells::keep(self.folder(), cell, of, &mut kept, &files)?;
        Ok(kept.result)
    }

    /// Does one cell. Where it fails, the record says so before the error goes on.
    #[track_caller]
    pub(super) fn attempt<T>(&mut self, cell: impl FnOnce(&mut Run) -> Result<T>) -> Result<T> {
        self.place = Location::caller();
        let outcome = cell(self);
        let step = self.record.training.steps.len();
        match &outcome {
            Ok(_) => {}
            Err(error @ Error::Diverged { step, .. }) => self.end(Status::Failed, *step, error.to_string()),
            Err(error @ Error::Interrupted { .. }) => {
                self.end(Status::Interrupted, step, error.to_string());
                let notebook = &self.study.notebook;
                notebook.progress.say("what was computed is kept: the same command goes on with it");
            }
            Err(error) => self.end(Status::Failed, step, error.to_string()),
        }
        outcome.map_err(|error| Error::Begun(Box::new(error)))
    }

    fn end(&mut self, status: Status, step: usize, message: String) {
        // A call that has computed nothing takes nothing from the record of the one that has.
        self.computed |= self.finished_earlier().is_none();
        self.record.status = status;
        self.record.failure = Some(Failure { step, message: message.clone() });
        self.record.environment.finished_at = Some(environment::now());
        let written = self.save().and_then(|()| self.render());
        // What could not be written because of the very error is told by that error.
        if let Some(second) = written.err().map(|error| error.to_string()).filter(|text| *text != message) {
            tell(&format!("error: the record could not be written: {second}"));
        }
    }

    /// Writes the record as it stands, where this call has computed something of it.
    pub(super) fn save(&mut self) -> Result<()> {
        if !self.computed {
            return Ok(());
        }
        self.lock.check()?;
        self.record.training.peak_memory_bytes =
            device::peak_memory(&self.study.notebook.device).max(self.record.training.peak_memory_bytes);
        store::write(&self.folder().record(), &self.record)
    }

    /// The record of a call that has finished this very run.
    fn finished_earlier(&self) -> Option<RunRecord> {
        let is_whole = |record: &RunRecord| {
            record.status == Status::Completed
                && Asked::of(record).differences(&self.study.asked()).is_empty()
        };
        self.folder().read().ok().filter(is_whole)
    }

    /// Closes the record. Where this call has computed nothing, the record of the call that has stays as it is.
    pub(super) fn complete(&mut self) -> Result<()> {
        let earlier = self.finished_earlier();
        match earlier {
            Some(earlier) if !self.computed => self.record = earlier,
            _ => {
                self.computed = true;
                self.record.status = Status::Completed;
                self.record.environment.finished_at = Some(environment::now());
            }
        }
        self.save()
    }

    /// The documents of the record as it stands, and the page of the experiment.
    pub(super) fn render(&self) -> Result<()> {
        let notebook = &self.study.notebook;
        let report =
            rendering::render(&self.record, &notebook.profile, &notebook.folder, &notebook.progress)?;
        self.page.write(notebook, &self.record, &report.charts)
    }

    pub(super) fn folder(&self) -> &RunFolder {
        &self.study.notebook.folder
    }

    /// Lists in the record what was written.
    pub(super) fn list(&mut self, written: Written) -> Result<()> {
        self.record.outputs.push(self.folder().output(written)?);
        Ok(())
    }

    /// Takes what the training measured.
    pub(super) fn take(&mut self, course: Course) {
        take(&mut self.record.training, course);
    }
}

/// Puts what was measured in `course` into `training`.
pub(super) fn take(training: &mut Training, course: Course) {
    let (tokens, seconds) = course
        .steps
        .iter()
        .fold((0usize, 0f64), |(tokens, seconds), step| (tokens + step.tokens, seconds + step.seconds));
    training.seconds = course.seconds;
    training.tokens_per_second = if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 };
    training.steps = course.steps;
    training.evals = course.evals;
    training.best = course.best;
    training.early_stop = course.early_stop;
}

impl Drop for Run {
    /// An experiment that returned between two cells, or panicked, leaves no record that says it still runs.
    fn drop(&mut self) {
        if self.record.status == Status::Running {
            let step = self.record.training.steps.len();
            self.end(Status::Failed, step, "the experiment ended before its last cell".into());
        }
    }
}

//! The record beside a run: opened with the model, written after every cell, closed also when the run fails.

use super::lock::Lock;
use super::notebook::Study;
use super::rendering;
use crate::data::alpaca;
use crate::device;
use crate::error::{Error, Result};
use crate::model::files::source::BaseModel;
use crate::model::network::llama::{Activations, Llama};
use crate::recipe::Recipe;
use crate::record::folder::{Part, RunFolder, Written};
use crate::record::*;
use crate::train::course::Course;
use crate::train::memory;
use crate::train::schedule::Plan;
use std::path::Path;

/// A run whose model is loaded, and its record. What the stages share; none of them can be had without it.
pub(super) struct Run {
    pub(super) study: Study,
    pub(super) model: Llama,
    pub(super) record: RunRecord,
    /// The folder is this run's as long as it lives.
    _lock: Lock,
}

impl Run {
    /// Opens the record; it is written with the first cell.
    pub(super) fn new(study: Study, model: Llama, lock: Lock) -> Self {
        let record = opened(&study, &model);
        Run { study, model, record, _lock: lock }
    }

    /// Does one cell. Where it fails, the record says so before the error goes on.
    pub(super) fn attempt<T>(&mut self, cell: impl FnOnce(&mut Run) -> Result<T>) -> Result<T> {
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
        self.record.status = status;
        self.record.failure = Some(Failure { step, message });
        self.record.environment.finished_at = Some(environment::now());
        if let Err(second) = self.save().and_then(|()| self.render()) {
            eprintln!("error: the record could not be written: {second}");
        }
    }

    /// Writes the record as it stands.
    pub(super) fn save(&mut self) -> Result<()> {
        self.record.training.peak_memory_bytes = device::peak_memory(&self.study.notebook.device);
        store::write(&self.folder().record(), &self.record)
    }

    /// The documents of the record as it stands.
    pub(super) fn render(&self) -> Result<()> {
        let notebook = &self.study.notebook;
        rendering::render(&self.record, &notebook.profile, &notebook.folder, &notebook.progress)
    }

    pub(super) fn folder(&self) -> &RunFolder {
        &self.study.notebook.folder
    }

    /// Lists in the record what was written.
    pub(super) fn list(&mut self, written: Written) -> Result<()> {
        self.record.outputs.push(self.folder().output(written)?);
        Ok(())
    }

    /// The first cell: the rows, part by part, and the record.
    pub(super) fn write_split(&mut self) -> Result<()> {
        let level = self.record.level;
        for part in [Part::Train, Part::Evaluation] {
            let split = &self.study.rows.split;
            let rows = match part {
                Part::Train => &split.train,
                Part::Evaluation => &split.evaluation,
            };
            store::write_file(&self.folder().split(level, part), alpaca::to_json(rows).as_bytes())?;
            self.list(Written::Split(level, part))?;
        }
        self.save()
    }

    /// Takes what the training measured.
    pub(super) fn take(&mut self, course: Course) {
        let training = &mut self.record.training;
        let (tokens, seconds) = course
            .steps
            .iter()
            .fold((0usize, 0f64), |(tokens, seconds), step| (tokens + step.tokens, seconds + step.seconds));
        training.seconds = course.seconds;
        training.tokens_per_second = if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 };
        training.steps = course.steps;
        training.evals = course.evals;
        training.best = course.best;
    }
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

/// The record before the first measurement.
fn opened(study: &Study, model: &Llama) -> RunRecord {
    let Study { notebook, base, rows, memory, .. } = study;
    let plan = Plan::new(rows.train.len(), &notebook.recipe.train);
    let card = device::card(&notebook.device);
    RunRecord {
        schema: SCHEMA,
        level: notebook.level,
        status: Status::Running,
        smoke: notebook.flags.smoke,
        failure: None,
        dataset: rows.dataset.clone(),
        model: model_facts(base, model, &notebook.recipe),
        recipe: notebook.recipe.clone(),
        method: Method::CURRENT,
        training: Training {
            total_steps: plan.total_steps,
            steps_per_epoch: plan.steps_per_epoch,
            optimizer: Optimizer::ADAMW,
            gradient_checkpointing: memory.activations == Activations::Recompute,
            seconds: 0.0,
            tokens_per_second: 0.0,
            peak_memory_bytes: environment::peak_memory(),
            steps: Vec::new(),
            evals: Vec::new(),
            best: None,
        },
        evaluation: Evaluation::default(),
        samples: Vec::new(),
        replicates: None,
        outputs: Vec::new(),
        environment: environment::capture(
            &notebook.device,
            card.name,
            card.facts,
            Path::new(env!("CARGO_MANIFEST_DIR")),
        ),
    }
}

fn model_facts(base: &BaseModel, model: &Llama, recipe: &Recipe) -> ModelFacts {
    let config = &base.config;
    let quantized_parameters: u64 = model.groups().map(|group| group.frozen.quantized_parameters()).sum();
    let projection_bytes: u64 = model.groups().map(|group| group.frozen.bytes()).sum();
    ModelFacts {
        name: base.name.clone(),
        source: base.source.clone(),
        sha256: base.sha256.clone(),
        demonstration: base.source == "demo",
        parameters: config.parameters(),
        trainable_parameters: memory::trainable_parameters(config, &recipe.lora),
        quantization: recipe.model.quantization,
        dtype: model.dtype.as_str().to_string(),
        quantized_parameters,
        bits_per_weight: match quantized_parameters {
            0 => 8.0 * model.dtype.size_in_bytes() as f64,
            count => 8.0 * projection_bytes as f64 / count as f64,
        },
        weight_bytes: model.weight_bytes(),
        dense_weight_bytes: config.parameters() * model.dtype.size_in_bytes() as u64,
        architecture: Architecture {
            layers: config.num_hidden_layers,
            hidden_size: config.hidden_size,
            intermediate_size: config.intermediate_size,
            attention_heads: config.num_attention_heads,
            key_value_heads: config.num_key_value_heads,
            head_dim: config.head_dim,
            vocab_size: config.vocab_size,
            tied_embeddings: config.tie_word_embeddings,
        },
    }
}

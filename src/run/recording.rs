//! The record beside the run: opened with the model, written after every stage, closed also when the run fails.

use super::Notebook;
use crate::data::Prepared;
use crate::error::{Error, Result};
use crate::model::files::source::BaseModel;
use crate::model::network::llama::{Activations, Llama};
use crate::record::*;
use crate::record::{environment, store};
use crate::train::course::Course;
use crate::train::memory;
use crate::train::schedule::Plan;
use crate::train::training::Event;
use serde_json::Value;
use std::io::Write;
use std::path::Path;

impl Notebook {
    pub(super) fn open_record(
        &mut self,
        base: &BaseModel,
        rows: &Prepared,
        model: &Llama,
        activations: Activations,
    ) {
        let plan = Plan::new(rows.train.len(), &self.recipe.train);
        let config = &base.config;
        let dense_bytes = config.parameters() * model.dtype.size_in_bytes() as u64;
        let quantized_parameters: u64 = model.groups().map(|group| group.frozen.quantized_parameters()).sum();
        let projection_bytes: u64 = model.groups().map(|group| group.frozen.bytes()).sum();
        let bits_per_weight = match quantized_parameters {
            0 => 8.0 * model.dtype.size_in_bytes() as f64,
            count => 8.0 * projection_bytes as f64 / count as f64,
        };
        self.record = Some(RunRecord {
            schema: SCHEMA,
            level: self.level,
            status: Status::Running,
            smoke: self.flags.smoke,
            failure: None,
            dataset: rows.dataset.clone(),
            model: ModelFacts {
                name: base.name.clone(),
                source: base.source.clone(),
                sha256: base.sha256.clone(),
                demonstration: base.source == "demo",
                parameters: config.parameters(),
                trainable_parameters: memory::trainable_parameters(config, &self.recipe.lora),
                quantization: self.recipe.model.quantization,
                dtype: model.dtype.as_str().to_string(),
                quantized_parameters,
                bits_per_weight,
                weight_bytes: model.weight_bytes(),
                dense_weight_bytes: dense_bytes,
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
            },
            recipe: self.recipe.clone(),
            training: Training {
                total_steps: plan.total_steps,
                steps_per_epoch: plan.steps_per_epoch,
                gradient_checkpointing: activations == Activations::Recompute,
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
            environment: environment::capture(&self.device, Path::new(env!("CARGO_MANIFEST_DIR"))),
        });
    }

    pub(super) fn record(&mut self) -> &mut RunRecord {
        self.record.as_mut().expect("`load` opens the record before any measurement")
    }

    pub(super) fn save(&mut self) -> Result<()> {
        let path = self.record_path();
        let record = self.record();
        record.training.peak_memory_bytes = environment::peak_memory();
        store::write(&path, record)
    }

    /// Opens `events.jsonl` behind step `step`: what an interrupted run wrote after its checkpoint is made again.
    pub(super) fn open_events(&mut self, step: usize) -> Result<()> {
        let path = self.out.join("events.jsonl");
        let earlier = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::file(&path, error)),
        };
        let is_kept = |line: &&str| line.ends_with('\n') && step_of(line).is_some_and(|of| of <= step);
        let kept: String = earlier.split_inclusive('\n').filter(is_kept).collect();
        store::write_file(&path, kept.as_bytes())?;
        let file = std::fs::OpenOptions::new().append(true).open(&path);
        self.events = Some(file.map_err(|source| Error::file(&path, source))?);
        Ok(())
    }

    pub(super) fn observe(&mut self, event: Event, total_steps: usize) -> Result<()> {
        let line = match event {
            Event::Step(step) => {
                self.progress.step(step, total_steps);
                serde_json::json!({ "event": "step", "step": step })
            }
            Event::Evaluating(_) => return Ok(()),
            Event::Eval(eval, is_best) => {
                self.progress.eval(eval, is_best);
                serde_json::json!({ "event": "eval", "eval": eval, "best": is_best })
            }
            Event::Checkpoint(step) => serde_json::json!({ "event": "checkpoint", "step": step }),
        };
        let path = self.out.join("events.jsonl");
        let Some(file) = &mut self.events else { return Ok(()) };
        writeln!(file, "{line}").map_err(|source| Error::file(&path, source))
    }

    pub(super) fn take_course(&mut self, course: Course) {
        let training = &mut self.record().training;
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

    pub(super) fn output(
        &mut self,
        kind: &str,
        path: &str,
        dtype: Option<String>,
        merged_into: Option<String>,
    ) -> Result<()> {
        let bytes = size_of(&self.out.join(path))?;
        let output = Output { kind: kind.into(), path: path.into(), bytes, dtype, merged_into };
        self.record().outputs.push(output);
        Ok(())
    }

    pub(super) fn record_failure(&mut self, error: &anyhow::Error) {
        let Some(record) = self.record.as_mut() else { return };
        let step = match error.downcast_ref::<Error>() {
            Some(Error::Diverged { step, .. }) => *step,
            _ => record.training.steps.len(),
        };
        record.status = Status::Failed;
        record.failure = Some(Failure { step, message: format!("{error:#}") });
        record.environment.finished_at = Some(environment::now());
        if let Err(second) = self.save().and_then(|()| self.render()) {
            eprintln!("error: the record could not be written: {second}");
        }
    }
}

/// The step that a line of `events.jsonl` is of; none for a line that was not written to its end.
fn step_of(line: &str) -> Option<usize> {
    let event: Value = serde_json::from_str(line).ok()?;
    let step = match event["event"].as_str()? {
        kind @ ("step" | "eval") => &event[kind]["step"],
        _ => &event["step"],
    };
    usize::try_from(step.as_u64()?).ok()
}

/// Bytes of a file, or of all files below a folder.
fn size_of(path: &Path) -> Result<u64> {
    let failed = |source| Error::file(path, source);
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if metadata.is_file() {
        return Ok(metadata.len());
    }
    let mut bytes = 0;
    for entry in std::fs::read_dir(path).map_err(failed)? {
        bytes += size_of(&entry.map_err(failed)?.path())?;
    }
    Ok(bytes)
}

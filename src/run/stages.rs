//! The cells of a run: each stage does what can be done in it, and is used up by the cell that leads to the next.

use super::events::Events;
use super::interrupt;
use super::lock::Lock;
use super::notebook::{MemoryPlan, Study};
use super::recording::Run;
use crate::data::batches::Targets;
use crate::device;
use crate::error::{Error, Result};
use crate::evaluate::nll::{self, RowSums};
use crate::model::generate;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::Llama;
use crate::model::network::{adapter, merge};
use crate::record::folder::Written;
use crate::record::*;
use crate::train::checkpoint::Resumed;
use crate::train::course::Course;
use crate::train::memory;
use crate::train::optimizer::AdamW;
use crate::train::training::{Event, Loop, Rows, State};
use std::rc::Rc;

/// The base model is in memory, and the record is open.
pub struct Loaded(pub(super) Run);

/// The base model was measured on the held-out rows.
pub struct Measured(Run);

/// The update is trained; the best adapter is in the model.
pub struct Tuned(Run);

/// Base and fine-tuned model were measured on the same rows: the record can be closed.
pub struct Evaluated(Run);

impl Study {
    /// Loads the base weights as the recipe stores them, opens the record, and writes the two parts of the rows.
    ///
    /// # Errors
    /// `Error::Locked` where another process runs into the folder; `Error::Device` where the run would not fit the free memory; `Error::Record` where `--resume` meets another
    /// run; `Error::Model` where the weights do not fit; `Error::File` where something cannot be written.
    pub fn load(self) -> Result<Loaded> {
        let Study { notebook, base, .. } = &self;
        let MemoryPlan { estimate, activations, free } = self.memory;
        memory::check_fits(estimate, activations, free, &notebook.flags.device)?;
        let lock = Lock::take(&notebook.folder)?;
        self.check_resumed()?;
        notebook.progress.say(&format!("memory: {estimate}"));
        let model = notebook.load(base)?;
        self.keep_earlier()?;
        let mut run = Run::new(self, model, lock);
        run.attempt(Run::write_split)?;
        Ok(Loaded(run))
    }
}

impl Loaded {
    /// Measures the base model on the held-out rows, under both masks.
    ///
    /// # Errors
    /// `Error::Diverged` where its loss is no finite number; `Error::File` where the record cannot be written.
    pub fn evaluate_baseline(mut self) -> Result<Measured> {
        self.0.attempt(evaluate_baseline)?;
        Ok(Measured(self.0))
    }
}

impl Measured {
    /// Attaches the update, whose B is zero, so that the first step meets exactly the model that was measured, and
    /// trains it by `training`: [`crate::train::training::run`], or a loop of your own.
    ///
    /// # Errors
    /// As [`Loop`]; `Error::Adapter` where `--init-adapter` does not fit; `Error::File` where something cannot be
    /// written.
    pub fn train(mut self, training: Loop) -> Result<Tuned> {
        self.0.attempt(|run| train(run, training))?;
        Ok(Tuned(self.0))
    }
}

impl Tuned {
    /// Measures the model with its update on the same rows and masks, and what the difference is worth.
    ///
    /// # Errors
    /// As [`Loaded::evaluate_baseline`].
    pub fn evaluate(mut self) -> Result<Evaluated> {
        self.0.attempt(evaluate_fine_tuned)?;
        Ok(Evaluated(self.0))
    }
}

impl Evaluated {
    /// Generates from the first held-out prompts, with and without the update.
    ///
    /// # Errors
    /// `Error::Model` where a text cannot be encoded or decoded; `Error::File` where the record cannot be written.
    pub fn sample(&mut self) -> Result<()> {
        self.0.attempt(sample)
    }

    /// Writes the adapter and the merged model, closes the record and renders the documents from it.
    ///
    /// # Errors
    /// `Error::File` where something cannot be written; `Error::Report` where a document cannot be rendered.
    pub fn finish(mut self) -> Result<()> {
        self.0.attempt(finish)
    }
}

fn evaluate_baseline(run: &mut Run) -> Result<()> {
    let sums = evaluate(run, "baseline", LoraUse::Ignored)?;
    let evaluation = &mut run.record.evaluation;
    evaluation.baseline = Some(nll::scores(&sums));
    evaluation.rows = sums
        .iter()
        .zip(&run.study.rows.evaluation)
        .map(|(sums, row)| RowScores {
            masked_tokens: sums.masked_tokens,
            full_tokens: sums.full_tokens,
            masked_bytes: row.response_bytes,
            full_bytes: row.prompt_bytes + row.response_bytes,
            baseline: sums.nll,
            fine_tuned: None,
        })
        .collect();
    run.save()
}

fn evaluate_fine_tuned(run: &mut Run) -> Result<()> {
    let sums = evaluate(run, "fine-tuned", LoraUse::Applied)?;
    let evaluation = &mut run.record.evaluation;
    evaluation.fine_tuned = Some(nll::scores(&sums));
    for (row, sums) in evaluation.rows.iter_mut().zip(&sums) {
        row.fine_tuned = Some(sums.nll);
    }
    evaluation.statistics = statistics_of(&evaluation.rows, run.record.recipe.data.split_seed);
    run.save()
}

fn evaluate(run: &mut Run, name: &str, lora: LoraUse) -> Result<Vec<RowSums>> {
    let rows = &run.study.rows.evaluation;
    let batch_size = run.record.recipe.train.eval_batch_size;
    let progress = &mut run.study.notebook.progress;
    progress.begin(&format!("evaluating {name}"), rows.len());
    let done = |done| {
        progress.at(done);
        interrupt::check()
    };
    let sums = nll::rows(&run.model, rows, batch_size, Targets::All, lora, done)?;
    progress.end();
    let scores = nll::scores(&sums);
    if !scores.full.loss.is_finite() {
        let message = format!("the loss of the {name} model is no finite number");
        return Err(Error::Diverged { step: run.record.training.steps.len(), message });
    }
    progress.say(&format!("  masked loss {:.4}  full loss {:.4}", scores.masked.loss, scores.full.loss));
    Ok(sums)
}

fn train(run: &mut Run, training: Loop) -> Result<()> {
    let recipe = run.record.recipe.clone();
    let mut state = attach(run)?;
    let mut events = Events::open(run.folder().events(), state.course.steps.len())?;
    let total_steps = run.record.training.total_steps;
    let progress = &mut run.study.notebook.progress;
    progress.begin("training", total_steps);
    let rows = Rows { train: &run.study.rows.train, evaluation: &run.study.rows.evaluation };
    let mut observe = |event: Event| {
        match event {
            Event::Step(step) => progress.step(step, total_steps),
            Event::Eval(eval, is_best) => progress.eval(eval, is_best),
            Event::MicroBatch | Event::Evaluating(_) => return interrupt::check(),
            Event::Checkpoint(_) => {}
        }
        events.write(event)
    };
    let activations = run.study.memory.activations;
    let outcome = training(&mut run.model, rows, &recipe, activations, &mut state, &mut observe);
    progress.end();
    run.take(state.course);
    run.save()?;
    outcome
}

/// Puts the update into the model: from the newest sound checkpoint of this very run, with moments and course; else from
/// `--init-adapter`, or fresh.
fn attach(run: &mut Run) -> Result<State> {
    let checkpoints = run.study.checkpoints()?;
    let (recipe, notebook) = (&run.record.recipe, &run.study.notebook);
    let train = &recipe.train;
    checkpoints.set_aside(&notebook.folder.earlier_checkpoints())?;
    let begin = |model: &mut Llama| -> Result<AdamW> {
        adapter::attach(model, &recipe.lora, train.seed)?;
        AdamW::new(model, train.weight_decay, train.max_grad_norm)
    };
    let mut optimizer = begin(&mut run.model)?;
    let Resumed { course, unusable } = checkpoints.resume(&mut run.model, &mut optimizer)?;
    for checkpoint in &unusable {
        notebook.progress.say(&format!("a checkpoint cannot be used: {checkpoint}"));
    }
    if let Some(course) = course {
        notebook.progress.say(&format!("resuming after step {}", course.steps.len()));
        return Ok(State { optimizer, checkpoints, course });
    }
    if !unusable.is_empty() {
        // One that could be read by half may have left its values.
        optimizer = begin(&mut run.model)?;
    }
    if let Some(folder) = &notebook.flags.init_adapter {
        adapter::load(&mut run.model, folder)?;
    }
    Ok(State { optimizer, checkpoints, course: Course::default() })
}

fn sample(run: &mut Run) -> Result<()> {
    run.model.hold_dense(device::card(&run.study.notebook.device).free_memory.unwrap_or(0))?;
    let encoder = &run.study.encoder;
    let samples = &run.record.recipe.samples;
    let rows = &run.study.rows.split.evaluation;
    let progress = &mut run.study.notebook.progress;
    progress.begin("generating samples", samples.count.min(rows.len()));
    for (index, row) in rows.iter().take(samples.count).enumerate() {
        let prompt = encoder.encode_prompt(row)?;
        let text = |lora| -> Result<(String, bool)> {
            let generated =
                generate::greedy(&run.model, &prompt, encoder.eos(), samples.max_new_tokens, lora)?;
            let text = encoder.tokenizer().decode(&generated.ids, true);
            let text = text.map_err(|error| Error::model("tokenizer", error.to_string()))?;
            Ok((text.trim().to_string(), generated.capped))
        };
        let (baseline, baseline_capped) = text(LoraUse::Ignored)?;
        let (fine_tuned, fine_tuned_capped) = text(LoraUse::Applied)?;
        run.record.samples.push(Sample {
            row: index,
            instruction: row.instruction.clone(),
            input: row.input.clone(),
            reference: row.output.clone(),
            baseline,
            baseline_capped,
            fine_tuned,
            fine_tuned_capped,
        });
        progress.at(index + 1);
        interrupt::check()?;
    }
    progress.end();
    run.model.release_dense();
    run.save()
}

fn finish(run: &mut Run) -> Result<()> {
    let base = Rc::clone(&run.study.base);
    adapter::write(&run.model, &run.record.recipe.lora, &base.source, &run.folder().adapter())?;
    run.list(Written::Adapter)?;
    let (dtype, into) = merge::write(&run.model, &base, &run.folder().merged())?;
    run.list(Written::Merged { dtype, into })?;
    run.record.status = Status::Completed;
    run.record.environment.finished_at = Some(environment::now());
    run.save()?;
    run.render()
}

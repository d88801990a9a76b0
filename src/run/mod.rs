//! Runs the cells of an experiment: what the flags say, what is finished, where it goes.
//!
//! The experiments call the rooms themselves; the notebook keeps the record beside them and writes it after
//! every stage, so that a run that dies leaves what it had measured.

mod earlier;
mod preview;
mod progress;
mod recording;
mod rendering;

use crate::cli::{Flags, SMOKE_ROWS};
use crate::data::batches::Targets;
use crate::data::encode::RowEncoder;
use crate::data::{self, Prepared, Source, alpaca};
use crate::error::{Error, Result};
use crate::evaluate::nll;
use crate::level::Level;
use crate::model::files::source::{BaseModel, ModelSource};
use crate::model::generate;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::{Activations, Llama};
use crate::model::network::{adapter, loading, merge};
use crate::recipe::{ModelDtype, Recipe};
use crate::record::*;
use crate::record::{environment, store};
use crate::report::profile::Profile;
use crate::sha256;
use crate::train::checkpoint::Checkpoints;
use crate::train::course::Course;
use crate::train::memory::{self, Estimate, Need};
use crate::train::optimizer::AdamW;
use crate::train::training::{self, Event, Rows, State};
use candle_core::{DType, Device};
use clap::Parser;
pub use earlier::Earlier;
use preview::MemoryPlan;
use progress::Progress;
pub use rendering::write;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// One run of one level.
pub struct Notebook {
    level: Level,
    flags: Flags,
    recipe: Recipe,
    sample: &'static [u8],
    out: PathBuf,
    device: Device,
    profile: Profile,
    progress: Progress,
    record: Option<RunRecord>,
    events: Option<std::fs::File>,
}

/// Reads the flags, runs the experiment, and answers for its errors: one line with its causes, exit code 1, and a
/// record that says `failed`.
pub fn run(
    level: Level,
    recipe: Recipe,
    sample: &'static [u8],
    experiment: fn(&mut Notebook) -> anyhow::Result<()>,
) -> ExitCode {
    answer(run_with(level, recipe, sample, experiment, Flags::parse()))
}

/// The end of a program: nothing, or one line with its causes and exit code 1.
pub fn answer(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// [`run`] with flags that were read elsewhere: the run itself or, with `--seeds`, one for each seed and their
/// summary.
pub fn run_with(
    level: Level,
    recipe: Recipe,
    sample: &'static [u8],
    experiment: fn(&mut Notebook) -> anyhow::Result<()>,
    flags: Flags,
) -> anyhow::Result<()> {
    let is_repeated = !flags.seeds.is_empty();
    let one = |flags: Flags| -> anyhow::Result<Notebook> {
        let mut notebook = Notebook::open(level, recipe.clone(), sample, flags)?;
        if notebook.flags.render_only {
            notebook.render_again()?;
            return Ok(notebook);
        }
        if is_repeated {
            notebook.progress.say(&format!("seed {}", notebook.recipe.train.seed));
            // A replicate takes as long as the run itself: what is done is not done again.
            if notebook.flags.resume
                && let Earlier::Same(record) = notebook.earlier()?
            {
                notebook.record = Some(*record);
                return Ok(notebook);
            }
        }
        let outcome = experiment(&mut notebook);
        if let Err(error) = &outcome {
            notebook.record_failure(error);
        }
        outcome.map(|()| notebook)
    };
    // The first seed is that of the run itself, see `Flags::apply`.
    let mut main = one(flags.clone())?;
    if !is_repeated {
        return Ok(());
    }
    let mut records = vec![main.record().clone()];
    for seed in flags.seeds.iter().skip(1) {
        let mut flags = Flags { seeds: Vec::new(), ..flags.clone() };
        flags.settings.push(format!("train.seed={seed}"));
        flags.out = Some(main.out.join(format!("seed-{seed}")));
        flags.replicate_of = Some(main.out.clone());
        records.push(one(flags)?.record().clone());
    }
    Ok(main.add_replicates(&records)?)
}

impl Notebook {
    /// A notebook for one level; nothing is written yet.
    ///
    /// # Errors
    /// A setting that is unknown or out of range, a device that is not there, a folder that cannot be written to.
    pub fn open(level: Level, mut recipe: Recipe, sample: &'static [u8], flags: Flags) -> Result<Self> {
        flags.apply(&mut recipe)?;
        let out = flags.out.clone().unwrap_or_else(|| Path::new("reports").join(level.slug()));
        let device = crate::device::open(&flags.device)?;
        if !flags.dry_run && !flags.render_only {
            store::check_writable(&out)?;
        }
        // A profile that cannot be read must not cost a training.
        let profile = flags.profile(&out, Some(level))?;
        let progress = Progress::new(flags.quiet);
        let (record, events) = (None, None);
        Ok(Notebook { level, flags, recipe, sample, out, device, profile, progress, record, events })
    }

    /// The recipe as the flags changed it.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The base model that the flags name.
    pub fn model(&self) -> Result<ModelSource> {
        self.flags.model.parse()
    }

    /// The rows that the flags name: one file to split, two files, or the level's embedded sample.
    pub fn rows(&self) -> Result<Source> {
        let sample = || alpaca::parse(&format!("embedded:{}", self.level.slug()), self.sample);
        let mut source = match (&self.flags.data, &self.flags.train_file, &self.flags.eval_file) {
            (None, Some(train), Some(evaluation)) => Source::two_files(train, evaluation)?,
            (Some(path), ..) => {
                let file = alpaca::read(path)?;
                let synthetic = file.sha256 == sha256::of(self.sample);
                Source::OneFile { file, synthetic }
            }
            _ => Source::OneFile { file: sample()?, synthetic: true },
        };
        if self.flags.smoke {
            match &mut source {
                Source::OneFile { file, .. } => file.rows.truncate(SMOKE_ROWS),
                Source::TwoFiles { train, evaluation, .. } => {
                    train.rows.truncate(SMOKE_ROWS);
                    evaluation.rows.truncate(SMOKE_ROWS / 10);
                }
            }
        }
        Ok(source)
    }

    /// Rows to ids with the base model's tokenizer, and everything that is counted on the way.
    pub fn prepare(&self, source: Source, base: &BaseModel) -> Result<Prepared> {
        let encoder = self.encoder(base)?;
        let prepared = data::prepare(source, &self.recipe.data, &encoder)?;
        let dataset = &prepared.dataset;
        let warnings = [
            (dataset.duplicate_rows, "rows repeat an earlier row"),
            (dataset.leaked_rows, "evaluation rows are also in the training rows"),
            (dataset.truncated_rows, "rows are cut at data.max_seq_len"),
            (dataset.rows_without_target, "rows keep no response token and are not learned from"),
            (prepared.rows_with_special_text, "rows spell a special token in their text"),
        ];
        for (count, what) in warnings.into_iter().filter(|(count, _)| *count > 0) {
            self.progress.say(&format!("warning: {count} of {} {what}", dataset.rows));
        }
        Ok(prepared)
    }

    fn encoder(&self, base: &BaseModel) -> Result<RowEncoder> {
        RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, self.recipe.data.max_seq_len)
    }

    /// With `--dry-run`: prints what would be done, and says that it is enough.
    pub fn stops_at_preview(&self, base: &BaseModel, rows: &Prepared) -> Result<bool> {
        if self.flags.dry_run {
            let memory = self.memory(base, rows);
            let text = preview::text(base, rows, &self.recipe, &memory, &self.encoder(base)?)?;
            // A reader that has seen enough (`| head`) is no error.
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
        Ok(self.flags.dry_run)
    }

    /// The folder that everything is written to.
    pub fn out(&self) -> &Path {
        &self.out
    }

    fn dtype(&self) -> DType {
        match self.recipe.model.dtype {
            ModelDtype::Auto => crate::device::default_dtype(&self.device),
            ModelDtype::F32 => DType::F32,
            ModelDtype::Bf16 => DType::BF16,
        }
    }

    /// What the run will need and what the device has; whether activations are kept, as asked or, under `auto`, where
    /// they fit.
    fn memory(&self, base: &BaseModel, rows: &Prepared) -> MemoryPlan {
        let need = Need::of_run(base, &self.recipe, self.dtype(), rows);
        let free = crate::device::free_memory(&self.device);
        let activations = memory::choose(need, self.recipe.train.gradient_checkpointing, free);
        MemoryPlan { estimate: Estimate::new(need, activations), activations, free }
    }

    /// The base weights as the recipe stores them.
    pub fn base_model(&self, base: &BaseModel) -> Result<Llama> {
        let quantization = self.recipe.model.quantization;
        let say = |line: &str| self.progress.say(line);
        // Replicates find what the first of them quantized.
        let out = self.flags.replicate_of.as_ref().unwrap_or(&self.out);
        let folder = out.parent().unwrap_or(Path::new("")).join("quantized");
        loading::load(base, quantization, self.dtype(), &self.device, &folder, &say)
    }

    /// Loads the base weights as the recipe stores them, and opens the record.
    pub fn load(&mut self, base: &BaseModel, rows: &Prepared) -> Result<Llama> {
        let MemoryPlan { estimate, activations, free } = self.memory(base, rows);
        memory::check_fits(estimate, activations, free, &self.flags.device)?;
        self.check_resumed(&base.sha256, &rows.dataset.sha256)?;
        self.progress.say(&format!("memory: {estimate}"));
        let model = self.base_model(base)?;
        self.keep_earlier()?;
        self.open_record(base, rows, &model, activations);
        for (part, name) in [(&rows.split.train, "train"), (&rows.split.evaluation, "eval")] {
            let path = format!("split/training_data_{}_{name}.json", self.level.slug());
            store::write_file(&self.out.join(&path), alpaca::to_json(part).as_bytes())?;
            self.output(&format!("{name}_split"), &path, None, None)?;
        }
        self.save()?;
        Ok(model)
    }

    /// Measures the base model on the held-out rows, under both masks.
    pub fn evaluate_baseline(&mut self, model: &Llama, rows: &Prepared) -> Result<()> {
        let sums = self.evaluate("baseline", model, rows, LoraUse::Ignored)?;
        let record = self.record();
        record.evaluation.baseline = Some(nll::scores(&sums));
        record.evaluation.rows = sums
            .iter()
            .zip(&rows.evaluation)
            .map(|(sums, row)| RowScores {
                masked_tokens: sums.masked_tokens,
                full_tokens: sums.full_tokens,
                masked_bytes: row.response_bytes,
                full_bytes: row.prompt_bytes + row.response_bytes,
                baseline: sums.nll,
                fine_tuned: None,
            })
            .collect();
        self.save()
    }

    /// Measures the model with its update on the same rows and masks, and what the difference is worth.
    pub fn evaluate_fine_tuned(&mut self, model: &Llama, rows: &Prepared) -> Result<()> {
        let sums = self.evaluate("fine-tuned", model, rows, LoraUse::Applied)?;
        let record = self.record();
        record.evaluation.fine_tuned = Some(nll::scores(&sums));
        for (row, sums) in record.evaluation.rows.iter_mut().zip(&sums) {
            row.fine_tuned = Some(sums.nll);
        }
        record.evaluation.statistics = statistics_of(&record.evaluation.rows, record.recipe.data.split_seed);
        self.save()
    }

    fn evaluate(
        &mut self,
        name: &str,
        model: &Llama,
        rows: &Prepared,
        lora: LoraUse,
    ) -> Result<Vec<nll::RowSums>> {
        self.progress.begin(&format!("evaluating {name}"), rows.evaluation.len());
        let batch_size = self.recipe.train.eval_batch_size;
        let progress = &self.progress;
        let done = |done| progress.at(done);
        let sums = nll::rows(model, &rows.evaluation, batch_size, Targets::All, lora, done)?;
        self.progress.end();
        let scores = nll::scores(&sums);
        if !scores.full.loss.is_finite() {
            let message = format!("the loss of the {name} model is no finite number");
            return Err(Error::Diverged { step: self.record().training.steps.len(), message });
        }
        self.progress
            .say(&format!("  masked loss {:.4}  full loss {:.4}", scores.masked.loss, scores.full.loss));
        Ok(sums)
    }

    /// Attaches LoRA and trains it; the best adapter is in the model afterwards.
    pub fn train(&mut self, model: &mut Llama, base: &BaseModel, rows: &Prepared) -> Result<()> {
        adapter::attach(model, &self.recipe.lora, self.recipe.train.seed)?;
        if let Some(folder) = &self.flags.init_adapter {
            adapter::load(model, folder)?;
        }
        let train = &self.recipe.train;
        let optimizer = AdamW::new(model, train.weight_decay, train.max_grad_norm)?;
        let checkpoints =
            Checkpoints::new(&self.out.join("checkpoints"), train.save_total_limit, &base.source);
        let mut state = State { optimizer, checkpoints, course: Course::default() };
        if self.flags.resume {
            match state.checkpoints.resume(model, &mut state.optimizer)? {
                Some(course) => {
                    self.progress.say(&format!("resuming after step {}", course.steps.len()));
                    state.course = course;
                }
                None => self.progress.say("no checkpoint to resume from: from the first step"),
            }
        } else {
            state.checkpoints.clear()?;
        }
        self.open_events(state.course.steps.len())?;
        let activations = match self.record().training.gradient_checkpointing {
            true => Activations::Recompute,
            false => Activations::Keep,
        };
        let total_steps = self.record().training.total_steps;
        self.progress.begin("training", total_steps);
        let recipe = self.recipe.clone();
        let encoded = Rows { train: &rows.train, evaluation: &rows.evaluation };
        let mut lost_event = None;
        let mut observe = |event: Event| {
            if let Err(error) = self.observe(event, total_steps) {
                lost_event.get_or_insert(error);
            }
        };
        let outcome = training::run(model, encoded, &recipe, activations, &mut state, &mut observe);
        self.progress.end();
        self.take_course(state.course);
        self.save()?;
        outcome?;
        lost_event.map_or(Ok(()), Err)
    }

    /// Generates from the first held-out prompts, with and without the update.
    pub fn sample(&mut self, model: &Llama, base: &BaseModel, rows: &Prepared) -> Result<()> {
        let encoder = self.encoder(base)?;
        let samples = self.recipe.samples.clone();
        self.progress.begin("generating samples", samples.count.min(rows.evaluation.len()));
        for (index, row) in rows.split.evaluation.iter().take(samples.count).enumerate() {
            let prompt = encoder.encode_prompt(row)?;
            let text = |lora| -> Result<(String, bool)> {
                let generated =
                    generate::greedy(model, &prompt, encoder.eos(), samples.max_new_tokens, lora)?;
                let text = encoder.tokenizer().decode(&generated.ids, true);
                let text = text.map_err(|error| Error::model("tokenizer", error.to_string()))?;
                Ok((text.trim().to_string(), generated.capped))
            };
            let (baseline, baseline_capped) = text(LoraUse::Ignored)?;
            let (fine_tuned, fine_tuned_capped) = text(LoraUse::Applied)?;
            self.record().samples.push(Sample {
                row: index,
                instruction: row.instruction.clone(),
                input: row.input.clone(),
                reference: row.output.clone(),
                baseline,
                baseline_capped,
                fine_tuned,
                fine_tuned_capped,
            });
            self.progress.at(index + 1);
        }
        self.progress.end();
        self.save()
    }

    /// Writes the adapter and the merged model, closes the record and renders the documents from it.
    pub fn finish(&mut self, model: &Llama, base: &BaseModel) -> Result<()> {
        adapter::write(model, &self.recipe.lora, &base.source, &self.out.join("adapter"))?;
        self.output("adapter", "adapter", Some("F32".into()), None)?;
        let (dtype, merged_into) = merge::write(model, base, &self.out.join("merged"))?;
        self.output("merged", "merged", Some(dtype), Some(merged_into))?;
        let record = self.record();
        record.status = Status::Completed;
        record.environment.finished_at = Some(environment::now());
        self.save()?;
        self.render()
    }
}

//! What the flags ask for, and the rows and the base model that they name.

use super::base::{Identity, OpenedBase};
use super::progress::Progress;
use super::prompts::Prompts;
use super::rendering;
use super::{Listing, Procedure, Question, interrupt};
use crate::cli::{Flags, SMOKE_ROWS};
use crate::data::encode::RowEncoder;
use crate::data::{self, Prepared, Source, alpaca};
use crate::device;
use crate::error::{Error, Result};
use crate::level::Level;
use crate::model::files::source::BaseModel;
use crate::model::files::to_gguf;
use crate::model::network::llama::{Activations, Llama};
use crate::model::network::{adapter, loading};
use crate::model::positions;
use crate::recipe::{ModelDtype, Recipe};
use crate::record::folder::RunFolder;
use crate::record::{InitAdapter, store};
use crate::report::profile::Profile;
use crate::sha256;
use crate::texts::word_list::WordList;
use crate::train::memory::{self, Estimate, Need};
use candle_core::{DType, Device};
use std::cell::OnceCell;
use std::panic::Location;
use std::path::PathBuf;
use std::rc::Rc;

/// One run of one level, before anything is read: settings, device, folder, typography.
pub struct Notebook {
    pub(super) level: Level,
    pub(super) flags: Flags,
    pub(crate) recipe: Recipe,
    pub(crate) folder: RunFolder,
    pub(super) device: Device,
    pub(super) profile: Profile,
    pub(crate) progress: Progress,
    /// Words and their levels.
    pub(crate) word_list: WordList,
    /// What the run's page is woven from: the file that asks, and that of the procedure.
    pub(super) sources: [Listing; 2],
    sample: &'static [u8],
    base: OpenedBase,
}

impl Notebook {
    /// A notebook for one run into `folder`; nothing is written yet.
    ///
    /// # Errors
    /// A setting that is unknown or out of range, a device that is not there, a folder that cannot be written to, a
    /// profile that cannot be read: none of it must cost a training.
    pub fn open(
        question: &Question,
        procedure: Procedure,
        flags: &Flags,
        folder: RunFolder,
        base: &OpenedBase,
    ) -> Result<Self> {
        let mut recipe = question.recipe.clone();
        let disagreements = flags.apply(&mut recipe)?;
        let device::Opened { device, fallback } = device::open(&flags.device)?;
        if !flags.dry_run && !flags.render_only {
            store::check_writable(folder.path())?;
            check_inputs(flags, &folder)?;
        }
        let progress = Progress::new(flags.quiet);
        let slower = match (device::card(&device).without_bf16, recipe.model.dtype) {
            (Some(reason), ModelDtype::Auto) => Some(format!("{reason}: f32 is used, with twice the memory")),
            (Some(reason), ModelDtype::Bf16) => {
                let message = format!("{reason}; leave model.dtype at auto, which is f32 there");
                return Err(Error::Device { device: flags.device.clone(), message });
            }
            _ => None,
        };
        for line in disagreements.into_iter().chain(fallback).chain(slower) {
            progress.say(&line);
        }
        Ok(Notebook {
            level: question.level,
            word_list: flags.word_list()?,
            profile: flags.profile(folder.path(), Some(question.level))?,
            progress,
            flags: flags.clone(),
            sources: [question.source, procedure.source],
            sample: question.rows,
            base: base.clone(),
            recipe,
            folder,
            device,
        })
    }

    /// The rows that the flags name: one file to split, two files, or the level's embedded sample.
    ///
    /// # Errors
    /// As [`alpaca::read`], for each file.
    pub fn rows(&self) -> Result<Source> {
        rows(&self.flags, self.level, self.sample)
    }

    /// The base model that the flags name.
    ///
    /// # Errors
    /// As [`OpenedBase::open`].
    pub fn base(&self) -> Result<Rc<BaseModel>> {
        self.base.open()
    }

    /// Reads the rows and knows the base model: all that decides what the run will be.
    ///
    /// # Errors
    /// As [`Notebook::rows`] and [`OpenedBase::open`]; `Error::File` where the adapter to begin with cannot be read.
    #[track_caller]
    pub fn prepare(self) -> Result<Study> {
        let place = Location::caller();
        interrupt::listen();
        let rows = self.rows()?;
        let identity = self.base.identity(&self.folder.base_memo())?;
        let begins_with = self.flags.init_adapter.as_deref().map(adapter::identity).transpose()?;
        Ok(Study { notebook: self, rows, identity, begins_with, place, opened: OnceCell::new() })
    }

    /// The rows as ids, by the tokenizer of the base model. Duplicates, leaks and cuts are counted and said, not mended.
    ///
    /// # Errors
    /// As [`Notebook::base`], [`data::prepare`], [`to_gguf::check`] and [`adapter::check`]; `Error::Setting` where a sample
    /// text would go on beyond the base model's positions.
    fn encoded(&self, rows: Source) -> Result<Opened> {
        let base = self.base()?;
        let encoder =
            RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, self.recipe.data.max_seq_len)?;
        to_gguf::check(&base, self.recipe.export.gguf)?;
        let rows = data::prepare(rows, &self.recipe.data, &encoder)?;
        let samples = &self.recipe.samples;
        let prompts = Prompts::of(&rows, &base, &encoder, samples, self.level)?;
        let beyond = positions::check(&base.config, samples.max_new_tokens, prompts.longest(), &rows)?;
        self.warn(&rows, beyond);
        if let Some(folder) = &self.flags.init_adapter {
            let line = adapter::check(folder, &base.source, &base.config, &self.recipe.lora)?;
            line.iter().for_each(|line| self.progress.say(&format!("warning: {line}")));
        }
        let need = Need::of_run(&base, &self.recipe, self.dtype(), &self.device, &rows);
        let free = device::free_memory(&self.device);
        let activations = memory::choose(need, self.recipe.train.gradient_checkpointing, free);
        let estimate = Estimate::new(need, activations).with_held(need, free);
        let memory = MemoryPlan { estimate, activations, free };
        Ok(Opened { base, encoder, rows, prompts, memory })
    }

    /// What a person should know of the rows before hours are spent on them.
    fn warn(&self, rows: &Prepared, beyond: usize) {
        let dataset = &rows.dataset;
        let warnings = [
            (dataset.duplicate_rows, "rows repeat an earlier row"),
            (dataset.leaked_rows, "evaluation rows are also in the training rows"),
            (dataset.truncated_rows, "rows are cut at data.max_seq_len"),
            (dataset.rows_without_target, "rows keep no response token and are not learned from"),
            (rows.rows_with_special_text, "rows spell a special token in their text"),
            (beyond, "rows are longer than the positions that the base model was made for"),
        ];
        for (count, what) in warnings.into_iter().filter(|(count, _)| *count > 0) {
            self.progress.say(&format!("warning: {count} of {} {what}", dataset.rows));
        }
        if rows.rows_with_dropped_letters > 0 {
            let letters: Vec<String> = rows.dropped_letters.iter().take(20).map(char::to_string).collect();
            self.progress.say(&format!(
                "warning: {} of {} rows have letters that the tokenizer has no token for, they are left out: {}",
                rows.rows_with_dropped_letters,
                dataset.rows,
                letters.join(" ")
            ));
        }
    }

    /// The base weights as the recipe stores them.
    ///
    /// # Errors
    /// As [`loading::load`].
    pub(crate) fn load(&self, base: &BaseModel) -> Result<Llama> {
        let say = |line: &str| self.progress.say(line);
        let (quantization, folder) = (self.recipe.model.quantization, self.folder.quantized());
        loading::load(base, quantization, self.dtype(), &self.device, folder, &say)
    }

    /// Renders the documents again from the record alone.
    ///
    /// # Errors
    /// As [`store::read`] and [`rendering::render`].
    pub(crate) fn render_again(&self) -> Result<()> {
        rendering::render(&self.folder.read()?, &self.profile, &self.folder, &self.progress).map(drop)
    }

    /// Type of activations and unquantized weights.
    pub(super) fn dtype(&self) -> DType {
        dtype(self.recipe.model.dtype, &self.device)
    }
}

/// The rows that `flags` name for `level`, whose embedded sample is `sample`.
///
/// # Errors
/// As [`alpaca::read`], for each file.
pub(crate) fn rows(flags: &Flags, level: Level, sample: &[u8]) -> Result<Source> {
    let mut source = match (&flags.data, &flags.train_file, &flags.eval_file) {
        (None, Some(train), Some(evaluation)) => Source::two_files(train, evaluation)?,
        (Some(path), ..) => {
            let file = alpaca::read(path)?;
            let synthetic = file.sha256 == sha256::of(sample);
            Source::OneFile { file, synthetic }
        }
        _ => {
            let file = alpaca::parse(&format!("embedded:{}", level.slug()), sample)?;
            Source::OneFile { file, synthetic: true }
        }
    };
    if flags.smoke {
        source.truncate(SMOKE_ROWS, SMOKE_ROWS / 10);
    }
    Ok(source)
}

/// Type of activations and unquantized weights on `device`.
pub(super) fn dtype(wanted: ModelDtype, device: &Device) -> DType {
    match wanted {
        ModelDtype::Auto => device::default_dtype(device),
        ModelDtype::F32 => DType::F32,
        ModelDtype::Bf16 => DType::BF16,
    }
}

/// Refuses to read what the run is going to write: rows would shrink with each call, a base model be its own successor.
///
/// # Errors
/// `Error::Setting` with the flag.
fn check_inputs(flags: &Flags, folder: &RunFolder) -> Result<()> {
    let model = Some(PathBuf::from(&flags.model)).filter(|path| path.exists());
    let inputs = [
        ("model", &model),
        ("data", &flags.data),
        ("train-file", &flags.train_file),
        ("eval-file", &flags.eval_file),
        ("init-adapter", &flags.init_adapter),
    ];
    let written: Vec<PathBuf> = folder.written().iter().filter_map(|path| path.canonicalize().ok()).collect();
    for (key, path) in inputs {
        let real = path.as_ref().and_then(|path| path.canonicalize().ok());
        if let Some(real) = real.filter(|real| written.iter().any(|folder| real.starts_with(folder))) {
            let message = format!(
                "expected a path that this run does not write to, got {}; copy it, or give another --out",
                real.display()
            );
            return Err(Error::Setting { key: key.into(), message });
        }
    }
    Ok(())
}

/// A run of which everything is known but the numbers.
pub struct Study {
    pub(super) notebook: Notebook,
    pub(super) rows: Source,
    pub(super) identity: Identity,
    /// The adapter that the update begins with, read once: a hash of it is in what every cell of the training follows from.
    pub(super) begins_with: Option<InitAdapter>,
    /// Where the experiment asked for it.
    pub(super) place: &'static Location<'static>,
    opened: OnceCell<Rc<Opened>>,
}

/// What the cells that compute need: a run that finds them all done does not open it.
pub(super) struct Opened {
    pub(super) base: Rc<BaseModel>,
    pub(super) encoder: RowEncoder,
    pub(super) rows: Prepared,
    pub(super) prompts: Prompts,
    pub(super) memory: MemoryPlan,
}

impl Study {
    /// The base model, and the rows as ids: opened when they are first asked for.
    ///
    /// # Errors
    /// As [`Notebook::base`] and [`data::prepare`].
    pub(super) fn opened(&self) -> Result<Rc<Opened>> {
        if let Some(opened) = self.opened.get() {
            return Ok(Rc::clone(opened));
        }
        let opened = Rc::new(self.notebook.encoded(self.rows.clone())?);
        Ok(Rc::clone(self.opened.get_or_init(|| opened)))
    }

    /// The base weights, dequantized once where the card has the memory.
    ///
    /// # Errors
    /// As [`Study::opened`] and [`Notebook::load`].
    pub(super) fn model(&self) -> Result<Llama> {
        let opened = self.opened()?;
        let mut model = self.notebook.load(&opened.base)?;
        model.hold_dense(opened.memory.estimate.held)?;
        Ok(model)
    }

    /// What the training is estimated to take of the device's memory at its peak, in bytes, and what is free there now.
    ///
    /// # Errors
    /// As [`Study::opened`].
    pub(crate) fn memory(&self) -> Result<(u64, u64)> {
        let MemoryPlan { estimate, free, .. } = &self.opened()?.memory;
        Ok((estimate.total(), *free))
    }
}

/// What the run will need, and what there is.
pub(super) struct MemoryPlan {
    pub(super) estimate: Estimate,
    pub(super) activations: Activations,
    /// Bytes.
    pub(super) free: u64,
}

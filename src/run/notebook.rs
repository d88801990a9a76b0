//! What the flags ask for, and the rows and the base model that they name.

use super::progress::Progress;
use super::rendering;
use super::{Question, interrupt};
use crate::cli::{Flags, SMOKE_ROWS};
use crate::data::encode::RowEncoder;
use crate::data::{self, Prepared, Source, alpaca};
use crate::device::{self, Opened};
use crate::error::{Error, Result};
use crate::level::Level;
use crate::model::files::source::{self, BaseModel};
use crate::model::network::llama::{Activations, Llama};
use crate::model::network::loading;
use crate::recipe::{ModelDtype, Recipe};
use crate::record::folder::RunFolder;
use crate::record::store;
use crate::report::profile::Profile;
use crate::sha256;
use crate::train::memory::{self, Estimate, Need};
use candle_core::{DType, Device};
use std::cell::OnceCell;
use std::rc::Rc;

/// The base model that `--model` names: opened and hashed when it is first asked for, and shared by all runs of a
/// program.
#[derive(Clone)]
pub struct OpenedBase {
    name: String,
    opened: Rc<OnceCell<Rc<BaseModel>>>,
}

impl OpenedBase {
    /// The model called `name`, not opened yet.
    pub fn new(name: &str) -> Self {
        OpenedBase { name: name.to_string(), opened: Rc::default() }
    }

    /// The open model.
    ///
    /// # Errors
    /// A name that names no model, and as [`source::open`].
    pub fn open(&self) -> Result<Rc<BaseModel>> {
        if let Some(base) = self.opened.get() {
            return Ok(Rc::clone(base));
        }
        let base = Rc::new(source::open(&self.name.parse()?)?);
        Ok(Rc::clone(self.opened.get_or_init(|| base)))
    }
}

/// One run of one level, before anything is read: settings, device, folder, typography.
pub struct Notebook {
    pub(super) level: Level,
    pub(super) flags: Flags,
    pub(super) recipe: Recipe,
    pub(super) folder: RunFolder,
    pub(super) device: Device,
    pub(super) profile: Profile,
    pub(super) progress: Progress,
    sample: &'static [u8],
    base: OpenedBase,
}

impl Notebook {
    /// A notebook for one run into `folder`; nothing is written yet.
    ///
    /// # Errors
    /// A setting that is unknown or out of range, a device that is not there, a folder that cannot be written to, a
    /// profile that cannot be read: none of it must cost a training.
    pub fn open(question: &Question, flags: &Flags, folder: RunFolder, base: &OpenedBase) -> Result<Self> {
        let mut recipe = question.recipe.clone();
        flags.apply(&mut recipe)?;
        let Opened { device, fallback } = device::open(&flags.device)?;
        if !flags.dry_run && !flags.render_only {
            store::check_writable(folder.path())?;
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
        for line in [fallback, slower].into_iter().flatten() {
            progress.say(&line);
        }
        Ok(Notebook {
            level: question.level,
            profile: flags.profile(folder.path(), Some(question.level))?,
            progress,
            flags: flags.clone(),
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
        let mut source = match (&self.flags.data, &self.flags.train_file, &self.flags.eval_file) {
            (None, Some(train), Some(evaluation)) => Source::two_files(train, evaluation)?,
            (Some(path), ..) => {
                let file = alpaca::read(path)?;
                let synthetic = file.sha256 == sha256::of(self.sample);
                Source::OneFile { file, synthetic }
            }
            _ => {
                let file = alpaca::parse(&format!("embedded:{}", self.level.slug()), self.sample)?;
                Source::OneFile { file, synthetic: true }
            }
        };
        if self.flags.smoke {
            source.truncate(SMOKE_ROWS, SMOKE_ROWS / 10);
        }
        Ok(source)
    }

    /// The base model that the flags name.
    ///
    /// # Errors
    /// As [`OpenedBase::open`].
    pub fn base(&self) -> Result<Rc<BaseModel>> {
        self.base.open()
    }

    /// Opens the base model, whose tokenizer decides what a token is, and makes the rows into ids. Duplicates, leaks and
    /// cuts are counted and said, not mended.
    ///
    /// # Errors
    /// As [`Notebook::base`], [`Notebook::rows`] and [`data::prepare`].
    pub fn prepare(self) -> Result<Study> {
        interrupt::listen();
        let base = self.base()?;
        let encoder =
            RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, self.recipe.data.max_seq_len)?;
        let rows = data::prepare(self.rows()?, &self.recipe.data, &encoder)?;
        self.warn(&rows);
        let need = Need::of_run(&base, &self.recipe, self.dtype(), &self.device, &rows);
        let free = device::free_memory(&self.device);
        let activations = memory::choose(need, self.recipe.train.gradient_checkpointing, free);
        let memory = MemoryPlan { estimate: Estimate::new(need, activations), activations, free };
        Ok(Study { notebook: self, base, encoder, rows, memory })
    }

    /// What a person should know of the rows before hours are spent on them.
    fn warn(&self, rows: &Prepared) {
        let dataset = &rows.dataset;
        let warnings = [
            (dataset.duplicate_rows, "rows repeat an earlier row"),
            (dataset.leaked_rows, "evaluation rows are also in the training rows"),
            (dataset.truncated_rows, "rows are cut at data.max_seq_len"),
            (dataset.rows_without_target, "rows keep no response token and are not learned from"),
            (rows.rows_with_special_text, "rows spell a special token in their text"),
        ];
        for (count, what) in warnings.into_iter().filter(|(count, _)| *count > 0) {
            self.progress.say(&format!("warning: {count} of {} {what}", dataset.rows));
        }
    }

    /// The base weights as the recipe stores them.
    ///
    /// # Errors
    /// As [`loading::load`].
    pub(super) fn load(&self, base: &BaseModel) -> Result<Llama> {
        let say = |line: &str| self.progress.say(line);
        let (quantization, folder) = (self.recipe.model.quantization, self.folder.quantized());
        loading::load(base, quantization, self.dtype(), &self.device, folder, &say)
    }

    /// Renders the documents again from the record alone.
    ///
    /// # Errors
    /// As [`store::read`] and [`rendering::render`].
    pub(super) fn render_again(&self) -> Result<()> {
        rendering::render(&self.folder.read()?, &self.profile, &self.folder, &self.progress)
    }

    /// Type of activations and unquantized weights.
    pub(super) fn dtype(&self) -> DType {
        match self.recipe.model.dtype {
            ModelDtype::Auto => device::default_dtype(&self.device),
            ModelDtype::F32 => DType::F32,
            ModelDtype::Bf16 => DType::BF16,
        }
    }
}

/// A run whose base model is open and whose rows are ids: everything is known but the numbers.
pub struct Study {
    pub(super) notebook: Notebook,
    pub(super) base: Rc<BaseModel>,
    pub(super) encoder: RowEncoder,
    pub(super) rows: Prepared,
    pub(super) memory: MemoryPlan,
}

/// What the run will need, and what there is.
pub(super) struct MemoryPlan {
    pub(super) estimate: Estimate,
    pub(super) activations: Activations,
    /// Bytes.
    pub(super) free: u64,
}

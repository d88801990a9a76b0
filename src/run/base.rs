//! The base model that `--model` names: opened once for all runs of a program, and known again without being read.

use super::cells::Stamp;
use super::download;
use crate::cli::Flags;
use crate::error::{Error, Result};
use crate::model::files::source::{self, BaseModel, ModelSource};
use crate::record::store;
use serde::{Deserialize, Serialize};
use std::cell::OnceCell;
use std::path::Path;
use std::rc::Rc;

/// The base model that `--model` names: opened and hashed when it is first asked for, and shared by all runs of a
/// program.
#[derive(Clone)]
pub struct OpenedBase {
    name: String,
    quiet: bool,
    opened: Rc<OnceCell<Rc<BaseModel>>>,
}

/// Which model it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Identity {
    /// Its files as they were when they were hashed.
    files: Vec<Stamp>,
    /// SHA-256 over the weights.
    pub(super) weights: String,
    /// SHA-256 over everything: shape and tokenizer too.
    pub(super) whole: String,
    /// That of the small files which the merged model alone takes over; empty where there are none.
    #[serde(default)]
    pub(super) companions: String,
}

impl OpenedBase {
    /// The model that the flags name, not opened yet.
    pub fn new(flags: &Flags) -> Self {
        OpenedBase { name: flags.model.clone(), quiet: flags.quiet, opened: Rc::default() }
    }

    /// The open model.
    ///
    /// # Errors
    /// A name that names no model, and as [`source::open`]; `Error::Interrupted` while it is fetched.
    pub fn open(&self) -> Result<Rc<BaseModel>> {
        if let Some(base) = self.opened.get() {
            return Ok(Rc::clone(base));
        }
        let base = source::open_observed(&self.name.parse()?, &mut download::shown(self.quiet))?;
        let base = Rc::new(base);
        Ok(Rc::clone(self.opened.get_or_init(|| base)))
    }

    /// Which model it is: as `memo` says where its files are those of then, by size and time; else by reading it.
    ///
    /// # Errors
    /// As [`OpenedBase::open`].
    pub(super) fn identity(&self, memo: &Path) -> Result<Identity> {
        let source: ModelSource = self.name.parse()?;
        let files = source::files(&source, &mut download::shown(self.quiet))?;
        let files: Vec<Stamp> = files.iter().map(|path| Stamp::of(path)).collect::<Result<_>>()?;
        let remembered = std::fs::read(memo).ok();
        let remembered = remembered.and_then(|text| serde_json::from_slice::<Identity>(&text).ok());
        if let Some(identity) = remembered.filter(|known| !files.is_empty() && known.files == files) {
            return Ok(identity);
        }
        let base = self.open()?;
        let (whole, companions) = (base.identity(), base.companions_sha256());
        Ok(Identity { files, weights: base.sha256.clone(), whole, companions })
    }
}

impl Identity {
    /// Refuses to go on over files that are not those of the run's beginning: half of its numbers would be of other weights.
    ///
    /// # Errors
    /// `Error::Model` with the file.
    pub(super) fn check_unchanged(&self) -> Result<()> {
        match self.files.iter().find(|file| !file.is_current()) {
            None => Ok(()),
            Some(file) => {
                let message =
                    "the file was changed or removed while the run went on; begin anew with --fresh";
                Err(Error::model(file.path.display().to_string(), message))
            }
        }
    }

    /// Remembers it in `memo`.
    ///
    /// # Errors
    /// `Error::File` where it cannot be written.
    pub(super) fn remember(&self, memo: &Path) -> Result<()> {
        store::write(memo, self)
    }
}

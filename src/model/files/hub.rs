//! Models of the Hugging Face hub, fetched into the cache that huggingface_hub and hf-hub share.
//!
//! hf-hub has the places and the addresses. Its client has no limit of time and no word for a second try, so the transfer
//! is our own. What the cache holds is never asked for again: a model that was fetched once needs no network. That a
//! repository has no such file is kept too, where huggingface_hub keeps it (`.no_exist/`).

#[cfg(feature = "hub")]
mod failure;
#[cfg(feature = "hub")]
mod transfer;
#[cfg(feature = "hub")]
mod client;

use crate::error::{Error, Result};
use crate::model::files::model_files::ModelFiles;

/// What happens while a model is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Download<'a> {
    /// A file begins.
    Begin {
        /// Its name in the repository.
        file: &'a str,
        /// Its size.
        bytes: u64,
    },
    /// So many bytes of it are there.
    At(u64),
    /// It is whole.
    End,
    /// Something to be said: a connection that broke.
    Note(&'a str),
}

/// Is told what happens; an error of its own ends the transfer.
pub type Observe<'a> = &'a mut dyn FnMut(Download) -> Result<()>;

/// A repository's files, and the commit that they are of.
pub(super) type Fetched = (ModelFiles, String);

/// Fetches a repository's files, or finds them in the cache, by what the environment says: `HF_HOME`, `HF_ENDPOINT`,
/// `HF_TOKEN`, `HF_HUB_OFFLINE`, `HF_HUB_DOWNLOAD_TIMEOUT`.
///
/// # Errors
/// `Error::Model` where the hub does not give one, with what to do.
#[cfg(feature = "hub")]
pub(super) fn fetch(source: &str, repo: &str, revision: Option<&str>, observe: Observe) -> Result<Fetched> {
    let hub = Hub::from_env().map_err(|message| Error::model(source, message))?;
    hub.fetch(source, repo, revision.unwrap_or("main"), observe)
}

/// Refuses: this program was built without the hub.
///
/// # Errors
/// Always.
#[cfg(not(feature = "hub"))]
pub(super) fn fetch(
    source: &str,
    _repo: &str,
    _revision: Option<&str>,
    _observe: Observe,
) -> Result<Fetched> {
    let message = "no such folder here, and this program was built without the feature hub; \
                   pass a downloaded folder, or build with --features hub";
    Err(Error::model(source, message))
}

#[cfg(feature = "hub")]
pub use client::Hub;

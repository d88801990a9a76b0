//! What of a repository is in the cache, and what is fetched into it.

use super::failure::Failure;
use super::transfer::{Client, is_name};
use super::{Fetched, Observe};
use crate::error::{Error, Result};
use crate::model::files::Parsed;
use crate::model::files::model_files::{CHAT_TEMPLATE, COMPANIONS, ModelFiles, read, shard_names};
use crate::record::store;
use hf_hub::{Cache, Repo, RepoType};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Without `HF_HUB_DOWNLOAD_TIMEOUT`.
const PATIENCE: Duration = Duration::from_secs(30);

/// A hub and the cache of what it gave.
#[derive(Clone)]
pub struct Hub {
    /// Its address, without a slash at the end.
    pub endpoint: String,
    /// The folder of the cache.
    pub cache: PathBuf,
    /// What it knows its user by.
    pub token: Option<String>,
    /// Nothing is asked: the cache is all there is.
    pub offline: bool,
    /// How long nothing may come over a connection.
    pub patience: Duration,
}

impl Hub {
    /// The hub that the environment names, as huggingface_hub reads it.
    ///
    /// # Errors
    /// One line: no folder for the cache, or a value that is none.
    pub(super) fn from_env() -> Parsed<Self> {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        // hf-hub panics where it finds neither.
        if set("HF_HOME").is_none() && std::env::home_dir().is_none() {
            return Err("expected HF_HOME or a home folder for the downloads, got neither".into());
        }
        let cache = Cache::from_env();
        let is_true = |value: String| ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str());
        let patience = match set("HF_HUB_DOWNLOAD_TIMEOUT") {
            None => PATIENCE,
            Some(text) => match text.parse::<u32>() {
                Ok(seconds @ 1..) => Duration::from_secs(seconds.into()),
                _ => {
                    return Err(format!("HF_HUB_DOWNLOAD_TIMEOUT: expected seconds from 1 on, got '{text}'"));
                }
            },
        };
        let endpoint = set("HF_ENDPOINT").unwrap_or_else(|| "https://huggingface.co".into());
        Ok(Hub {
            endpoint: endpoint.trim_end_matches('/').to_string(),
            token: set("HF_TOKEN").map(|token| token.trim().to_string()).or_else(|| cache.token()),
            offline: set("HF_HUB_OFFLINE").is_some_and(is_true),
            cache: cache.path().clone(),
            patience,
        })
    }

    /// The files of a repository at a branch, tag or commit, and its commit.
    ///
    /// # Errors
    /// `Error::Model` where the hub does not give one, with what to do; what `observe` gives.
    pub(in crate::model::files) fn fetch(
        &self,
        source: &str,
        repo: &str,
        revision: &str,
        observe: Observe,
    ) -> Result<Fetched> {
        let is_inside = revision.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
        if !is_inside || revision.contains(['\\', '\0', '?', '#', '%']) {
            return Err(Error::model(source, format!("expected a branch, tag or commit, got {revision:?}")));
        }
        let wanted = Repo::with_revision(repo.to_string(), RepoType::Model, revision.to_string());
        let fetched = match self.cached(&wanted) {
            // Everything is here but this: only the network has it.
            Err(Failure::Offline { .. }) if !self.offline => self.online(&wanted, observe),
            outcome => outcome,
        };
        fetched.map_err(|failure| failure.of(source, repo))
    }

    /// All files from the cache; `Failure::Offline` where it does not know of one.
    fn cached(&self, repo: &Repo) -> std::result::Result<Fetched, Failure> {
        let unknown = |file: &str| Failure::Offline { file: file.to_string(), cache: self.cache.clone() };
        let is_commit =
            |text: &str| text.len() == 40 && text.chars().all(|letter| letter.is_ascii_hexdigit());
        let of_branch = || std::fs::read_to_string(self.folder(repo).join("refs").join(repo.revision())).ok();
        let commit = match is_commit(repo.revision()) {
            true => Some(repo.revision().to_string()),
            false => of_branch().map(|text| text.trim().to_string()).filter(|commit| is_name(commit)),
        };
        let commit = commit.ok_or_else(|| unknown("commit"))?;
        let files = files(&mut |file| self.known(repo, &commit, file).ok_or_else(|| unknown(file)))?;
        Ok((files, commit))
    }

    /// All files, those that the cache does not have from the hub.
    fn online(&self, repo: &Repo, observe: Observe) -> std::result::Result<Fetched, Failure> {
        let client = Client::new(self.token.clone(), self.patience);
        let listing = client.listing(&format!("{}/api/{}", self.endpoint, repo.api_url()), observe)?;
        let commit = listing.sha;
        let there: BTreeSet<String> = listing.siblings.into_iter().map(|sibling| sibling.rfilename).collect();
        if commit != repo.revision() {
            let written = self.cache().repo(repo.clone()).create_ref(&commit);
            written.map_err(|error| Error::file(self.folder(repo).join("refs"), error))?;
        }
        let files = files(&mut |file| {
            if let Some(known) = self.known(repo, &commit, file) {
                return Ok(known);
            }
            if !there.contains(file) {
                store::write_file(&self.absent(repo, &commit, file), b"")?;
                return Ok(None);
            }
            let url = format!("{}/{}/resolve/{commit}/{file}", self.endpoint, repo.url());
            let head = client.head(&url, file, observe)?;
            let blob = self.cache().repo(repo.clone()).blob_path(&head.etag);
            client.download(&url, file, &head, &blob, observe)?;
            let pointer = self.pointer(repo, &commit, file);
            link(&blob, &pointer).map_err(|error| Error::file(&pointer, error))?;
            Ok(Some(pointer))
        })?;
        Ok((files, commit))
    }

    /// A file of the cache; `Some(None)` for one that the repository is known not to have.
    fn known(&self, repo: &Repo, commit: &str, file: &str) -> Option<Option<PathBuf>> {
        let pointer = self.pointer(repo, commit, file);
        if pointer.is_file() {
            return Some(Some(pointer));
        }
        self.absent(repo, commit, file).exists().then_some(None)
    }

    fn pointer(&self, repo: &Repo, commit: &str, file: &str) -> PathBuf {
        self.cache().repo(repo.clone()).pointer_path(commit).join(file)
    }

    fn absent(&self, repo: &Repo, commit: &str, file: &str) -> PathBuf {
        self.folder(repo).join(".no_exist").join(commit).join(file)
    }

    fn folder(&self, repo: &Repo) -> PathBuf {
        self.cache.join(repo.folder_name())
    }

    fn cache(&self) -> Cache {
        Cache::new(self.cache.clone())
    }
}

/// Where a file is; none where the repository has no such file.
type Look<'a> = &'a mut dyn FnMut(&str) -> std::result::Result<Option<PathBuf>, Failure>;

/// The files of a model, each as `look` finds it.
fn files(look: Look) -> std::result::Result<ModelFiles, Failure> {
    fn needed(look: Look, file: &str) -> std::result::Result<PathBuf, Failure> {
        look(file)?.ok_or_else(|| Failure::Lacking(file.to_string()))
    }
    let (config, tokenizer) = (needed(look, "config.json")?, needed(look, "tokenizer.json")?);
    let tokenizer_config = look("tokenizer_config.json")?;
    // A cache that was filled before these files were looked for is whole without them.
    let mut optional = |file: &str| match look(file) {
        Err(Failure::Offline { .. }) => Ok(None),
        found => found,
    };
    let chat_template = optional(CHAT_TEMPLATE)?;
    let mut companions = Vec::new();
    for name in COMPANIONS {
        companions.extend(optional(name)?.map(|path| (name, path)));
    }
    let weights = match look("model.safetensors")? {
        Some(single) => vec![single],
        None => {
            let index = needed(look, "model.safetensors.index.json")?;
            let shards = shard_names("of the hub", &read(&index)?)?;
            shards.iter().map(|shard| needed(look, shard)).collect::<std::result::Result<_, _>>()?
        }
    };
    Ok(ModelFiles { config, tokenizer, tokenizer_config, chat_template, companions, weights })
}

/// Makes `pointer` stand for `blob`, by a path that holds when the cache is moved.
fn link(blob: &Path, pointer: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(pointer.parent().unwrap_or(pointer))?;
    if std::fs::symlink_metadata(pointer).is_ok() {
        std::fs::remove_file(pointer)?; // it stood for a blob that is gone
    }
    #[cfg(unix)]
    {
        let name = blob.file_name().unwrap_or(blob.as_os_str());
        std::os::unix::fs::symlink(Path::new("../../blobs").join(name), pointer)
    }
    #[cfg(not(unix))]
    std::fs::rename(blob, pointer)
}

//! Where a base model comes from, and the model once it is open: shape, tokenizer, weights, identity.

use crate::data::tokenizer::Tokenizer;
use crate::error::{Error, Result};
use crate::model::files::config::LlamaConfig;
use crate::model::files::hub::{self, Fetched, Observe};
use crate::model::files::model_files::{self, ModelFiles};
use crate::model::files::special_tokens::eos_token_id;
use crate::model::files::weights::Weights;
use crate::model::files::{gguf, surplus};
use crate::sha256;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What `--model` may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelSource {
    /// The small model that is part of the program.
    Demo,
    /// A folder in Hugging Face layout: config.json, tokenizer.json, model.safetensors or shards and index.
    Folder(PathBuf),
    /// A GGUF file, weights and tokenizer in one.
    Gguf(PathBuf),
    /// A repository of the Hugging Face hub.
    Hub {
        /// `org/name`.
        repo: String,
        /// Branch, tag or commit; `None` for the default branch.
        revision: Option<String>,
    },
}

impl FromStr for ModelSource {
    type Err = Error;

    /// `demo`, a folder that exists, a path that ends in `.gguf`, or `org/name[@revision]`, tried in this order.
    fn from_str(text: &str) -> Result<Self> {
        if text == "demo" {
            return Ok(ModelSource::Demo);
        }
        let path = Path::new(text);
        if path.is_dir() {
            return Ok(ModelSource::Folder(path.to_path_buf()));
        }
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf")) {
            return Ok(ModelSource::Gguf(path.to_path_buf()));
        }
        let (repo, revision) = match text.split_once('@') {
            Some((repo, revision)) => (repo, Some(revision.to_string())),
            None => (text, None),
        };
        let is_name = |part: &str| {
            part.starts_with(|letter: char| letter.is_ascii_alphanumeric())
                && part.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter))
        };
        let is_repo = repo.split_once('/').is_some_and(|(org, name)| is_name(org) && is_name(name));
        if !is_repo || revision.as_deref() == Some("") {
            return Err(Error::model(
                text,
                "expected demo, a folder with config.json, a .gguf file or org/name[@revision] of the hub, \
                 got none of them (and no such folder)",
            ));
        }
        Ok(ModelSource::Hub { repo: repo.to_string(), revision })
    }
}

impl std::fmt::Display for ModelSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ModelSource::Demo => f.write_str("demo"),
            ModelSource::Folder(path) | ModelSource::Gguf(path) => write!(f, "{}", path.display()),
            ModelSource::Hub { repo, revision: None } => f.write_str(repo),
            ModelSource::Hub { repo, revision: Some(revision) } => write!(f, "{repo}@{revision}"),
        }
    }
}

/// A base model, open: everything but the numbers, which the weights read when asked.
#[derive(Debug)]
pub struct BaseModel {
    /// Short name: last part of the path or repository, of a file without `.gguf`.
    pub name: String,
    /// As the user typed it.
    pub source: String,
    /// The commit of the hub's repository that its files are of.
    pub commit: Option<String>,
    /// SHA-256 over the weight files in the order of their names.
    pub sha256: String,
    /// The shape.
    pub config: LlamaConfig,
    /// Text to ids.
    pub tokenizer: Tokenizer,
    /// Ends a response: the tokenizer_config.json's, else the config.json's first.
    pub eos_token_id: u32,
    /// The tensors.
    pub weights: Weights,
    /// config.json as found, or as made for a GGUF.
    pub config_json: String,
    /// tokenizer.json as found, or as made for a GGUF.
    pub tokenizer_json: String,
    /// tokenizer_config.json, where there is one.
    pub tokenizer_config_json: Option<String>,
    /// The small files that a merged model takes over, by their names, where the base has them.
    pub companions: BTreeMap<&'static str, String>,
}

/// Opens a base model and checks it whole.
///
/// # Errors
/// `Error::File` where a file is missing or unreadable; `Error::Model` where it is no Llama that can be
/// run, where its parts do not fit each other, or where the hub does not answer.
pub fn open(source: &ModelSource) -> Result<BaseModel> {
    open_observed(source, &mut |_| Ok(()))
}

/// The same; `observe` is told what is fetched from the hub.
///
/// # Errors
/// As [`open`]; what `observe` gives.
pub fn open_observed(source: &ModelSource, observe: Observe) -> Result<BaseModel> {
    let typed = source.to_string();
    match source {
        ModelSource::Demo => {
            const CONFIG: &str = include_str!("../../../data/demo/config.json");
            const TOKENIZER: &str = include_str!("../../../data/demo/tokenizer.json");
            const WEIGHTS: &[u8] = include_bytes!("../../../data/demo/model.safetensors");
            BaseModel::from_bytes("demo", CONFIG, TOKENIZER, WEIGHTS)
        }
        ModelSource::Folder(folder) => {
            open_files(&short_name(folder), &typed, &ModelFiles::in_folder(&typed, folder)?)
        }
        ModelSource::Gguf(path) => open_gguf(&typed, path),
        ModelSource::Hub { repo, revision } => {
            open_fetched(&typed, repo, hub::fetch(&typed, repo, revision.as_deref(), observe)?)
        }
    }
}

/// Opens a model of a hub that the environment does not name.
///
/// # Errors
/// As [`open_observed`].
#[cfg(feature = "hub")]
pub fn open_from(hub: &hub::Hub, repo: &str, revision: &str, observe: Observe) -> Result<BaseModel> {
    open_fetched(repo, repo, hub.fetch(repo, repo, revision, observe)?)
}

/// The files of a base model; none of the one that is part of the program.
///
/// # Errors
/// `Error::Model` where one is missing, or where the hub does not answer; what `observe` gives.
pub(crate) fn files(source: &ModelSource, observe: Observe) -> Result<Vec<PathBuf>> {
    let typed = source.to_string();
    Ok(match source {
        ModelSource::Demo => Vec::new(),
        ModelSource::Gguf(path) => vec![path.clone()],
        ModelSource::Folder(folder) => ModelFiles::in_folder(&typed, folder)?.all(),
        ModelSource::Hub { repo, revision } => {
            hub::fetch(&typed, repo, revision.as_deref(), observe)?.0.all()
        }
    })
}

impl BaseModel {
    /// SHA-256 over all that it is: weights, shape and tokenizer.
    pub(crate) fn identity(&self) -> String {
        let tokenizer_config = self.tokenizer_config_json.as_deref().unwrap_or_default();
        let parts = [&*self.sha256, &self.config_json, &self.tokenizer_json, tokenizer_config];
        // Each by itself, so that no text can move from one into the next.
        let parts = parts.map(|part| sha256::of(part.as_bytes()));
        sha256::of_parts(parts.iter().map(String::as_bytes))
    }

    /// A model from files in memory.
    ///
    /// # Errors
    /// As [`open`].
    pub fn from_bytes(
        name: &str,
        config_json: &str,
        tokenizer_json: &str,
        safetensors: &'static [u8],
    ) -> Result<Self> {
        let texts = Texts {
            config_json: config_json.to_string(),
            tokenizer_json: tokenizer_json.to_string(),
            tokenizer_config_json: None,
            companions: BTreeMap::new(),
        };
        let config = LlamaConfig::from_json(name, config_json)?;
        BaseModel::assemble(name, name, config, texts, Weights::from_embedded(name, safetensors)?)
    }

    /// Fits the parts together: every tensor there in its shape, every token id inside the embedding.
    fn assemble(
        name: &str,
        source: &str,
        config: LlamaConfig,
        texts: Texts,
        weights: Weights,
    ) -> Result<Self> {
        let wrong = |message: String| Error::model(source, message);
        weights.check(&config)?;
        surplus::check(&weights, &config)?;
        let tokenizer = Tokenizer::from_json(&texts.tokenizer_json)
            .map_err(|error| wrong(format!("tokenizer.json: {error}")))?;
        if let Some(id) = tokenizer.largest_id().filter(|&id| id as usize >= config.vocab_size) {
            let vocab_size = config.vocab_size;
            return Err(wrong(format!(
                "tokenizer.json: expected ids below vocab_size {vocab_size}, got {id}"
            )));
        }
        let eos_token_id =
            eos_token_id(&config, &tokenizer, texts.tokenizer_config_json.as_deref()).map_err(wrong)?;
        Ok(BaseModel {
            name: name.to_string(),
            source: source.to_string(),
            commit: None,
            sha256: weights.sha256(),
            config,
            tokenizer,
            eos_token_id,
            weights,
            config_json: texts.config_json,
            tokenizer_json: texts.tokenizer_json,
            tokenizer_config_json: texts.tokenizer_config_json,
            companions: texts.companions,
        })
    }
}

/// The text files of a model.
struct Texts {
    config_json: String,
    tokenizer_json: String,
    tokenizer_config_json: Option<String>,
    companions: BTreeMap<&'static str, String>,
}

fn open_fetched(source: &str, repo: &str, (files, commit): Fetched) -> Result<BaseModel> {
    let name = repo.rsplit('/').next().unwrap_or(repo);
    Ok(BaseModel { commit: Some(commit), ..open_files(name, source, &files)? })
}

fn open_files(name: &str, source: &str, files: &ModelFiles) -> Result<BaseModel> {
    let texts = Texts {
        config_json: model_files::read(&files.config)?,
        tokenizer_json: model_files::read(&files.tokenizer)?,
        tokenizer_config_json: files.tokenizer_config(source)?,
        companions: files.companions()?,
    };
    let config = LlamaConfig::from_json(source, &texts.config_json)?;
    let weights = Weights::from_safetensors(source, &files.weights)?;
    BaseModel::assemble(name, source, config, texts, weights)
}

fn open_gguf(source: &str, path: &Path) -> Result<BaseModel> {
    let (weights, gguf) = Weights::from_gguf(source, path)?;
    let config = gguf::llama::config(&gguf, weights.gguf_bytes())?;
    let texts = Texts {
        config_json: config.to_json(),
        tokenizer_json: gguf::tokenizer::json(&gguf)?,
        tokenizer_config_json: Some(gguf::tokenizer::config_json(&gguf)?),
        companions: BTreeMap::new(),
    };
    // Not `general.name`: converters fill it with what they find, such as the folder of a training run, where
    // the file's name is what the user knows the model by.
    let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy();
    BaseModel::assemble(&name, source, config, texts, weights)
}

/// The last part of a path; of `.` the folder it stands for.
fn short_name(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    real.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}

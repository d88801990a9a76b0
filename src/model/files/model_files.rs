//! The files of a model in Hugging Face layout: config.json, tokenizer.json, model.safetensors or shards and index.

use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The files of a model in Hugging Face layout, wherever they lie.
pub(super) struct ModelFiles {
    pub(super) config: PathBuf,
    pub(super) tokenizer: PathBuf,
    pub(super) tokenizer_config: Option<PathBuf>,
    /// The chat template by itself, as newer transformers write it.
    pub(super) chat_template: Option<PathBuf>,
    /// Those of [`COMPANIONS`] that there are.
    pub(super) companions: Vec<(&'static str, PathBuf)>,
    pub(super) weights: Vec<PathBuf>,
}

impl ModelFiles {
    /// Those of a folder.
    ///
    /// # Errors
    /// `Error::Model` where one is missing.
    pub(super) fn in_folder(source: &str, folder: &Path) -> Result<Self> {
        let existing = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
        let needed = |name: &str| {
            existing(name)
                .ok_or_else(|| Error::model(source, format!("expected {name} in the folder, got none")))
        };
        let weights = if let Some(single) = existing("model.safetensors") {
            vec![single]
        } else if let Some(index) = existing("model.safetensors.index.json") {
            let shards = shard_names(source, &read(&index)?)?;
            shards.iter().map(|name| needed(name)).collect::<Result<_>>()?
        } else {
            let message =
                "expected model.safetensors or model.safetensors.index.json in the folder, got neither";
            return Err(Error::model(source, message));
        };
        Ok(ModelFiles {
            config: needed("config.json")?,
            tokenizer: needed("tokenizer.json")?,
            tokenizer_config: existing("tokenizer_config.json"),
            chat_template: existing(CHAT_TEMPLATE),
            companions: COMPANIONS.iter().filter_map(|&name| Some((name, existing(name)?))).collect(),
            weights,
        })
    }
}

impl ModelFiles {
    /// All of them.
    pub(super) fn all(self) -> Vec<PathBuf> {
        let ModelFiles { config, tokenizer, tokenizer_config, chat_template, companions, weights } = self;
        let companions = companions.into_iter().map(|(_, path)| path);
        let texts = [config, tokenizer].into_iter().chain(tokenizer_config).chain(chat_template);
        texts.chain(companions).chain(weights).collect()
    }
}

/// The name of the file that holds a chat template alone.
pub(super) const CHAT_TEMPLATE: &str = "chat_template.jinja";
/// How transformers generates with the model.
pub(super) const GENERATION: &str = "generation_config.json";
/// Small files that nothing here reads, and that a merged model takes over.
pub(super) const COMPANIONS: [&str; 3] = [GENERATION, "special_tokens_map.json", "added_tokens.json"];

impl ModelFiles {
    /// The companions' texts by their names.
    ///
    /// # Errors
    /// `Error::File` where one cannot be read.
    pub(super) fn companions(&self) -> Result<BTreeMap<&'static str, String>> {
        self.companions.iter().map(|(name, path)| Ok((*name, read(path)?))).collect()
    }

    /// tokenizer_config.json with the chat template in it: a file of its own counts before the field, as in transformers.
    ///
    /// # Errors
    /// `Error::File` where one cannot be read; `Error::Model` where the settings are no JSON object.
    pub(super) fn tokenizer_config(&self, source: &str) -> Result<Option<String>> {
        let config = self.tokenizer_config.as_deref().map(read).transpose()?;
        let Some(template) = self.chat_template.as_deref().map(read).transpose()? else { return Ok(config) };
        let text = config.as_deref().unwrap_or("{}");
        let wrong = |message: String| Error::model(source, format!("tokenizer_config.json: {message}"));
        let mut tree: Map<String, Value> =
            serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
        tree.insert("chat_template".into(), template.into());
        serde_json::to_string_pretty(&tree).map(Some).map_err(|error| wrong(error.to_string()))
    }
}

/// The shards that an index names, each once, sorted.
///
/// # Errors
/// `Error::Model`: no index, or a shard outside its folder.
pub(super) fn shard_names(source: &str, index: &str) -> Result<Vec<String>> {
    let wrong = |message: String| Error::model(source, format!("model.safetensors.index.json: {message}"));
    let tree: Value = serde_json::from_str(index).map_err(|error| wrong(format!("not JSON: {error}")))?;
    let map = tree.get("weight_map").and_then(Value::as_object);
    let map = map.ok_or_else(|| wrong("weight_map: expected an object of tensors and files".into()))?;
    let mut names = Vec::new();
    for file in map.values() {
        // An index is foreign: it may name a file beside itself and nothing else.
        match file.as_str().filter(|name| name.ends_with(".safetensors") && !name.contains(['/', '\\'])) {
            Some(name) => names.push(name.to_string()),
            None => return Err(wrong(format!("expected a .safetensors file of the folder, got {file}"))),
        }
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// A whole text file.
///
/// # Errors
/// `Error::File` where it is missing or no UTF-8.
pub(super) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::file(path, error))
}

//! Base models: what opens, what it then holds, and what is refused with which words.
//!
//! The folder under tests/reference/tiny/model was written by transformers; GGUF files are written here
//! by candle's writer, from the same weights.
#![allow(clippy::unwrap_used, reason = "a test may stop where a fixture is not what it must be")]

mod config;
mod folder;
pub(crate) mod converter;
mod gguf;
mod to_gguf;

use crate::support::reference_folder;
use candle_core::{Device, Tensor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tezgah::model::files::source::{BaseModel, ModelSource, open};

/// `Tokenizer.from_file(...).encode("I have a cat. It is 12 years old!").ids` of tokenizers 0.23.3.
pub(super) const SENTENCE: &str = "I have a cat. It is 12 years old!";
pub(super) const SENTENCE_IDS: [u32; 26] = [
    0, 42, 287, 66, 87, 70, 259, 333, 85, 15, 222, 42, 85, 263, 222, 18, 19, 222, 90, 70, 265, 84, 222, 80,
    383, 2,
];

pub(super) fn reference() -> PathBuf {
    reference_folder().join("tiny/model")
}

pub(super) fn folder(path: &Path) -> tezgah::error::Result<BaseModel> {
    open(&ModelSource::Folder(path.to_path_buf()))
}

pub(super) fn gguf(path: &Path) -> tezgah::error::Result<BaseModel> {
    open(&ModelSource::Gguf(path.to_path_buf()))
}

pub(super) fn reference_tensors() -> BTreeMap<String, Tensor> {
    candle_core::safetensors::load(reference().join("model.safetensors"), &Device::Cpu)
        .unwrap()
        .into_iter()
        .collect()
}

/// The reference config.json with some fields changed; null removes one.
pub(super) fn config_with(changes: Value) -> String {
    let text = std::fs::read_to_string(reference().join("config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    config.to_string()
}

/// One line, and each of the parts in it.
pub(super) fn check_message(error: &tezgah::error::Error, parts: &[&str]) {
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

#[test]
fn a_source_is_told_from_its_spelling() {
    let here = reference().display().to_string();
    let parse = |text: &str| text.parse::<ModelSource>();
    let hub = |repo: &str, revision: Option<&str>| ModelSource::Hub {
        repo: repo.to_string(),
        revision: revision.map(str::to_string),
    };
    assert_eq!(parse("demo").unwrap(), ModelSource::Demo);
    assert_eq!(parse(&here).unwrap(), ModelSource::Folder(reference()));
    assert_eq!(parse("models/a.gguf").unwrap(), ModelSource::Gguf("models/a.gguf".into()));
    let named = "meta-llama/Llama-3.2-1B-Instruct";
    assert_eq!(parse(named).unwrap(), hub(named, None));
    assert_eq!(parse("org/name@refs/pr/1").unwrap(), hub("org/name", Some("refs/pr/1")));
    for text in ["demo", here.as_str(), "models/a.gguf", named, "org/name@v1.0"] {
        assert_eq!(parse(text).unwrap().to_string(), text);
    }
    for text in ["", "model", "./nowhere", "/no/such/folder", "a/b/c", "org/name@", "org/", "../x", "a b/c"] {
        check_message(&parse(text).unwrap_err(), &["expected demo", "org/name[@revision]"]);
    }
    let error = gguf(Path::new("/no/such/file.gguf")).unwrap_err();
    check_message(&error, &["/no/such/file.gguf"]);
}

//! A model's folder: config.json, the table of the weights, the index of shards; and tensors that no config.json names.

use super::{Spoilt, cases, damaged, damaged_head, read_calmly};
use crate::support::reference_folder;
use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;
use serde_json::json;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;
use tezgah::error::Result;
use tezgah::model::files::source::{BaseModel, ModelSource, open};

fn reference() -> PathBuf {
    reference_folder().join("tiny/model")
}

/// A copy of the reference folder, one file of which is changed in each case.
pub(super) fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(reference().join(name), copy.path().join(name)).unwrap();
    }
    copy
}

fn folder(path: &Path) -> Result<BaseModel> {
    open(&ModelSource::Folder(path.to_path_buf()))
}

fn sound(name: &str) -> Vec<u8> {
    std::fs::read(reference().join(name)).unwrap()
}

/// Opens the reference with other bytes in the place of `name`, and reads every tensor of what opened.
fn opened_with(name: &str, bytes: &[u8]) -> std::result::Result<(), TestCaseError> {
    static COPIES: LazyLock<[TempDir; 2]> = LazyLock::new(|| [copy(), copy()]);
    let copy = &COPIES[usize::from(name == "config.json")];
    std::fs::write(copy.path().join(name), bytes).unwrap();
    let size = bytes.len() + 700_000; // the weights are looked at too
    if let Some(model) = read_calmly(size, || folder(copy.path())) {
        for name in model.weights.names() {
            let shape = model.weights.shape(name).unwrap();
            let tensor = read_calmly(size, || model.weights.dense(name, DType::F32, &Device::Cpu));
            let tensor = tensor.expect("a tensor of a model that opened");
            prop_assert_eq!(tensor.dims(), shape);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_spoilt_config_is_read_or_refused(Spoilt { bytes, .. } in damaged(sound("config.json"))) {
        opened_with("config.json", &bytes)?;
    }

    #[test]
    fn a_spoilt_table_of_weights_is_read_or_refused(
        Spoilt { bytes, .. } in damaged_head(sound("model.safetensors"), head(&sound("model.safetensors")))
    ) {
        opened_with("model.safetensors", &bytes)?;
    }

    /// An index may name a file beside itself and nothing else, whatever the word.
    #[test]
    fn no_shard_lies_outside_its_folder(name in "(\\.\\./|\\.\\.\\\\|/|\\./|sub/|C:)?[a-z.]{0,6}(\\.\\./)?x(\\.safetensors)?\0?") {
        let parent = tempfile::tempdir().unwrap();
        let inner = parent.path().join("model");
        std::fs::create_dir_all(inner.join("sub")).unwrap();
        // What a way out would find there is sound.
        for place in ["", "model/sub"] {
            std::fs::write(parent.path().join(place).join("x.safetensors"), sound("model.safetensors")).unwrap();
        }
        for file in ["config.json", "tokenizer.json"] {
            std::fs::copy(reference().join(file), inner.join(file)).unwrap();
        }
        let index = json!({ "weight_map": { "model.norm.weight": name } });
        std::fs::write(inner.join("model.safetensors.index.json"), index.to_string()).unwrap();
        prop_assert!(read_calmly(1_000_000, || folder(&inner)).is_none(), "{}", name);
    }
}

/// Bytes of a safetensors file before its numbers.
pub(super) fn head(bytes: &[u8]) -> usize {
    8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

/// The reference's tensors and one more.
fn refusal_with(name: &str, tensor: Tensor) -> Option<String> {
    let copy = copy();
    let path = copy.path().join("model.safetensors");
    let mut tensors: HashMap<String, Tensor> = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    tensors.insert(name.to_string(), tensor);
    candle_core::safetensors::save(&tensors, &path).unwrap();
    folder(copy.path()).err().map(|error| error.to_string())
}

#[test]
fn a_tensor_that_the_model_does_not_have_is_refused_by_its_name() {
    let ones = || Tensor::ones(4, DType::F32, &Device::Cpu).unwrap();
    for name in [
        "model.layers.3.mlp.up_proj.weight", // the reference has layers 0 to 2
        "model.layers.0.self_attn.q_proj.bias",
        "model.layers.0.self_attn.q_norm.weight",
        "model.layers.0.block_sparse_moe.gate.weight",
        "visual.inv_freq",
    ] {
        let message = refusal_with(name, ones()).expect(name);
        assert!(message.contains(name) && message.contains("3 layers"), "{message}");
    }
    for name in ["model.layers.0.self_attn.rotary_emb.inv_freq", "model.rotary_emb.inv_freq"] {
        assert_eq!(refusal_with(name, ones()), None);
    }
}

#[test]
fn a_tied_head_may_be_there_where_it_is_the_embedding() {
    let weights =
        candle_core::safetensors::load(reference().join("model.safetensors"), &Device::Cpu).unwrap();
    let embedding = weights["model.embed_tokens.weight"].clone();
    assert_eq!(refusal_with("lm_head.weight", embedding.clone()), None);
    let other = (&embedding * 2.0).unwrap();
    for head in [
        other,
        embedding.to_dtype(DType::F16).unwrap(),
        embedding.narrow(0, 0, 8).unwrap().contiguous().unwrap(),
    ] {
        let message = refusal_with("lm_head.weight", head).expect("another head");
        assert!(message.contains("lm_head.weight") && message.contains("tie_word_embeddings"), "{message}");
    }
}

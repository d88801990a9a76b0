//! A folder as transformers writes it: whole, in shards, in half precision, damaged.

use super::{SENTENCE, SENTENCE_IDS, check_message, config_with, folder, reference, reference_tensors};
use crate::tensors::values;
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tempfile::TempDir;
use tezgah::model::files::source::BaseModel;

fn save(tensors: &BTreeMap<String, Tensor>, path: &Path) {
    let tensors: HashMap<String, Tensor> = tensors.clone().into_iter().collect();
    candle_core::safetensors::save(&tensors, path).unwrap();
}

/// A copy of the reference folder, to be spoilt.
fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(reference().join(name), copy.path().join(name)).unwrap();
    }
    copy
}

#[test]
fn a_folder_opens_with_the_numbers_of_the_python_stack() {
    let model = folder(&reference()).unwrap();
    assert_eq!(model.name, "model");
    assert_eq!(model.source, reference().display().to_string());
    assert_eq!(model.eos_token_id, 1);
    // sum(p.numel() for p in LlamaForCausalLM.from_pretrained(folder).parameters())
    assert_eq!(model.config.parameters(), 157_120);
    // sha256sum model.safetensors
    assert_eq!(model.sha256, "b8492f2f4d96efd95fe980f4e5105884a95606e6e9c7128484c1746720b8b8f3");
    assert_eq!(model.tokenizer.encode(SENTENCE, true).unwrap().get_ids(), SENTENCE_IDS);
    let tensors = reference_tensors();
    assert_eq!(model.weights.names().collect::<Vec<_>>(), tensors.keys().collect::<Vec<_>>());
    for (name, tensor) in &tensors {
        assert_eq!(model.weights.shape(name).unwrap(), tensor.dims());
        assert_eq!(model.weights.stored_type(name).unwrap(), "F32");
        let got = model.weights.dense(name, DType::F32, &Device::Cpu).unwrap();
        assert_eq!(values(&got), values(tensor), "{name}");
        assert!(model.weights.quantized(name, &Device::Cpu).unwrap().is_none());
    }
    let error =
        model.weights.dense("model.layers.9.mlp.up_proj.weight", DType::F32, &Device::Cpu).unwrap_err();
    check_message(&error, &["model.layers.9.mlp.up_proj.weight", "29 tensors without it"]);
}

#[test]
fn a_model_from_memory_is_the_model_of_the_folder() {
    let weights: &'static [u8] = std::fs::read(reference().join("model.safetensors")).unwrap().leak();
    let text = |name: &str| std::fs::read_to_string(reference().join(name)).unwrap();
    let model =
        BaseModel::from_bytes("tiny", &text("config.json"), &text("tokenizer.json"), weights).unwrap();
    let from_folder = folder(&reference()).unwrap();
    assert_eq!((model.sha256, model.config), (from_folder.sha256, from_folder.config));
    let name = "model.layers.2.mlp.down_proj.weight";
    let got = model.weights.dense(name, DType::F32, &Device::Cpu).unwrap();
    assert_eq!(values(&got), values(&reference_tensors()[name]));
}

#[test]
fn shards_are_read_as_one_model() {
    let copy = copy();
    let (mut first, mut second) = (BTreeMap::new(), BTreeMap::new());
    for (index, (name, tensor)) in reference_tensors().into_iter().enumerate() {
        let shard = if index % 2 == 0 { &mut first } else { &mut second };
        shard.insert(name, tensor);
    }
    let names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    std::fs::remove_file(copy.path().join("model.safetensors")).unwrap();
    save(&first, &copy.path().join(names[0]));
    save(&second, &copy.path().join(names[1]));
    let in_first = first.keys().map(|name| (name.clone(), json!(names[0])));
    let in_second = second.keys().map(|name| (name.clone(), json!(names[1])));
    let map: serde_json::Map<String, Value> = in_second.chain(in_first).collect();
    let index = copy.path().join("model.safetensors.index.json");
    std::fs::write(&index, json!({"metadata": {}, "weight_map": map}).to_string()).unwrap();

    let model = folder(copy.path()).unwrap();
    for (name, tensor) in reference_tensors() {
        let got = model.weights.dense(&name, DType::F32, &Device::Cpu).unwrap();
        assert_eq!(values(&got), values(&tensor), "{name}");
    }
    // Both files as one, in the order of their names.
    let whole: Vec<u8> =
        names.iter().flat_map(|name| std::fs::read(copy.path().join(name)).unwrap()).collect();
    use sha2::Digest;
    let expected: String = sha2::Sha256::digest(&whole).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(model.sha256, expected);

    std::fs::write(&index, json!({"weight_map": {"a": "../model.safetensors"}}).to_string()).unwrap();
    check_message(&folder(copy.path()).unwrap_err(), &["index.json", "../model.safetensors"]);
    std::fs::write(&index, json!({"weight_map": {"a": "model-3.safetensors"}}).to_string()).unwrap();
    check_message(&folder(copy.path()).unwrap_err(), &["model-3.safetensors"]);
    std::fs::write(&index, json!({"weight_map": {"a": names[0]}}).to_string()).unwrap();
    check_message(&folder(copy.path()).unwrap_err(), &["tensor model.", "expected in the weights"]);
    save(&first, &copy.path().join(names[1]));
    std::fs::write(&index, json!({"weight_map": {"a": names[0], "b": names[1]}}).to_string()).unwrap();
    check_message(&folder(copy.path()).unwrap_err(), &["one file only", names[1]]);
}

#[test]
fn half_precision_files_are_read_in_any_type() {
    for (dtype, stored) in [(DType::BF16, "BF16"), (DType::F16, "F16")] {
        let copy = copy();
        let half: BTreeMap<String, Tensor> = reference_tensors()
            .into_iter()
            .map(|(name, tensor)| (name, tensor.to_dtype(dtype).unwrap()))
            .collect();
        save(&half, &copy.path().join("model.safetensors"));
        let model = folder(copy.path()).unwrap();
        for (name, tensor) in &half {
            assert_eq!(model.weights.stored_type(name).unwrap(), stored);
            for wanted in [DType::F32, dtype] {
                let got = model.weights.dense(name, wanted, &Device::Cpu).unwrap();
                assert_eq!(got.dtype(), wanted);
                assert_eq!(values(&got), values(tensor), "{name}");
            }
        }
    }
}

#[test]
fn damaged_weights_are_refused_with_expected_and_got() {
    let copy = copy();
    let path = copy.path().join("model.safetensors");
    let whole = std::fs::read(&path).unwrap();
    let half = whole[..whole.len() / 2].to_vec();
    let mut huge_header = whole.clone();
    huge_header[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".to_vec();
    for (bytes, part) in [
        (half, "safetensors file, got 315736 bytes"),
        (whole[..4].to_vec(), "got 4 bytes"),
        (Vec::new(), "got 0 bytes"),
        (huge_header, "header"),
        (vec![0x5a; 4096], "got 4096 bytes"),
        (pointer, "Git LFS pointer"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        check_message(&folder(copy.path()).unwrap_err(), &["model.safetensors", "expected", "got", part]);
    }

    let spoilt = |name: &str, tensor: Option<Tensor>| {
        let mut tensors = reference_tensors();
        tensors.remove(name).unwrap();
        tensors.extend(tensor.map(|tensor| (name.to_string(), tensor)));
        save(&tensors, &path);
        folder(copy.path()).unwrap_err()
    };
    let name = "model.layers.1.self_attn.k_proj.weight";
    check_message(&spoilt(name, None), &[name, "28 tensors without it"]);
    let wide = Tensor::zeros((17, 64), DType::F32, &Device::Cpu).unwrap();
    check_message(&spoilt(name, Some(wide)), &[name, "[16, 64]", "[17, 64]"]);
    let bytes = Tensor::zeros((16, 64), DType::U8, &Device::Cpu).unwrap();
    check_message(&spoilt(name, Some(bytes)), &[name, "F32, BF16 or F16", "U8"]);

    // An untied model needs its head.
    save(&reference_tensors(), &path);
    std::fs::write(copy.path().join("config.json"), config_with(json!({"tie_word_embeddings": false})))
        .unwrap();
    check_message(&folder(copy.path()).unwrap_err(), &["lm_head.weight"]);
}

#[test]
fn missing_and_damaged_text_files_are_named() {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let copy = copy();
        std::fs::remove_file(copy.path().join(name)).unwrap();
        check_message(&folder(copy.path()).unwrap_err(), &[name, "expected", "got"]);
    }
    let copy = copy();
    for text in ["", "{}", "{\"version\": \"1.0\"}"] {
        std::fs::write(copy.path().join("tokenizer.json"), text).unwrap();
        check_message(&folder(copy.path()).unwrap_err(), &["tokenizer.json"]);
    }
    std::fs::write(copy.path().join("tokenizer.json"), [0xff, 0xfe]).unwrap();
    check_message(&folder(copy.path()).unwrap_err(), &["tokenizer.json", "UTF-8"]);
    // A tokenizer of a larger model.
    let text = std::fs::read_to_string(reference().join("tokenizer.json")).unwrap();
    let mut tokenizer: Value = serde_json::from_str(&text).unwrap();
    tokenizer["model"]["vocab"]["larger"] = json!(500);
    std::fs::write(copy.path().join("tokenizer.json"), tokenizer.to_string()).unwrap();
    check_message(&folder(copy.path()).unwrap_err(), &["vocab_size 384", "got 500"]);
}

#[test]
fn the_end_of_a_response_is_the_tokenizers_before_the_configs() {
    let copy = copy();
    let path = copy.path().join("tokenizer_config.json");
    for (text, expected) in [
        (json!({"eos_token": "<|begin_of_text|>"}), 0),
        (json!({"eos_token": {"content": "<|begin_of_text|>", "special": true}}), 0),
        (json!({"eos_token": null}), 1),
        (json!({"bos_token": "<|begin_of_text|>"}), 1),
    ] {
        std::fs::write(&path, text.to_string()).unwrap();
        let model = folder(copy.path()).unwrap();
        assert_eq!(model.eos_token_id, expected, "{text}");
        assert_eq!(model.tokenizer_config_json, Some(text.to_string()));
    }
    for (text, part) in
        [("{\"eos_token\": \"</s>\"}", "</s>"), ("{\"eos_token\": 5}", "got 5"), ("?", "not JSON")]
    {
        std::fs::write(&path, text).unwrap();
        check_message(&folder(copy.path()).unwrap_err(), &["tokenizer_config.json", part]);
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::write(copy.path().join("config.json"), config_with(json!({"eos_token_id": null}))).unwrap();
    check_message(&folder(copy.path()).unwrap_err(), &["eos_token", "neither"]);
}

/// Some published tokenizer.json files carry a truncation to 512 tokens and padding.
#[test]
fn a_tokenizer_neither_cuts_nor_pads() {
    let copy = copy();
    let path = copy.path().join("tokenizer.json");
    let mut tokenizer: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    tokenizer["truncation"] =
        json!({"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0});
    tokenizer["padding"] = json!({"strategy": {"Fixed": 64}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 1, "pad_type_id": 0, "pad_token": "<|end_of_text|>"});
    std::fs::write(&path, tokenizer.to_string()).unwrap();
    let model = folder(copy.path()).unwrap();
    assert_eq!(model.tokenizer.encode(SENTENCE, true).unwrap().get_ids(), SENTENCE_IDS);
}

//! Base models: what opens, what it then holds, and what is refused with which words.
//!
//! The folder under tests/reference/tiny/model was written by transformers; GGUF files are written here
//! by candle's writer, from the same weights.
#![allow(clippy::unwrap_used, reason = "a test may stop where a fixture is not what it must be")]

use candle_core::quantized::gguf_file::{self, Value as Metadata};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tezgah::model::files::config::LlamaConfig;
use tezgah::model::files::source::{BaseModel, ModelSource, open};

/// `Tokenizer.from_file(...).encode("I have a cat. It is 12 years old!").ids` of tokenizers 0.23.3.
const SENTENCE: &str = "I have a cat. It is 12 years old!";
const SENTENCE_IDS: [u32; 26] = [
    0, 42, 287, 66, 87, 70, 259, 333, 85, 15, 222, 42, 85, 263, 222, 18, 19, 222, 90, 70, 265, 84, 222, 80,
    383, 2,
];

fn reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tiny/model")
}

fn folder(path: &Path) -> tezgah::error::Result<BaseModel> {
    open(&ModelSource::Folder(path.to_path_buf()))
}

fn gguf(path: &Path) -> tezgah::error::Result<BaseModel> {
    open(&ModelSource::Gguf(path.to_path_buf()))
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.to_dtype(DType::F32).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn reference_tensors() -> BTreeMap<String, Tensor> {
    candle_core::safetensors::load(reference().join("model.safetensors"), &Device::Cpu)
        .unwrap()
        .into_iter()
        .collect()
}

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

/// The reference config.json with some fields changed; null removes one.
fn config_with(changes: Value) -> String {
    let text = std::fs::read_to_string(reference().join("config.json")).unwrap();
    let mut config: Value = serde_json::from_str(&text).unwrap();
    for (key, value) in changes.as_object().unwrap() {
        config[key] = value.clone();
    }
    config.to_string()
}

/// One line, and each of the parts in it.
fn check_message(error: &tezgah::error::Error, parts: &[&str]) {
    let message = error.to_string();
    assert!(!message.contains('\n'), "{message}");
    for part in parts {
        assert!(message.contains(part), "'{part}' is not in: {message}");
    }
}

fn close(got: f64, expected: f64) -> bool {
    (got / expected - 1.0).abs() < 1e-6
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

/// transformers 5.23, `LlamaRotaryEmbedding(LlamaConfig(...)).inv_freq`, with
/// rope_parameters = {rope_type: "llama3", factor: 32, low_freq_factor: 1, high_freq_factor: 4, ...}.
#[test]
fn rotary_frequencies_are_those_of_transformers() {
    let tiny = folder(&reference()).unwrap().config;
    let expected = [1.0, 0.001175188459455967, 4.4194170186528936e-05, 1.6619674170215148e-06];
    let got = tiny.inverse_frequencies();
    assert_eq!(got.len(), expected.len());
    assert!(got.iter().zip(expected).all(|(&got, expected)| close(got, expected)), "{got:?}");

    // Llama-3.2-1B: theta 500000, head_dim 64, original 8192.
    let scaled = json!({
        "hidden_size": 2048, "num_attention_heads": 32, "head_dim": 64, "max_position_embeddings": 131072,
        "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
    });
    let got = LlamaConfig::from_json("test", &config_with(scaled)).unwrap().inverse_frequencies();
    for (pair, expected) in [
        (0, 1.0),
        (1, 0.663601279258728),
        (13, 0.00483942124992609),
        (14, 0.0032114461064338684),
        (15, 0.0012905480107292533),
        (16, 0.000429556705057621),
        (17, 9.708286233944818e-05),
        (31, 9.418306490260875e-08),
    ] {
        assert!(close(got[pair], expected), "{pair}: {} {expected}", got[pair]);
    }

    // SmolLM2-135M: theta 100000, plain; head_dim is hidden_size / heads.
    let plain = json!({
        "hidden_size": 576, "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": null,
        "rope_parameters": null, "rope_theta": 100000,
    });
    let got = LlamaConfig::from_json("test", &config_with(plain)).unwrap().inverse_frequencies();
    assert_eq!(got.len(), 32);
    for (pair, expected) in
        [(0, 1.0), (1, 0.6978305578231812), (16, 0.003162277862429619), (31, 1.4330126759887207e-05)]
    {
        assert!(close(got[pair], expected), "{pair}: {} {expected}", got[pair]);
    }
}

#[test]
fn both_dialects_of_config_json_give_one_config() {
    let newer = folder(&reference()).unwrap().config;
    let scaling = |key: &str| {
        json!({key: "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 128})
    };
    for key in ["rope_type", "type"] {
        let older = json!({
            "rope_parameters": null, "dtype": null, "rope_theta": 500000.0, "torch_dtype": "float32",
            "rope_scaling": scaling(key),
        });
        assert_eq!(LlamaConfig::from_json("test", &config_with(older)).unwrap(), newer);
    }
    assert_eq!(LlamaConfig::from_json("test", &newer.to_json()).unwrap(), newer);
    // transformers: `standardize_rope_params` falls back to max_position_embeddings.
    let mut without = scaling("rope_type");
    without.as_object_mut().unwrap().remove("original_max_position_embeddings");
    let config = LlamaConfig::from_json("test", &config_with(json!({"rope_parameters": without}))).unwrap();
    assert_eq!(config.rope_scaling.unwrap().original_max_position_embeddings, 4096);
}

#[test]
fn fields_that_are_left_out_have_the_defaults_of_transformers() {
    let sparse = json!({
        "num_key_value_heads": null, "tie_word_embeddings": null, "rms_norm_eps": null, "rope_parameters": null,
        "max_position_embeddings": null, "eos_token_id": [7, 9], "bos_token_id": null, "architectures": null,
    });
    let config = LlamaConfig::from_json("test", &config_with(sparse)).unwrap();
    assert_eq!(
        (config.num_key_value_heads, config.tie_word_embeddings, config.rms_norm_eps),
        (8, false, 1e-6)
    );
    assert_eq!(
        (config.rope_theta, config.rope_scaling, config.max_position_embeddings),
        (10_000.0, None, 2048)
    );
    assert_eq!((config.bos_token_id, config.eos_token_id), (None, Some(7)));
}

#[test]
fn what_is_not_computed_is_refused_by_name() {
    for (changes, parts) in [
        (json!({"model_type": "mistral"}), ["model_type", "mistral"]),
        (json!({"model_type": null, "architectures": null}), ["model_type", "nothing"]),
        (
            json!({"architectures": ["LlamaForSequenceClassification"]}),
            ["architectures", "SequenceClassification"],
        ),
        (json!({"hidden_act": "gelu"}), ["hidden_act", "gelu"]),
        (json!({"attention_bias": true}), ["attention_bias", "true"]),
        (json!({"mlp_bias": true}), ["mlp_bias", "true"]),
        (
            json!({"quantization_config": {"quant_method": "bitsandbytes"}}),
            ["quantization_config", "bitsandbytes"],
        ),
        (json!({"rope_scaling": {"type": "linear", "factor": 2.0}}), ["rope_scaling.rope_type", "linear"]),
        (json!({"rope_parameters": {"rope_type": "yarn"}}), ["rope_parameters.rope_type", "yarn"]),
        (json!({"rope_parameters": {"rope_type": "llama3"}}), ["rope_parameters.factor", "nothing"]),
        (json!({"partial_rotary_factor": 0.5}), ["partial_rotary_factor", "0.5"]),
        (json!({"num_key_value_heads": 3}), ["num_key_value_heads", "got 3"]),
        (json!({"num_key_value_heads": 0}), ["num_key_value_heads", "got 0"]),
        (json!({"num_attention_heads": 7, "head_dim": null}), ["hidden_size", "got 64"]),
        (json!({"num_attention_heads": 0, "head_dim": null}), ["hidden_size", "heads 0"]),
        (json!({"head_dim": 7}), ["head_dim", "got 7"]),
        (json!({"hidden_size": null}), ["hidden_size", "nothing"]),
        (json!({"hidden_size": -64}), ["hidden_size", "-64"]),
        (json!({"num_hidden_layers": 1_000_000_000}), ["num_hidden_layers", "1000000000"]),
        (json!({"vocab_size": "many"}), ["vocab_size", "many"]),
        (json!({"rms_norm_eps": 0}), ["rms_norm_eps", "got 0"]),
        (json!({"eos_token_id": 384}), ["eos_token_id", "got 384"]),
        (json!({"eos_token_id": []}), ["eos_token_id", "[]"]),
    ] {
        let error = LlamaConfig::from_json("test", &config_with(changes)).unwrap_err();
        check_message(&error, &["model test: config.json: ", "expected", "got", parts[0], parts[1]]);
    }
    for text in ["", "{", "[1]", "\u{feff}nothing"] {
        check_message(&LlamaConfig::from_json("test", text).unwrap_err(), &["config.json"]);
    }
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

/// What a GGUF file of the reference model is made of; tests change parts of it.
struct GgufParts {
    metadata: BTreeMap<String, Metadata>,
    /// By GGUF names.
    tensors: BTreeMap<String, QTensor>,
}

impl GgufParts {
    /// The reference model as llama.cpp's converter writes it, with a type for each GGUF tensor name.
    fn of_reference(dtype: impl Fn(&str) -> GgmlDType) -> Self {
        let config = folder(&reference()).unwrap().config;
        let mut tensors = BTreeMap::new();
        for (name, tensor) in reference_tensors() {
            let (gguf_name, tensor) = match name.strip_prefix("model.layers.") {
                None => {
                    (if name.contains("embed") { "token_embd" } else { "output_norm" }.to_string(), tensor)
                }
                Some(rest) => {
                    let (layer, path) = rest.split_once('.').unwrap();
                    let part = match path.strip_suffix(".weight").unwrap() {
                        "self_attn.q_proj" => "attn_q",
                        "self_attn.k_proj" => "attn_k",
                        "self_attn.v_proj" => "attn_v",
                        "self_attn.o_proj" => "attn_output",
                        "mlp.gate_proj" => "ffn_gate",
                        "mlp.up_proj" => "ffn_up",
                        "mlp.down_proj" => "ffn_down",
                        "input_layernorm" => "attn_norm",
                        _ => "ffn_norm",
                    };
                    let tensor = match part {
                        "attn_q" => permuted(&tensor, config.num_attention_heads),
                        "attn_k" => permuted(&tensor, config.num_key_value_heads),
                        _ => tensor,
                    };
                    (format!("blk.{layer}.{part}"), tensor)
                }
            };
            let gguf_name = format!("{gguf_name}.weight");
            tensors.insert(gguf_name.clone(), QTensor::quantize(&tensor, dtype(&gguf_name)).unwrap());
        }
        // transformers 5.23: inv_freq of rope_type default / inv_freq of this config's llama3.
        let divisors = Tensor::new(&[1_f32, 32.0, 32.0, 32.0], &Device::Cpu).unwrap();
        tensors.insert("rope_freqs.weight".into(), QTensor::quantize(&divisors, GgmlDType::F32).unwrap());
        GgufParts { metadata: reference_metadata(), tensors }
    }

    fn write(&self, path: &Path) {
        let metadata: Vec<(&str, &Metadata)> =
            self.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors: Vec<(&str, &QTensor)> =
            self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        gguf_file::write(&mut std::fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
    }

    /// Opens the file with one key changed (`None` removes it).
    fn open_with(&mut self, key: &str, value: Option<Metadata>) -> tezgah::error::Result<BaseModel> {
        let file = tempfile::Builder::new().suffix(".gguf").tempfile().unwrap();
        let before = self.metadata.clone();
        self.metadata.remove(key);
        self.metadata.extend(value.map(|value| (key.to_string(), value)));
        self.write(file.path());
        self.metadata = before;
        gguf(file.path())
    }
}

/// convert_hf_to_gguf.py: `weights.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(shape)`.
fn permuted(tensor: &Tensor, heads: usize) -> Tensor {
    let (rows, columns) = tensor.dims2().unwrap();
    let apart = tensor.reshape((heads, 2, rows / heads / 2, columns)).unwrap();
    apart.transpose(1, 2).unwrap().contiguous().unwrap().reshape((rows, columns)).unwrap()
}

fn texts(texts: impl IntoIterator<Item = String>) -> Metadata {
    Metadata::Array(texts.into_iter().map(Metadata::String).collect())
}

fn reference_metadata() -> BTreeMap<String, Metadata> {
    let text = std::fs::read_to_string(reference().join("tokenizer.json")).unwrap();
    let tokenizer: Value = serde_json::from_str(&text).unwrap();
    let vocabulary: BTreeMap<u64, String> = tokenizer["model"]["vocab"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(token, id)| (id.as_u64().unwrap(), token.clone()))
        .collect();
    let merges = tokenizer["model"]["merges"].as_array().unwrap().iter();
    let merges = merges.map(|pair| format!("{} {}", pair[0].as_str().unwrap(), pair[1].as_str().unwrap()));
    let types = (0..vocabulary.len()).map(|id| Metadata::I32(if id < 2 { 3 } else { 1 }));
    let count = Metadata::U32;
    [
        ("general.architecture", Metadata::String("llama".into())),
        ("general.name", Metadata::String("Tiny Llama of the tests".into())),
        ("llama.block_count", count(3)),
        ("llama.context_length", count(4096)),
        ("llama.embedding_length", count(64)),
        ("llama.feed_forward_length", count(176)),
        ("llama.attention.head_count", count(8)),
        ("llama.attention.head_count_kv", count(2)),
        ("llama.attention.layer_norm_rms_epsilon", Metadata::F32(1e-5)),
        ("llama.rope.freq_base", Metadata::F32(500_000.0)),
        ("llama.rope.dimension_count", count(8)),
        ("llama.rope.scaling.original_context_length", count(128)),
        ("tokenizer.ggml.model", Metadata::String("gpt2".into())),
        ("tokenizer.ggml.pre", Metadata::String("gpt-2".into())),
        ("tokenizer.ggml.merges", texts(merges)),
        ("tokenizer.ggml.token_type", Metadata::Array(types.collect())),
        ("tokenizer.ggml.tokens", texts(vocabulary.into_values())),
        ("tokenizer.ggml.bos_token_id", count(0)),
        ("tokenizer.ggml.eos_token_id", count(1)),
        ("tokenizer.ggml.add_bos_token", Metadata::Bool(true)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_string(), value))
    .collect()
}

/// Blocks lie along rows of 64 (o_proj likewise); down_proj's rows of 176 are no whole blocks.
fn mixed(name: &str) -> GgmlDType {
    match name {
        name if name.contains("norm") || name.contains("ffn_down") => GgmlDType::F32,
        "token_embd.weight" => GgmlDType::Q8_0,
        name if name.starts_with("blk.0.attn_q") => GgmlDType::F16,
        name if name.starts_with("blk.1") => GgmlDType::Q4_1,
        _ => GgmlDType::Q4_0,
    }
}

#[test]
fn a_gguf_file_is_the_model_that_was_converted() {
    let file = tempfile::Builder::new().suffix(".gguf").tempfile().unwrap();
    GgufParts::of_reference(|_| GgmlDType::F32).write(file.path());
    let model = gguf(file.path()).unwrap();
    let converted = folder(&reference()).unwrap();
    // The file's own name, not what its converter wrote into `general.name`.
    assert_eq!(model.name, file.path().file_stem().expect("a name").to_string_lossy());
    assert_eq!(model.config, converted.config);
    assert_eq!(model.eos_token_id, converted.eos_token_id);
    assert_eq!(LlamaConfig::from_json("test", &model.config_json).unwrap(), converted.config);
    for text in [SENTENCE, "", "Çay içtim!  \n\n\t12345 I'LL", "<|end_of_text|>a<|begin_of_text|>"] {
        let ids = |model: &BaseModel| model.tokenizer.encode(text, true).unwrap().get_ids().to_vec();
        assert_eq!(ids(&model), ids(&converted), "{text}");
    }
    for (name, tensor) in reference_tensors() {
        let got = model.weights.dense(&name, DType::F32, &Device::Cpu).unwrap();
        assert_eq!(values(&got), values(&tensor), "{name}");
        assert!(model.weights.quantized(&name, &Device::Cpu).unwrap().is_none(), "{name}");
    }
}

/// A row is whole blocks, so quantizing and reordering rows may change places.
#[test]
fn quantized_rows_come_back_in_hugging_face_order() {
    let file = tempfile::Builder::new().suffix(".gguf").tempfile().unwrap();
    GgufParts::of_reference(mixed).write(file.path());
    let model = gguf(file.path()).unwrap();
    let layer = |layer: usize, path: &str| format!("model.layers.{layer}.{path}.weight");
    for (name, dtype, stored) in [
        ("model.embed_tokens.weight".to_string(), GgmlDType::Q8_0, "Q8_0"),
        (layer(0, "self_attn.q_proj"), GgmlDType::F16, "F16"),
        (layer(0, "self_attn.k_proj"), GgmlDType::Q4_0, "Q4_0"),
        (layer(1, "self_attn.q_proj"), GgmlDType::Q4_1, "Q4_1"),
        (layer(1, "self_attn.k_proj"), GgmlDType::Q4_1, "Q4_1"),
        (layer(1, "self_attn.v_proj"), GgmlDType::Q4_1, "Q4_1"),
        (layer(2, "self_attn.o_proj"), GgmlDType::Q4_0, "Q4_0"),
        (layer(2, "mlp.gate_proj"), GgmlDType::Q4_0, "Q4_0"),
        (layer(2, "mlp.down_proj"), GgmlDType::F32, "F32"),
    ] {
        let expected = QTensor::quantize(&reference_tensors()[&name], dtype).unwrap();
        let dense = values(&expected.dequantize(&Device::Cpu).unwrap());
        assert_eq!(model.weights.stored_type(&name).unwrap(), stored);
        assert_eq!(values(&model.weights.dense(&name, DType::F32, &Device::Cpu).unwrap()), dense, "{name}");
        match model.weights.quantized(&name, &Device::Cpu).unwrap() {
            Some(got) => {
                assert_eq!((got.dtype(), got.shape()), (dtype, expected.shape()));
                assert_eq!(got.data().unwrap(), expected.data().unwrap(), "{name}");
            }
            None => assert!(stored.starts_with('F'), "{name}"),
        }
    }
}

/// tokenizers 0.23.3 in Python on the same vocabulary and merges, with `Digits(individual_digits=True)` and
/// ByteLevel for smollm, ByteLevel for gpt-2, and for llama-bpe the pattern of transformers 5.23's
/// `TikTokenConverter`, `ignore_merges=True`; ids of the text without a BOS.
#[test]
fn the_files_splitting_is_the_tokenizers() {
    let mut parts = GgufParts::of_reference(mixed);
    // Six of the last tokens make room for merges that the splittings treat differently.
    for (key, entries) in [
        ("tokens", ["12", "123", "1234", "Ġ1", "'S", "Ġ1234"]),
        ("merges", ["1 2", "12 3", "123 4", "Ġ 1", "' S", "Ġ 1234"]),
    ] {
        let Some(Metadata::Array(list)) = parts.metadata.get_mut(&format!("tokenizer.ggml.{key}")) else {
            panic!()
        };
        list.extend(entries.map(|entry| Metadata::String(entry.to_string())));
    }
    let Some(Metadata::Array(types)) = parts.metadata.get_mut("tokenizer.ggml.token_type") else { panic!() };
    types.extend([1; 6].map(Metadata::I32));
    let embedding = Tensor::zeros((390, 64), DType::F32, &Device::Cpu).unwrap();
    parts.tensors.insert("token_embd.weight".into(), QTensor::quantize(&embedding, GgmlDType::Q8_0).unwrap());

    let text = "It'S 12345 and 1234\n\n  cats<|end_of_text|>";
    for (pre, expected) in [
        ("gpt-2", vec![42, 85, 8, 52, 389, 22, 270, 389, 200, 200, 222, 333, 308, 1]),
        (
            "smollm",
            vec![
                42, 85, 8, 52, 222, 18, 19, 20, 21, 22, 270, 222, 18, 19, 20, 21, 200, 200, 222, 333, 308, 1,
            ],
        ),
        ("llama-bpe", vec![42, 85, 388, 222, 385, 21, 22, 270, 222, 385, 21, 200, 200, 222, 333, 308, 1]),
    ] {
        let model = parts.open_with("tokenizer.ggml.pre", Some(Metadata::String(pre.into()))).unwrap();
        assert_eq!(model.tokenizer.encode(text, false).unwrap().get_ids(), expected, "{pre}");
        let with_bos: Vec<u32> = std::iter::once(0).chain(expected).collect();
        assert_eq!(model.tokenizer.encode(text, true).unwrap().get_ids(), with_bos, "{pre}");
    }
    let pre = |name: &str| Some(Metadata::String(name.into()));
    parts.metadata.remove("tokenizer.ggml.add_bos_token");
    // llama.cpp adds a BOS with Llama 3's splitting unless told otherwise, and with GPT-2's only if told.
    for (name, expected) in [("llama-bpe", Some(0)), ("gpt-2", None), ("smollm", None)] {
        let model = parts.open_with("tokenizer.ggml.pre", pre(name)).unwrap();
        let ids = model.tokenizer.encode("", true).unwrap().get_ids().first().copied();
        assert_eq!(ids, expected, "{name}");
    }
    for (name, got) in [(pre("qwen2"), "qwen2"), (None, "nothing")] {
        let error = parts.open_with("tokenizer.ggml.pre", name).unwrap_err();
        check_message(&error, &["tokenizer.ggml.pre", "llama-bpe, smollm", got]);
    }
}

#[test]
fn gguf_metadata_that_does_not_fit_is_refused_by_key() {
    let mut parts = GgufParts::of_reference(mixed);
    let text = |text: &str| Some(Metadata::String(text.into()));
    let count = |count: u32| Some(Metadata::U32(count));
    for (key, value, part) in [
        ("general.architecture", text("qwen2"), "qwen2"),
        ("general.alignment", count(0), "got 0"),
        ("general.alignment", text("32"), "a text"),
        ("llama.block_count", None, "nothing"),
        ("llama.block_count", text("three"), "a text"),
        ("llama.expert_count", count(8), "got 8"),
        ("llama.attention.head_count", count(0), "got 0"),
        ("llama.attention.head_count", count(7), "got 7"),
        ("llama.attention.head_count", Some(Metadata::Array(vec![Metadata::I32(8); 3])), "a list"),
        ("llama.attention.value_length", count(16), "got 16"),
        ("llama.rope.dimension_count", count(4), "got 4"),
        ("llama.rope.scaling.type", text("yarn"), "yarn"),
        ("tokenizer.ggml.model", text("llama"), "byte-level BPE"),
        ("tokenizer.ggml.tokens", None, "nothing"),
        ("tokenizer.ggml.merges", Some(texts(["ab".to_string()])), "\"ab\""),
        ("tokenizer.ggml.token_type", Some(Metadata::Array(vec![Metadata::I32(1)])), "got 1"),
        ("tokenizer.ggml.bos_token_id", Some(Metadata::I32(-1)), "got -1"),
    ] {
        check_message(&parts.open_with(key, value).unwrap_err(), &[key, "expected", "got", part]);
    }
    let error = parts.open_with("llama.attention.head_count_kv", count(4)).unwrap_err();
    check_message(&error, &["k_proj.weight", "[32, 64]", "[16, 64]"]);
    let error = parts.open_with("tokenizer.ggml.eos_token_id", None).unwrap_err();
    check_message(&error, &["eos_token_id", "neither"]);
    let error = parts.open_with("llama.rope.scaling.original_context_length", None).unwrap_err();
    check_message(&error, &["rope_freqs.weight", "original 8192"]);

    // The divisors of original 8192, as Llama 3's files have them (transformers as above).
    let divisors = Tensor::new(&[1_f32, 1.0, 3.292_262_6, 32.0], &Device::Cpu).unwrap();
    parts.tensors.insert("rope_freqs.weight".into(), QTensor::quantize(&divisors, GgmlDType::F32).unwrap());
    let model = parts.open_with("llama.rope.scaling.original_context_length", None).unwrap();
    let scaling = model.config.rope_scaling.unwrap();
    assert_eq!((scaling.factor, scaling.original_max_position_embeddings), (32.0, 8192));

    let bias =
        QTensor::quantize(&Tensor::zeros(64, DType::F32, &Device::Cpu).unwrap(), GgmlDType::F32).unwrap();
    parts.tensors.insert("blk.0.attn_q.bias".into(), bias);
    check_message(&parts.open_with("general.name", None).unwrap_err(), &["blk.0.attn_q.bias", "expected"]);
}

/// candle's own reader divides by the file's alignment, and a length is read before anything is known of
/// it: no cut and no changed byte of the header may end in a panic or a huge allocation.
#[test]
fn a_damaged_gguf_file_is_an_error_and_never_a_panic() {
    let file = tempfile::Builder::new().suffix(".gguf").tempfile().unwrap();
    GgufParts::of_reference(mixed).write(file.path());
    let whole = std::fs::read(file.path()).unwrap();
    let header = whole.windows(17).rposition(|window| window == b"rope_freqs.weight").unwrap() + 64;
    assert!(gguf(file.path()).is_ok());
    for cut in
        (0..header).step_by(211).chain([0, 3, 4, 8, 23, header + 10, whole.len() / 2, whole.len() - 64])
    {
        std::fs::write(file.path(), &whole[..cut]).unwrap();
        check_message(&gguf(file.path()).unwrap_err(), &["GGUF", "expected", "got"]);
    }
    let mut opened = 0;
    for place in (0..header).step_by(53) {
        for byte in [0x00, 0x7f, 0xff] {
            let mut spoilt = whole.clone();
            spoilt[place] = byte;
            std::fs::write(file.path(), &spoilt).unwrap();
            if let Ok(model) = gguf(file.path()) {
                opened += 1;
                let name = "model.layers.0.self_attn.q_proj.weight";
                assert!(model.weights.dense(name, DType::F32, &Device::Cpu).is_ok());
            }
        }
    }
    // Most changed bytes lie in a token's text or type, and leave a model.
    assert!(opened > 0);
    std::fs::write(file.path(), vec![0x5a; 4096]).unwrap();
    check_message(&gguf(file.path()).unwrap_err(), &["begin with \"GGUF\""]);
}

//! A model written as a GGUF file: read back as itself, by candle's reader too, and what GGUF cannot say.

use super::converter::{GgufParts, permuted};
use super::{SENTENCE, check_message, folder, gguf, reference, reference_tensors};
use crate::reference::Reference;
use crate::support::close;
use crate::tensors::values;
use candle_core::quantized::gguf_file::{Content, Value as Metadata};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::fs::File;
use std::path::Path;
use tempfile::{NamedTempFile, TempDir};
use tezgah::model::files::source::BaseModel;
use tezgah::model::files::to_gguf;
use tezgah::model::network::frozen::FrozenSource;
use tezgah::model::network::linear::LoraUse;
use tezgah::model::network::llama::Llama;
use tezgah::recipe::{GgufType, Quantization};

const TYPES: [(GgufType, GgmlDType, &str); 3] = [
    (GgufType::F16, GgmlDType::F16, "F16"),
    (GgufType::Bf16, GgmlDType::BF16, "BF16"),
    (GgufType::Q8_0, GgmlDType::Q8_0, "Q8_0"),
];

fn written(model: &BaseModel, kind: GgufType) -> NamedTempFile {
    let file = tempfile::Builder::new().suffix(".gguf").tempfile().unwrap();
    assert!(to_gguf::write(model, "Tiny", kind, file.path()).unwrap().is_some());
    file
}

fn read_by_candle(path: &Path) -> (Content, File) {
    let mut file = File::open(path).unwrap();
    (Content::read(&mut file).unwrap(), file)
}

/// What llama.cpp's converter stores a tensor in: vectors in f32, rows that Q8_0's blocks do not divide in f16.
fn stored(tensor: &Tensor, dtype: GgmlDType) -> GgmlDType {
    match tensor.dims() {
        [_] => GgmlDType::F32,
        [_, row] if row.is_multiple_of(dtype.block_size()) => dtype,
        _ => GgmlDType::F16,
    }
}

#[test]
fn a_written_file_is_the_model() {
    let model = folder(&reference()).unwrap();
    for (kind, dtype, name) in TYPES {
        let file = written(&model, kind);
        let back = gguf(file.path()).unwrap();
        assert_eq!(back.config, model.config, "{name}");
        assert_eq!(back.eos_token_id, model.eos_token_id);
        for text in [SENTENCE, "", "Çay içtim!  \n\n\t12345 I'LL", "<|end_of_text|>a<|begin_of_text|>"] {
            let ids = |model: &BaseModel| model.tokenizer.encode(text, true).unwrap().get_ids().to_vec();
            assert_eq!(ids(&back), ids(&model), "{text}");
        }
        let mut types = Vec::new();
        for (path, tensor) in reference_tensors() {
            let expected = QTensor::quantize(&tensor, stored(&tensor, dtype)).unwrap();
            let expected = values(&expected.dequantize(&Device::Cpu).unwrap());
            let got = back.weights.dense(&path, DType::F32, &Device::Cpu).unwrap();
            assert_eq!(values(&got), expected, "{name}: {path}");
            types.push(back.weights.stored_type(&path).unwrap());
        }
        assert_eq!(back.weights.stored_type("model.embed_tokens.weight").unwrap(), name);
        // The MLP is 176 wide, five and a half blocks.
        assert_eq!(
            back.weights.stored_type("model.layers.1.mlp.down_proj.weight").unwrap(),
            match name {
                "Q8_0" => "F16",
                other => other,
            }
        );
        assert_eq!(types.iter().filter(|kind| *kind == "F32").count(), 7, "the norms and nothing else");
    }
    let nowhere = Path::new("/nowhere/model.gguf");
    assert_eq!(to_gguf::write(&model, "Tiny", GgufType::None, nowhere).unwrap(), None);
}

/// The same file by a reader that nobody here wrote, and its rows in the order of llama.cpp's own formula.
#[test]
fn candle_reads_what_was_written() {
    let model = folder(&reference()).unwrap();
    for (kind, dtype, name) in TYPES {
        let file = written(&model, kind);
        let (content, mut bytes) = read_by_candle(file.path());
        assert_eq!(content.tensor_infos.len(), reference_tensors().len() + 1);
        let number = |key: &str| content.metadata[key].to_u32().unwrap();
        let file_type = match name {
            "F16" => 1,
            "BF16" => 32,
            _ => 7,
        };
        let sizes = ["block_count", "attention.head_count", "attention.head_count_kv", "vocab_size"]
            .map(|key| number(&format!("llama.{key}")));
        assert_eq!((number("general.file_type"), sizes), (file_type, [3, 8, 2, 384]));
        assert_eq!(content.metadata["general.name"].to_string().unwrap(), "Tiny");
        let mut tensor = |name: &str| content.tensor(&mut bytes, name, &Device::Cpu).unwrap();
        for (part, module, heads) in [("attn_q", "q_proj", 8), ("attn_k", "k_proj", 2)] {
            let theirs = &reference_tensors()[&format!("model.layers.1.self_attn.{module}.weight")];
            let expected = QTensor::quantize(&permuted(theirs, heads), dtype).unwrap();
            let got = tensor(&format!("blk.1.{part}.weight"));
            assert_eq!((got.dtype(), got.shape()), (dtype, expected.shape()));
            assert_eq!(got.data().unwrap(), expected.data().unwrap(), "{name}: {part}");
        }
        // transformers 5.23, as in `converter`.
        let divisors = tensor("rope_freqs.weight").dequantize(&Device::Cpu).unwrap();
        assert_eq!(values(&divisors), [1.0, 32.0, 32.0, 32.0]);
    }
}

/// Of a base that is a GGUF file, all that is said of its tokenizer is said again.
#[test]
fn the_tokenizer_of_a_gguf_file_comes_back() {
    let mut parts = GgufParts::of_reference(|_| GgmlDType::F32);
    let types = parts.metadata.get_mut("tokenizer.ggml.token_type");
    if let Some(Metadata::Array(types)) = types {
        types[300] = Metadata::I32(4);
    }
    for pre in ["gpt-2", "smollm", "llama-bpe"] {
        let pre = Metadata::String(pre.into());
        let model = parts.open_with("tokenizer.ggml.pre", Some(pre.clone())).unwrap();
        let file = written(&model, GgufType::F16);
        let (content, _) = read_by_candle(file.path());
        let mut expected = parts.metadata.clone();
        expected.insert("tokenizer.ggml.pre".into(), pre);
        let of_tokenizer = expected.iter().filter(|(key, _)| key.starts_with("tokenizer."));
        let mut count = 0;
        for (key, value) in of_tokenizer {
            assert_eq!(format!("{:?}", content.metadata[key]), format!("{value:?}"), "{key}");
            count += 1;
        }
        assert_eq!(count, 8);
    }
}

/// A copy of the reference folder with its tokenizer.json changed.
fn with_tokenizer(change: impl Fn(&mut Value)) -> (TempDir, BaseModel) {
    let copy = tempfile::tempdir().unwrap();
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(reference().join(name), copy.path().join(name)).unwrap();
    }
    let path = copy.path().join("tokenizer.json");
    let mut tree: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut tree);
    std::fs::write(&path, tree.to_string()).unwrap();
    let model = folder(copy.path()).unwrap();
    (copy, model)
}

/// An embedding with more rows than there are tokens: llama.cpp's converter fills the list up.
#[test]
fn a_row_of_no_token_has_a_name() {
    let (_copy, model) = with_tokenizer(|tree| {
        // The last merge made the last token.
        tree["model"]["merges"].as_array_mut().unwrap().pop();
        tree["model"]["vocab"].as_object_mut().unwrap().retain(|_, id| *id != json!(383));
    });
    let file = written(&model, GgufType::F16);
    let (content, _) = read_by_candle(file.path());
    let last = |key: &str| format!("{:?}", content.metadata[key].to_vec().unwrap().last().unwrap());
    assert_eq!(last("tokenizer.ggml.tokens"), "String(\"[PAD383]\")");
    assert_eq!(last("tokenizer.ggml.token_type"), "I32(5)");
    assert_eq!(gguf(file.path()).unwrap().config, model.config);
}

/// Nearly the right splitting would tokenize nearly as the model was trained.
#[test]
fn a_tokenizer_that_gguf_has_no_word_for_is_refused() {
    let unigram = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": null, "post_processor": null, "decoder": null,
        "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], ["a", -1.0]], "byte_fallback": false},
    });
    let prefix =
        json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true});
    let cases: [(&str, Value, &str); 4] = [
        ("", unigram, "byte-level BPE"),
        ("/normalizer", json!({"type": "NFC"}), "normalizer"),
        ("/pre_tokenizer", prefix, "pre_tokenizer of gpt-2, smollm, llama-bpe"),
        ("/model/ignore_merges", json!(true), "ignore_merges"),
    ];
    for (place, value, words) in cases {
        let (_copy, model) = with_tokenizer(|tree| {
            if let Some(field) = tree.pointer_mut(place) {
                *field = value.clone();
            }
        });
        check_message(
            &to_gguf::check(&model, GgufType::Q8_0).unwrap_err(),
            &["export.gguf", "expected", words],
        );
        assert!(to_gguf::check(&model, GgufType::None).is_ok(), "{place}");
    }
    // What moves no token is no reason.
    let (_copy, model) = with_tokenizer(|tree| {
        tree["pre_tokenizer"] =
            json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false});
    });
    assert!(to_gguf::check(&model, GgufType::Q8_0).is_ok());
}

#[test]
fn the_loss_of_the_file_is_the_models() {
    let reference = Reference::tiny();
    let full_loss = |base: &BaseModel| {
        let BaseModel { config, weights, .. } = base;
        let (quantization, dtype, device) = (Quantization::None, DType::F32, &Device::Cpu);
        let source = FrozenSource { weights, quantization, quantized: None, dtype, device };
        let sums = reference.sums(&Llama::load(config, source).unwrap(), LoraUse::Ignored);
        let tokens: usize = sums.iter().map(|row| row.full_tokens).sum();
        sums.iter().map(|row| row.nll.full).sum::<f64>() / tokens as f64
    };
    let whole = full_loss(&reference.base);
    for (kind, _, name) in TYPES {
        let file = written(&reference.base, kind);
        close(name, full_loss(&gguf(file.path()).unwrap()), whole, 1e-3 / whole);
    }
}

//! A GGUF file is the model that was converted; what does not fit or is damaged is an error.

use super::converter::{GgufParts, mixed, texts};
use super::{SENTENCE, check_message, folder, gguf, reference, reference_tensors};
use crate::tensors::values;
use candle_core::quantized::gguf_file::Value as Metadata;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};
use tezgah::model::files::config::LlamaConfig;
use tezgah::model::files::source::BaseModel;

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

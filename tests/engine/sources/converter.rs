//! GGUF files of the reference model, as llama.cpp's converter writes them; tests change parts of them.

use super::{folder, gguf, reference, reference_tensors};
use candle_core::quantized::gguf_file::{self, Value as Metadata};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tezgah::model::files::source::BaseModel;

/// What a GGUF file of the reference model is made of; tests change parts of it.
pub(crate) struct GgufParts {
    pub(crate) metadata: BTreeMap<String, Metadata>,
    /// By GGUF names.
    pub(crate) tensors: BTreeMap<String, QTensor>,
}

impl GgufParts {
    /// The reference model as llama.cpp's converter writes it, with a type for each GGUF tensor name.
    pub(crate) fn of_reference(dtype: impl Fn(&str) -> GgmlDType) -> Self {
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

    pub(crate) fn write(&self, path: &Path) {
        let metadata: Vec<(&str, &Metadata)> =
            self.metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors: Vec<(&str, &QTensor)> =
            self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        gguf_file::write(&mut std::fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
    }

    /// Opens the file with one key changed (`None` removes it).
    pub(super) fn open_with(
        &mut self,
        key: &str,
        value: Option<Metadata>,
    ) -> tezgah::error::Result<BaseModel> {
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
pub(super) fn permuted(tensor: &Tensor, heads: usize) -> Tensor {
    let (rows, columns) = tensor.dims2().unwrap();
    let apart = tensor.reshape((heads, 2, rows / heads / 2, columns)).unwrap();
    apart.transpose(1, 2).unwrap().contiguous().unwrap().reshape((rows, columns)).unwrap()
}

pub(super) fn texts(texts: impl IntoIterator<Item = String>) -> Metadata {
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
pub(super) fn mixed(name: &str) -> GgmlDType {
    match name {
        name if name.contains("norm") || name.contains("ffn_down") => GgmlDType::F32,
        "token_embd.weight" => GgmlDType::Q8_0,
        name if name.starts_with("blk.0.attn_q") => GgmlDType::F16,
        name if name.starts_with("blk.1") => GgmlDType::Q4_1,
        _ => GgmlDType::Q4_0,
    }
}

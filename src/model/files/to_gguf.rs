//! A Llama in Hugging Face's terms written as a GGUF file: shape, tensors, tokenizer and chat template in one.
//!
//! Keys, names, types and the order of rows are those of llama.cpp's `convert_hf_to_gguf.py`: vectors in f32, matrices in the
//! type asked for (in f16 where Q8_0's blocks do not divide a row), rotary pairs side by side, Llama 3's scaling as divisors.

mod container;
mod vocabulary;

use super::ggml;
use super::gguf::llama::{self, ROPE_DIVISORS};
use super::source::BaseModel;
use crate::error::{Error, Result};
use crate::model::files::config::LlamaConfig;
use crate::recipe::GgufType;
use crate::record::store;
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device};
use container::{Meta, Planned};
use std::io::BufWriter;
use std::path::Path;

/// Refuses, before hours are spent on it, a model whose tokenizer a GGUF file cannot say.
///
/// # Errors
/// `Error::Setting` with what the tokenizer has; `Error::Model` where its files are damaged.
pub fn check(model: &BaseModel, kind: GgufType) -> Result<()> {
    match stored(kind) {
        None => Ok(()),
        Some(_) => vocabulary::metadata(model).map(drop),
    }
}

/// Writes `model` to `path`, called `name` inside, and says in which type; nothing for [`GgufType::None`].
///
/// One tensor at a time is in memory. The values are the model's own, rounded once more: for f16 and bf16 not at all where
/// the model is stored so.
///
/// # Errors
/// As [`check`]; `Error::File` where the file cannot be written.
pub fn write(model: &BaseModel, name: &str, kind: GgufType, path: &Path) -> Result<Option<String>> {
    let Some(dtype) = stored(kind) else { return Ok(None) };
    let mut metadata = shape(&model.config, name, dtype);
    metadata.extend(vocabulary::metadata(model)?);
    let tensors = planned(model, dtype)?;
    let plan: Vec<&Planned> = tensors.iter().map(|tensor| &tensor.planned).collect();
    store::write_path(path, |temporary| {
        let mut file = BufWriter::new(std::fs::File::create(temporary)?);
        container::write(&mut file, &metadata, &plan, |index| {
            // A tensor of a model that was checked whole when it was opened.
            tensors[index].bytes(model).map_err(|error| std::io::Error::other(error.to_string()))
        })
    })?;
    Ok(Some(ggml::name(dtype).to_string()))
}

fn stored(kind: GgufType) -> Option<GgmlDType> {
    match kind {
        GgufType::None => None,
        GgufType::F16 => Some(GgmlDType::F16),
        GgufType::Bf16 => Some(GgmlDType::BF16),
        GgufType::Q8_0 => Some(GgmlDType::Q8_0),
    }
}

/// What is said of the network.
fn shape(config: &LlamaConfig, name: &str, dtype: GgmlDType) -> Vec<(&'static str, Meta)> {
    // llama.cpp's LLAMA_FTYPE_MOSTLY_F16, _BF16 and _Q8_0; the last has the number 7 and the type itself 8.
    let file_type = match dtype {
        GgmlDType::Q8_0 => 7,
        GgmlDType::BF16 => 32,
        _ => 1,
    };
    // The sizes of a config that was checked are at most 2^26.
    let count = |size: usize| Meta::Count(u32::try_from(size).unwrap_or(u32::MAX));
    let mut metadata = vec![
        ("general.architecture", Meta::Text("llama".into())),
        ("general.type", Meta::Text("model".into())),
        ("general.name", Meta::Text(name.into())),
        ("general.file_type", Meta::Count(file_type)),
        ("general.quantization_version", Meta::Count(2)),
        ("llama.vocab_size", count(config.vocab_size)),
        ("llama.context_length", count(config.max_position_embeddings)),
        ("llama.embedding_length", count(config.hidden_size)),
        ("llama.block_count", count(config.num_hidden_layers)),
        ("llama.feed_forward_length", count(config.intermediate_size)),
        ("llama.attention.head_count", count(config.num_attention_heads)),
        ("llama.attention.head_count_kv", count(config.num_key_value_heads)),
        ("llama.attention.key_length", count(config.head_dim)),
        ("llama.attention.value_length", count(config.head_dim)),
        ("llama.attention.layer_norm_rms_epsilon", Meta::Float(config.rms_norm_eps as f32)),
        ("llama.rope.dimension_count", count(config.head_dim)),
        ("llama.rope.freq_base", Meta::Float(config.rope_theta as f32)),
    ];
    if let Some(scaling) = &config.rope_scaling {
        // The converter leaves it out, and the divisors are all that llama.cpp turns by; with it they can be read back.
        let original = count(scaling.original_max_position_embeddings);
        metadata.push(("llama.rope.scaling.original_context_length", original));
    }
    metadata
}

/// A tensor of the file and where its values come from.
struct Tensor {
    planned: Planned,
    origin: Origin,
}

enum Origin {
    /// Weights by their Hugging Face name, and the heads whose rotary pairs are put side by side.
    Weights { name: String, heads: Option<usize> },
    /// These.
    Values(Vec<f32>),
}

fn planned(model: &BaseModel, dtype: GgmlDType) -> Result<Vec<Tensor>> {
    let mut tensors = Vec::new();
    if let Some(divisors) = llama::rope_divisors(&model.config) {
        let planned =
            Planned { name: ROPE_DIVISORS.into(), dtype: GgmlDType::F32, shape: vec![divisors.len()] };
        let values = divisors.into_iter().map(|divisor| divisor as f32).collect();
        tensors.push(Tensor { planned, origin: Origin::Values(values) });
    }
    for (name, shape) in model.config.tensors() {
        let dtype = match shape.as_slice() {
            [_] => GgmlDType::F32,
            [.., row] if row.is_multiple_of(dtype.block_size()) => dtype,
            _ => GgmlDType::F16,
        };
        let unknown =
            || Error::model(&model.source, format!("tensor {name}: expected one that GGUF has a name for"));
        let (gguf_name, heads) = llama::gguf_name(&model.config, &name).ok_or_else(unknown)?;
        let planned = Planned { name: gguf_name, dtype, shape };
        tensors.push(Tensor { planned, origin: Origin::Weights { name, heads } });
    }
    Ok(tensors)
}

impl Tensor {
    /// Its bytes in the file.
    fn bytes(&self, model: &BaseModel) -> Result<Vec<u8>> {
        let (name, heads) = match &self.origin {
            Origin::Values(values) => {
                return Ok(values.iter().flat_map(|value| value.to_le_bytes()).collect());
            }
            Origin::Weights { name, heads } => (name, heads),
        };
        let Planned { dtype, shape, .. } = &self.planned;
        let dense = model.weights.dense(name, DType::F32, &Device::Cpu)?;
        let blocks = QTensor::quantize(&dense, *dtype)?.data()?.into_owned();
        match heads {
            None => Ok(blocks),
            // A row is whole blocks: moved after it was quantized, no value changes.
            Some(heads) => llama::halves_together(&blocks, shape[0], *heads)
                .map_err(|message| Error::model(&model.source, format!("tensor {name}: {message}"))),
        }
    }
}

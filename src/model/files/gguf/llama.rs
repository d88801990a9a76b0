//! The network inside a GGUF file, told in Hugging Face's terms: tensor names, the order of their rows, config.json.
//!
//! Keys and names: llama.cpp's `convert_hf_to_gguf.py`, read backwards; for a file that is written, forwards.

use super::Gguf;
use crate::error::{Error, Result};
use crate::model::files::Parsed;
use crate::model::files::config::{Llama3RopeScaling, LlamaConfig};
use candle_core::quantized::GgmlDType;

/// Divisors of the rotary frequencies: how GGUF writes Llama 3's rope scaling.
pub(crate) const ROPE_DIVISORS: &str = "rope_freqs.weight";

/// Tensors outside the layers: GGUF's names and Hugging Face's.
const OUTSIDE: [(&str, &str); 3] =
    [("token_embd", "model.embed_tokens"), ("output_norm", "model.norm"), ("output", "lm_head")];
/// Those of a layer.
const PARTS: [(&str, &str); 9] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", QUERIES),
    ("attn_k", KEYS),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];
const QUERIES: &str = "self_attn.q_proj";
const KEYS: &str = "self_attn.k_proj";

/// What a GGUF tensor is in Hugging Face's terms.
pub(crate) struct Counterpart {
    /// Its Hugging Face name.
    pub(crate) name: String,
    /// For queries and keys, whose rotary pairs GGUF puts side by side: their heads.
    pub(crate) interleaved_heads: Option<usize>,
}

/// The counterpart of a GGUF tensor in a Llama; `None` for the rope divisors, which belong to the config.
///
/// # Errors
/// `Error::Model` for a tensor that a Llama does not have: leaving it out would be another model.
pub(crate) fn counterpart(gguf: &Gguf, gguf_name: &str) -> Result<Option<Counterpart>> {
    let unknown = || {
        let message =
            format!("tensor {gguf_name}: expected the tensors of a Llama, got one that it does not have");
        Error::model(&gguf.source_name, message)
    };
    if gguf_name == ROPE_DIVISORS {
        return Ok(None);
    }
    let path = gguf_name.strip_suffix(".weight").ok_or_else(unknown)?;
    if let Some((_, name)) = OUTSIDE.iter().find(|(outside, _)| *outside == path) {
        return Ok(Some(Counterpart { name: format!("{name}.weight"), interleaved_heads: None }));
    }
    let (layer, part) =
        path.strip_prefix("blk.").and_then(|rest| rest.split_once('.')).ok_or_else(unknown)?;
    let layer: usize = layer.parse().map_err(|_| unknown())?;
    let HeadCounts { queries, keys, .. } = head_counts(gguf)?;
    let (_, module) = PARTS.iter().find(|(name, _)| *name == part).ok_or_else(unknown)?;
    let interleaved_heads = interleaved(module, queries, keys);
    Ok(Some(Counterpart { name: format!("model.layers.{layer}.{module}.weight"), interleaved_heads }))
}

/// The heads of a module whose rotary pairs GGUF puts side by side.
fn interleaved(module: &str, queries: usize, keys: usize) -> Option<usize> {
    match module {
        QUERIES => Some(queries),
        KEYS => Some(keys),
        _ => None,
    }
}

/// The GGUF name of a tensor of [`LlamaConfig::tensors`], and the heads whose rotary pairs GGUF puts side by side.
pub(crate) fn gguf_name(config: &LlamaConfig, name: &str) -> Option<(String, Option<usize>)> {
    let path = name.strip_suffix(".weight")?;
    if let Some((gguf, _)) = OUTSIDE.iter().find(|(_, outside)| *outside == path) {
        return Some((format!("{gguf}.weight"), None));
    }
    let (layer, module) = path.strip_prefix("model.layers.")?.split_once('.')?;
    let (part, _) = PARTS.iter().find(|(_, name)| *name == module)?;
    let heads = interleaved(module, config.num_attention_heads, config.num_key_value_heads);
    Some((format!("blk.{layer}.{part}.weight"), heads))
}

/// GGUF keeps the rows that rope turns against each other side by side (2j, 2j + 1); Hugging Face
/// keeps them half a head apart (j, j + half). Moves whole rows of bytes.
///
/// # Errors
/// What was expected and got, where the rows do not divide into heads of two halves.
pub(crate) fn halves_apart(bytes: &[u8], rows: usize, heads: usize) -> Parsed<Vec<u8>> {
    reordered(bytes, rows, heads, |within, half| 2 * (within % half) + within / half)
}

/// The inverse of [`halves_apart`].
///
/// # Errors
/// As there.
pub(crate) fn halves_together(bytes: &[u8], rows: usize, heads: usize) -> Parsed<Vec<u8>> {
    reordered(bytes, rows, heads, |within, half| (within % 2) * half + within / 2)
}

/// Rows moved inside their heads: `from` is the place that a head's row comes from, of the row and half the head's width.
fn reordered(
    bytes: &[u8],
    rows: usize,
    heads: usize,
    from: impl Fn(usize, usize) -> usize,
) -> Parsed<Vec<u8>> {
    if heads == 0 || rows == 0 || !rows.is_multiple_of(heads * 2) {
        return Err(format!("expected an even number of rows for {heads} heads, got {rows}"));
    }
    let (head_dim, row_bytes) = (rows / heads, bytes.len() / rows);
    let mut moved = Vec::with_capacity(bytes.len());
    for row in 0..rows {
        let from = row - row % head_dim + from(row % head_dim, head_dim / 2);
        moved.extend_from_slice(&bytes[from * row_bytes..(from + 1) * row_bytes]);
    }
    Ok(moved)
}

/// Llama 3's scaling as GGUF has it: what each rotary frequency is divided by. None where nothing is scaled.
pub(crate) fn rope_divisors(config: &LlamaConfig) -> Option<Vec<f64>> {
    config.rope_scaling.as_ref()?;
    let plain = LlamaConfig { rope_scaling: None, ..config.clone() }.inverse_frequencies();
    Some(plain.iter().zip(config.inverse_frequencies()).map(|(plain, scaled)| plain / scaled).collect())
}

/// The model's shape; `bytes` is the whole file, for the rope divisors.
///
/// # Errors
/// `Error::Model`: another architecture, a missing key, an impossible size, a rope that is not computed.
pub(crate) fn config(gguf: &Gguf, bytes: &[u8]) -> Result<LlamaConfig> {
    match gguf.text("general.architecture")? {
        Some("llama") => {}
        other => return Err(gguf.wrong("general.architecture", "llama", other.unwrap_or("nothing"))),
    }
    if let Some(experts @ 1..) = gguf.count("llama.expert_count")? {
        return Err(gguf.wrong("llama.expert_count", "0", &experts.to_string()));
    }
    let HeadCounts { queries, keys, hidden_size } = head_counts(gguf)?;
    let head_dim = gguf.count("llama.attention.key_length")?.unwrap_or(hidden_size / queries);
    for key in ["llama.attention.value_length", "llama.rope.dimension_count"] {
        if let Some(got) = gguf.count(key)?.filter(|&got| got != head_dim) {
            return Err(gguf.wrong(key, &format!("the head's width {head_dim}"), &got.to_string()));
        }
    }
    let vocab_size = match gguf.tensor("token_embd.weight") {
        Some(entry) => entry.shape[0],
        None => return Err(gguf.wrong("tensor token_embd.weight", "to be there", "nothing")),
    };
    let mut config = LlamaConfig {
        hidden_size,
        intermediate_size: gguf.needed_count("llama.feed_forward_length")?,
        num_hidden_layers: gguf.needed_count("llama.block_count")?,
        num_attention_heads: queries,
        num_key_value_heads: keys,
        head_dim,
        vocab_size,
        rms_norm_eps: gguf.number("llama.attention.layer_norm_rms_epsilon")?.unwrap_or(1e-6),
        rope_theta: gguf.number("llama.rope.freq_base")?.unwrap_or(10_000.0),
        rope_scaling: None,
        tie_word_embeddings: gguf.tensor("output.weight").is_none(),
        max_position_embeddings: gguf.needed_count("llama.context_length")?,
        bos_token_id: token(gguf, "tokenizer.ggml.bos_token_id")?,
        eos_token_id: token(gguf, "tokenizer.ggml.eos_token_id")?,
    };
    // Through the reader of folders, so that both kinds of model meet the same checks.
    config = LlamaConfig::from_json(&gguf.source_name, &config.to_json())?;
    config.rope_scaling = rope_scaling(gguf, &config, bytes)?;
    Ok(config)
}

/// Query and key heads, and the hidden size that they must divide where no head width is given.
struct HeadCounts {
    queries: usize,
    keys: usize,
    hidden_size: usize,
}

fn head_counts(gguf: &Gguf) -> Result<HeadCounts> {
    let key = "llama.attention.head_count";
    let queries = gguf.needed_count(key)?;
    let keys = gguf.count("llama.attention.head_count_kv")?.unwrap_or(queries);
    let hidden_size = gguf.needed_count("llama.embedding_length")?;
    let explicit = gguf.count("llama.attention.key_length")?.is_some();
    if queries == 0 || (!explicit && !hidden_size.is_multiple_of(queries)) {
        return Err(gguf.wrong(key, &format!("a divisor of {hidden_size}"), &queries.to_string()));
    }
    Ok(HeadCounts { queries, keys, hidden_size })
}

/// Llama 3's scaling, recovered from the divisors that it leaves in the file. Its parameters are not
/// written there, so those of the published models are tried and must give the very divisors.
fn rope_scaling(gguf: &Gguf, config: &LlamaConfig, bytes: &[u8]) -> Result<Option<Llama3RopeScaling>> {
    let key = "llama.rope.scaling.type";
    if let Some(other) = gguf.text(key)?.filter(|&name| name != "none") {
        return Err(gguf.wrong(key, "none", other));
    }
    let Some(entry) = gguf.tensor(ROPE_DIVISORS) else { return Ok(None) };
    let wrong = |expected: &str, got: String| gguf.wrong(ROPE_DIVISORS, expected, &got);
    let pairs = config.head_dim / 2;
    if entry.dtype != GgmlDType::F32 || entry.shape != [pairs] {
        return Err(wrong(
            &format!("{pairs} values of F32"),
            format!("{:?} of {:?}", entry.shape, entry.dtype),
        ));
    }
    let data = &bytes[entry.range.clone()]; // the table was read from these bytes and checked against them
    let divisors: Vec<f64> =
        data.as_chunks::<4>().0.iter().map(|&value| f64::from(f32::from_le_bytes(value))).collect();
    if divisors.iter().all(|&divisor| divisor == 1.0) {
        return Ok(None);
    }
    let original = gguf.count("llama.rope.scaling.original_context_length")?.unwrap_or(8192);
    let scaling = Llama3RopeScaling {
        factor: divisors.iter().copied().fold(1.0, f64::max),
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_max_position_embeddings: original,
    };
    let scaled = LlamaConfig { rope_scaling: Some(scaling.clone()), ..config.clone() };
    let expected = rope_divisors(&scaled).unwrap_or_default();
    let same = expected.iter().zip(&divisors).all(|(expected, got)| (expected / got - 1.0).abs() < 1e-4);
    if !same {
        let expected = format!("the divisors of rope_type llama3 (low 1, high 4, original {original})");
        return Err(wrong(&expected, format!("{divisors:?}")));
    }
    Ok(Some(scaling))
}

fn token(gguf: &Gguf, key: &str) -> Result<Option<u32>> {
    let id = gguf.count(key)?;
    id.map(|id| u32::try_from(id).map_err(|_| gguf.wrong(key, "a token id", &id.to_string()))).transpose()
}

//! A Llama inside a GGUF file, told in Hugging Face's terms: tensor names, config.json, tokenizer.json.
//!
//! The texts made here go through the same readers as those of a folder, and can be written beside merged
//! weights for transformers to load. Keys and names: llama.cpp's `convert_hf_to_gguf.py`, read backwards.

use crate::error::{Error, Result};
use crate::model::files::config::{Llama3RopeScaling, LlamaConfig};
use crate::model::files::gguf::Gguf;
use candle_core::quantized::GgmlDType;
use serde_json::{Map, Value, json};

/// Divisors of the rotary frequencies: how GGUF writes Llama 3's rope scaling.
const ROPE_DIVISORS: &str = "rope_freqs.weight";
/// token_type of a special token (`<|im_end|>`).
const CONTROL: i64 = 3;
/// token_type of a token that is matched whole, yet is text.
const USER_DEFINED: i64 = 4;

/// Where a GGUF tensor belongs.
pub(crate) struct Place {
    /// Its Hugging Face name.
    pub(crate) name: String,
    /// For queries and keys, whose rotary pairs GGUF puts side by side: their heads.
    pub(crate) interleaved_heads: Option<usize>,
}

/// The place of a GGUF tensor in a Llama; `None` for the rope divisors, which belong to the config.
///
/// # Errors
/// `Error::Model` for a tensor that a Llama does not have: leaving it out would be another model.
pub(crate) fn place(source_name: &str, gguf: &Gguf, gguf_name: &str) -> Result<Option<Place>> {
    let unknown = || {
        let message =
            format!("tensor {gguf_name}: expected the tensors of a Llama, got one that it does not have");
        Error::model(source_name, message)
    };
    let plain = |name: String| Ok(Some(Place { name, interleaved_heads: None }));
    let path = gguf_name.strip_suffix(".weight").ok_or_else(unknown)?;
    match path {
        "token_embd" => return plain("model.embed_tokens.weight".into()),
        "output_norm" => return plain("model.norm.weight".into()),
        "output" => return plain("lm_head.weight".into()),
        "rope_freqs" => return Ok(None),
        _ => {}
    }
    let (layer, part) =
        path.strip_prefix("blk.").and_then(|rest| rest.split_once('.')).ok_or_else(unknown)?;
    let layer: usize = layer.parse().map_err(|_| unknown())?;
    let (heads, _) = heads(gguf)?;
    let (module, interleaved_heads) = match part {
        "attn_norm" => ("input_layernorm", None),
        "attn_q" => ("self_attn.q_proj", Some(heads.queries)),
        "attn_k" => ("self_attn.k_proj", Some(heads.keys)),
        "attn_v" => ("self_attn.v_proj", None),
        "attn_output" => ("self_attn.o_proj", None),
        "ffn_norm" => ("post_attention_layernorm", None),
        "ffn_gate" => ("mlp.gate_proj", None),
        "ffn_up" => ("mlp.up_proj", None),
        "ffn_down" => ("mlp.down_proj", None),
        _ => return Err(unknown()),
    };
    Ok(Some(Place { name: format!("model.layers.{layer}.{module}.weight"), interleaved_heads }))
}

/// The model's shape; `bytes` is the whole file, for the rope divisors.
///
/// # Errors
/// `Error::Model`: another architecture, a missing key, an impossible size, a rope that is not computed.
pub(crate) fn config(source_name: &str, gguf: &Gguf, bytes: &[u8]) -> Result<LlamaConfig> {
    match gguf.text("general.architecture")? {
        Some("llama") => {}
        other => return Err(gguf.wrong("general.architecture", "llama", other.unwrap_or("nothing"))),
    }
    if let Some(experts @ 1..) = gguf.count("llama.expert_count")? {
        return Err(gguf.wrong("llama.expert_count", "0", &experts.to_string()));
    }
    let (heads, hidden_size) = heads(gguf)?;
    let head_dim = gguf.count("llama.attention.key_length")?.unwrap_or(hidden_size / heads.queries);
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
        intermediate_size: needed(gguf, "llama.feed_forward_length")?,
        num_hidden_layers: needed(gguf, "llama.block_count")?,
        num_attention_heads: heads.queries,
        num_key_value_heads: heads.keys,
        head_dim,
        vocab_size,
        rms_norm_eps: gguf.number("llama.attention.layer_norm_rms_epsilon")?.unwrap_or(1e-6),
        rope_theta: gguf.number("llama.rope.freq_base")?.unwrap_or(10_000.0),
        rope_scaling: None,
        tie_word_embeddings: gguf.tensor("output.weight").is_none(),
        max_position_embeddings: needed(gguf, "llama.context_length")?,
        bos_token_id: token(gguf, "tokenizer.ggml.bos_token_id")?,
        eos_token_id: token(gguf, "tokenizer.ggml.eos_token_id")?,
    };
    // Through the reader of folders, so that both kinds of model meet the same checks.
    config = LlamaConfig::from_json(source_name, &config.to_json())?;
    config.rope_scaling = rope_scaling(gguf, &config, bytes)?;
    Ok(config)
}

/// A tokenizer.json with the file's vocabulary, merges and special tokens, and the splitting that the
/// name in `tokenizer.ggml.pre` stands for.
///
/// # Errors
/// `Error::Model`: no byte-level BPE, a splitting that is not known here, a list that does not fit.
pub(crate) fn tokenizer_json(gguf: &Gguf) -> Result<String> {
    match gguf.text("tokenizer.ggml.model")? {
        Some("gpt2") => {}
        other => {
            let expected = "gpt2 (byte-level BPE; of other models take the Hugging Face folder)";
            return Err(gguf.wrong("tokenizer.ggml.model", expected, other.unwrap_or("nothing")));
        }
    }
    let tokens = gguf.texts("tokenizer.ggml.tokens")?;
    let types = gguf.integers("tokenizer.ggml.token_type")?;
    if types.len() != tokens.len() {
        let expected = format!("one for each of {} tokens", tokens.len());
        return Err(gguf.wrong("tokenizer.ggml.token_type", &expected, &types.len().to_string()));
    }
    let mut vocabulary = Map::new();
    for (id, token) in tokens.iter().enumerate() {
        if vocabulary.insert(token.clone(), json!(id)).is_some() {
            return Err(gguf.wrong("tokenizer.ggml.tokens", "each once", &format!("{token:?} twice")));
        }
    }
    let mut merges = Vec::new();
    for merge in gguf.texts("tokenizer.ggml.merges")? {
        let pair = merge.split_once(' ').ok_or_else(|| {
            gguf.wrong("tokenizer.ggml.merges", "two tokens with a space between", &format!("{merge:?}"))
        })?;
        merges.push(json!([pair.0, pair.1]));
    }
    let added: Vec<Value> = tokens
        .iter()
        .zip(types)
        .enumerate()
        .filter(|&(_, (_, &kind))| kind == CONTROL || kind == USER_DEFINED)
        .map(|(id, (token, &kind))| {
            json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": kind == CONTROL,
            })
        })
        .collect();
    let splitting = Splitting::of(gguf)?;
    let tree = json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": splitting.pre_tokenizer(),
        "post_processor": post_processor(gguf, splitting, tokens)?,
        "decoder": byte_level(true, true),
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
            "ignore_merges": splitting == Splitting::Llama3, "vocab": vocabulary, "merges": merges,
        },
    });
    Ok(tree.to_string())
}

/// A tokenizer_config.json, so that transformers knows the special tokens by their roles.
///
/// # Errors
/// `Error::Model` where a role's token is not in the vocabulary.
pub(crate) fn tokenizer_config_json(gguf: &Gguf) -> Result<String> {
    let tokens = gguf.texts("tokenizer.ggml.tokens")?;
    let mut tree = Map::new();
    tree.insert("tokenizer_class".into(), json!("PreTrainedTokenizerFast"));
    for (role, key) in [
        ("bos_token", "tokenizer.ggml.bos_token_id"),
        ("eos_token", "tokenizer.ggml.eos_token_id"),
        ("pad_token", "tokenizer.ggml.padding_token_id"),
    ] {
        if let Some(id) = gguf.count(key)? {
            let token = tokens.get(id).ok_or_else(|| {
                gguf.wrong(key, &format!("below the {} tokens", tokens.len()), &id.to_string())
            })?;
            tree.insert(role.into(), json!(token));
        }
    }
    if let Some(length) = gguf.count("llama.context_length")? {
        tree.insert("model_max_length".into(), json!(length));
    }
    tree.insert("clean_up_tokenization_spaces".into(), json!(false));
    if let Some(template) = gguf.text("tokenizer.chat_template")? {
        tree.insert("chat_template".into(), json!(template));
    }
    Ok(format!("{:#}\n", Value::Object(tree)))
}

/// How a text is cut into the pieces that BPE then merges within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Splitting {
    /// GPT-2's expression.
    Gpt2,
    /// Every digit by itself, then GPT-2's.
    SmolLm,
    /// Llama 3's expression: digits by three, any case of `'s`; whole words are looked up before merging.
    Llama3,
}

impl Splitting {
    fn of(gguf: &Gguf) -> Result<Self> {
        let key = "tokenizer.ggml.pre";
        match gguf.text(key)? {
            Some("gpt-2" | "default") => Ok(Splitting::Gpt2),
            Some("smollm") => Ok(Splitting::SmolLm),
            Some("llama-bpe" | "llama3" | "llama-v3") => Ok(Splitting::Llama3),
            // A file without the key may be of any of them; a guess would train on other tokens.
            other => Err(gguf.wrong(key, "llama-bpe, smollm, gpt-2 or default", other.unwrap_or("nothing"))),
        }
    }

    fn pre_tokenizer(self) -> Value {
        let sequence =
            |first: Value, second: Value| json!({"type": "Sequence", "pretokenizers": [first, second]});
        match self {
            Splitting::Gpt2 => byte_level(false, true),
            Splitting::SmolLm => {
                sequence(json!({"type": "Digits", "individual_digits": true}), byte_level(false, true))
            }
            Splitting::Llama3 => {
                let expression = concat!(
                    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}",
                    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
                );
                let split = json!({
                    "type": "Split", "pattern": {"Regex": expression}, "behavior": "Isolated", "invert": false,
                });
                sequence(split, byte_level(false, false))
            }
        }
    }
}

/// BOS before each text where the file wants it; llama.cpp takes that for granted with Llama 3's splitting.
/// An EOS that the file wants added is left out: rows end with one of our own, and a prompt must not.
fn post_processor(gguf: &Gguf, splitting: Splitting, tokens: &[String]) -> Result<Value> {
    let wanted = gguf.flag("tokenizer.ggml.add_bos_token")?.unwrap_or(splitting == Splitting::Llama3);
    if !wanted {
        return Ok(Value::Null);
    }
    let key = "tokenizer.ggml.bos_token_id";
    let id = needed(gguf, key)?;
    let bos = tokens
        .get(id)
        .ok_or_else(|| gguf.wrong(key, &format!("below the {} tokens", tokens.len()), &id.to_string()))?;
    let special = |type_id: u32| json!({"SpecialToken": {"id": bos, "type_id": type_id}});
    let sequence = |id: &str, type_id: u32| json!({"Sequence": {"id": id, "type_id": type_id}});
    Ok(json!({
        "type": "TemplateProcessing",
        "single": [special(0), sequence("A", 0)],
        "pair": [special(0), sequence("A", 0), special(1), sequence("B", 1)],
        "special_tokens": {bos: {"id": bos, "ids": [id], "tokens": [bos]}},
    }))
}

fn byte_level(add_prefix_space: bool, use_regex: bool) -> Value {
    json!({
        "type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true, "use_regex": use_regex,
    })
}

/// Query and key heads.
struct Heads {
    queries: usize,
    keys: usize,
}

/// The heads, and the hidden size that they must divide where no head width is given.
fn heads(gguf: &Gguf) -> Result<(Heads, usize)> {
    let key = "llama.attention.head_count";
    let queries = needed(gguf, key)?;
    let keys = gguf.count("llama.attention.head_count_kv")?.unwrap_or(queries);
    let hidden_size = needed(gguf, "llama.embedding_length")?;
    let explicit = gguf.count("llama.attention.key_length")?.is_some();
    if queries == 0 || (!explicit && !hidden_size.is_multiple_of(queries)) {
        return Err(gguf.wrong(key, &format!("a divisor of {hidden_size}"), &queries.to_string()));
    }
    Ok((Heads { queries, keys }, hidden_size))
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
    let expected = config.inverse_frequencies().into_iter().zip(scaled.inverse_frequencies());
    let same =
        expected.zip(&divisors).all(|((plain, scaled), got)| (plain / scaled / got - 1.0).abs() < 1e-4);
    if !same {
        let expected = format!("the divisors of rope_type llama3 (low 1, high 4, original {original})");
        return Err(wrong(&expected, format!("{divisors:?}")));
    }
    Ok(Some(scaling))
}

fn needed(gguf: &Gguf, key: &str) -> Result<usize> {
    gguf.count(key)?.ok_or_else(|| gguf.wrong(key, "a whole number", "nothing"))
}

fn token(gguf: &Gguf, key: &str) -> Result<Option<u32>> {
    let id = gguf.count(key)?;
    id.map(|id| u32::try_from(id).map_err(|_| gguf.wrong(key, "a token id", &id.to_string()))).transpose()
}

//! The tokenizer inside a GGUF file, told in Hugging Face's terms: tokenizer.json and tokenizer_config.json.
//!
//! The texts made here go through the same readers as those of a folder, and can be written beside merged
//! weights for transformers to load. Keys and names: llama.cpp's `convert_hf_to_gguf.py`, read backwards.

use super::Gguf;
use crate::error::Result;
use serde_json::{Map, Value, json};

/// token_type of a special token (`<|im_end|>`).
pub(crate) const CONTROL: i32 = 3;
/// token_type of a token that is matched whole, yet is text.
pub(crate) const USER_DEFINED: i32 = 4;

/// A tokenizer.json with the file's vocabulary, merges and special tokens, and the splitting that the
/// name in `tokenizer.ggml.pre` stands for.
///
/// # Errors
/// `Error::Model`: no byte-level BPE, a splitting that is not known here, a list that does not fit.
pub(crate) fn json(gguf: &Gguf) -> Result<String> {
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
        .filter(|&(_, (_, &kind))| kind == i64::from(CONTROL) || kind == i64::from(USER_DEFINED))
        .map(|(id, (token, &kind))| {
            json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": kind == i64::from(CONTROL),
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
            "ignore_merges": splitting.ignores_merges(), "vocab": vocabulary, "merges": merges,
        },
    });
    Ok(tree.to_string())
}

/// A tokenizer_config.json, so that transformers knows the special tokens by their roles.
///
/// # Errors
/// `Error::Model` where a role's token is not in the vocabulary.
pub(crate) fn config_json(gguf: &Gguf) -> Result<String> {
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
pub(crate) enum Splitting {
    /// GPT-2's expression.
    Gpt2,
    /// Every digit by itself, then GPT-2's.
    SmolLm,
    /// Llama 3's expression: digits by three, any case of `'s`; whole words are looked up before merging.
    Llama3,
}

impl Splitting {
    /// Every splitting that is known here.
    pub(crate) const ALL: [Splitting; 3] = [Splitting::Gpt2, Splitting::SmolLm, Splitting::Llama3];

    /// What llama.cpp calls it; its `default` is none of them, whatever files of before there were names say.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Splitting::Gpt2 => "gpt-2",
            Splitting::SmolLm => "smollm",
            Splitting::Llama3 => "llama-bpe",
        }
    }

    /// Whether whole words are looked up before merging.
    pub(crate) fn ignores_merges(self) -> bool {
        self == Splitting::Llama3
    }

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

    /// As a tokenizer.json has it.
    pub(crate) fn pre_tokenizer(self) -> Value {
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
    let id = gguf.needed_count(key)?;
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

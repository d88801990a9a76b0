//! A tokenizer.json as a GGUF file says it: vocabulary, merges, special tokens, and the splitting by llama.cpp's name for it.
//!
//! llama.cpp holds the code of each splitting by its name, so that one without a name there cannot be said. A file with a
//! splitting that is nearly it would tokenize nearly as the model was trained: it is refused. The tokenizer of a base that is
//! a GGUF file comes back as it was ([`super::super::gguf::tokenizer`] made the tokenizer.json).

use super::container::Meta;
use crate::error::{Error, Result};
use crate::model::files::chat_template;
use crate::model::files::gguf::tokenizer::{CONTROL, Splitting, USER_DEFINED};
use crate::model::files::source::BaseModel;
use crate::model::files::special_tokens::named;
use serde_json::Value;

/// token_type of a token that is text like any other.
const NORMAL: i32 = 1;
/// token_type of a row of the embedding that no token stands for.
const UNUSED: i32 = 5;

/// All that a file says of the tokenizer.
///
/// # Errors
/// `Error::Setting` where GGUF cannot say it; `Error::Model` where tokenizer.json or tokenizer_config.json are damaged.
pub(super) fn metadata(model: &BaseModel) -> Result<Vec<(&'static str, Meta)>> {
    let damaged =
        |file: &str, error: serde_json::Error| Error::model(&model.source, format!("{file}: {error}"));
    let tree: Value =
        serde_json::from_str(&model.tokenizer_json).map_err(|error| damaged("tokenizer.json", error))?;
    let settings: Value = match &model.tokenizer_config_json {
        Some(text) => serde_json::from_str(text).map_err(|error| damaged("tokenizer_config.json", error))?,
        None => Value::Null,
    };
    let refused = |message: String| Error::Setting {
        key: "export.gguf".into(),
        message: format!(
            "expected none for the tokenizer.json of {}, which GGUF has no word for: {message}",
            model.source
        ),
    };
    let splitting = splitting(&tree).map_err(refused)?;
    let (tokens, types) = tokens(&tree, model.config.vocab_size).map_err(refused)?;
    let bos = model.bos()?;
    let role = |name: &str| model.tokenizer.token_to_id(named(&settings[name])?);
    let mut metadata = vec![
        ("tokenizer.ggml.model", Meta::Text("gpt2".into())),
        ("tokenizer.ggml.pre", Meta::Text(splitting.name().into())),
        ("tokenizer.ggml.tokens", Meta::Texts(tokens)),
        ("tokenizer.ggml.token_type", Meta::Integers(types)),
        ("tokenizer.ggml.merges", Meta::Texts(merges(&tree).map_err(refused)?)),
        ("tokenizer.ggml.eos_token_id", Meta::Count(model.eos_token_id)),
        ("tokenizer.ggml.add_bos_token", Meta::Flag(bos.is_some())),
    ];
    let optional = [
        ("tokenizer.ggml.bos_token_id", bos.or_else(|| role("bos_token")).or(model.config.bos_token_id)),
        ("tokenizer.ggml.padding_token_id", role("pad_token")),
    ];
    metadata.extend(optional.into_iter().filter_map(|(key, id)| Some((key, Meta::Count(id?)))));
    if let Some(template) = chat_template::template(&settings["chat_template"]) {
        metadata.push(("tokenizer.chat_template", Meta::Text(template.into())));
    }
    Ok(metadata)
}

/// The splitting that has a name in llama.cpp.
fn splitting(tree: &Value) -> std::result::Result<Splitting, String> {
    let model = &tree["model"];
    if model["type"] != "BPE" || model["byte_fallback"] == true {
        return Err(format!(
            "expected byte-level BPE, got {} with byte_fallback {}",
            model["type"], model["byte_fallback"]
        ));
    }
    if !tree["normalizer"].is_null() {
        return Err(format!("expected no normalizer, got {}", tree["normalizer"]["type"]));
    }
    let own = essential(&tree["pre_tokenizer"]);
    let known = Splitting::ALL.into_iter().find(|known| essential(&known.pre_tokenizer()) == own);
    let splitting = known.ok_or_else(|| {
        let names = Splitting::ALL.map(Splitting::name).join(", ");
        format!("expected the pre_tokenizer of {names}, got {own}")
    })?;
    let ignores_merges = model["ignore_merges"] == true;
    if ignores_merges != splitting.ignores_merges() {
        let (name, expected) = (splitting.name(), splitting.ignores_merges());
        return Err(format!(
            "ignore_merges: expected {expected} with the pre_tokenizer of {name}, got {ignores_merges}"
        ));
    }
    Ok(splitting)
}

/// A pre-tokenizer without what moves no token: where a token's text is said to begin, and what is said though it is the
/// default.
fn essential(pre_tokenizer: &Value) -> Value {
    let mut own = pre_tokenizer.clone();
    if let Some(fields) = own.as_object_mut() {
        if fields.get("type").is_some_and(|kind| kind == "ByteLevel") {
            fields.remove("trim_offsets");
            fields.entry("use_regex").or_insert(true.into());
        }
        if let Some(Value::Array(parts)) = fields.get_mut("pretokenizers") {
            parts.iter_mut().for_each(|part| *part = essential(part));
        }
    }
    own
}

/// A token and its type for each row of the embedding.
fn tokens(tree: &Value, vocab_size: usize) -> std::result::Result<(Vec<String>, Vec<i32>), String> {
    let mut tokens: Vec<String> = (0..vocab_size).map(|id| format!("[PAD{id}]")).collect();
    let mut types = vec![UNUSED; vocab_size];
    let mut set = |token: &str, id: &Value, kind: i32| {
        let place = id.as_u64().and_then(|id| usize::try_from(id).ok()).filter(|&id| id < vocab_size);
        let place = place.ok_or_else(|| format!("{token:?}: expected an id below {vocab_size}, got {id}"))?;
        (tokens[place], types[place]) = (token.to_string(), kind);
        Ok::<(), String>(())
    };
    for (token, id) in tree["model"]["vocab"].as_object().into_iter().flatten() {
        set(token, id, NORMAL)?;
    }
    for token in tree["added_tokens"].as_array().into_iter().flatten() {
        let kind = if token["special"] == true { CONTROL } else { USER_DEFINED };
        set(token["content"].as_str().unwrap_or_default(), &token["id"], kind)?;
    }
    Ok((tokens, types))
}

/// The merges, each as two tokens with a space between: files have them as texts or as pairs.
fn merges(tree: &Value) -> std::result::Result<Vec<String>, String> {
    let merge = |merge: &Value| {
        let joined = match merge {
            Value::String(text) => Some(text.clone()),
            pair => pair[0].as_str().zip(pair[1].as_str()).map(|(left, right)| format!("{left} {right}")),
        };
        let is_pair = |text: &String| text.split(' ').count() == 2;
        joined
            .filter(is_pair)
            .ok_or_else(|| format!("merges: expected two tokens without spaces, got {merge}"))
    };
    tree["model"]["merges"].as_array().into_iter().flatten().map(merge).collect()
}

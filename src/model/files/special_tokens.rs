//! The special tokens of a model by their roles, as its tokenizer_config.json names them.

use crate::data::tokenizer::Tokenizer;
use crate::model::files::Parsed;
use crate::model::files::config::LlamaConfig;
use serde_json::Value;

/// A token's text, from a string or from an object that says more.
pub(super) fn named(value: &Value) -> Option<&str> {
    value.as_str().or(value["content"].as_str())
}

/// The token that ends a response. An instruction model's tokenizer_config.json names the end of a turn
/// (`<|eot_id|>`), where its config.json may list several ends: the former is what it was trained with.
///
/// # Errors
/// What was expected and got, where neither names a token of the model.
pub(super) fn eos_token_id(
    config: &LlamaConfig,
    tokenizer: &Tokenizer,
    tokenizer_config_json: Option<&str>,
) -> Parsed<u32> {
    if let Some(text) = tokenizer_config_json {
        let wrong = |message: String| format!("tokenizer_config.json: {message}");
        let tree: Value = serde_json::from_str(text).map_err(|error| wrong(format!("not JSON: {error}")))?;
        let named = match tree.get("eos_token") {
            Some(Value::Object(token)) => token.get("content"),
            other => other,
        };
        match named {
            None | Some(Value::Null) => {}
            Some(Value::String(token)) => {
                let id = tokenizer.token_to_id(token).filter(|&id| (id as usize) < config.vocab_size);
                return id.ok_or_else(|| {
                    wrong(format!("eos_token: expected a token of the model, got {token:?}"))
                });
            }
            Some(other) => return Err(wrong(format!("eos_token: expected a token, got {other}"))),
        }
    }
    config.eos_token_id.ok_or_else(|| {
        "expected eos_token in tokenizer_config.json or eos_token_id in config.json, got neither".to_string()
    })
}

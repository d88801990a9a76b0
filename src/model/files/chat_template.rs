//! The chat template of a model: how its own turns are written, which is Jinja in its tokenizer_config.json.
//!
//! Rendered as transformers' `apply_chat_template` does: blocks take their line with them, Python's string methods are known,
//! what is not defined is empty. A template that asks for today's date gets the one that it falls back on: the same prompts on
//! every day.

use super::source::BaseModel;
use crate::error::{Error, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, context};
use serde_json::Value;

impl BaseModel {
    /// `request` as the turn of a user, up to where the model's answer begins; `None` where the model has no chat template.
    ///
    /// # Errors
    /// `Error::Model` where the template cannot be rendered.
    pub fn chat(&self, request: &str) -> Result<Option<String>> {
        let Some(config) = self.tokenizer_config_json.as_deref() else { return Ok(None) };
        let config: Value = serde_json::from_str(config).map_err(|error| self.refused(&error.to_string()))?;
        let Some(template) = template(&config["chat_template"]) else { return Ok(None) };
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| self.refused(&error.to_string()))?);
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> std::result::Result<String, _> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
        });
        let values = context! {
            messages => [context! { role => "user", content => request }],
            add_generation_prompt => true,
            bos_token => token(&config["bos_token"]),
            eos_token => token(&config["eos_token"]),
        };
        let rendered = environment.render_str(template, values);
        rendered.map(Some).map_err(|error| self.refused(&error.to_string()))
    }

    fn refused(&self, message: &str) -> Error {
        Error::model(&self.source, format!("tokenizer_config.json: chat_template: {message}"))
    }
}

/// The template itself, or of several that have names the default.
fn template(value: &Value) -> Option<&str> {
    let of_list = |list: &'_ Vec<Value>| list.iter().position(|entry| entry["name"] == "default");
    match value {
        Value::String(template) => Some(template),
        Value::Array(list) => list[of_list(list)?]["template"].as_str(),
        _ => None,
    }
}

/// A token, as a string or as an object that says more.
fn token(value: &Value) -> &str {
    value.as_str().or(value["content"].as_str()).unwrap_or_default()
}

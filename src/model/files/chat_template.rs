//! The chat template of a model: how its own turns are written, which is Jinja in its chat_template.jinja or its tokenizer_config.json.
//!
//! Rendered as transformers' `apply_chat_template` does: blocks take their line with them, Python's string methods are known,
//! what is not defined is empty. A template that asks for today's date gets the one that it falls back on: the same prompts on
//! every day.

use super::source::BaseModel;
use super::special_tokens::named;
use crate::error::{Error, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, ErrorKind, UndefinedBehavior, context};
use serde_json::Value;

/// A model's chat template, read.
pub struct ChatTemplate {
    environment: Environment<'static>,
    bos: String,
    eos: String,
    /// The model, for messages.
    source: String,
}

/// The template's name among those of its environment, which has no other.
const NAME: &str = "chat_template";

impl BaseModel {
    /// The model's chat template; `None` where it has none.
    ///
    /// # Errors
    /// `Error::Model` where it is no template.
    pub fn chat_template(&self) -> Result<Option<ChatTemplate>> {
        let Some(config) = self.tokenizer_config_json.as_deref() else { return Ok(None) };
        let refused = |message: String| refused(&self.source, &message);
        let config: Value = serde_json::from_str(config).map_err(|error| refused(error.to_string()))?;
        let Some(template) = template(&config["chat_template"]) else { return Ok(None) };
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
        environment.set_syntax(syntax.map_err(|error| refused(error.to_string()))?);
        environment.set_undefined_behavior(UndefinedBehavior::Lenient);
        environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |message: String| -> std::result::Result<String, _> {
            Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
        });
        let added = environment.add_template_owned(NAME, template.to_string());
        added.map_err(|error| refused(error.to_string()))?;
        let [bos, eos] =
            ["bos_token", "eos_token"].map(|name| named(&config[name]).unwrap_or_default().to_string());
        Ok(Some(ChatTemplate { environment, bos, eos, source: self.source.clone() }))
    }
}

impl ChatTemplate {
    /// `request` as the turn of a user, up to where the model's answer begins.
    ///
    /// # Errors
    /// `Error::Model` where the template cannot be rendered.
    pub fn render(&self, request: &str) -> Result<String> {
        let values = context! {
            messages => [context! { role => "user", content => request }],
            add_generation_prompt => true,
            bos_token => &self.bos,
            eos_token => &self.eos,
        };
        let rendered = self.environment.get_template(NAME).and_then(|template| template.render(values));
        rendered.map_err(|error| refused(&self.source, &error.to_string()))
    }
}

fn refused(source: &str, message: &str) -> Error {
    Error::model(source, format!("tokenizer_config.json: chat_template: {message}"))
}

/// The template itself, or of several that have names the default.
pub(super) fn template(value: &Value) -> Option<&str> {
    match value {
        Value::String(template) => Some(template),
        Value::Array(list) => list.iter().find(|entry| entry["name"] == "default")?["template"].as_str(),
        _ => None,
    }
}

//! The small files of a merged model's folder: what transformers and its kin read beside config, tokenizer and weights.

use crate::data::encode::RowEncoder;
use crate::error::{Error, Result};
use crate::model::files::model_files::{COMPANIONS, GENERATION};
use crate::model::files::source::BaseModel;
use crate::model::files::special_tokens::named;
use crate::model::files::trained_form;
use crate::sha256;
use serde_json::{Map, Value, json};

/// The base's own chat template beside the trained one.
const BASE: &str = "base";

impl BaseModel {
    /// SHA-256 over the files that a merged model takes over as they are; empty where the base has none of them.
    pub(crate) fn companions_sha256(&self) -> String {
        if self.companions.is_empty() {
            return String::new();
        }
        let parts = self.companions.iter().flat_map(|(name, text)| [*name, text.as_str()]);
        // Each by itself, so that no text can move from one into the next.
        let parts: Vec<String> = parts.map(|part| sha256::of(part.as_bytes())).collect();
        sha256::of_parts(parts.iter().map(String::as_bytes))
    }

    /// The token that begins a row, where the tokenizer sets one.
    ///
    /// # Errors
    /// As [`RowEncoder::new`].
    pub(crate) fn bos(&self) -> Result<Option<u32>> {
        Ok(RowEncoder::new(self.tokenizer.clone(), self.eos_token_id, 1)?.bos())
    }

    /// The text of a special token.
    ///
    /// # Errors
    /// `Error::Model` where the tokenizer has none with this id.
    pub(crate) fn special(&self, id: u32) -> Result<String> {
        let unknown =
            || Error::model(&self.source, format!("tokenizer.json: expected the token {id}, got none"));
        self.tokenizer.id_to_token(id).ok_or_else(unknown)
    }
}

/// Each small file's name and text for `base` trained as it is here; none for one that the base does not have.
///
/// # Errors
/// `Error::Model` where a file of the base is no JSON object.
pub(crate) fn texts(base: &BaseModel) -> Result<Vec<(&'static str, Option<String>)>> {
    let bos = base.bos()?;
    let made = [(GENERATION, generation_config(base, bos)?), (SETTINGS, tokenizer_config(base, bos)?)];
    let taken_over = COMPANIONS.into_iter().filter(|name| *name != GENERATION);
    let taken_over = taken_over.map(|name| (name, base.companions.get(name).cloned()));
    Ok(made.into_iter().map(|(name, text)| (name, Some(text))).chain(taken_over).collect())
}

const SETTINGS: &str = "tokenizer_config.json";

/// The ids that begin, end and fill a text: the base's own, the trained end always among them. How tokens are drawn is left
/// to who generates: the base's own choices are not the ones that were measured, and without any transformers takes the
/// likeliest token.
fn generation_config(base: &BaseModel, bos: Option<u32>) -> Result<String> {
    let sources = [
        base.companions
            .get(GENERATION)
            .map(|text| object(base, GENERATION, text))
            .transpose()?
            .unwrap_or_default(),
        object(base, "config.json", &base.config_json)?,
    ];
    let known =
        |key: &str| sources.iter().filter_map(|source| source.get(key)).map(ids).find(|ids| !ids.is_empty());
    let first = |key: &str| known(key).map(|ids| ids[0]);
    let settings =
        base.tokenizer_config_json.as_deref().map(|text| object(base, SETTINGS, text)).transpose()?;
    let role = |name: &str| {
        let token = named(settings.as_ref()?.get(name)?)?;
        base.tokenizer.token_to_id(token).map(u64::from)
    };
    let trained = u64::from(base.eos_token_id);
    let mut ends = known("eos_token_id").unwrap_or_default();
    if !ends.contains(&trained) {
        ends.insert(0, trained);
    }
    let mut tree = Map::new();
    if let Some(bos) = bos.map(u64::from).or_else(|| first("bos_token_id")).or_else(|| role("bos_token")) {
        tree.insert("bos_token_id".into(), bos.into());
    }
    tree.insert("eos_token_id".into(), if ends.len() == 1 { trained.into() } else { ends.into() });
    if let Some(pad) = first("pad_token_id").or_else(|| role("pad_token")) {
        tree.insert("pad_token_id".into(), pad.into());
    }
    Ok(format!("{:#}\n", Value::Object(tree)))
}

/// A token id, or a list of them.
fn ids(value: &Value) -> Vec<u64> {
    match value {
        Value::Array(list) => list.iter().filter_map(Value::as_u64).collect(),
        one => one.as_u64().into_iter().collect(),
    }
}

/// The base's tokenizer_config.json, or one that says as much as transformers must know, with the roles of the tokens that
/// rows were trained with and the trained form as chat template.
fn tokenizer_config(base: &BaseModel, bos: Option<u32>) -> Result<String> {
    let mut tree = match &base.tokenizer_config_json {
        Some(text) => object(base, SETTINGS, text)?,
        None => {
            let made = json!({
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": base.config.max_position_embeddings,
                "clean_up_tokenization_spaces": false,
            });
            made.as_object().cloned().unwrap_or_default()
        }
    };
    let roles = [("bos_token", bos), ("eos_token", Some(base.eos_token_id))];
    for (role, id) in roles {
        let Some(id) = id else { continue };
        let token = base.special(id)?;
        // An object that says more of the very token stays.
        if tree.get(role).and_then(named) != Some(token.as_str()) {
            tree.insert(role.into(), token.into());
        }
    }
    let templates = chat_templates(tree.get("chat_template"), trained_form::jinja(bos));
    tree.insert("chat_template".into(), templates);
    Ok(format!("{:#}\n", Value::Object(tree)))
}

/// The trained form as the default, and the base's own templates by their names: its default as `base`.
///
/// A list in tokenizer_config.json is what transformers reads from 4.40 on (`chat_template="base"` then asks for that one),
/// vLLM through it, and what text-generation-webui takes the first of. Files in `chat_templates/` came later and are read by
/// transformers alone, and a `chat_template.jinja` without them hides the list. Where there is one template it is a plain
/// string, which every version reads.
fn chat_templates(own: Option<&Value>, trained: String) -> Value {
    let entry =
        |entry: &Value| Some((entry["name"].as_str()?.to_string(), entry["template"].as_str()?.to_string()));
    let mut kept: Vec<(String, String)> = match own {
        Some(Value::String(template)) => vec![("default".into(), template.clone())],
        Some(Value::Array(list)) => list.iter().filter_map(entry).collect(),
        _ => Vec::new(),
    };
    // A base that was merged here has the trained form already.
    kept.retain(|(_, template)| *template != trained);
    if kept.is_empty() {
        return trained.into();
    }
    if let Some(default) = kept.iter().position(|(name, _)| name == "default") {
        let mut names =
            std::iter::once(BASE.to_string()).chain((2_u32..).map(|count| format!("{BASE}_{count}")));
        let is_free = |name: &String| kept.iter().all(|(taken, _)| taken != name);
        kept[default].0 = names.find(is_free).unwrap_or_default();
    }
    let all = std::iter::once(("default".to_string(), trained)).chain(kept);
    all.map(|(name, template)| json!({"name": name, "template": template})).collect()
}

fn object(base: &BaseModel, name: &str, text: &str) -> Result<Map<String, Value>> {
    serde_json::from_str(text).map_err(|error| Error::model(&base.source, format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bases_templates_are_kept_by_name() {
        let named = |list: &[(&str, &str)]| -> Value {
            list.iter().map(|(name, template)| json!({"name": name, "template": template})).collect()
        };
        let cases = [
            (Value::Null, json!("ours")),
            (json!("theirs"), named(&[("default", "ours"), ("base", "theirs")])),
            // What was merged here once and is merged again.
            (json!("ours"), json!("ours")),
            (
                named(&[("default", "ours"), ("base", "theirs")]),
                named(&[("default", "ours"), ("base", "theirs")]),
            ),
            (
                named(&[("default", "theirs"), ("base", "older"), ("tool_use", "tools")]),
                named(&[("default", "ours"), ("base_2", "theirs"), ("base", "older"), ("tool_use", "tools")]),
            ),
        ];
        for (own, expected) in cases {
            assert_eq!(chat_templates(Some(&own), "ours".into()), expected, "{own}");
        }
    }
}

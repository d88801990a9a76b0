//! The key that a server knows its user by: from the environment alone, and in nothing that is written or said.
//!
//! A server may send it back, in an error or in an answer. So all that comes is searched for it before it is kept.

use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::fmt;

/// Where a key may stand, the first that is set counting.
const VARIABLES: [&str; 2] = ["TEZGAH_JUDGE_KEY", "OPENAI_API_KEY"];

/// What stands in a secret's place.
const HIDDEN: &str = "[hidden]";

/// Shorter ones are no secrets but words such as EMPTY, which local servers want; hiding them would take such words, or a
/// digit, out of the answers.
const SHORTEST: usize = 8;

/// A key, if there is one, and all that must not be shown.
#[derive(Clone, Default)]
pub struct Secret {
    key: Option<String>,
    variable: &'static str,
    hidden: Vec<String>,
}

/// Without the secret.
impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(HIDDEN)
    }
}

impl Secret {
    /// The key of `TEZGAH_JUDGE_KEY`, else of `OPENAI_API_KEY`; none is a secret too.
    ///
    /// # Errors
    /// `Error::Setting` where it cannot be sent, without showing it.
    pub fn from_environment() -> Result<Self> {
        for variable in VARIABLES {
            let Some(value) = std::env::var_os(variable) else { continue };
            let key = value.to_str().map(str::trim).unwrap_or("\0");
            if key.is_empty() {
                continue;
            }
            if !key.chars().all(|letter| letter.is_ascii_graphic()) {
                let message = "expected a key of visible ASCII characters, got one with others".into();
                return Err(Error::Setting { key: variable.into(), message });
            }
            let secret = Secret { key: Some(key.to_string()), variable, hidden: Vec::new() };
            return Ok(secret.and([key.to_string()]));
        }
        Ok(Secret::default())
    }

    /// The same, with further words that must not be shown.
    pub(super) fn and(mut self, words: impl IntoIterator<Item = String>) -> Self {
        self.hidden.extend(words.into_iter().filter(|word| word.len() >= SHORTEST));
        // A secret may hold another one: the longest goes first.
        self.hidden.sort_by_key(|word| std::cmp::Reverse(word.len()));
        self
    }

    /// The header that carries the key.
    pub(super) fn bearer(&self) -> Option<String> {
        self.key.as_ref().map(|key| format!("Bearer {key}"))
    }

    /// The variable that the key is from; none without a key.
    pub(super) fn variable(&self) -> Option<&'static str> {
        self.key.as_ref().map(|_| self.variable)
    }

    /// `text` without its secrets. One that JSON spells with escapes is found too.
    pub(super) fn hide(&self, text: &str) -> String {
        let (text, _) = self.replaced(text);
        let Ok(mut tree) = serde_json::from_str::<Value>(&text) else { return text };
        if self.hide_in(&mut tree) { tree.to_string() } else { text }
    }

    /// The text without its secrets, and whether it had one.
    fn replaced(&self, text: &str) -> (String, bool) {
        let mut replaced = text.to_string();
        for word in &self.hidden {
            if replaced.contains(word.as_str()) {
                replaced = replaced.replace(word.as_str(), HIDDEN);
            }
        }
        let had_one = replaced != text;
        (replaced, had_one)
    }

    /// Whether `tree` had a secret; it has none any more.
    fn hide_in(&self, tree: &mut Value) -> bool {
        match tree {
            Value::String(text) => {
                let (replaced, had_one) = self.replaced(text);
                *text = replaced;
                had_one
            }
            Value::Array(items) => items.iter_mut().fold(false, |had_one, item| self.hide_in(item) | had_one),
            Value::Object(fields) => {
                let mut had_one = false;
                let mut cleaned = Map::new();
                for (name, mut value) in std::mem::take(fields) {
                    let (name, in_name) = self.replaced(&name);
                    had_one |= self.hide_in(&mut value) | in_name;
                    cleaned.insert(name, value);
                }
                *fields = cleaned;
                had_one
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_is_hidden_however_json_spells_it() {
        let secret =
            Secret::default().and(["sk-secret/1".to_string(), "secret/1".to_string(), "5".to_string()]);
        assert_eq!(secret.hide("no: sk-secret/1, 5"), "no: [hidden], 5");
        let spelt = r#"{"error": "sk-secret\/1", "a": [{"\u0073ecret\/1": 5.0}]}"#;
        assert_eq!(secret.hide(spelt), r#"{"error":"[hidden]","a":[{"[hidden]":5.0}]}"#);
        let innocent = r#"{"error":  "none\/", "score": 5}"#;
        assert_eq!(secret.hide(innocent), innocent);
    }
}

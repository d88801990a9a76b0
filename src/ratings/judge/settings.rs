//! Who is asked, and how: what the user chose.

use super::secret::Secret;
use crate::error::{Error, Result};
use std::time::Duration;

/// Who is asked, and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's address, up to where `/chat/completions` follows.
    pub endpoint: String,
    /// The model as the server names it.
    pub model: String,
    /// What the server knows its user by.
    pub secret: Secret,
    /// Times each item is asked in each order, at least 1.
    pub repeats: usize,
    /// Sampling temperature, from 0 to 2.
    pub temperature: f64,
    /// Of the first repeat; each further one has the next.
    pub seed: u64,
    /// Longest answer.
    pub max_tokens: usize,
    /// How long an answer is waited for.
    pub timeout: Duration,
    /// Before a request is made again; doubled each time.
    pub wait: Duration,
}

impl Settings {
    /// Refuses what no server can be asked with.
    ///
    /// # Errors
    /// `Error::Setting` with the first one that is out of its range.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |key: &str, message: String| Err(Error::Setting { key: key.into(), message });
        if self.model.trim().is_empty() {
            return refuse("model", "expected the name of a model, got an empty one".into());
        }
        if !(0.0..=2.0).contains(&self.temperature) {
            return refuse("temperature", format!("expected 0 to 2, got {}", self.temperature));
        }
        for (key, value) in [("repeats", self.repeats), ("max-tokens", self.max_tokens)] {
            if value == 0 {
                return refuse(key, "expected at least 1, got 0".into());
            }
        }
        if self.timeout.is_zero() {
            return refuse("timeout", "expected at least 1 second, got 0".into());
        }
        Ok(())
    }
}

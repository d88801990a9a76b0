//! Choices that are written as a word, and are more than one.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;
use std::fmt;
use std::str::FromStr;

/// Which rows are never divided between two parts of the split.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum GroupBy {
    /// Every row goes by itself.
    #[default]
    None,
    /// Rows whose answers share most of their windows, and what hangs together by such rows.
    NearDuplicates,
    /// Rows that have the same value in this top-level field of the file: `field:topic`.
    Field(String),
}

impl fmt::Display for GroupBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GroupBy::None => formatter.write_str("none"),
            GroupBy::NearDuplicates => formatter.write_str("near_duplicates"),
            GroupBy::Field(name) => write!(formatter, "field:{name}"),
        }
    }
}

impl FromStr for GroupBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("field:")) {
            ("none", _) => Ok(GroupBy::None),
            ("near_duplicates", _) => Ok(GroupBy::NearDuplicates),
            (_, Some(name)) if !name.is_empty() => Ok(GroupBy::Field(name.to_string())),
            _ => Err(format!("expected none, near_duplicates or field:NAME, got {text}")),
        }
    }
}

impl Serialize for GroupBy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for GroupBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Whether activations are kept or computed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpointing {
    /// Keep them where they fit the memory.
    Auto,
    /// Compute again.
    On,
    /// Keep.
    Off,
}

impl Serialize for Checkpointing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Checkpointing::Auto => serializer.serialize_str("auto"),
            Checkpointing::On => serializer.serialize_bool(true),
            Checkpointing::Off => serializer.serialize_bool(false),
        }
    }
}

impl<'de> Deserialize<'de> for Checkpointing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Bool(true) => Ok(Checkpointing::On),
            Value::Bool(false) => Ok(Checkpointing::Off),
            Value::String(name) if name == "auto" => Ok(Checkpointing::Auto),
            other => Err(de::Error::custom(format!("expected auto, true or false, got {other}"))),
        }
    }
}

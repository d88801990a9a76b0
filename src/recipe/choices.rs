//! Choices that are written as a word and have a form of their own.

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

/// The seven linear maps of a Llama layer, in the order of the computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Projection {
    /// Queries.
    QProj,
    /// Keys.
    KProj,
    /// Values.
    VProj,
    /// Attention output.
    OProj,
    /// Gate of the MLP.
    GateProj,
    /// Input of the MLP.
    UpProj,
    /// Output of the MLP.
    DownProj,
}

impl Projection {
    /// All seven, in the order of the computation.
    pub const ALL: [Projection; 7] = [
        Projection::QProj,
        Projection::KProj,
        Projection::VProj,
        Projection::OProj,
        Projection::GateProj,
        Projection::UpProj,
        Projection::DownProj,
    ];

    /// The name in recipes and adapter files: `q_proj`.
    pub fn name(self) -> &'static str {
        match self {
            Projection::QProj => "q_proj",
            Projection::KProj => "k_proj",
            Projection::VProj => "v_proj",
            Projection::OProj => "o_proj",
            Projection::GateProj => "gate_proj",
            Projection::UpProj => "up_proj",
            Projection::DownProj => "down_proj",
        }
    }

    /// The path inside a layer of a checkpoint: `self_attn.q_proj`.
    pub fn path(self) -> &'static str {
        match self {
            Projection::QProj => "self_attn.q_proj",
            Projection::KProj => "self_attn.k_proj",
            Projection::VProj => "self_attn.v_proj",
            Projection::OProj => "self_attn.o_proj",
            Projection::GateProj => "mlp.gate_proj",
            Projection::UpProj => "mlp.up_proj",
            Projection::DownProj => "mlp.down_proj",
        }
    }
}

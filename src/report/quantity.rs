//! A number on its way into a document: its amount, and the record path it was read from.
//!
//! Templates receive every number as a [`Quantity`], which prints only through a number filter; the filter writes it
//! between the marks of [`trace`], so that an exporter can show where a printed number came from.

use super::trace;
use crate::paths::{child, item};
use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How much: counts stay whole, measurements are real.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Amount {
    /// A count.
    Whole(u64),
    /// A measurement.
    Real(f64),
}

impl From<usize> for Amount {
    fn from(value: usize) -> Self {
        Amount::Whole(value as u64)
    }
}

impl From<u64> for Amount {
    fn from(value: u64) -> Self {
        Amount::Whole(value)
    }
}

impl From<f64> for Amount {
    fn from(value: f64) -> Self {
        Amount::Real(value)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Amount::Whole(value) => write!(formatter, "{value}"),
            Amount::Real(value) => write!(formatter, "{value}"),
        }
    }
}

/// An amount with its origin: a path into the record, or a formula over such paths.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quantity {
    /// `training.steps[0].loss`, or `1 - training.steps[86].loss / training.steps[0].loss`.
    pub path: String,
    /// The amount at full precision.
    pub value: Amount,
}

/// Quantities by the name under which a template asks for them.
pub(crate) type Quantities = BTreeMap<&'static str, Quantity>;

impl Quantity {
    /// The amount at `path`.
    pub(crate) fn new(path: impl Into<String>, value: impl Into<Amount>) -> Self {
        Quantity { path: path.into(), value: value.into() }
    }

    /// The amount as a real number.
    pub fn real(&self) -> f64 {
        match self.value {
            Amount::Whole(value) => value as f64,
            Amount::Real(value) => value,
        }
    }

    /// `text` between the marks that carry this quantity's path.
    pub(crate) fn traced(&self, text: &str) -> String {
        trace::marked(&self.path, text)
    }
}

impl Object for Quantity {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

impl From<Quantity> for Value {
    fn from(quantity: Quantity) -> Self {
        Value::from_object(quantity)
    }
}

/// The template's view of `node`, which lies at `path` in the record: same names, but each number a [`Quantity`].
pub(crate) fn view(path: &str, node: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match node {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::String(value) => Value::from(value.as_str()),
        Json::Number(number) => Value::from(match number.as_u64() {
            Some(whole) => Quantity::new(path, whole),
            None => Quantity::new(path, number.as_f64().unwrap_or(f64::NAN)),
        }),
        Json::Array(items) => {
            items.iter().enumerate().map(|(index, one)| view(&item(path, index), one)).collect()
        }
        Json::Object(fields) => Value::from_pairs(
            fields.iter().map(|(name, field)| (name.clone(), view(&child(path, name), field))),
        ),
    }
}

/// The template's view of `quantities`, under their names.
pub(crate) fn named(quantities: &Quantities) -> Value {
    Value::from_pairs(quantities.iter().map(|(name, quantity)| (*name, Value::from(quantity.clone()))))
}

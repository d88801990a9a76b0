//! A number on its way into a document: its amount, and the record path it was read from.
//!
//! Templates receive every number as a [`Quantity`], which prints only through a number filter; the filter writes it
//! between the marks of [`trace`], so that an exporter can show where a printed number came from.

use super::trace;
use crate::paths::{child, item};
use crate::statistics::Interval;
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
    /// Decimals that its interval supports, where it has one; see [`supported`].
    #[serde(skip)]
    pub decimals: Option<usize>,
}

/// Decimals of a number that was measured between `low` and `high`: its last digit is the first one that is not sure,
///
/// ```text
/// -floor(log10((high - low) / 2))
/// ```
///
/// so 0.7549 in [0.709, 0.801] is 0.75, and 13.27 in [12.44, 14.16] is 13.3. A bound that is not zero must not print as zero,
/// or an interval on one side of it seems to reach it: [0.031, 0.502] takes 2. `None` where both are the same.
pub(crate) fn supported(low: f64, high: f64) -> Option<usize> {
    let half = (high - low) / 2.0;
    let nearest = if low * high > 0.0 { low.abs().min(high.abs()) } else { f64::INFINITY };
    // Half of a last digit rounds up to one.
    let decimals = (-half.log10().floor()).max(-(2.0 * nearest).log10().floor());
    (half > 0.0 && half.is_finite()).then(|| decimals.clamp(0.0, 6.0) as usize)
}

/// The decimals that are left of a fraction's when it is printed in percent.
pub(crate) fn in_percent(decimals: usize) -> usize {
    decimals.saturating_sub(2)
}

/// Quantities by the name under which a template asks for them.
pub(crate) type Quantities = BTreeMap<&'static str, Quantity>;

impl Quantity {
    /// The amount at `path`.
    pub(crate) fn new(path: impl Into<String>, value: impl Into<Amount>) -> Self {
        Quantity { path: path.into(), value: value.into(), decimals: None }
    }

    /// The same, known to lie in `interval`.
    pub(crate) fn within(self, interval: Option<&Interval>) -> Self {
        Quantity { decimals: interval.and_then(|interval| supported(interval.low, interval.high)), ..self }
    }

    /// The same with as many decimals as the finest of `all` that stand in its row or column, itself among them: a measure
    /// is read as one. Without an interval of its own it has none to follow.
    pub(crate) fn beside(self, all: impl Iterator<Item = Quantity>) -> Self {
        let finest = all.filter_map(|one| one.decimals).max();
        Quantity { decimals: self.decimals.and(finest), ..self }
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
        Json::Object(fields) => {
            let interval = interval(fields);
            Value::from_pairs(fields.iter().map(|(name, field)| {
                let path = child(path, name);
                let value = match (field.as_f64(), interval.as_ref()) {
                    (Some(bound), Some(interval)) => {
                        Value::from(Quantity::new(path, bound).within(Some(interval)))
                    }
                    _ => view(&path, field),
                };
                (name.clone(), value)
            }))
        }
    }
}

/// The interval that `fields` are, where they are one.
fn interval(fields: &serde_json::Map<String, serde_json::Value>) -> Option<Interval> {
    let bound = |name: &str| fields.get(name)?.as_f64();
    let interval = Interval { estimate: bound("estimate")?, low: bound("low")?, high: bound("high")? };
    (fields.len() == 3).then_some(interval)
}

/// The template's view of `quantities`, under their names.
pub(crate) fn named(quantities: &Quantities) -> Value {
    Value::from_pairs(quantities.iter().map(|(name, quantity)| (*name, Value::from(quantity.clone()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last digit is the first that the interval leaves open.
    #[test]
    fn digits_follow_the_width_of_the_interval() {
        for (low, high, decimals) in [
            (0.709, 0.801, Some(2)),
            (12.44, 14.16, Some(1)),
            (1.072, 1.097, Some(2)),
            (0.6959, 0.7205, Some(2)),
            (100.0, 140.0, Some(0)),
            (0.00012, 0.00019, Some(5)),
            (0.5, 0.5, None),
            (0.031, 0.502, Some(2)),
            (-0.502, -0.031, Some(2)),
            (-0.031, 0.502, Some(1)),
        ] {
            assert_eq!(supported(low, high), decimals, "{low} to {high}");
        }
    }
}

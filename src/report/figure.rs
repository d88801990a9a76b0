//! A number on its way into a document: its amount, and the record path it was read from.
//!
//! Templates receive every number as a [`Figure`]. A figure prints only through a number filter, which writes
//! the text between three private-use marks, so that an exporter can show where a printed number came from:
//! `U+E000 path U+E001 text U+E002`. [`plain`] takes the marks out again.

use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Opens a traced number; its record path follows.
pub const PATH: char = '\u{E000}';
/// Ends the path; the printed text follows.
pub const TEXT: char = '\u{E001}';
/// Ends the printed text.
pub const END: char = '\u{E002}';

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
pub struct Figure {
    /// `training.steps[0].loss`, or `1 - training.steps[86].loss / training.steps[0].loss`.
    pub path: String,
    /// The amount at full precision.
    pub value: Amount,
}

/// Figures by the name under which a template asks for them.
pub type Figures = BTreeMap<&'static str, Figure>;

impl Figure {
    /// The amount at `path`.
    pub fn new(path: impl Into<String>, value: impl Into<Amount>) -> Self {
        Figure { path: path.into(), value: value.into() }
    }

    /// The amount as a real number.
    pub fn real(&self) -> f64 {
        match self.value {
            Amount::Whole(value) => value as f64,
            Amount::Real(value) => value,
        }
    }

    /// `text` between the marks that carry this figure's path.
    pub fn traced(&self, text: &str) -> String {
        format!("{PATH}{}{TEXT}{text}{END}", self.path)
    }
}

impl Object for Figure {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
}

/// The template's view of a piece of the record: same names, but each number a [`Figure`].
pub fn view(path: &str, node: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match node {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::String(value) => Value::from(value.as_str()),
        Json::Number(number) => Value::from_object(match number.as_u64() {
            Some(whole) => Figure::new(path, whole),
            None => Figure::new(path, number.as_f64().unwrap_or(f64::NAN)),
        }),
        Json::Array(items) => {
            items.iter().enumerate().map(|(index, item)| view(&format!("{path}[{index}]"), item)).collect()
        }
        Json::Object(fields) => Value::from_pairs(fields.iter().map(|(name, field)| {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            (name.clone(), view(&path, field))
        })),
    }
}

/// The template's view of named figures.
pub fn view_figures(figures: &Figures) -> Value {
    Value::from_pairs(figures.iter().map(|(name, figure)| (*name, Value::from_object(figure.clone()))))
}

/// A piece of a traced text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// Text without an origin.
    Text(&'a str),
    /// A printed number.
    Number {
        /// Its record path, or the formula over such paths.
        path: &'a str,
        /// As it is printed.
        text: &'a str,
    },
}

/// The pieces of a traced text, in their order: how an exporter shows each number's origin.
pub fn pieces(traced: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for (index, part) in traced.split(PATH).enumerate() {
        let (number, rest) = match part.split_once(END) {
            Some((number, rest)) if index > 0 => (number.split_once(TEXT), rest),
            _ => (None, part),
        };
        pieces.extend(number.map(|(path, text)| Piece::Number { path, text }));
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest));
        }
    }
    pieces
}

/// The text as a reader sees it: the marks and the paths between them taken out.
pub fn plain(traced: &str) -> String {
    let mut is_path = false;
    traced
        .chars()
        .filter(|&character| match character {
            PATH => {
                is_path = true;
                false
            }
            TEXT => {
                is_path = false;
                false
            }
            END => false,
            _ => !is_path,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traced_text_comes_apart_into_its_pieces() {
        let text = format!(
            "{}'ten {}.",
            Figure::new("a.b", 1.95).traced("1,95"),
            Figure::new("c", 1u64).traced("1")
        );
        let expected = [
            Piece::Number { path: "a.b", text: "1,95" },
            Piece::Text("'ten "),
            Piece::Number { path: "c", text: "1" },
            Piece::Text("."),
        ];
        assert_eq!(pieces(&text), expected);
        assert_eq!(pieces("yalın"), [Piece::Text("yalın")]);
        assert_eq!(plain(&text), "1,95'ten 1.");
    }
}

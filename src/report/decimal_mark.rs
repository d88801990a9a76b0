//! Comma or point: what every number of a document, and every suffix on one, depends on.

use serde::Deserialize;

/// The mark between whole and fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DecimalMark {
    /// `12.400,5`: the comma of Turkish spelling, thousands grouped by dots.
    #[default]
    Comma,
    /// `12400.5`: the point, and no groups, whose mark would be one of the two.
    Point,
}

//! Repetition inside one text, the mark of a model that turns in a circle.

use super::diversity;
use std::hash::Hash;

/// Words of the n-gram whose repetition counts.
pub const WORDS: usize = 4;

/// seq-rep-4 (Welleck, Kulikov, Roller, Dinan, Cho and Weston 2020): the share of 4-grams that stood in the text before,
///
/// ```text
/// 1 - different 4-grams / 4-grams
/// ```
///
/// of words here, of tokens there. 0 of a text that has no four words: it repeats nothing.
pub fn repeated<T: Eq + Hash>(words: &[T]) -> f64 {
    diversity::distinct(words, WORDS).map_or(0.0, |distinct| 1.0 - distinct)
}

//! Flesch-Kincaid grade (Kincaid, Fishburne, Rogers and Chissom 1975, Navy Research Branch Report 8-75):
//!
//! ```text
//! 0.39 words / sentences + 11.8 syllables / words - 15.59
//! ```
//!
//! The years of American schooling that a text asks for; below 0 for very short sentences of short words. Words, sentences
//! and syllables are those of this room, so the grade differs from textstat's by what they differ in.

use super::{sentences, syllables, words};

/// The grade of `text`; `None` of a text without words, where textstat says 0.
///
/// ```
/// # use tezgah::texts::readability::flesch_kincaid;
/// // 6 words, 6 syllables, 1 sentence: 0.39 * 6 + 11.8 - 15.59
/// let grade = flesch_kincaid("The cat sat on the mat.").expect("it has words");
/// assert!((grade - -1.45).abs() < 1e-12);
/// assert_eq!(flesch_kincaid(""), None);
/// ```
pub fn flesch_kincaid(text: &str) -> Option<f64> {
    let words = words::words(text);
    let syllables: usize = words.iter().map(|word| syllables::count(&word.key)).sum();
    let length = sentences::mean_length(text)?;
    Some(0.39 * length + 11.8 * (syllables as f64 / words.len() as f64) - 15.59)
}

//! A text in, numbers out: what [`measure`] knows of an answer without asking anyone.
//!
//! Every file has one measure, its formula and its source at its head. Where a text is too short for a measure, it is
//! `None`, never a number that stands for nothing. No measure is good or bad by itself: an A1 text shall be simple and not
//! poor, so what systems are compared with is the references, which are measured alike.
//!
//! - [`words`], [`sentences`], [`syllables`]: what is counted;
//! - [`readability`], [`diversity`], [`repetition`], [`length`]: how the text is written;
//! - [`copying`]: whose text it is;
//! - [`profile`], [`frequency`]: which words it takes, by a [`word_list`] that knows headwords and by [`lemmas`], which finds
//!   them.
//!
//! Equal to its peers in Python on tests/reference/texts/measures.json: `tests/engine/texts/` says how near, and why not nearer.
//! Two systems on the same rows are compared by [`crate::statistics::compare`], with a token a row.

pub mod words;
pub mod sentences;
pub mod syllables;
pub mod readability;
pub mod diversity;
pub mod repetition;
pub mod length;
pub mod copying;
pub mod lemmas;
pub mod frequency;
pub mod word_list;
pub mod profile;

use copying::{Answers, Copied};
use frequency::FrequencyProfile;
use profile::LevelProfile;
use serde::{Deserialize, Serialize};
use word_list::WordList;

/// Every measure of one text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Words, see [`words`].
    pub words: usize,
    /// Sentences with words, see [`sentences`].
    pub sentences: usize,
    /// Words / sentences; absent of a text without words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentence_length: Option<f64>,
    /// Flesch-Kincaid grade; absent of a text without words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flesch_kincaid: Option<f64>,
    /// MTLD in words; absent of a text without words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtld: Option<f64>,
    /// Different pairs of words / pairs; absent below two words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_2: Option<f64>,
    /// Share of 4-grams that stood in the text before.
    pub repeated_4grams: f64,
    /// Words by level, see [`profile`].
    pub levels: LevelProfile,
    /// Words by frequency, see [`frequency`].
    pub frequency: FrequencyProfile,
    /// What stands in the training answers.
    pub copied: Copied,
}

/// Measures `text` by `list` and against the training `answers`.
///
/// What needs more than the text is left to the caller: [`length::ratio`] a reference, [`LevelProfile::above`] a level.
pub fn measure(text: &str, list: &WordList, answers: &Answers) -> Measures {
    let words = words::words(text);
    let keys: Vec<&str> = words.iter().map(|word| word.key.as_str()).collect();
    Measures {
        words: words.len(),
        sentences: sentences::sentences(text).len(),
        sentence_length: sentences::mean_length(text),
        flesch_kincaid: readability::flesch_kincaid(text),
        mtld: diversity::mtld(&keys),
        distinct_2: diversity::distinct(&keys, 2),
        repeated_4grams: repetition::repeated(&keys),
        levels: profile::profile(&words, list),
        frequency: frequency::profile(&words),
        copied: answers.copied(text),
    }
}

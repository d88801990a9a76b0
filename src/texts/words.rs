//! The words of a text.
//!
//! A run is a maximal run of letters, digits and apostrophes. A word is a run without the apostrophes around it, in lower
//! case and with `'` for `’`; runs of apostrophes alone are none. So `well-known` is two words (a level list knows its
//! parts), `don't` is one, and `3.50` is two, where textstat has one, one and one.

use std::collections::HashMap;

/// A word, as it is written and as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it stands in the text, without apostrophes around it.
    pub written: &'a str,
    /// In lower case, with straight apostrophes: equal words are equal here.
    pub key: String,
}

impl Word<'_> {
    /// Digits alone.
    pub fn is_number(&self) -> bool {
        self.key.chars().all(char::is_numeric)
    }

    /// Written with a capital first.
    pub fn is_capitalized(&self) -> bool {
        self.written.chars().next().is_some_and(char::is_uppercase)
    }
}

/// What a word is to a profile.
pub(super) enum Kind<T> {
    Listed(T),
    Number,
    Name,
    OffList,
}

impl<T> Kind<T> {
    /// A number stays one where a list has it.
    pub(super) fn of(word: &Word<'_>, found: Option<T>) -> Kind<T> {
        match found {
            _ if word.is_number() => Kind::Number,
            Some(found) => Kind::Listed(found),
            None if word.is_capitalized() => Kind::Name,
            None => Kind::OffList,
        }
    }
}

/// The words of `text`, in its order; of a text without letters, none.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let bare = runs(text).map(|run| run.trim_matches(APOSTROPHES)).filter(|word| !word.is_empty());
    bare.map(|written| Word { written, key: written.to_lowercase().replace('’', "'") }).collect()
}

/// The runs of `text`, as they are written.
pub fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !is_of_run(letter)).filter(|run| !run.is_empty())
}

/// Runs as numbers, in lower case and in the order in which they were met.
#[derive(Debug, Clone, Default)]
pub(crate) struct Vocabulary(HashMap<String, u32>);

impl Vocabulary {
    /// The numbers of a text's runs; one that was not met before gets the next.
    pub(crate) fn learn(&mut self, text: &str) -> Vec<u32> {
        let number = |run: &str| {
            let next = self.0.len() as u32;
            *self.0.entry(run.to_lowercase()).or_insert(next)
        };
        runs(text).map(number).collect()
    }

    /// The same without learning: one that was not met is numbered as none of those that were.
    pub(crate) fn ids(&self, text: &str) -> Vec<u32> {
        let number = |run: &str| self.0.get(&run.to_lowercase()).copied().unwrap_or(u32::MAX);
        runs(text).map(number).collect()
    }
}

const APOSTROPHES: [char; 2] = ['\'', '’'];

fn is_of_run(letter: char) -> bool {
    letter.is_alphanumeric() || APOSTROPHES.contains(&letter)
}

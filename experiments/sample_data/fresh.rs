//! What a level's texts have said already: a sentence is told again in other words where there are any.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Running words of which a repetition is noticed: as many as `dataset.overlap` looks at.
const WINDOW: usize = 8;

/// Windows of words and whole sentences of the texts so far, by their hashes: the keys of [`DefaultHasher`] are fixed, so
/// that every run finds the same.
#[derive(Default)]
pub struct Memory(HashSet<u64>);

impl Memory {
    /// Keeps a text.
    pub fn learn(&mut self, text: &str) {
        self.0.extend(windows(&words(text)));
        self.0.extend(sentences(text));
    }

    /// How much of `sentence`, which follows the text `before`, was said already: windows, and a window's words for each
    /// sentence that is the same.
    pub fn repeated(&self, before: &[u64], sentence: &str) -> usize {
        let mut running = before.to_vec();
        running.extend(words(sentence));
        let whole = sentences(sentence).filter(|said| self.0.contains(said)).count();
        windows(&running).filter(|said| self.0.contains(said)).count() + WINDOW * whole
    }
}

/// The last words of a text, with which windows of the next sentence begin.
pub fn last_words(text: &str) -> Vec<u64> {
    let mut last = words(text);
    last.drain(..last.len().saturating_sub(WINDOW - 1));
    last
}

fn hash(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

fn words(text: &str) -> Vec<u64> {
    let separates = |c: char| !(c.is_alphanumeric() || c == '\'' || c == '\u{2019}');
    text.split(separates).filter(|word| !word.is_empty()).map(|word| hash(word.to_lowercase())).collect()
}

fn windows(words: &[u64]) -> impl Iterator<Item = u64> {
    words.windows(WINDOW).map(hash)
}

/// Sentences by their words, of any length, so that none is a window's.
fn sentences(text: &str) -> impl Iterator<Item = u64> {
    text.split(['.', '!', '?']).map(words).filter(|words| !words.is_empty()).map(|words| hash((words, '.')))
}

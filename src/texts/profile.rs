//! The profile by level: which share of a text's running words is of which CEFR level, and how much lies above the level
//! that was asked for (the token miss rate of arXiv 2506.04072, with a level list as the learner).
//!
//! ```text
//! above(level) = words of a higher level / (words of any level + words off the list)
//! ```
//!
//! A word has the level of its headword, the lowest where a list has several, since parts of speech are not told apart
//! ([`super::lemmas`] says how the headword is found). Left out are numbers and names: a word with a capital that is on no
//! list. So a rare word that begins a sentence counts as a name, and `Mark`, which is on the list, does not. Phrases of a
//! list (`according to`) are not looked for. Off the list is what it lacks: rare, foreign or misspelt, of no level.

use super::lemmas;
use super::word_list::WordList;
use super::words::{Kind, Word};
use crate::level::{Level, WordLevel};
use serde::{Deserialize, Serialize};

/// Running words of a text by level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelProfile {
    /// Words of A1, A2, B1, B2, C1 and C2.
    pub levels: [usize; 6],
    /// Words that the list does not have.
    pub off_list: usize,
    /// Words with a capital that the list does not have, in no share.
    pub names: usize,
    /// Numbers, in no share.
    pub numbers: usize,
}

impl LevelProfile {
    /// Words that shares are of: without names and numbers.
    pub fn words(&self) -> usize {
        self.levels.iter().sum::<usize>() + self.off_list
    }

    /// Share of the words of `level`; `None` of a text that has no words but names and numbers.
    pub fn share(&self, level: WordLevel) -> Option<f64> {
        self.of_words(self.levels[level as usize])
    }

    /// Share of the words above `level`; `None` as in [`LevelProfile::share`].
    pub fn above(&self, level: Level) -> Option<f64> {
        let above = WordLevel::ALL.into_iter().filter(|word| word.is_above(level));
        self.of_words(above.map(|word| self.levels[word as usize]).sum())
    }

    /// Share of the words off the list; `None` as in [`LevelProfile::share`].
    pub fn off_list_share(&self) -> Option<f64> {
        self.of_words(self.off_list)
    }

    fn of_words(&self, count: usize) -> Option<f64> {
        (self.words() > 0).then(|| count as f64 / self.words() as f64)
    }
}

/// Counts `words` by `list`.
pub fn profile(words: &[Word<'_>], list: &WordList) -> LevelProfile {
    let mut profile = LevelProfile::default();
    for word in words {
        match Kind::of(word, level_of(word, list)) {
            Kind::Listed(level) => profile.levels[level as usize] += 1,
            Kind::OffList => match list.rest() {
                Some(level) => profile.levels[level as usize] += 1,
                None => profile.off_list += 1,
            },
            Kind::Name => profile.names += 1,
            Kind::Number => profile.numbers += 1,
        }
    }
    profile
}

/// The words of a text above `level`, as they are written and in its order: what [`LevelProfile::above`] counts.
pub fn above<'a>(words: &[Word<'a>], list: &WordList, level: Level) -> Vec<&'a str> {
    let is_above = |word: &&Word<'a>| match Kind::of(word, level_of(word, list)) {
        Kind::Listed(of) => of.is_above(level),
        Kind::OffList => list.rest().is_some_and(|of| of.is_above(level)),
        Kind::Name | Kind::Number => false,
    };
    words.iter().filter(is_above).map(|word| word.written).collect()
}

/// The level of `word` by the list; `None` off it.
pub fn level_of(word: &Word<'_>, list: &WordList) -> Option<WordLevel> {
    lemmas::find(&word.key, |headword| list.level(headword))
}

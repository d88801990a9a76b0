//! The frequency profile (Laufer and Nation 1995, Applied Linguistics 16): which share of a text's words is among the first
//! thousand of English, the second thousand, and rarer.
//!
//! The list is data/words/frequency.txt: 4500 headwords by the summed frequency of their forms in wordfreq 3.1.1. Laufer and
//! Nation count word families and set the academic words apart; these are headwords with their inflections, and the
//! academic words are among the others. Names and numbers are left out, as there.

use super::lemmas;
use super::words::{Kind, Word};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Running words of a text by frequency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrequencyProfile {
    /// Of the thousand most frequent headwords.
    pub first_thousand: usize,
    /// Of the next thousand.
    pub second_thousand: usize,
    /// The others.
    pub rarer: usize,
}

impl FrequencyProfile {
    /// Shares of the three, in their order; `None` of a text that has no words but names and numbers.
    pub fn shares(&self) -> Option<[f64; 3]> {
        let counts = [self.first_thousand, self.second_thousand, self.rarer];
        let words: usize = counts.iter().sum();
        (words > 0).then(|| counts.map(|count| count as f64 / words as f64))
    }
}

/// Counts `words`.
pub fn profile(words: &[Word<'_>]) -> FrequencyProfile {
    let mut profile = FrequencyProfile::default();
    for word in words {
        match Kind::of(word, lemmas::find(&word.key, rank)) {
            Kind::Listed(rank) if rank <= 1000 => profile.first_thousand += 1,
            Kind::Listed(rank) if rank <= 2000 => profile.second_thousand += 1,
            Kind::Listed(_) | Kind::OffList => profile.rarer += 1,
            Kind::Name | Kind::Number => {}
        }
    }
    profile
}

/// The rank of `headword`, from 1.
pub(super) fn rank(headword: &str) -> Option<usize> {
    RANKS.get(headword).copied()
}

/// The list as it is shipped.
pub(super) const LIST: &str = include_str!("../../data/words/frequency.txt");

static RANKS: LazyLock<HashMap<&str, usize>> =
    LazyLock::new(|| LIST.lines().enumerate().map(|(index, headword)| (headword, index + 1)).collect());

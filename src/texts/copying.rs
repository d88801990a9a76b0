//! What of a text stands in the training answers already, word for word.
//!
//! Words are compared as runs in lower case ([`super::words::runs`]), without what stands between them, as
//! [`crate::data::overlap`] compares held-out answers: the reference's share here is the one there.

use super::words::Vocabulary;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Words of one window. Thirteen-gram overlaps are usual for corpora of the web; answers of a hundred words need a shorter
/// one, and eight running words are no accident.
pub const WINDOW: usize = 8;

/// How much of one text is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copied {
    /// Words of the text.
    pub words: usize,
    /// Those of them that lie in [`WINDOW`] running words which stand in one training answer.
    pub covered_words: usize,
    /// Words of the longest span that stands in one training answer; it may be shorter than a window.
    pub longest: usize,
}

impl Copied {
    /// `covered_words` / `words`; 0 of a text without words.
    pub fn share(&self) -> f64 {
        self.covered_words as f64 / self.words.max(1) as f64
    }
}

/// Training answers, ready to be searched: their suffixes in order (Manber and Myers 1993), each ending with its answer.
#[derive(Debug, Clone)]
pub struct Answers {
    vocabulary: Vocabulary,
    ids: Vec<u32>,
    /// In the order of the words from their start to their end.
    suffixes: Vec<Range<usize>>,
}

impl Answers {
    /// Orders the suffixes of `answers`.
    pub fn new<'a>(answers: impl IntoIterator<Item = &'a str>) -> Answers {
        let mut vocabulary = Vocabulary::default();
        let (mut ids, mut suffixes): (Vec<u32>, Vec<_>) = (Vec::new(), Vec::new());
        for answer in answers {
            let start = ids.len();
            ids.extend(vocabulary.learn(answer));
            suffixes.extend((start..ids.len()).map(|from| from..ids.len()));
        }
        // Equal suffixes of two answers are the same words: which comes first says nothing.
        suffixes.sort_unstable_by(|left: &Range<usize>, right| ids[left.clone()].cmp(&ids[right.clone()]));
        Answers { vocabulary, ids, suffixes }
    }

    /// What of `text` is copied from one of the answers, and at length.
    pub fn copied(&self, text: &str) -> Copied {
        let ids = self.vocabulary.ids(text);
        let (mut covered_words, mut covered_to, mut longest) = (0, 0, 0);
        for start in 0..ids.len() {
            let length = self.longest_prefix(&ids[start..]);
            longest = longest.max(length);
            if length >= WINDOW {
                let end = start + length;
                covered_words += end.saturating_sub(start.max(covered_to));
                covered_to = covered_to.max(end);
            }
        }
        Copied { words: ids.len(), covered_words, longest }
    }

    /// How many of the first words of `ids` stand somewhere: the suffix that shares most is a neighbour in order.
    fn longest_prefix(&self, ids: &[u32]) -> usize {
        let place = self.suffixes.partition_point(|suffix| &self.ids[suffix.clone()] < ids);
        let neighbours = self.suffixes[place.saturating_sub(1)..].iter().take(2);
        let shared = |suffix: &Range<usize>| {
            self.ids[suffix.clone()].iter().zip(ids).take_while(|(own, other)| own == other).count()
        };
        neighbours.map(shared).max().unwrap_or(0)
    }
}

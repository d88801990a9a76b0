//! How much of the held-out answers stands in the training answers already: what a low loss on them may be worth.

use super::alpaca::Row;
use crate::record::{Overlap, RowOverlap};
use crate::texts::copying::WINDOW;
use crate::texts::words::Vocabulary;
use std::collections::{HashMap, HashSet};

/// Measures how the answers of `evaluation` overlap with those of `train`.
///
/// A word is a maximal run of letters, digits and apostrophes ([`crate::texts::words::runs`]), lower-cased. With G the set of all windows of [`WINDOW`]
/// running words inside one training answer, a held-out word counts as covered where a window of its own answer that it
/// lies in is in G. A sentence ends at `.`, `!` or `?`, and is verbatim where a training answer has a sentence of the same
/// words. The nearest training row is the one whose windows alone cover the most words, the first of several.
pub fn measure(train: &[Row], evaluation: &[Row]) -> Overlap {
    let mut vocabulary = Vocabulary::default();
    let mut windows: HashMap<[u32; WINDOW], Vec<usize>> = HashMap::new();
    let mut sentences: HashSet<Vec<u32>> = HashSet::new();
    for (index, row) in train.iter().enumerate() {
        for window in vocabulary.learn(&row.output).windows(WINDOW) {
            let rows = windows.entry(window.try_into().expect("as wide as a window")).or_default();
            if rows.last() != Some(&index) {
                rows.push(index);
            }
        }
        sentences.extend(sentences_of(&row.output, &mut vocabulary));
    }
    let rows: Vec<RowOverlap> = evaluation
        .iter()
        .map(|row| {
            let of_row = sentences_of(&row.output, &mut vocabulary);
            let verbatim = of_row.iter().filter(|sentence| sentences.contains(*sentence)).count();
            let ids = vocabulary.learn(&row.output);
            of_words(&ids, &windows, of_row.len(), verbatim)
        })
        .collect();
    let share = |part: fn(&RowOverlap) -> usize, whole: fn(&RowOverlap) -> usize| {
        rows.iter().map(part).sum::<usize>() as f64 / rows.iter().map(whole).sum::<usize>().max(1) as f64
    };
    Overlap {
        n: WINDOW,
        covered_words: share(|row| row.covered_words, |row| row.words),
        verbatim_sentences: share(|row| row.verbatim_sentences, |row| row.sentences),
        rows,
    }
}

fn of_words(
    ids: &[u32],
    windows: &HashMap<[u32; WINDOW], Vec<usize>>,
    sentences: usize,
    verbatim_sentences: usize,
) -> RowOverlap {
    let mut covered = vec![false; ids.len()];
    // A training row's windows in the order of the text: the words that they cover are counted once.
    let mut by_row: HashMap<usize, (usize, usize)> = HashMap::new();
    for (start, window) in ids.windows(WINDOW).enumerate() {
        let key: [u32; WINDOW] = window.try_into().expect("as wide as a window");
        let Some(rows) = windows.get(&key) else { continue };
        covered[start..start + WINDOW].fill(true);
        for &row in rows {
            let (count, end) = by_row.entry(row).or_default();
            *count += start + WINDOW - start.max(*end);
            *end = start + WINDOW;
        }
    }
    let nearest = by_row.iter().map(|(row, (count, _))| (*count, std::cmp::Reverse(*row))).max();
    RowOverlap {
        words: ids.len(),
        covered_words: covered.iter().filter(|covered| **covered).count(),
        sentences,
        verbatim_sentences,
        nearest: nearest.map(|(_, row)| row.0),
        nearest_words: nearest.map_or(0, |(count, _)| count),
    }
}

/// The sentences of `text` that have words.
fn sentences_of(text: &str, vocabulary: &mut Vocabulary) -> Vec<Vec<u32>> {
    let sentences = text.split(['.', '!', '?']).map(|sentence| vocabulary.learn(sentence));
    sentences.filter(|ids| !ids.is_empty()).collect()
}

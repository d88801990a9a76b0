//! How many different words a text has for its length.

use std::collections::HashSet;
use std::hash::Hash;

/// The type-token ratio at which a factor of [`mtld`] is full (McCarthy and Jarvis 2010).
const THRESHOLD: f64 = 0.72;

/// Measure of textual lexical diversity (McCarthy and Jarvis 2010, Behavior Research Methods 42): how many words in a row
/// keep a type-token ratio above 0.72, the mean of the text read forwards and backwards.
///
/// ```text
/// words / factors; a factor ends at the word at which types / words <= 0.72, and the rest of the text counts as
/// (1 - types / words) / (1 - 0.72) of one
/// ```
///
/// `None` of no words. Where no word comes twice there is no part of a factor: the number of words then, as in
/// lexicalrichness; it says that the text is too short for the measure. Below a hundred words it is rough.
pub fn mtld<T: Eq + Hash>(words: &[T]) -> Option<f64> {
    if words.is_empty() {
        return None;
    }
    let length = words.len() as f64;
    Some((length / factors(words.iter()) + length / factors(words.iter().rev())) / 2.0)
}

fn factors<'a, T: Eq + Hash + 'a>(words: impl Iterator<Item = &'a T>) -> f64 {
    let mut types = HashSet::new();
    let (mut count, mut full, mut ratio) = (0, 0.0, 1.0);
    for word in words {
        count += 1;
        types.insert(word);
        ratio = types.len() as f64 / count as f64;
        if ratio <= THRESHOLD {
            (count, full, ratio) = (0, full + 1.0, 1.0);
            types.clear();
        }
    }
    let factors = full + (1.0 - ratio) / (1.0 - THRESHOLD);
    if factors == 0.0 { 1.0 } else { factors }
}

/// distinct-n (Li, Galley, Brockett, Gao and Dolan 2016): different n-grams / n-grams, here of one text. `None` where the
/// text is shorter than n.
///
/// Li and others divide by the words of all answers; by n-grams, as is usual since, a text that repeats nothing has 1.
pub fn distinct<T: Eq + Hash>(words: &[T], n: usize) -> Option<f64> {
    let ngrams = words.len().checked_sub(n).filter(|_| n > 0)? + 1;
    let different: HashSet<&[T]> = words.windows(n).collect();
    Some(different.len() as f64 / ngrams as f64)
}

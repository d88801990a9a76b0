//! The sentences of a text, and how long they are.
//!
//! A sentence ends
//! - at the end of a line: an answer is not wrapped, and a list or a dialogue has a line an item;
//! - at `.`, `!`, `?` or `…`, or several of them, with the quotation marks and brackets that close there, where white space
//!   follows and the next letter is no small one: `"Stop!" she said` and `Well... yes` go on.
//!
//! One full stop does not end a sentence behind a title (`Mr.`), behind `e.g.`, `i.e.`, `vs.`, behind an initial (`J.`, but
//! not `I.`), or behind the number that begins a line (`2. Wash them`). What has no word is no sentence.
//!
//! textstat drops sentences of one or two words and knows neither abbreviations nor lines; its count stands beside pysbd's,
//! which is nearer to a reader's, in tests/reference/texts/measures.json.

use super::words;

/// The sentences of `text` that have words, in its order.
pub fn sentences(text: &str) -> Vec<&str> {
    let sentences = text.lines().flat_map(|line| {
        let mut rest = line;
        std::iter::from_fn(move || {
            let (sentence, behind) = (!rest.is_empty()).then(|| rest.split_at(end_of_first(rest)))?;
            rest = behind;
            Some(sentence.trim())
        })
    });
    sentences.filter(|sentence| !words::words(sentence).is_empty()).collect()
}

/// Words / sentences; `None` of a text without words.
///
/// ```
/// # use tezgah::texts::sentences::mean_length;
/// assert_eq!(mean_length("Mr. Kaya is here. \"Where?\" she asks."), Some(3.5));
/// assert_eq!(mean_length("..."), None);
/// ```
pub fn mean_length(text: &str) -> Option<f64> {
    let sentences = sentences(text).len();
    (sentences > 0).then(|| words::words(text).len() as f64 / sentences as f64)
}

/// Behind the first sentence of `line`.
fn end_of_first(line: &str) -> usize {
    let mut places = line.char_indices().peekable();
    while let Some((start, letter)) = places.next() {
        if !TERMINATORS.contains(&letter) {
            continue;
        }
        let mut end = start + letter.len_utf8();
        let mut is_one_stop = letter == '.';
        while let Some((at, next)) =
            places.next_if(|(_, next)| TERMINATORS.contains(next) || CLOSERS.contains(next))
        {
            is_one_stop &= !TERMINATORS.contains(&next);
            end = at + next.len_utf8();
        }
        let behind = &line[end..];
        let goes_on = behind.chars().find(|next| next.is_alphanumeric()).is_some_and(char::is_lowercase);
        let is_apart = behind.chars().next().is_none_or(char::is_whitespace);
        if is_apart && !goes_on && !(is_one_stop && is_of_abbreviation(&line[..start])) {
            return end;
        }
    }
    line.len()
}

/// Whether the full stop behind `before` belongs to its last word.
fn is_of_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|letter: char| letter.is_whitespace() || OPENERS.contains(&letter)).next();
    let word = word.unwrap_or_default();
    let is_initial = word.chars().count() == 1 && word != "I" && word.chars().all(char::is_uppercase);
    let numbers_a_line = word == before.trim_start() && word.chars().all(|letter| letter.is_ascii_digit());
    is_initial || numbers_a_line || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

const TERMINATORS: [char; 4] = ['.', '!', '?', '…'];
const CLOSERS: [char; 8] = ['"', '\'', '”', '’', '»', ')', ']', '*'];
const OPENERS: [char; 7] = ['"', '\'', '“', '‘', '«', '(', '['];

/// Before names and numbers, never last.
const ABBREVIATIONS: [&str; 14] =
    ["mr", "mrs", "ms", "dr", "prof", "st", "mt", "vs", "e.g", "i.e", "approx", "fig", "capt", "sgt"];

//! The syllables of an English word.
//!
//! A table has the frequent words that the rule gets wrong, after the first pronunciation of CMUdict (data/words). The rule
//! is that of most readability programs: a syllable a group of vowels, less a silent -e, -es or -ed and that of `safely`,
//! `hopeless`, `likeness`, more where two vowels
//! are spoken apart (`ia`, `io`, `eo`, `ua`, `yi`, `-oing`, `-ism`) and for `-n't` behind a consonant. A word with Turkish
//! letters has a syllable a vowel, as Turkish is written. Every word has one: a number too, as textstat counts it.
//!
//! textstat looks every word up in CMUdict, 3.6 MB, and hyphenates (Pyphen) the others; in the sample rows
//! they differ in one word of 160, most of them names that CMUdict lacks (`Chioma` has one syllable there, three here).

use std::collections::HashMap;
use std::sync::LazyLock;

/// Syllables of a word in lower case, at least one.
pub fn count(word: &str) -> usize {
    EXCEPTIONS.get(word).copied().unwrap_or_else(|| by_rule(word))
}

static EXCEPTIONS: LazyLock<HashMap<&str, usize>> = LazyLock::new(|| {
    let lines = include_str!("../../data/words/syllables.txt").lines();
    let entries = lines.filter_map(|line| line.split_once(' '));
    entries.map(|(form, count)| (form, count.parse().expect("make.py writes numbers"))).collect()
});

/// `by_rule` of data/words/make.py, which made the table for it: a change here is a change there.
fn by_rule(word: &str) -> usize {
    let letters: Vec<char> = word.chars().filter(|letter| letter.is_alphabetic()).collect();
    if letters.iter().any(|letter| "çğıöşüâîû".contains(*letter)) {
        return letters.iter().filter(|letter| is_vowel(**letter) && **letter != 'y').count().max(1);
    }
    let text: String = letters.iter().collect();
    let vowel_at = |place: Option<usize>| place.is_some_and(|place| is_vowel(letters[place]));
    let mut count = 0;
    for (place, pair) in letters.windows(2).enumerate() {
        let before = place.checked_sub(1).map(|place| letters[place]);
        let is_behind = |any: &str| before.is_some_and(|before| any.contains(before));
        count += match pair {
            ['i', 'a' | 'o' | 'u'] => usize::from(!is_behind("tscgx")),
            ['e', 'o'] => usize::from(!is_behind("gp")),
            ['u', 'a'] => usize::from(!is_behind("qg")),
            ['y', 'i'] => 1,
            _ => 0,
        };
    }
    count +=
        (0..letters.len()).filter(|&place| vowel_at(Some(place)) && !vowel_at(place.checked_sub(1))).count();
    count +=
        usize::from(ends_with(&text, &["oing", "eing"])) + usize::from(ends_with(&text, &["ism", "isms"]));
    let before_nt = letters.len().checked_sub(3);
    let is_spoken = before_nt.is_some_and(|place| letters[place] != 'r') && !vowel_at(before_nt);
    count += usize::from(word.ends_with("n't") && is_spoken);
    let inner = ["ely", "eless", "eness", "eful", "efully", "elessness"];
    let stems = inner.iter().filter_map(|ending| text.strip_suffix(ending)?.chars().next_back());
    let silent = stems.filter(|last| !is_vowel(*last) && *last != 'l').count();
    count.saturating_sub(silent + usize::from(has_silent_end(&letters, &text))).max(1)
}

/// Whether the last vowel is the silent one of `like`, `likes`, `liked`; that of `table`, `boxes`, `wanted` is not.
fn has_silent_end(letters: &[char], text: &str) -> bool {
    let from_end = |distance: usize| letters.len().checked_sub(distance).map_or(' ', |place| letters[place]);
    let (ending, is_spoken) = match text {
        _ if text.ends_with('e') => (1, false),
        _ if text.ends_with("es") => {
            (2, ends_with(text, &["ses", "zes", "xes", "ces", "ges", "ches", "shes"]))
        }
        _ if text.ends_with("ed") => (2, "td".contains(from_end(3))),
        _ => return false,
    };
    let (before, further) = (from_end(ending + 1), from_end(ending + 2));
    !is_spoken && !is_vowel(before) && (before != 'l' || is_vowel(further))
}

fn ends_with(text: &str, endings: &[&str]) -> bool {
    endings.iter().any(|ending| text.ends_with(ending))
}

/// Of English, and of names in it.
pub(super) fn is_vowel(letter: char) -> bool {
    "aeiouyáàâäéèêëíìîïóòôöúùûüıæøœ".contains(letter)
}

//! The committed sample data: counts, lengths, plain grammar, sentences that are not those of the training rows, and a
//! reading difficulty that rises by level.
//!
//! The measure is the Flesch-Kincaid grade (Kincaid, Fishburne, Rogers, Chissom 1975, "Derivation of new
//! readability formulas", Naval Technical Training Command, Research Branch Report 8-75):
//!
//! grade = 0.39 words / sentences + 11.8 syllables / words - 15.59
//!
//! Syllables are estimated as groups of vowel letters, a silent final e not counted: good for comparing sets of
//! texts, not for judging one word.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tezgah::data::{alpaca, overlap, split};

const LEVELS: [&str; 5] = ["a1", "a2", "b1", "b2", "c1"];

/// Sums over a set of texts, divided once.
#[derive(Default)]
struct Counts {
    sentences: usize,
    words: usize,
    syllables: usize,
}

impl Counts {
    fn add(&mut self, text: &str) {
        // A line of a dialogue and the greeting of a letter end a sentence too.
        self.sentences +=
            text.split(['.', '!', '?', '\n']).filter(|part| part.contains(char::is_alphabetic)).count();
        for word in text.split_whitespace().filter(|word| word.contains(char::is_alphabetic)) {
            self.words += 1;
            self.syllables += syllables(word);
        }
    }

    fn grade(&self) -> f64 {
        let words = self.words as f64;
        0.39 * words / self.sentences as f64 + 11.8 * self.syllables as f64 / words - 15.59
    }
}

fn syllables(word: &str) -> usize {
    let letters: Vec<char> = word.to_lowercase().chars().filter(|c| c.is_alphabetic()).collect();
    let vowel = |c: char| "aeiouyäöüéı".contains(c);
    let groups =
        (0..letters.len()).filter(|&i| vowel(letters[i]) && (i == 0 || !vowel(letters[i - 1]))).count();
    let silent_e = letters.ends_with(&['e']) && !letters.ends_with(&['l', 'e']) && groups > 1;
    (groups - usize::from(silent_e)).max(1)
}

fn path(level: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/{level}.json"))
}

fn rows(level: &str) -> Vec<(String, String)> {
    let path = path(level);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let values: Vec<serde_json::Value> = serde_json::from_str(&text).expect("a JSON array");
    let field = |row: &serde_json::Value, name: &str| row[name].as_str().expect("a string").to_owned();
    values.iter().map(|row| (field(row, "instruction"), field(row, "output"))).collect()
}

/// The worked sentence of the syllable estimate and the formula, counted by hand.
#[test]
fn grade_of_a_counted_sentence() {
    let mut counts = Counts::default();
    counts.add("The little cat sleeps near the window.");
    // 7 words, 1 sentence, 1 + 2 + 1 + 1 + 1 + 1 + 2 = 9 syllables:
    // 0.39 * 7 + 11.8 * 9 / 7 - 15.59 = 2.73 + 15.1714 - 15.59
    assert_eq!((counts.sentences, counts.words, counts.syllables), (1, 7, 9));
    assert!((counts.grade() - 2.3114).abs() < 1e-3, "{}", counts.grade());
}

#[test]
fn reading_difficulty_rises_from_a1_to_c1() {
    let mut before = f64::NEG_INFINITY;
    for level in LEVELS {
        let mut counts = Counts::default();
        rows(level).iter().for_each(|(_, output)| counts.add(output));
        let grade = counts.grade();
        // Half a school grade apart at least: a difference that a reader notices.
        assert!(grade > before + 0.5, "{level}: grade {grade:.2} after {before:.2}");
        before = grade;
    }
}

#[test]
fn lengths_rise_and_a1_has_the_lengths_of_the_thesis() {
    let mut before = 0.0;
    for level in LEVELS {
        let counts: Vec<usize> =
            rows(level).iter().map(|(_, text)| text.split_whitespace().count()).collect();
        assert_eq!(counts.len(), 2000, "{level}");
        let mean = counts.iter().sum::<usize>() as f64 / 2000.0;
        assert!(mean > before, "{level}: mean {mean} after {before}");
        before = mean;
        if level == "a1" {
            assert_eq!((counts.iter().min(), counts.iter().max()), (Some(&77), Some(&134)));
            assert!((114.0..=118.0).contains(&mean), "mean {mean}");
        }
    }
}

#[test]
fn every_output_is_there_once() {
    for level in LEVELS {
        let rows = rows(level);
        let different: BTreeSet<&String> = rows.iter().map(|(_, output)| output).collect();
        assert_eq!(different.len(), rows.len(), "{level}");
    }
}

/// What the default split holds out is new: less than these shares of its sentences stand word for word in the training
/// answers, and of its words in their 8-grams. `overlap::measure` is compared with Python in tests/engine/data/overlap.rs.
#[test]
fn held_out_answers_say_what_training_answers_do_not() {
    for (level, sentences, words) in [("a1", 0.40, 0.60), ("c1", 0.15, 0.35)] {
        let parts = split::split(&alpaca::read(path(level)).expect("rows"), &tezgah::thesis::recipe().data)
            .expect("a split");
        assert_eq!((parts.train.len(), parts.evaluation.len()), (1800, 200), "{level}");
        let overlap = overlap::measure(&parts.train, &parts.evaluation);
        assert!(overlap.verbatim_sentences < sentences, "{level}: {}", overlap.verbatim_sentences);
        assert!(overlap.covered_words < words, "{level}: {}", overlap.covered_words);
    }
}

#[test]
fn a_word_that_is_asked_for_is_used() {
    for level in LEVELS {
        for (instruction, output) in rows(level) {
            let asked = instruction.split_once("word '").and_then(|(_, rest)| rest.split('\'').next());
            if let Some(word) = asked {
                assert!(
                    output.to_lowercase().contains(&word.to_lowercase()),
                    "{level}: {instruction}: {output}"
                );
            }
        }
    }
}

#[test]
fn no_slips_of_grammar_or_typing() {
    for level in LEVELS {
        for (instruction, output) in rows(level) {
            for text in [&instruction, &output] {
                let slip = slip(text);
                assert!(slip.is_none(), "{level}: {}: {text}", slip.unwrap_or_default());
            }
        }
    }
}

/// The first slip found in a text.
fn slip(text: &str) -> Option<String> {
    if text.contains("  ") || text.contains(" .") && !text.contains(" ...") || text.contains(" ,") {
        return Some("spaces".to_owned());
    }
    if text.contains(['{', '}', '[', ']', '<', '>', '@', '~', '|']) {
        return Some("a mark of the generator".to_owned());
    }
    for line in text.split('\n') {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first().is_some_and(|word| word.starts_with(char::is_lowercase)) {
            return Some("a line begins in lower case".to_owned());
        }
        for pair in words.windows(2) {
            let (first, second) = (pair[0], pair[1]);
            // "..." may stand inside a sentence; after a closing quotation the sentence may go on.
            let ends = first.ends_with(['.', '!', '?']) && !first.ends_with("...");
            if ends && second.starts_with(char::is_lowercase) {
                return Some(format!("lower case after {first:?}"));
            }
            let vowel = second.starts_with(['a', 'e', 'i', 'o']) && !second.starts_with("one");
            if first.eq_ignore_ascii_case("a") && vowel {
                return Some(format!("{first} {second}"));
            }
            if first == second && !matches!(first, "had" | "that") {
                return Some(format!("{first} twice"));
            }
            let wrong_verb = match first.to_lowercase().as_str() {
                "he" | "she" => ["am", "are", "have", "don't", "like", "want"].contains(&second),
                "i" => ["is", "has", "doesn't", "likes", "wants"].contains(&second),
                "we" | "they" | "you" => ["am", "is", "has", "doesn't", "was"].contains(&second),
                _ => false,
            };
            if wrong_verb {
                return Some(format!("{first} {second}"));
            }
        }
    }
    None
}

/// The checks themselves see what they should see.
#[test]
fn slips_are_found() {
    for text in [
        "I eat a apple.",
        "Two  spaces.",
        "lower case.",
        "It ends. it goes on.",
        "She have a cat.",
        "You was here.",
    ] {
        assert!(slip(text).is_some(), "{text}");
    }
    for text in ["I eat an apple.", "\"How are you?\" he asks.", "He does not have one.", "A one-way street."]
    {
        assert_eq!(slip(text), None, "{text}");
    }
}

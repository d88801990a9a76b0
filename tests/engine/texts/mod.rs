//! The measures of texts against their peers in Python (tests/reference/texts/make_fixtures.py, with the versions), and what
//! they are where there is nothing to measure.

mod lemmas;
mod copying;
mod word_lists;
mod profiles;

use serde_json::Value;
use std::path::Path;
use tezgah::data::alpaca;
use tezgah::texts::copying::Answers;
use tezgah::texts::length::ratio;
use tezgah::texts::word_list::WordList;
use tezgah::texts::{Measures, measure, syllables};

/// A fixture of tests/reference/texts, as make_fixtures.py wrote it.
fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("make_fixtures.py writes JSON")
}

/// The texts that the expected numbers are of.
fn rows() -> Value {
    fixture(include_str!("../../reference/texts/rows.json"))
}

/// The answers of data/`level`.json.
fn answers(level: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(format!("{level}.json"));
    alpaca::read(path).expect("sample rows").rows.into_iter().map(|row| row.output).collect()
}

/// Each text of measures.json with its name, its entry and our measures.
fn measured() -> Vec<(String, Value, Measures)> {
    let rows = &rows()["measured"];
    let (list, nothing) = (WordList::by_frequency(), Answers::new([]));
    let fixture = fixture(include_str!("../../reference/texts/measures.json"));
    let entries = fixture.as_array().expect("a list").iter().map(|entry| {
        let text = entry["text"].as_str().unwrap_or_else(|| {
            let level = &rows[entry["level"].as_str().expect("a level")];
            level[entry["row"].to_string()].as_str().expect("a row")
        });
        let name = entry["name"].as_str().expect("a name").to_string();
        (name, entry.clone(), measure(text, &list, &nothing))
    });
    entries.collect()
}

#[track_caller]
fn check_close(what: &str, got: Option<f64>, expected: &Value, tolerance: f64) {
    match (got, expected.as_f64()) {
        (None, None) => {}
        (Some(got), Some(expected)) if (got - expected).abs() <= tolerance => {}
        _ => panic!("{what}: expected {expected}, got {got:?}"),
    }
}

/// Sentences that we and pysbd count otherwise: the text, ours, theirs, and why.
const OTHER_SENTENCES: [(&str, usize, usize, &str); 3] = [
    ("a1 1365", 16, 15, "pysbd does not end at a quotation that ends a line of speech: \"... better.\" Yuki"),
    ("ends with a bracket", 3, 2, "nor at (at last!)."),
    ("shouting", 4, 3, "nor at an ellipsis before a capital: No way... YES"),
];

/// Texts whose words textstat counts otherwise: it joins what a sign stands in (`1,200`, `e.g.`, `T-shirt`).
const SIGNS_IN_WORDS: [&str; 3] = ["numbers", "abbreviations", "hyphens"];

#[test]
fn words_and_sentences_are_counted_as_by_the_peers() {
    let mut others = Vec::new();
    for (name, entry, ours) in measured() {
        assert_eq!(entry["words"], ours.words, "{name}");
        let theirs = entry["sentences"].as_u64().expect("a count") as usize;
        if ours.sentences != theirs {
            others.push((name.clone(), ours.sentences, theirs));
        }
        // A row may have one hyphen.
        let by_textstat = entry["textstat"]["words"].as_u64().expect("a count") as usize;
        let joined = ours.words - by_textstat;
        assert!(joined <= 1 || SIGNS_IN_WORDS.contains(&name.as_str()), "{name}: {joined}");
    }
    let expected = OTHER_SENTENCES.map(|(name, ours, theirs, _)| (name.to_string(), ours, theirs));
    assert_eq!(others, expected);
}

/// The grade is textstat's on pysbd's sentences up to 0.2 (two syllables in a row: words that CMUdict speaks otherwise than
/// the rule), and up to two syllables a word that CMUdict lacks, which textstat hyphenates: `Chioma` is one syllable to it.
#[test]
fn the_grade_is_that_of_textstat() {
    let others: Vec<&str> = OTHER_SENTENCES.iter().map(|other| other.0).chain(SIGNS_IN_WORDS).collect();
    let (mut ours_of_all, mut theirs_of_all, mut rows) = (0.0, 0.0, 0.0);
    for (name, entry, ours) in measured() {
        let length = entry["words"].as_f64().zip(entry["sentences"].as_f64()).map(|(words, all)| words / all);
        if !others.contains(&name.as_str()) {
            let unknown = entry["not in CMUdict"].as_f64().expect("a count") / ours.words.max(1) as f64;
            check_close(&name, ours.flesch_kincaid, &entry["grade"], 0.2 + 11.8 * 2.0 * unknown);
            check_close(&name, ours.sentence_length, &length.filter(|_| ours.words > 0).into(), 1e-12);
        }
        if entry.get("row").is_some() {
            rows += 1.0;
            ours_of_all += ours.flesch_kincaid.expect("a row has words");
            theirs_of_all += entry["grade"].as_f64().expect("a row has words");
        }
    }
    let (ours, theirs) = (ours_of_all / rows, theirs_of_all / rows);
    assert!((ours - theirs).abs() < 0.1, "of {rows} rows: {ours} against {theirs}");
}

#[test]
fn diversity_and_repetition_are_those_of_the_peers() {
    for (name, entry, ours) in measured() {
        check_close(&name, ours.mtld, &entry["mtld"], 1e-9);
        check_close(&name, ours.distinct_2, &entry["distinct_2"], 1e-12);
        check_close(&name, Some(ours.repeated_4grams), &entry["repeated_4grams"], 1e-12);
    }
}

/// In the reach of the table every word is CMUdict's; the rule alone has 94 of 100.
#[test]
fn syllables_are_those_of_cmudict() {
    let parts = fixture(include_str!("../../reference/texts/syllables.json"));
    let wrong = |part: &str| {
        let words = parts[part].as_object().expect("words");
        let is_wrong = |(word, spoken): &(&String, &Value)| **spoken != syllables::count(word);
        (words.iter().filter(is_wrong).map(|(word, _)| word.clone()).collect::<Vec<_>>(), words.len())
    };
    assert_eq!(wrong("in the table's reach"), (Vec::new(), 500));
    let (missed, of) = wrong("beyond");
    assert!(missed.len() * 100 < of * 6, "{} of {of}: {missed:?}", missed.len());
    // Turkish is written as it is spoken; numbers are as textstat has them.
    for (word, spoken) in
        [("ayşe", 2), ("iğdır", 2), ("gülşah", 2), ("café", 2), ("2024", 1), ("hmm", 1), ("", 1)]
    {
        assert_eq!(syllables::count(word), spoken, "{word}");
    }
}

/// A text without words is no text of grade 0: what it lacks is absent, in JSON too.
#[test]
fn nothing_is_measured_where_there_is_nothing() {
    let list = WordList::by_frequency();
    for text in ["", " \n", "...", "?! '’'"] {
        let measures = measure(text, &list, &Answers::new(["I like it."]));
        let json = serde_json::to_value(&measures).expect("plain numbers");
        for absent in ["sentence_length", "flesch_kincaid", "mtld", "distinct_2"] {
            assert!(json.get(absent).is_none(), "{text:?}: {json}");
        }
        assert_eq!((measures.words, measures.sentences, measures.repeated_4grams), (0, 0, 0.0));
        assert_eq!(serde_json::from_value::<Measures>(json).expect("as written"), measures);
    }
}

#[test]
fn a_length_is_a_ratio_to_one() {
    assert_eq!(ratio("One two three.", "One, two, three, four, five, six!"), Some(0.5));
    assert_eq!((ratio("", "One"), ratio("One", "...")), (Some(0.0), None));
}

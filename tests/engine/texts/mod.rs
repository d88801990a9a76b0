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
use tezgah::texts::word_list::WordList;
use tezgah::texts::{Measures, measure, syllables};

/// A fixture of tests/reference/texts, as make_fixtures.py wrote it.
fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("make_fixtures.py writes JSON")
}

/// The answer in place `row` of data/`level`.json.
fn answers(level: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(format!("{level}.json"));
    alpaca::read(path).expect("sample rows").rows.into_iter().map(|row| row.output).collect()
}

/// Each text of measures.json with its name, its entry and our measures.
fn measured() -> Vec<(String, Value, Measures)> {
    let rows: Vec<(&str, Vec<String>)> =
        ["a1", "a2", "b1", "b2", "c1"].map(|level| (level, answers(level))).into();
    let (list, nothing) = (WordList::by_frequency(), Answers::new([]));
    let fixture = fixture(include_str!("../../reference/texts/measures.json"));
    let entries = fixture.as_array().expect("a list").iter().map(|entry| {
        let text = entry["text"].as_str().unwrap_or_else(|| {
            let level = rows.iter().find(|(level, _)| entry["level"] == *level).expect("a level");
            &level.1[entry["row"].as_u64().expect("a row") as usize]
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

#[test]
fn print_them() {
    for (name, entry, ours) in measured() {
        let s = |k: &str| entry[k].as_f64();
        if ours.words as f64 != s("words").unwrap() { println!("{name}: words {} {:?}", ours.words, s("words")); }
        if ours.words as f64 != entry["textstat"]["words"].as_f64().unwrap() { println!("{name}: textstat words {} {:?}", ours.words, entry["textstat"]["words"]); }
        if ours.sentences as f64 != s("sentences").unwrap() { println!("{name}: sentences {} {:?}", ours.sentences, s("sentences")); }
        if let (Some(a), Some(b)) = (ours.flesch_kincaid, s("grade")) { if (a-b).abs() > 0.05 { println!("{name}: grade {a} {b}"); } }
        check_close(&name, ours.mtld, &entry["mtld"], 1e-9);
        check_close(&name, ours.distinct_2, &entry["distinct_2"], 1e-12);
        check_close(&name, Some(ours.repeated_4grams), &entry["repeated_4grams"], 1e-12);
    }
    let f = fixture(include_str!("../../reference/texts/syllables.json"));
    for (part, words) in f.as_object().unwrap() {
        let words = words.as_object().unwrap();
        let wrong: Vec<_> = words.iter().filter(|(w, n)| syllables::count(w) as u64 != n.as_u64().unwrap()).map(|(w, n)| format!("{w} {} {n}", syllables::count(w))).collect();
        println!("{part}: {} of {}: {}", wrong.len(), words.len(), wrong.join("; "));
    }
}

//! Headwords against lemminflect, which gives all lemmas of a word whose part of speech it is not told.

use super::fixture;
use std::collections::BTreeSet;
use tezgah::texts::lemmas::{candidates, find};

/// Lemmas of 1693 words that are not found: rarer than the forms that the table was made of, or spelt otherwise.
const MISSING: [(&str, &str); 6] = [
    ("fitter", "fit"),
    ("overhanging", "over-hang"),
    ("real", "rial"),
    ("rewrite", "re-write"),
    ("scarcest", "scarce"),
    ("unsaid", "unsay"),
];

/// Every word of the texts of measures.json; lemminflect's lemmas are the dictionary.
#[test]
fn headwords_are_those_of_lemminflect() {
    let words = fixture(include_str!("../../reference/texts/lemmas.json"));
    let words: Vec<(&String, Vec<&str>)> = words
        .as_object()
        .expect("words")
        .iter()
        .map(|(word, lemmas)| {
            (word, lemmas.as_array().expect("a list").iter().flat_map(|one| one.as_str()).collect())
        })
        .collect();
    assert!(words.len() > 1600, "{}", words.len());
    let dictionary: BTreeSet<&str> = words.iter().flat_map(|(_, lemmas)| lemmas.iter().copied()).collect();
    let (mut missing, mut wrong) = (Vec::new(), Vec::new());
    for (word, lemmas) in &words {
        let all = candidates(word);
        missing.extend(
            lemmas.iter().filter(|lemma| !all.contains(**lemma)).map(|lemma| (word.as_str(), *lemma)),
        );
        let found = find(word, |headword| dictionary.get(headword).copied());
        if !found.is_some_and(|found| found == word.as_str() || lemmas.contains(&found)) {
            wrong.push((word.as_str(), found));
        }
    }
    assert_eq!(missing, MISSING);
    assert_eq!(wrong, [("scarcest", None)]);
}

#[test]
fn a_form_is_found_by_the_first_step_that_finds_one() {
    let of = |list: &[&str], word: &str| {
        let place = find(word, |headword| list.iter().position(|listed| *listed == headword));
        place.map_or_else(|| "-".to_string(), |place| list[place].to_string())
    };
    // The lower of the two, since the table knows found.
    assert_eq!(
        (of(&["find", "found"], "found"), of(&["found", "find"], "found")),
        ("find".into(), "found".into())
    );
    // Itself, although build is lower.
    assert_eq!(
        (of(&["build", "building"], "building"), of(&["build"], "building")),
        ("building".into(), "build".into())
    );
    for (word, headword) in [
        ("staring", "stare"),
        ("starred", "star"),
        ("using", "use"),
        ("goes", "go"),
        ("classes", "class"),
        ("tries", "try"),
        ("dying", "die"),
        ("can't", "can"),
        ("cannot", "can"),
        ("won't", "will"),
        ("she'll", "she"),
        ("children's", "child"),
        ("flower", "-"),
        ("glass", "-"),
        ("b's", "-"),
        ("", "-"),
    ] {
        let list = [
            "star", "stare", "us", "use", "go", "class", "try", "die", "can", "will", "she", "child", "flow",
            "glas",
        ];
        assert_eq!(of(&list, word), headword, "{word}");
    }
}

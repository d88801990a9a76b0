//! Headwords against lemminflect.

use super::fixture;
use std::collections::BTreeSet;
use tezgah::texts::lemmas::{candidates, find};

#[test]
fn print_them() {
    let f = fixture(include_str!("../../reference/texts/lemmas.json"));
    let f = f.as_object().unwrap();
    let known: BTreeSet<&str> = f.values().flat_map(|l| l.as_array().unwrap()).map(|l| l.as_str().unwrap()).collect();
    let mut n = 0;
    for (word, lemmas) in f {
        let all = candidates(word);
        let missing: Vec<&str> = lemmas.as_array().unwrap().iter().map(|l| l.as_str().unwrap()).filter(|l| !all.contains(*l)).collect();
        if !missing.is_empty() { println!("missing {word}: {missing:?}"); }
        let found = find(word, |h| known.contains(h).then(|| h.to_string()));
        n += 1;
        let is = found.as_ref().is_some_and(|f| f == word || lemmas.as_array().unwrap().iter().any(|l| l == f));
        if !is { println!("other {word}: {found:?} {lemmas:?}"); }
    }
    println!("{n}");
}

//! From a form to the headword that a list has.
//!
//! WordNet's morphy (Miller and others 1990) asks a table of exceptions, then takes endings off, and keeps what the
//! dictionary knows. So it is here, with a level list as the dictionary. Without parts of speech a form may be of several
//! headwords; the first of these steps that finds one decides:
//!
//! 1. where the table of irregular forms (data/words, after lemminflect) has the form: its lemmas, the form itself and what
//!    its endings allow, and of those the lowest (`found` is of `find`, although `found` is a verb too);
//! 2. the form itself (`building`, `interesting`), so a derived word is not taken for what it comes from;
//! 3. the form without a contraction's end (`she'll`, `Emre's`, `don't`, `cannot`);
//! 4. the form without -s, -es, -ies, -ed, -ied, -ing, and of those the lowest.
//!
//! Comparatives are in the table, since -er makes nouns too (`flower` is not more flow). lemminflect knows the part of
//! speech where it is told, and gives all lemmas where it is not; on the 20,000 most frequent forms each of its lemmas is
//! among [`candidates`], since the table was made so.

use super::syllables;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// The least of what `listed` says of the headwords that `word`, in lower case, may be a form of.
pub fn find<T: Ord>(word: &str, listed: impl Fn(&str) -> Option<T>) -> Option<T> {
    let lowest = |candidates: &BTreeSet<String>| candidates.iter().filter_map(|one| listed(one)).min();
    if let Some(irregular) = IRREGULAR.get(word) {
        let mut all = regular(word);
        all.extend(irregular.iter().map(|lemma| lemma.to_string()).chain([word.to_string()]));
        if let Some(found) = lowest(&all) {
            return Some(found);
        }
    }
    if let Some(found) = listed(word) {
        return Some(found);
    }
    match uncontracted(word) {
        Some(bare) => find(&bare, listed),
        None => lowest(&regular(word)),
    }
}

/// Every lemma that `word`, in lower case, may have, itself included; not all are words.
pub fn candidates(word: &str) -> BTreeSet<String> {
    let mut all = regular(word);
    all.extend(IRREGULAR.get(word).into_iter().flatten().map(|lemma| lemma.to_string()));
    all.insert(word.to_string());
    all
}

static IRREGULAR: LazyLock<HashMap<&str, Vec<&str>>> = LazyLock::new(|| {
    let lines = include_str!("../../data/words/irregular.txt").lines();
    let entries = lines.filter_map(|line| line.split_once(' '));
    entries.map(|(form, lemmas)| (form, lemmas.split(' ').collect())).collect()
});

/// `regular` of data/words/make.py, which made the table for what is not here: a change here is a change there.
fn regular(form: &str) -> BTreeSet<String> {
    let mut lemmas = BTreeSet::new();
    let mut add = |lemma: String| lemma.chars().nth(1).is_some().then(|| lemmas.insert(lemma));
    let hisses = ["sses", "xes", "zzes", "ches", "shes", "oes"].iter().any(|ending| form.ends_with(ending));
    if let Some(stem) = form.strip_suffix("ies").or(form.strip_suffix("ied")) {
        add(format!("{stem}y"));
    }
    if let Some(stem) = form.strip_suffix("es").filter(|_| hisses) {
        add(stem.to_string());
    }
    if let Some(stem) = form.strip_suffix('s').filter(|stem| !stem.ends_with('s')) {
        add(stem.to_string());
    }
    if let Some(stem) = form.strip_suffix("ying") {
        add(format!("{stem}ie"));
    }
    if let Some(stem) = form.strip_suffix("ed").or(form.strip_suffix("ing")) {
        add(format!("{stem}e"));
        match undoubled(stem) {
            Some(single) => _ = [single, stem].map(|lemma| add(lemma.to_string())),
            None if doubles(stem) => {}
            None => _ = add(stem.to_string()),
        }
    }
    lemmas
}

/// `stopp` without its second p; `None` where the last two letters are no such pair.
fn undoubled(stem: &str) -> Option<&str> {
    let mut letters = stem.chars().rev();
    let (last, before) = (letters.next()?, letters.next()?);
    let is_pair = last == before && !syllables::is_vowel(last) && letters.next().is_some();
    is_pair.then(|| &stem[..stem.len() - last.len_utf8()])
}

/// Whether the last consonant of `stem` would be doubled: `staring` is of `stare`, since that of `star` has two r.
fn doubles(stem: &str) -> bool {
    let vowels: Vec<bool> = stem.chars().map(syllables::is_vowel).collect();
    let groups = vowels.chunk_by(|left, right| left == right).filter(|group| group[0]).count();
    let ends_so = match vowels[..] {
        [.., before, true, false] => !before,
        [true, false] => true,
        _ => false,
    };
    groups == 1 && ends_so && !stem.ends_with(['w', 'x'])
}

/// The word before a contraction's or a genitive's end.
fn uncontracted(word: &str) -> Option<String> {
    if let Some(stem) = word.strip_suffix("n't").or((word == "cannot").then_some("ca")) {
        return Some(match stem {
            "ca" => "can".to_string(),
            "wo" => "will".to_string(),
            "sha" => "shall".to_string(),
            stem => stem.to_string(),
        });
    }
    let bare = ["'s", "'re", "'ve", "'ll", "'d", "'m"].iter().find_map(|end| word.strip_suffix(end))?;
    Some(bare.to_string())
}

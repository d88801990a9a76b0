//! Rows that belong together: who they are, and that no split divides them.

use super::{RECIPE, numbered, row};
use rand_chacha::rand_core::Rng;
use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tezgah::data::alpaca::{Row, RowFile, parse};
use tezgah::data::groups::{near_duplicates, of};
use tezgah::data::split::split;
use tezgah::random;
use tezgah::recipe::{DataRecipe, GroupBy};
use tezgah::record::Groups;

#[derive(Deserialize)]
struct Reference {
    answers: Vec<String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    share: f64,
    groups: Vec<usize>,
}

fn rows(answers: &[String]) -> Vec<Row> {
    answers.iter().map(|answer| row("Write.", "", answer)).collect()
}

/// Against all pairs of sets in Python, `tests/reference/groups.py`.
#[test]
fn near_duplicates_are_those_of_all_pairs() {
    let reference: Reference =
        serde_json::from_str(include_str!("../../reference/groups.json")).expect("the reference");
    let rows = rows(&reference.answers);
    let mut counts = BTreeSet::new();
    for Case { share, groups } in reference.cases {
        assert_eq!(near_duplicates(&rows, share), groups, "share {share}");
        counts.insert(groups.iter().max().copied());
    }
    assert!(counts.len() >= 4, "the shares make no difference: {counts:?}");
}

#[test]
fn a_short_answer_is_a_window_and_words_alone_count() {
    let of = |answers: &[&str]| {
        near_duplicates(&rows(&answers.iter().map(|answer| (*answer).to_string()).collect::<Vec<_>>()), 0.5)
    };
    assert_eq!(of(&["I am happy.", "I am sad.", "i AM -- happy!", "...", "?"]), [0, 1, 0, 2, 2]);
    let (long, other) = ("one two three four five six seven eight nine ten", "a b c d e f g h");
    // One window of one: the short answer stands whole in the long one. Of three windows one is no half.
    assert_eq!(of(&[long, "three four five six seven eight nine ten", other]), [0, 0, 1]);
    assert_eq!(of(&[long, "x y three four five six seven eight nine ten"]), [0, 1]);
    // Half is not more than half.
    assert_eq!(
        of(&["one two three four five six seven eight nine", "x two three four five six seven eight nine"]),
        [0, 1]
    );
}

/// Chains too: the first and the last row of one share nothing, and hang together.
fn random_rows(count: usize, seed: u64) -> RowFile {
    let mut draws = random::stream(seed, "groups");
    let mut below = |bound: u64| (draws.next_u64() % bound) as usize;
    let mut answers: Vec<String> = Vec::new();
    for number in 0..count {
        let fresh: Vec<String> = (0..20).map(|word| format!("w{number}x{word}")).collect();
        let copied = if number > 0 && below(3) == 0 { Some(below(number as u64)) } else { None };
        let words: Vec<String> = match copied {
            Some(from) => {
                let kept = 8 + below(13);
                let source: Vec<&str> = answers[from].split(' ').collect();
                let start = source.len() - kept.min(source.len());
                source[start..]
                    .iter()
                    .map(|word| (*word).to_string())
                    .chain(fresh.into_iter().skip(kept))
                    .collect()
            }
            None => fresh,
        };
        answers.push(words.join(" "));
    }
    RowFile { rows: rows(&answers), ..numbered(count) }
}

#[test]
fn no_group_stands_on_two_sides_and_nothing_is_lost() {
    for seed in 0..20 {
        let file = random_rows(400, seed);
        let recipe = DataRecipe {
            split_seed: seed,
            test_fraction: if seed % 2 == 0 { 0.1 } else { 0.0 },
            group_by: GroupBy::NearDuplicates,
            near_duplicate_share: 0.2,
            ..RECIPE
        };
        let groups = of(&file, &recipe).unwrap();
        let group_of: BTreeMap<&str, usize> =
            file.rows.iter().map(|row| row.output.as_str()).zip(groups.iter().copied()).collect();
        let parts = split(&file, &recipe).unwrap();
        let of_part = |rows: &[Row]| -> BTreeSet<usize> {
            rows.iter().map(|row| group_of[row.output.as_str()]).collect()
        };
        let sides = [&parts.train, &parts.validation, &parts.evaluation].map(|part| of_part(part));
        let all: usize = sides.iter().map(BTreeSet::len).sum();
        assert_eq!(all, groups.iter().collect::<BTreeSet<_>>().len(), "seed {seed}: a group on two sides");
        assert!(all < 350, "seed {seed}: {all} groups of 400 rows are no test");
        let mut joined = [parts.train.clone(), parts.validation, parts.evaluation.clone()].concat();
        let mut whole = file.rows.clone();
        joined.sort();
        whole.sort();
        assert_eq!(joined, whole, "seed {seed}");
        assert_eq!(parts.evaluation.len(), 40, "seed {seed}: with rows by themselves every part is filled");
        assert_eq!(parts.groups.unwrap().count, all);
    }
}

fn by_topic(count: usize, topic: impl Fn(usize) -> serde_json::Value) -> RowFile {
    let rows = (0..count).map(|number| {
        json!({"instruction": format!("Write {number}."), "output": format!("Text {number}."), "topic": topic(number)})
    });
    parse("rows.json", &serde_json::to_vec(&rows.collect::<Vec<_>>()).unwrap()).unwrap()
}

#[test]
fn a_field_of_the_rows_groups_them() {
    let recipe = DataRecipe { group_by: "field:topic".parse().unwrap(), ..RECIPE };
    let file = by_topic(40, |number| json!(number % 10));
    let parts = split(&file, &recipe).unwrap();
    let numbers = |rows: &[Row]| -> BTreeSet<usize> {
        rows.iter()
            .map(|row| row.output.trim_matches(|c: char| !c.is_ascii_digit()).parse::<usize>().unwrap() % 10)
            .collect()
    };
    assert_eq!((parts.train.len(), parts.evaluation.len(), numbers(&parts.evaluation).len()), (36, 4, 1));
    assert_eq!(parts.groups, Some(Groups { count: 10, largest_rows: 4 }));
    // The first row of the seed's order brings its topic.
    assert_eq!(parts.evaluation[0], file.rows[tezgah::data::split::permutation(40, 42)[0]]);
    let own = DataRecipe { group_by: GroupBy::Field("output".into()), ..RECIPE };
    assert_eq!(of(&file, &own).unwrap(), (0..40).collect::<Vec<_>>());
}

#[test]
fn what_cannot_be_grouped_is_said_in_a_line() {
    let recipe = |group_by: &str| DataRecipe { group_by: group_by.parse().unwrap(), ..RECIPE };
    let message = |file: &RowFile, group_by: &str| split(file, &recipe(group_by)).unwrap_err().to_string();
    let file = by_topic(40, |number| if number == 6 { json!(["a"]) } else { json!("a") });
    assert_eq!(
        message(&file, "field:topic"),
        "rows.json, row 7: field topic: expected a string or a number to group by (data.group_by), got an array"
    );
    assert_eq!(
        message(&file, "field:subject"),
        "rows.json, row 1: field subject: expected a string or a number to group by (data.group_by), got no such field"
    );
    assert_eq!(
        message(&by_topic(40, |number| json!(number == 0)), "field:topic"),
        "rows.json: expected groups (data.group_by field:topic) that fill a part of 4 rows to the half, got 1 rows in it: of \
         2 groups the largest has 39 rows"
    );
    assert_eq!(
        "topic".parse::<GroupBy>().unwrap_err(),
        "expected none, near_duplicates or field:NAME, got topic"
    );
    assert!("field:".parse::<GroupBy>().is_err());
}

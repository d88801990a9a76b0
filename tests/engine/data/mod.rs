//! The data room: what it refuses and in which words, how it splits, counts and encodes; here, the whole way.
#![allow(clippy::unwrap_used, reason = "a test may stop where a fixture is not what it must be")]

mod alpaca;
mod split;
mod groups;
mod checks;
mod encode;
mod overlap;

use crate::support::reference_folder;
use serde_json::Value;
use std::path::PathBuf;
use tezgah::data::alpaca::{Row, RowFile, read, to_json};
use tezgah::data::encode::RowEncoder;
use tezgah::data::tokenizer::Tokenizer;
use tezgah::data::{Source, prepare};
use tezgah::recipe::{DataRecipe, GroupBy};
use tezgah::sha256;

pub(super) fn tiny(file: &str) -> PathBuf {
    reference_folder().join("tiny").join(file)
}

pub(super) fn json(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(tiny(file)).unwrap()).unwrap()
}

pub(super) fn tokenizer() -> Tokenizer {
    Tokenizer::from_json(&json("model/tokenizer.json").to_string()).unwrap()
}

pub(super) fn row(instruction: &str, input: &str, output: &str) -> Row {
    Row { instruction: instruction.into(), input: input.into(), output: output.into() }
}

pub(super) fn numbered(count: usize) -> RowFile {
    let rows =
        (0..count).map(|number| row(&format!("Write {number}."), "", &format!("Text {number}."))).collect();
    RowFile {
        name: "rows.json".into(),
        sha256: sha256::of(b""),
        rows,
        others: vec![Default::default(); count],
    }
}

const RECIPE: DataRecipe = DataRecipe {
    split_seed: 42,
    eval_fraction: 0.1,
    test_fraction: 0.0,
    group_by: GroupBy::None,
    near_duplicate_share: 0.5,
    max_seq_len: 2048,
};

#[test]
fn prepares_one_file_for_the_record() {
    let encoder = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let long = row("Say it long.", "", &"The cat is happy. ".repeat(200));
    let file = RowFile { rows: [numbered(18).rows, vec![long.clone(), long]].concat(), ..numbered(1) };
    let prepared = prepare(Source::OneFile { file, synthetic: true }, &RECIPE, &encoder).unwrap();
    let dataset = &prepared.dataset;
    assert_eq!((dataset.rows, dataset.train_rows, dataset.eval_rows), (20, 18, 2));
    assert_eq!(
        (dataset.source.as_str(), dataset.synthetic, dataset.split_seed),
        ("rows.json", true, Some(42))
    );
    assert_eq!((dataset.duplicate_rows, dataset.leaked_rows), (1, 0));
    assert_eq!((dataset.words.min, dataset.words.max), (2, 800));
    assert_eq!((dataset.tokens.over_512, dataset.tokens.over_max_seq_len), (2, 0));
    assert_eq!((dataset.truncated_rows, dataset.rows_without_target), (0, 0));
    assert_eq!(dataset.train_sha256, sha256::of(to_json(&prepared.split.train).as_bytes()));
    assert_eq!(dataset.example.instruction, prepared.split.train[0].instruction);
    assert_eq!((prepared.train.len(), prepared.evaluation.len()), (18, 2));
    assert_eq!(prepared.evaluation[1], encoder.encode(&prepared.split.evaluation[1]).unwrap());
}

#[test]
fn keeps_the_order_of_the_users_own_split() {
    let encoder = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let source = Source::two_files(tiny("train.json"), tiny("eval.json")).unwrap();
    let prepared = prepare(source, &RECIPE, &encoder).unwrap();
    assert_eq!(prepared.split.train, read(tiny("train.json")).unwrap().rows);
    assert_eq!(prepared.split.evaluation, read(tiny("eval.json")).unwrap().rows);
    assert_eq!(prepared.dataset.split_seed, None);
    assert!(prepared.dataset.source.ends_with("eval.json"), "{}", prepared.dataset.source);
    // cat train.json eval.json | sha256sum
    assert_eq!(prepared.dataset.sha256, "6080aa2b154c40bf33ee2a12dd727f5a297e52de8dc6424c714c4a1a4a4b13c7");
}

/// The checkpoint is chosen on one part and the result is of the other; what was counted is of all three.
#[test]
fn prepares_three_parts() {
    let encoder = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let recipe = DataRecipe { eval_fraction: 0.2, test_fraction: 0.1, ..RECIPE };
    let prepare =
        |recipe| prepare(Source::OneFile { file: numbered(20), synthetic: false }, recipe, &encoder).unwrap();
    let prepared = prepare(&recipe);
    let dataset = &prepared.dataset;
    let validation = dataset.validation.as_ref().unwrap();
    assert_eq!((dataset.rows, dataset.train_rows, validation.rows, dataset.eval_rows), (20, 14, 4, 2));
    assert_eq!(validation.sha256, sha256::of(to_json(&prepared.split.validation).as_bytes()));
    assert_eq!(dataset.eval_sha256, prepare(&RECIPE).dataset.eval_sha256);
    assert_eq!(prepared.chosen_on(), prepared.validation);
    assert_eq!(prepared.validation[3], encoder.encode(&prepared.split.validation[3]).unwrap());
    assert_eq!(dataset.words.histogram.counts.iter().sum::<usize>(), 20);
    let in_two = prepare(&RECIPE);
    assert_eq!((in_two.dataset.validation.clone(), in_two.chosen_on()), (None, &in_two.evaluation[..]));
}

#[test]
fn the_users_own_split_is_not_divided_again() {
    let encoder = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let message = |recipe: DataRecipe| {
        let source = Source::two_files(tiny("train.json"), tiny("eval.json")).unwrap();
        prepare(source, &recipe, &encoder).unwrap_err().to_string()
    };
    assert_eq!(
        message(DataRecipe { test_fraction: 0.1, ..RECIPE }),
        "setting data.test_fraction: expected 0 where the split is your own (two files), got 0.1"
    );
    assert_eq!(
        message(DataRecipe { group_by: GroupBy::NearDuplicates, ..RECIPE }),
        "setting data.group_by: expected none where the split is your own (two files), got near_duplicates"
    );
}

#[test]
fn refuses_a_length_that_leaves_nothing_to_learn() {
    let encoder = RowEncoder::new(tokenizer(), 1, 8).unwrap();
    let source = Source::OneFile { file: numbered(20), synthetic: false };
    let error = prepare(source, &RECIPE, &encoder).unwrap_err().to_string();
    assert_eq!(
        error,
        "rows.json: expected a training row with a response left at data.max_seq_len 8, got none"
    );
}

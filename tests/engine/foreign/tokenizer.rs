//! tokenizer.json: the library panics on some, drops letters with others, and merges at random where the file says so.

use super::{Spoilt, cases, damaged, model, read_calmly};
use crate::support::reference_folder;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tezgah::data::alpaca::Row;
use tezgah::data::encode::RowEncoder;
use tezgah::data::tokenizer::Tokenizer;
use tezgah::model::files::source::{ModelSource, open};

fn text() -> String {
    std::fs::read_to_string(reference_folder().join("tiny/model/tokenizer.json")).unwrap()
}

fn tree() -> Value {
    serde_json::from_str(&text()).unwrap()
}

fn row() -> Row {
    Row {
        instruction: "Yağmur yağıyor.".into(), input: String::new(), output: "Take an umbrella! 😀".into()
    }
}

/// As far as a run goes with a tokenizer before it trains.
fn used(text: &str) -> Result<(), String> {
    let tokenizer = Tokenizer::from_json(text)?;
    let encoder = RowEncoder::new(tokenizer, 1, 64).map_err(|error| error.to_string())?;
    let encoded = encoder.encode(&row()).map_err(|error| error.to_string())?;
    encoder.tokenizer().decode(&encoded.ids, true).map(|_| ())
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_spoilt_tokenizer_is_used_or_refused(Spoilt { bytes, .. } in damaged(text().into_bytes())) {
        if let Ok(text) = String::from_utf8(bytes) {
            read_calmly(text.len(), || used(&text));
        }
    }
}

/// Each of them panicked inside the library: none of its bugs ends a run without a word.
#[test]
fn files_on_which_the_library_panics_are_refused_in_one_line() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut tree = tree();
        change(&mut tree);
        tree.to_string()
    };
    let cut = |at: &str| {
        let text = text();
        text[..text.find(at).unwrap() + at.len()].to_string()
    };
    let cases = [
        ("cut", cut("\"decoder\": {")),
        ("merges", with(&|tree| tree["model"]["merges"][0] = json!(["Ġ", ""]))),
        ("a merge of letters that are none", with(&|tree| tree["model"]["merges"][0] = json!("Ġ t t"))),
        (
            "a table of letters",
            with(&|tree| {
                tree["normalizer"] = json!({ "type": "Precompiled", "precompiled_charsmap": "/////w==" })
            }),
        ),
        (
            "a table without an end",
            with(&|tree| {
                tree["normalizer"] = json!({ "type": "Precompiled", "precompiled_charsmap": "AAQAAAAAAAA=" })
            }),
        ),
        (
            "an empty pattern",
            with(&|tree| {
                tree["normalizer"] =
                    json!({ "type": "Replace", "pattern": { "String": "" }, "content": "x" });
            }),
        ),
    ];
    for (name, text) in cases {
        let error = used(&text).expect_err(name);
        assert!(!error.contains('\n') && !error.is_empty(), "{name}: {error}");
        let copy = model::copy();
        std::fs::write(copy.path().join("tokenizer.json"), &text).unwrap();
        if let Err(error) = open(&ModelSource::Folder(copy.path().to_path_buf())) {
            assert!(error.to_string().contains("tokenizer.json"), "{name}: {error}");
        }
    }
}

/// A byte-level vocabulary without one of the letters of `ğ`: the library leaves the letter out.
#[test]
fn letters_that_are_left_out_are_named() {
    let mut tree = tree();
    // 0xC4, the first byte of ğ and of ı, is its own letter.
    tree["model"]["vocab"].as_object_mut().unwrap().retain(|token, _| !token.contains('Ä'));
    let is_kept = |merge: &Value| !merge.to_string().contains('Ä');
    let merges = tree["model"]["merges"].as_array().unwrap().iter().filter(|merge| is_kept(merge));
    let merges: Vec<Value> = merges.cloned().collect();
    tree["model"]["merges"] = merges.into();
    let encoder = |text: &str| RowEncoder::new(Tokenizer::from_json(text).unwrap(), 1, 64).unwrap();
    let lacking = encoder(&tree.to_string());
    let encoded = lacking.encode(&row()).unwrap();
    assert_eq!(encoded.dropped_letters, BTreeSet::from(['ğ', 'ı']));
    let read_back = lacking.tokenizer().decode(&encoded.ids, true).unwrap();
    assert!(!read_back.contains("ğ"), "the premise: the library drops it: {read_back}");
    assert_eq!(encoder(&text()).encode(&row()).unwrap().dropped_letters, BTreeSet::new());

    // Without a byte level a letter is a letter, and ğ is the one that stands for a byte.
    tree["pre_tokenizer"] = json!({ "type": "Whitespace" });
    tree["decoder"] = Value::Null;
    tree["post_processor"] = Value::Null;
    let dropped = encoder(&tree.to_string()).encode(&row()).unwrap().dropped_letters;
    assert_eq!(dropped, BTreeSet::from(['😀']));
    // An unknown token is a word of its own.
    tree["model"]["unk_token"] = json!("<|end_of_text|>");
    assert_eq!(encoder(&tree.to_string()).encode(&row()).unwrap().dropped_letters, BTreeSet::new());
}

#[test]
fn merges_are_never_left_out_at_random() {
    let mut tree = tree();
    tree["model"]["dropout"] = json!(0.5);
    let (with, without) =
        (Tokenizer::from_json(&tree.to_string()).unwrap(), Tokenizer::from_json(&text()).unwrap());
    let sentence = "I have a cat. It is 12 years old!";
    for _ in 0..10 {
        let ids = |tokenizer: &Tokenizer| tokenizer.encode(sentence, true).unwrap().get_ids().to_vec();
        assert_eq!(ids(&with), ids(&without));
    }
}

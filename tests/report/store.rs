//! Records that are old or damaged: each schema is read, and what is no record is refused in one line.
//!
//! `records-schema/<n>.json` are one run under each schema.

use std::path::{Path, PathBuf};
use tezgah::record::{RunRecord, SCHEMA, store};

pub(crate) fn schema_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/records-schema").join(name)
}

/// The run of `records-schema`, 40 evaluation rows.
pub(crate) fn record() -> RunRecord {
    store::read(&schema_file("1.json")).expect("a record of schema 1")
}

#[test]
fn every_schema_is_read() {
    let newest = record();
    assert_eq!(newest.schema, SCHEMA);
    for schema in 0..=SCHEMA {
        let mut old = store::read(&schema_file(&format!("{schema}.json"))).expect("a fixture of each schema");
        assert_eq!(old.schema, SCHEMA);
        // The drafts did not write these down; everything else, statistics included, comes back.
        for (old, new) in old.outputs.iter_mut().zip(&newest.outputs) {
            old.dtype.clone_from(&new.dtype);
            old.merged_into.clone_from(&new.merged_into);
        }
        // The statistics are computed from the rows again, and tell the prompt's loss apart since.
        for (old, new) in old.evaluation.statistics.iter_mut().zip(&newest.evaluation.statistics) {
            old.prompt.clone_from(&new.prompt);
        }
        assert!(old == newest, "schema {schema}");
    }
    let draft = std::fs::read_to_string(schema_file("0.json")).expect("a fixture");
    assert!(!draft.contains("\"smoke\"") && !draft.contains("\"statistics\""));
    let smoke = store::from_json(draft.replace("\"--data\"", "\"--smoke\"").as_bytes()).expect("a draft");
    assert!(smoke.smoke, "the drafts told a smoke run by its command");
}

#[test]
fn damaged_records_are_refused_in_one_line() {
    let text = std::fs::read_to_string(schema_file("1.json")).expect("a fixture");
    let draft = std::fs::read_to_string(schema_file("0.json")).expect("a fixture");
    let cases: Vec<(&str, String, &str)> = vec![
        ("truncated", text[..text.len() / 2].into(), "no JSON: EOF while parsing"),
        ("empty", String::new(), "no JSON: EOF while parsing a value at line 1 column 0"),
        ("a list", "[1]".into(), "expected a field 'schema' with a whole number"),
        ("no number", text.replacen("\"schema\": 1", "\"schema\": \"1\"", 1), "expected a field 'schema'"),
        (
            "newer",
            text.replacen("\"schema\": 1", "\"schema\": 99", 1),
            "its schema is 99, this program knows up to",
        ),
        (
            "null",
            text.replacen("\"seconds\": 1441.6", "\"seconds\": null", 1),
            "training.seconds: expected a value, got null",
        ),
        (
            "a word for a number",
            text.replacen("\"seconds\": 1441.6", "\"seconds\": \"NaN\"", 1),
            "invalid type: string \"NaN\", expected f64 at line ",
        ),
        ("too large", text.replacen("1441.6", "1e999", 1), "no JSON: number out of range at line "),
        (
            "negative count",
            text.replacen("\"eval_rows\": 40", "\"eval_rows\": -40", 1),
            "expected usize at line ",
        ),
        ("unknown level", text.replacen("\"A1\"", "\"D7\"", 1), "unknown variant `D7`"),
        ("missing", text.replacen("\"total_steps\"", "\"total\"", 1), "missing field `total_steps` at line "),
        (
            "a draft's rows",
            draft.replacen("\"masked_tokens\": ", "\"masked_tokens\": -", 1),
            "evaluation.rows: invalid value: integer `-",
        ),
        (
            "a draft's field",
            draft.replacen("\"seconds\": 1441.6", "\"seconds\": \"long\"", 1),
            "brought from schema 0 to 1: invalid type: string \"long\", expected f64",
        ),
    ];
    for (name, text, expected) in cases {
        let message = store::from_json(text.as_bytes()).expect_err(name);
        assert!(message.contains(expected), "{name}: {message}");
        assert!(!message.contains('\n'), "{name}: {message}");
    }
    let missing = store::read(Path::new("nowhere/record.json")).expect_err("no file").to_string();
    assert!(missing.starts_with("nowhere/record.json: "), "{missing}");
}

#[test]
fn a_record_cut_anywhere_is_an_error() {
    let text = std::fs::read(schema_file("1.json")).expect("a fixture");
    // The last byte is the line's end, the one before it closes the object.
    for end in (0..text.len() - 1).step_by(97) {
        assert!(store::from_json(&text[..end]).is_err(), "cut at {end}");
    }
}

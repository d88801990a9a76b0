//! The documents over fixture records: every word a reviewable snapshot.

use super::render;
use crate::fixtures;
use tezgah::record::RunRecord;

/// Not by `insta::glob!`, whose count of failures takes in those of the tests that run beside it.
#[test]
fn every_document_reads_as_it_did() {
    for (name, _) in fixtures::records() {
        let path = fixtures::folder().join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let record: RunRecord = serde_json::from_str(&text).expect("a record");
        insta::with_settings!({ snapshot_suffix => format!("{name}.json"), input_file => path }, {
            for document in render(&record, "varsayilan") {
                insta::assert_snapshot!(document.file_name, document.markdown);
            }
        });
    }
}

#[test]
fn every_profile_reads_as_it_did() {
    for (fixture, profile) in [("tohum", "tohum"), ("iyi", "apa7")] {
        for document in render(&fixtures::fixture(fixture), profile) {
            insta::assert_snapshot!(format!("{profile}-{}", document.file_name), document.markdown);
        }
    }
}

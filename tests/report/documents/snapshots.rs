//! The documents over fixture records: every word a reviewable snapshot, every template rendered strictly.

use super::render;
use crate::fixtures;
use tezgah::record::RunRecord;

#[test]
fn every_document_reads_as_it_did() {
    insta::glob!("../..", "records/*.json", |path| {
        let text = std::fs::read_to_string(path).expect("a fixture");
        let record: RunRecord = serde_json::from_str(&text).expect("a record");
        for document in render(&record, "varsayilan") {
            insta::assert_snapshot!(document.file_name.clone(), document.markdown);
        }
    });
}

#[test]
fn every_profile_reads_as_it_did() {
    for (fixture, profile) in [("tohum", "tohum"), ("iyi", "apa7")] {
        for document in render(&fixtures::record(fixture), profile) {
            insta::assert_snapshot!(format!("{profile}-{}", document.file_name), document.markdown);
        }
    }
}

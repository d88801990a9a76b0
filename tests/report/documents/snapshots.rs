//! The documents over fixture records: every word a reviewable snapshot, and once: where the whole document repeats a
//! section, its snapshot has a line instead.

use super::embedded::without_sections;
use super::render;
use crate::fixtures;
use tezgah::record::RunRecord;

/// The documents' names and texts, the whole one without what the others hold.
fn texts(record: &RunRecord, profile: &str) -> Vec<(String, String)> {
    let documents = render(record, profile);
    let whole = without_sections(&documents, |document| &document.markdown);
    let mut texts: Vec<(String, String)> =
        documents.into_iter().map(|document| (document.file_name, document.markdown)).collect();
    texts[0].1 = whole;
    texts
}

/// Not by `insta::glob!`, whose count of failures takes in those of the tests that run beside it.
#[test]
fn every_document_reads_as_it_did() {
    for (name, _) in fixtures::records() {
        let path = fixtures::folder().join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).expect("a fixture");
        let record: RunRecord = serde_json::from_str(&text).expect("a record");
        insta::with_settings!({ snapshot_suffix => format!("{name}.json"), input_file => path }, {
            for (file_name, text) in texts(&record, "varsayilan") {
                insta::assert_snapshot!(file_name, text);
            }
        });
    }
}

#[test]
fn every_profile_reads_as_it_did() {
    for (fixture, profile) in [("tohum", "tohum"), ("iyi", "apa7")] {
        for (name, text) in texts(&fixtures::fixture(fixture), profile) {
            insta::assert_snapshot!(format!("{profile}-{name}"), text);
        }
    }
}

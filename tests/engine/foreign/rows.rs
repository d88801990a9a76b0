//! Alpaca rows.

use super::{Spoilt, cases, damaged, read_calmly};
use crate::support::reference_folder;
use proptest::prelude::*;
use tezgah::data::alpaca::{parse, read, to_json};

/// The reference's rows as one JSON array.
fn array() -> Vec<u8> {
    std::fs::read(reference_folder().join("tiny/eval.json")).unwrap()
}

/// The same, a row a line.
fn lines() -> Vec<u8> {
    let rows = read(reference_folder().join("tiny/eval.json")).unwrap().rows;
    rows.iter().flat_map(|row| [serde_json::to_vec(row).unwrap(), b"\n".to_vec()].concat()).collect()
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn spoilt_rows_are_read_or_refused(Spoilt { bytes, .. } in prop_oneof![damaged(array()), damaged(lines())]) {
        if let Some(file) = read_calmly(bytes.len(), || parse("rows.json", &bytes)) {
            prop_assert!(!file.rows.is_empty());
            // What was read can be written and read again: the split's files are made so.
            let again = parse("rows.json", to_json(&file.rows).as_bytes()).expect("rows of our own");
            prop_assert_eq!(again.rows, file.rows);
        }
    }
}

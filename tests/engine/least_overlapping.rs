//! The half of the evaluation rows that overlaps least with the training answers, beside the other.

use crate::support::{close, number, reference_folder};
use serde_json::Value;
use tezgah::record::{Overlap, RowNll, RowOverlap, RowScores, least_overlapping_of};
use tezgah::statistics::Interval;

fn overlap() -> Overlap {
    serde_json::from_str(include_str!("../reference/overlap.json")).expect("the reference")
}

/// The sums that transformers and PEFT gave.
fn rows() -> Vec<RowScores> {
    let text = std::fs::read_to_string(reference_folder().join("tiny/expected.json")).expect("expected.json");
    let expected: Value = serde_json::from_str(&text).expect("JSON");
    let of = |model: &str| expected["rows"][model].as_array().expect("rows").clone();
    let nll = |row: &Value| RowNll { masked: number(&row["masked_nll"]), full: number(&row["full_nll"]) };
    let pairs = of("base").into_iter().zip(of("adapter_final"));
    pairs
        .map(|(base, tuned)| RowScores {
            masked_tokens: number(&base["masked_tokens"]) as usize,
            full_tokens: number(&base["full_tokens"]) as usize,
            masked_bytes: 1,
            full_bytes: 2,
            baseline: nll(&base),
            fine_tuned: Some(nll(&tuned)),
        })
        .collect()
}

/// Against sums and a sort in Python, `tests/reference/least_overlapping.py`.
#[test]
fn the_halves_are_pythons() {
    let ours = least_overlapping_of(&rows(), &overlap(), 42).expect("two halves");
    let expected: Value =
        serde_json::from_str(include_str!("../reference/least_overlapping.json")).expect("the reference");
    assert_eq!((ours.masked.rows, ours.others.rows), (5, 5));
    for (name, ours) in [
        ("largest_share", ours.largest_share),
        ("covered_words", ours.covered_words),
        ("covered_words_of_others", ours.covered_words_of_others),
        ("gap", ours.gap.difference.estimate),
    ] {
        close(name, ours, number(&expected[name]), 1e-12);
    }
    for (name, half) in [("masked", &ours.masked), ("others", &ours.others)] {
        close(name, half.baseline.loss.estimate, number(&expected[name][0]), 1e-12);
        close(name, half.fine_tuned.loss.estimate, number(&expected[name][1]), 1e-12);
    }
    let Interval { low, estimate, high } = ours.gap.difference;
    assert!(low < estimate && estimate < high);
}

#[test]
fn where_overlap_tells_no_half_apart_there_is_none() {
    let (rows, overlap) = (rows(), overlap());
    let alike = Overlap { rows: vec![overlap.rows[0].clone(); rows.len()], ..overlap.clone() };
    assert_eq!(least_overlapping_of(&rows, &alike, 42), None);
    assert_eq!(least_overlapping_of(&rows[..9], &overlap, 42), None);
    let mut unfinished = rows.clone();
    unfinished[3].fine_tuned = None;
    assert_eq!(least_overlapping_of(&unfinished, &overlap, 42), None);
    // Of three the one in the middle is among the less known; a row without words is known by none.
    let share = |words, covered_words| RowOverlap { words, covered_words, ..overlap.rows[0].clone() };
    let three = Overlap { rows: vec![share(10, 9), share(0, 0), share(10, 3)], ..overlap.clone() };
    let ours = least_overlapping_of(&rows[..3], &three, 42).expect("two halves");
    assert_eq!((ours.masked.rows, ours.others.rows, ours.largest_share), (2, 1, 0.3));
}

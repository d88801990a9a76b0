//! Random streams and the split; the numbers are printed by tests/reference/permutation.py.

use super::numbered;
use std::collections::BTreeSet;
use tezgah::data::alpaca::Row;
use tezgah::data::split::{evaluation_rows, permutation, split};
use tezgah::random;
use tezgah::sha256;

#[test]
fn streams_are_chacha8_keyed_by_name_and_seed() {
    use rand_chacha::rand_core::Rng;
    let mut dropout = random::stream(3407, "dropout");
    let drawn: Vec<u64> = (0..3).map(|_| dropout.next_u64()).collect();
    assert_eq!(drawn, [2628049916102066459, 13558634651421076235, 3250566180310499461]);
}

#[test]
fn the_permutation_never_changes() {
    assert_eq!(permutation(20, 42), [2, 3, 9, 11, 19, 1, 7, 5, 18, 4, 0, 8, 14, 10, 13, 12, 6, 16, 15, 17]);
    assert_eq!(permutation(20, 0), [18, 17, 7, 13, 1, 11, 6, 2, 9, 8, 15, 0, 12, 5, 16, 14, 19, 10, 3, 4]);
    let order = permutation(2000, 42);
    assert_eq!(order[..8], [603, 106, 1818, 810, 224, 1348, 58, 441]);
    let printed: Vec<String> = order.iter().map(usize::to_string).collect();
    assert_eq!(
        sha256::of(printed.join(",").as_bytes()),
        "51386d43577d6c5136b0dbd796ffef854cd6c7087507c461e1f150202fbc3f20"
    );
}

#[test]
fn every_order_is_equally_likely() {
    // 6 orders, 60 000 shuffles: chi-square with 5 degrees of freedom; scipy.stats.chi2.ppf(0.9999, 5) = 25.74.
    // Swapping with any of all places, the usual mistake, gives about 740.
    let mut generator = random::stream(1, "test");
    let mut counts = std::collections::BTreeMap::<[u8; 3], f64>::new();
    for _ in 0..60_000 {
        let mut items = [0, 1, 2];
        random::shuffle(&mut generator, &mut items);
        *counts.entry(items).or_default() += 1.0;
    }
    let chi_square: f64 = counts.values().map(|count| (count - 10_000.0f64).powi(2) / 10_000.0).sum();
    assert_eq!(counts.len(), 6);
    assert!(chi_square < 25.74, "{chi_square}");
}

#[test]
fn draws_reach_the_whole_range_and_no_more() {
    let mut generator = random::stream(7, "test");
    let reached: BTreeSet<u64> = (0..200).map(|_| random::below(&mut generator, 7)).collect();
    assert_eq!(reached, (0..7).collect());
    assert_eq!(random::below(&mut generator, 1), 0);
    // Three quarters of all draws: without the rejection the lowest third would come half of the time.
    let bound = 3u64 << 62;
    let low = (0..3000).filter(|_| random::below(&mut generator, bound) < bound / 3).count();
    assert!((870..1130).contains(&low), "{low}");
}

#[test]
fn a_split_is_disjoint_and_covers_all_rows() {
    let file = numbered(2000);
    let parts = split(&file, 0.1, 42).unwrap();
    assert_eq!((parts.train.len(), parts.evaluation.len()), (1800, 200));
    let both: BTreeSet<&Row> = parts.train.iter().chain(&parts.evaluation).collect();
    assert_eq!(both, file.rows.iter().collect());

    // Both parts keep the permuted order; the evaluation rows come first in it.
    assert_eq!(parts.evaluation[0], file.rows[603]);
    assert_eq!(parts.evaluation[1], file.rows[106]);
    assert_eq!(parts.train[0], file.rows[permutation(2000, 42)[200]]);
    assert_ne!(split(&file, 0.1, 43).unwrap(), parts);
}

#[test]
fn held_out_rows_are_rounded_half_up_and_leave_both_parts_filled() {
    let counts = [
        (2000, 0.1, 200),
        (25, 0.1, 3),
        (24, 0.1, 2),
        (50, 0.29, 15),
        (2, 0.99, 1),
        (3, 0.001, 1),
        (10, 0.99, 9),
    ];
    for (rows, fraction, held_out) in counts {
        assert_eq!(evaluation_rows(rows, fraction), held_out, "{rows} x {fraction}");
        let parts = split(&numbered(rows), fraction, 1).unwrap();
        assert_eq!((parts.train.len(), parts.evaluation.len()), (rows - held_out, held_out));
    }
}

#[test]
fn refuses_what_cannot_be_split() {
    let message = |count, fraction| split(&numbered(count), fraction, 42).unwrap_err().to_string();
    let expected = "rows.json: expected at least 2 rows, one to train on and one to evaluate on, got 1";
    assert_eq!(message(1, 0.1), expected);
    assert_eq!(message(9, 1.0), "setting data.eval_fraction: expected between 0 and 1, got 1");
    assert_eq!(message(9, f64::NAN), "setting data.eval_fraction: expected between 0 and 1, got NaN");
}

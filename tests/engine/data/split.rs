//! Random streams and the split; the numbers are printed by tests/reference/permutation.py.

use super::{RECIPE, numbered};
use std::collections::BTreeSet;
use tezgah::data::alpaca::Row;
use tezgah::data::split::{permutation, split};
use tezgah::random;
use tezgah::recipe::DataRecipe;
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
    let parts = split(&file, &RECIPE).unwrap();
    assert_eq!((parts.train.len(), parts.evaluation.len()), (1800, 200));
    let both: BTreeSet<&Row> = parts.train.iter().chain(&parts.evaluation).collect();
    assert_eq!(both, file.rows.iter().collect());

    // Both parts keep the permuted order; the evaluation rows come first in it.
    assert_eq!(parts.evaluation[0], file.rows[603]);
    assert_eq!(parts.evaluation[1], file.rows[106]);
    assert_eq!(parts.train[0], file.rows[permutation(2000, 42)[200]]);
    assert_ne!(split(&file, &DataRecipe { split_seed: 43, ..RECIPE }).unwrap(), parts);
}

/// What nothing is chosen on are the rows that a split in two reports: two runs of the same share are of the same texts.
#[test]
fn a_third_part_is_taken_from_the_training() {
    let file = numbered(2000);
    let in_two = split(&file, &RECIPE).unwrap();
    let in_three = split(&file, &DataRecipe { test_fraction: 0.1, eval_fraction: 0.05, ..RECIPE }).unwrap();
    assert_eq!((in_two.validation.len(), in_three.evaluation), (0, in_two.evaluation));
    assert_eq!([in_three.validation, in_three.train].concat(), in_two.train);
    assert_eq!(in_three.groups, None);
    for (rows, eval_fraction, test_fraction, expected) in [
        (2000, 0.1, 0.05, [1700, 200, 100]),
        (3, 0.1, 0.1, [1, 1, 1]),
        (10, 0.1, 0.85, [1, 1, 8]),
        (10, 0.8, 0.15, [1, 7, 2]),
    ] {
        let recipe = DataRecipe { eval_fraction, test_fraction, ..RECIPE };
        let parts = split(&numbered(rows), &recipe).unwrap();
        assert_eq!(
            [&parts.train, &parts.validation, &parts.evaluation].map(Vec::len),
            expected,
            "{rows} rows"
        );
    }
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
        let recipe = DataRecipe { eval_fraction: fraction, split_seed: 1, ..RECIPE };
        let parts = split(&numbered(rows), &recipe).unwrap();
        let got = (parts.train.len(), parts.evaluation.len());
        assert_eq!(got, (rows - held_out, held_out), "{rows} x {fraction}");
    }
}

#[test]
fn refuses_what_cannot_be_split() {
    let refused = |count, recipe| split(&numbered(count), &recipe).unwrap_err().to_string();
    let message = |count, eval_fraction| refused(count, DataRecipe { eval_fraction, ..RECIPE });
    let of_three = |count, test_fraction| refused(count, DataRecipe { test_fraction, ..RECIPE });
    let expected = "rows.json: expected at least 2 rows, one to train on and one to evaluate on, got 1";
    assert_eq!(message(1, 0.1), expected);
    assert_eq!(message(9, 1.0), "setting data.eval_fraction: expected between 0 and 1, got 1");
    assert_eq!(message(9, f64::NAN), "setting data.eval_fraction: expected between 0 and 1, got NaN");
    assert_eq!(
        of_three(2, 0.1),
        "rows.json: expected at least 3 rows, one to train on, one to choose on and one to test on, got 2"
    );
    for (fraction, got) in [(0.9, "0.9"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        let expected = format!(
            "setting data.test_fraction: expected at least 0, and less than 1 together with data.eval_fraction 0.1, got {got}"
        );
        assert_eq!(of_three(9, fraction), expected);
    }
}

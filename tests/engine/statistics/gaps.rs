//! The gap of two gains against scipy's bootstrap of two independent samples, and what its p promises.

use super::{comparisons, fixture, row};
use crate::support::close;
use tezgah::statistics::{PairedRow, gap};

/// The estimate to the last digits; bounds and p within what two sets of resamples differ by.
#[test]
fn equals_scipys_bootstrap_of_two_samples() {
    let (seed, cases) = comparisons();
    let expected = fixture(include_str!("../../reference/statistics/gaps.json"));
    let expected = expected.as_array().expect("a list");
    assert_eq!(expected.len(), cases.len() - 1);
    for (pair, expected) in cases.windows(2).zip(expected) {
        let number = |name: &str| expected[name].as_f64().expect("a number");
        let ours = gap(&pair[0].rows, &pair[1].rows, seed).expect("rows with tokens");
        close("estimate", ours.difference.estimate, number("estimate"), 1e-12);
        let width = number("high") - number("low");
        for (bound, theirs) in [(ours.difference.low, "low"), (ours.difference.high, "high")] {
            assert!((bound - number(theirs)).abs() <= 0.04 * width, "{theirs}: {bound}, {expected}");
        }
        let spread = (number("p").max(1e-4) / 10_000.0).sqrt();
        assert!((ours.p - number("p")).abs() <= 6.0 * spread + 2e-4, "p: {}, {expected}", ours.p);
    }
}

#[test]
fn it_changes_its_sign_with_its_sides_and_knows_no_gap_where_there_is_none() {
    let rows = |gain: f64| -> Vec<PairedRow> {
        (0..80)
            .map(|i| {
                row(10 + i % 7, 40, 20.0 + (i % 5) as f64, 20.0 + (i % 5) as f64 - gain * (1 + i % 3) as f64)
            })
            .collect()
    };
    let (little, much) = (rows(0.5), rows(1.0));
    let (up, down) = (gap(&little, &much, 7).expect("rows"), gap(&much, &little, 7).expect("rows"));
    assert_eq!(up.difference.estimate, -down.difference.estimate);
    assert!(up.difference.low > 0.0 && up.p < 0.01 && down.difference.high < 0.0, "{up:?}, {down:?}");
    let none = gap(&much, &much, 7).expect("rows");
    assert!(none.difference.low < 0.0 && none.difference.high > 0.0 && none.p > 0.5, "{none:?}");
    assert!(gap(&[], &much, 7).is_none() && gap(&much, &[row(0, 0, 0.0, 0.0)], 7).is_none());
}

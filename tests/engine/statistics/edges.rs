//! Rows at the edge of what is defined.

use super::{comparisons, row};
use tezgah::record::{RowNll, RowScores, statistics_of};
use tezgah::statistics::{Comparison, Interval, PairedRow, compare};

/// Every number in the record is one: serde_json writes NaN and infinities as null.
#[track_caller]
fn check_finite(comparison: &Comparison) {
    let text = serde_json::to_string(comparison).expect("plain data");
    assert!(!text.contains("null"), "{text}");
}

#[test]
fn without_measured_rows_there_is_no_comparison() {
    assert_eq!(compare(&[], 1), None);
    assert_eq!(compare(&[row(0, 0, 0.0, 0.0), row(0, 9, 0.0, 0.0)], 1), None);
    for nll in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e200] {
        assert_eq!(compare(&[row(5, 9, 1.0, 1.0), row(5, 9, 1.0, nll)], 1), None, "{nll}");
        assert_eq!(compare(&[row(5, 9, nll, 1.0), row(5, 9, 1.0, 1.0)], 1), None, "{nll}");
    }
}

#[test]
fn one_row_is_a_point_and_never_significant() {
    let one = compare(&[row(4, 8, 8.0, 4.0)], 1).expect("a row with tokens");
    check_finite(&one);
    assert_eq!(one.rows, 1);
    assert_eq!(one.difference, Interval { estimate: 1.0, low: 1.0, high: 1.0 });
    assert_eq!(one.relative_loss_reduction, Some(Interval { estimate: 0.5, low: 0.5, high: 0.5 }));
    assert_eq!((one.permutation_p, one.effect_size), (1.0, None));
    assert_eq!(one.wilcoxon.as_ref().map(|wilcoxon| wilcoxon.p), Some(1.0));
    assert!(!one.is_significant());
}

#[test]
fn equal_models_do_not_differ() {
    let rows: Vec<PairedRow> = (1..30).map(|i| row(i, 3 * i, 2.3 * i as f64, 2.3 * i as f64)).collect();
    let equal = compare(&rows, 1).expect("rows with tokens");
    check_finite(&equal);
    assert_eq!(equal.difference, Interval { estimate: 0.0, low: 0.0, high: 0.0 });
    assert_eq!((equal.permutation_p, equal.effect_size, &equal.wilcoxon), (1.0, None, &None));
    assert_eq!((equal.improved, equal.worsened, equal.unchanged), (0, 0, 29));
    assert!(!equal.is_significant());
}

#[test]
fn a_constant_difference_has_no_effect_size_but_a_p() {
    // 0.3 nats a token on each row, up to the last bit: a standard deviation of 1e-16 must not be divided by.
    let rows: Vec<PairedRow> = (0..40)
        .map(|i| {
            let tokens = 3 + i % 7;
            let loss = 2.0 + 0.1 * i as f64;
            row(tokens, 0, loss * tokens as f64, (loss - 0.3) * tokens as f64)
        })
        .collect();
    let constant = compare(&rows, 1).expect("rows with tokens");
    check_finite(&constant);
    assert_eq!(constant.effect_size, None);
    assert_eq!(constant.baseline.bits_per_byte, None);
    // No flip but all 40 signs alike is as extreme, and 10 000 flips do not meet one of 2^39.
    assert_eq!(constant.permutation_p, 1.0 / 10_001.0);
    assert!(constant.is_significant());
}

#[test]
fn ties_with_the_observed_sum_count_as_extreme() {
    // In tenths the sums are whole numbers and ties are certain; in f64 0.1 + 0.2 + 0.3 - 0.6 is not 0, and
    // flips that tie with the observed sum miss it by a last bit.
    for tenths in [[1, 2, 3, -6, 7], [1, 2, 3, -6, 0], [3, 3, -2, 1, -4]] {
        let sum = |flip: u32| -> i32 {
            (0..5).map(|i| if flip >> i & 1 == 1 { -tenths[i as usize] } else { tenths[i as usize] }).sum()
        };
        let exact = (0..32).filter(|&flip| sum(flip).abs() >= sum(0).abs()).count() as f64 / 32.0;
        let rows = tenths.map(|tenth| row(1, 1, f64::from(tenth) / 10.0, 0.0));
        let p = compare(&rows, 1).expect("rows with tokens").permutation_p;
        let tolerance = 4.0 * (exact * (1.0 - exact) / 10_000.0).sqrt() + 1e-4;
        assert!((p - exact).abs() < tolerance, "{tenths:?}: exact p {exact}, got {p}");
    }
}

#[test]
fn losses_at_the_edges_leave_out_what_is_undefined() {
    // A resample may draw the two rows of baseline 0 alone: (B - F) / B is then nothing.
    let certain =
        compare(&[row(4, 8, 0.0, 1.0), row(4, 8, 0.0, 1.0), row(4, 8, 2.0, 1.0)], 1).expect("tokens");
    check_finite(&certain);
    assert_eq!(certain.relative_loss_reduction, None);
    assert!(certain.relative_perplexity_reduction.is_some());

    // Nor is a fraction of a negative loss one, which no model has and a foreign record may.
    let negative = compare(&[row(4, 8, -1.0, -2.0), row(4, 8, -1.0, -3.0)], 1).expect("rows with tokens");
    assert_eq!(negative.relative_loss_reduction, None);

    let diverged: Vec<PairedRow> = (1..20).map(|i| row(4, 8, 8.0, 4000.0 * i as f64)).collect();
    let diverged = compare(&diverged, 1).expect("rows with tokens");
    check_finite(&diverged);
    assert_eq!(diverged.fine_tuned.perplexity, None);
    assert_eq!(diverged.relative_perplexity_reduction, None);
    assert!(diverged.baseline.perplexity.is_some());
    assert!(diverged.is_significant() && diverged.difference.high < 0.0);
}

#[test]
fn rows_without_tokens_change_nothing() {
    let (seed, cases) = comparisons();
    let rows = &cases[0].rows;
    let mut with_empty = rows.clone();
    with_empty.insert(3, row(0, 40, 0.0, 0.0));
    assert_eq!(compare(&with_empty, seed), compare(rows, seed));
}

/// What the full text has besides the response is compared as if it had been measured by itself.
#[test]
fn the_prompts_loss_is_what_is_left_of_the_full_texts() {
    // Halves and whole numbers: sums and differences of them are exact.
    let prompts: Vec<PairedRow> =
        (0..30).map(|i| row(5 + i % 4, 20 + i, 12.5 + (i % 7) as f64, 13.0 + (i % 5) as f64)).collect();
    let rows: Vec<RowScores> = prompts
        .iter()
        .map(|prompt| RowScores {
            masked_tokens: 40,
            full_tokens: 40 + prompt.tokens,
            masked_bytes: 160,
            full_bytes: 160 + prompt.bytes,
            baseline: RowNll { masked: 80.5, full: 80.5 + prompt.baseline_nll },
            fine_tuned: Some(RowNll { masked: 64.0, full: 64.0 + prompt.fine_tuned_nll }),
        })
        .collect();
    let statistics = statistics_of(&rows, 3).expect("statistics");
    assert_eq!(statistics.prompt, compare(&prompts, 3));
    let bare: Vec<RowScores> =
        rows.iter().map(|row| RowScores { full_tokens: 40, full_bytes: 160, ..row.clone() }).collect();
    assert_eq!(statistics_of(&bare, 3).expect("statistics").prompt, None, "no token but the response's");
}

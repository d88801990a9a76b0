//! The statistics against numpy, scipy and statsmodels (tests/reference/statistics/make_fixtures.py), and against what
//! the words "interval" and "p-value" promise, on simulated rows.

mod edges;
mod gaps;
mod contrasts;
mod agreement;
mod cross_matrix;
mod simulations;

use serde_json::Value;
use tezgah::statistics::{
    Comparison, Interval, PairedRow, Statistics, Summary, WilcoxonMethod, compare, holm, summarize,
};

/// A fixture of tests/reference/statistics, as make_fixtures.py wrote it.
fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("make_fixtures.py writes JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// One comparison of the fixture.
pub(super) struct Case {
    name: String,
    pub(super) rows: Vec<PairedRow>,
    scipy: Value,
    stream: Value,
}

/// The seed of the fixture's comparisons, and they.
pub(super) fn comparisons() -> (u64, Vec<Case>) {
    let file = fixture(include_str!("../../reference/statistics/comparisons.json"));
    let cases = file["comparisons"].as_array().expect("a list").iter().map(|case| {
        let (tokens, bytes) = (numbers(&case["tokens"]), numbers(&case["bytes"]));
        let (baseline, fine_tuned) = (numbers(&case["baseline_nll"]), numbers(&case["fine_tuned_nll"]));
        Case {
            name: case["name"].as_str().expect("a name").to_owned(),
            rows: (0..tokens.len())
                .map(|i| row(tokens[i] as usize, bytes[i] as usize, baseline[i], fine_tuned[i]))
                .collect(),
            scipy: case["scipy"].clone(),
            stream: case["stream"].clone(),
        }
    });
    (file["seed"].as_u64().expect("a seed"), cases.collect())
}

pub(super) fn row(tokens: usize, bytes: usize, baseline_nll: f64, fine_tuned_nll: f64) -> PairedRow {
    PairedRow { tokens, bytes, baseline_nll, fine_tuned_nll }
}

/// The five intervals under their names in the fixture.
pub(super) fn intervals(comparison: &Comparison) -> [(&'static str, Interval); 5] {
    [
        ("baseline", comparison.baseline.loss),
        ("fine_tuned", comparison.fine_tuned.loss),
        ("difference", comparison.difference),
        ("relative_loss", comparison.relative_loss_reduction.expect("the baselines are positive")),
        ("relative_perplexity", comparison.relative_perplexity_reduction.expect("the losses are small")),
    ]
}

#[track_caller]
fn check_close(what: &str, got: f64, expected: &Value, relative: f64) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{what} is not in the fixture"));
    assert!((got - expected).abs() <= relative * expected.abs(), "{what}: expected {expected}, got {got}");
}

#[test]
fn equal_to_numpy_and_scipy() {
    let (seed, cases) = comparisons();
    assert_eq!(cases.len(), 8);
    let mut methods = Vec::new();
    for Case { name, rows, scipy, .. } in cases {
        let ours = compare(&rows, seed).expect("rows with tokens");
        let exactly = |key: &str, got: f64| check_close(&format!("{name}: {key}"), got, &scipy[key], 1e-11);
        let wilcoxon = ours.wilcoxon.as_ref().expect("losses changed");
        exactly("baseline_loss", ours.baseline.loss.estimate);
        exactly("fine_tuned_loss", ours.fine_tuned.loss.estimate);
        exactly("baseline_bits_per_byte", ours.baseline.bits_per_byte.expect("bytes"));
        exactly("fine_tuned_bits_per_byte", ours.fine_tuned.bits_per_byte.expect("bytes"));
        exactly("wilcoxon_p", wilcoxon.p);
        exactly("positive_rank_sum", wilcoxon.positive_rank_sum);
        exactly("effect_size", ours.effect_size.expect("the differences vary"));
        exactly("improved", ours.improved as f64);
        exactly("worsened", ours.worsened as f64);
        assert_eq!(ours.unchanged, rows.len() - ours.improved - ours.worsened);
        methods.push((rows.len(), wilcoxon.rows < rows.len(), wilcoxon.method));

        // scipy's p is exact up to 13 rows and of 199 999 flips above: ours of 10 000 is within 4 of its own
        // standard errors, and of the 1 that both numbers of flips add.
        let p = scipy["permutation_p"].as_f64().expect("a number");
        let tolerance = 4.0 * (p * (1.0 - p) / 10_000.0).sqrt() + 1e-4;
        assert!((ours.permutation_p - p).abs() < tolerance, "{name}: p {} against {p}", ours.permutation_p);

        for (key, interval) in intervals(&ours) {
            // The bounds of 10 000 resamples have a standard error of 0.7 % of the interval's width.
            let expected = numbers(&scipy[key]);
            let tolerance = 0.03 * (expected[1] - expected[0]);
            let is_close = |got: f64, expected: f64| (got - expected).abs() < tolerance;
            assert!(
                is_close(interval.low, expected[0]) && is_close(interval.high, expected[1]),
                "{name}: {key}: expected {expected:?}, got {interval:?}"
            );
            assert!(interval.low < interval.estimate && interval.estimate < interval.high, "{name}: {key}");
        }
    }
    // The fixtures reach every branch of the signed-rank test.
    use WilcoxonMethod::{Exact, Normal};
    for branch in
        [(8, false, Exact), (12, true, Exact), (30, true, Normal), (50, false, Exact), (51, false, Normal)]
    {
        assert!(methods.contains(&branch), "{branch:?} is not in {methods:?}");
    }
}

#[test]
fn drawn_from_the_documented_streams() {
    // make_fixtures.py has its own ChaCha8: another generator, key, stream, index rule, bit order or quantile
    // would show here, on any platform.
    let (seed, cases) = comparisons();
    for Case { name, rows, stream, .. } in cases {
        let ours = compare(&rows, seed).expect("rows with tokens");
        check_close(&format!("{name}: p"), ours.permutation_p, &stream["permutation_p"], 1e-14);
        for (key, interval) in intervals(&ours) {
            check_close(&format!("{name}: {key} low"), interval.low, &stream[key][0], 1e-9);
            check_close(&format!("{name}: {key} high"), interval.high, &stream[key][1], 1e-9);
        }
    }
}

#[test]
fn perplexity_is_exp_of_the_loss_and_its_bounds() {
    let (seed, cases) = comparisons();
    for Case { name, rows, .. } in cases {
        let ours = compare(&rows, seed).expect("rows with tokens");
        for side in [&ours.baseline, &ours.fine_tuned] {
            let perplexity = side.perplexity.expect("the losses are small");
            let loss = side.loss;
            assert_eq!(perplexity.low.to_bits(), loss.low.exp().to_bits(), "{name}");
            assert_eq!(perplexity.estimate.to_bits(), loss.estimate.exp().to_bits(), "{name}");
            assert_eq!(perplexity.high.to_bits(), loss.high.exp().to_bits(), "{name}");
        }
        let by_ratio = 1.0
            - ours.fine_tuned.perplexity.expect("small").estimate
                / ours.baseline.perplexity.expect("small").estimate;
        let reduction = ours.relative_perplexity_reduction.expect("small").estimate;
        assert!((reduction - by_ratio).abs() < 1e-12, "{name}");
    }
}

#[test]
fn holm_equals_statsmodels() {
    for case in fixture(include_str!("../../reference/statistics/holm.json")).as_array().expect("a list") {
        let (adjusted, expected) = (holm(&numbers(&case["p"])), numbers(&case["adjusted"]));
        assert_eq!(adjusted.len(), expected.len());
        for (got, expected) in adjusted.iter().zip(&expected) {
            assert!((got - expected).abs() < 1e-12, "{case}: got {adjusted:?}");
        }
    }
    assert_eq!(holm(&[f64::NAN, 0.01, -1.0]), [1.0, 0.02, 0.0]);
}

#[test]
fn seeds_are_summarized_as_numpy_does() {
    // x = np.array([1.953, 1.961, 1.949]); x.mean(), x.std(ddof=1)
    let Summary { n, mean, standard_deviation, min, max } =
        summarize(&[1.953, 1.961, 1.949]).expect("finite");
    assert_eq!((n, min, max), (3, 1.949, 1.961));
    assert!((mean - 1.9543333333333333).abs() < 1e-15);
    assert!((standard_deviation.expect("three seeds") - 0.006110100926607792).abs() < 1e-15);

    let one = summarize(&[0.1]).expect("finite");
    assert_eq!((one.n, one.mean, one.standard_deviation), (1, 0.1, None));
    let equal = summarize(&[0.1; 7]).expect("finite");
    assert_eq!((equal.mean, equal.standard_deviation), (0.1, Some(0.0)));
    for unusable in [&[][..], &[f64::NAN], &[1.0, f64::NAN], &[1.0, f64::INFINITY], &[1e308, -1e308]] {
        assert_eq!(summarize(unusable), None, "{unusable:?}");
    }
}

#[test]
fn a_record_keeps_its_layout() {
    let (seed, cases) = comparisons();
    let comparison = compare(&cases[0].rows, seed).expect("rows with tokens");
    let statistics =
        Statistics { masked: comparison.clone(), full: comparison.clone(), prompt: Some(comparison) };
    let value = serde_json::to_value(&statistics).expect("plain data");
    assert_eq!(serde_json::from_value::<Statistics>(value.clone()).expect("the same layout"), statistics);

    assert_eq!(value["masked"]["wilcoxon"]["method"], "exact");
    assert!(value["full"]["difference"]["low"].is_f64());
    let one = serde_json::to_value(compare(&[row(4, 8, 8.0, 8.0)], 1)).expect("plain data");
    assert!(one.get("effect_size").is_none() && one.get("wilcoxon").is_none(), "{one}");
}

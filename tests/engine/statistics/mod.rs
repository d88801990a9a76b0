//! The statistics against numpy, scipy and statsmodels (tests/statistics/make_fixtures.py), and against what
//! the words "interval" and "p-value" promise, on simulated rows.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::Value;
use tezgah::evaluate::cross;
use tezgah::evaluate::nll::RowSums;
use tezgah::level::Level;
use tezgah::record::RowNll;
use tezgah::statistics::{
    Comparison, Interval, PairedRow, Statistics, Summary, WilcoxonMethod, compare, compare_with_resamples,
    holm, summarize,
};

/// A fixture of tests/statistics, as make_fixtures.py wrote it.
fn fixture(text: &str) -> Value {
    serde_json::from_str(text).expect("make_fixtures.py writes JSON")
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|number| number.as_f64().expect("a number")).collect()
}

/// One comparison of the fixture.
struct Case {
    name: String,
    rows: Vec<PairedRow>,
    scipy: Value,
    stream: Value,
}

/// The seed of the fixture's comparisons, and they.
fn comparisons() -> (u64, Vec<Case>) {
    let file = fixture(include_str!("statistics/comparisons.json"));
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

fn row(tokens: usize, bytes: usize, baseline_nll: f64, fine_tuned_nll: f64) -> PairedRow {
    PairedRow { tokens, bytes, baseline_nll, fine_tuned_nll }
}

/// The five intervals under their names in the fixture.
fn intervals(comparison: &Comparison) -> [(&'static str, Interval); 5] {
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
    for case in fixture(include_str!("statistics/holm.json")).as_array().expect("a list") {
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

// Rows at the edge of what is defined.

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

#[test]
fn a_record_keeps_its_layout() {
    let (seed, cases) = comparisons();
    let comparison = compare(&cases[0].rows, seed).expect("rows with tokens");
    let statistics = Statistics { masked: comparison.clone(), full: comparison };
    let value = serde_json::to_value(&statistics).expect("plain data");
    assert_eq!(serde_json::from_value::<Statistics>(value.clone()).expect("the same layout"), statistics);

    assert_eq!(value["masked"]["wilcoxon"]["method"], "exact");
    assert!(value["full"]["difference"]["low"].is_f64());
    let one = serde_json::to_value(compare(&[row(4, 8, 8.0, 8.0)], 1)).expect("plain data");
    assert!(one.get("effect_size").is_none() && one.get("wilcoxon").is_none(), "{one}");
}

#[test]
fn the_seed_decides_and_nothing_else() {
    let rows = simulated(200, &mut ChaCha8Rng::seed_from_u64(5));
    // Its time is measured by benches/statistics.rs: here other tests run beside it.
    let alone = compare(&rows, 3407);
    let beside_others = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| compare(&rows, 3407))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    assert!(beside_others.iter().all(|comparison| *comparison == alone));

    let other = compare(&rows, 0).expect("rows with tokens");
    let alone = alone.expect("rows with tokens");
    assert_ne!(other.difference.low, alone.difference.low);
    assert_eq!(other.difference.estimate, alone.difference.estimate);
}

/// Two levels with rows of 10 and 30 tokens; sums chosen by hand.
#[test]
fn the_matrix_is_of_sums_and_its_advantages_of_paired_rows() {
    let rows = |nll: [f64; 2]| -> Vec<RowSums> {
        let row = |(nll, masked_tokens)| RowSums {
            nll: RowNll { masked: nll, full: 0.0 },
            masked_tokens,
            full_tokens: 0,
        };
        nll.into_iter().zip([10, 30]).map(row).collect()
    };
    let base = [rows([20.0, 60.0]), rows([40.0, 40.0])];
    // Each adapter on the rows of A1, then of C1.
    let adapted = [[rows([10.0, 10.0]), rows([30.0, 30.0])], [rows([15.0, 25.0]), rows([10.0, 10.0])]];
    let adapted: Vec<Vec<Vec<RowSums>>> = adapted.into_iter().map(Vec::from).collect();
    let matrix = cross::matrix(&[Level::A1, Level::C1], &base, &adapted, 42);
    assert_eq!(matrix.base_loss, [2.0, 2.0]);
    assert_eq!(matrix.loss, [[0.5, 1.5], [1.0, 0.5]]);

    // On A1 the other adapter loses 5 and 15 more in 10 and 30 tokens: 0.5 a token whichever rows are drawn.
    let [a1, c1] = matrix.advantage.as_slice() else { panic!("two sets: {:?}", matrix.advantage) };
    assert_eq!((a1.eval_set, c1.eval_set), (Level::A1, Level::C1));
    assert_eq!(a1.difference, Interval { estimate: 0.5, low: 0.5, high: 0.5 });
    // On C1 20 and 20: 2.0 where only the short row is drawn, 2/3 where only the long one is, 1.0 for both.
    let Interval { estimate, low, high } = c1.difference;
    for (got, expected) in [(estimate, 1.0), (low, 20.0 / 30.0), (high, 2.0)] {
        assert!((got - expected).abs() < 1e-12, "{got} against {expected}");
    }
    // Two rows have four sign flips, of which two are as extreme: p is about one half, and 1 after Holm's factor 2.
    assert!(a1.p > 0.9 && c1.p > 0.9 && !a1.is_sure() && !c1.is_sure(), "{:?}", matrix.advantage);

    let alone = cross::matrix(&[Level::B1], &base[..1], &[vec![rows([1.0, 2.0])]], 42);
    assert!(alone.advantage.is_empty());
}

// Simulations: what an interval and a p-value promise.

/// A number in (0, 1).
fn uniform(generator: &mut ChaCha8Rng) -> f64 {
    (f64::from(generator.next_u32()) + 0.5) / 4_294_967_296.0
}

/// Skewed, with mean 0 and variance 1.
fn skewed(generator: &mut ChaCha8Rng) -> f64 {
    -uniform(generator).ln() - 1.0
}

/// Mean of the token counts 5..=60 below.
const MEAN_TOKENS: f64 = 32.5;

/// Σ NLL / Σ tokens over infinitely many rows of [`simulated`]: E[NLL] / E[tokens].
const TRUE_BASELINE: f64 = 2.5 + 8.0 / MEAN_TOKENS;
const TRUE_FINE_TUNED: f64 = 2.3 + 2.0 / MEAN_TOKENS;

/// Rows whose loss depends on their length, so that the ratio of sums is not the mean of ratios, with a skewed
/// difficulty that both models share in part.
fn simulated(n: usize, generator: &mut ChaCha8Rng) -> Vec<PairedRow> {
    (0..n)
        .map(|_| {
            let tokens = 5 + (uniform(generator) * 56.0) as usize;
            let difficulty = 0.6 * skewed(generator);
            let baseline = 2.5 + difficulty;
            let fine_tuned = 2.3 + 0.8 * difficulty + 0.3 * skewed(generator);
            let length = tokens as f64;
            row(tokens, 4 * tokens, length * baseline + 8.0, length * fine_tuned + 2.0)
        })
        .collect()
}

#[test]
fn intervals_cover_the_truth_in_95_of_100_simulations() {
    const SIMULATIONS: usize = 2000;
    let truths = [
        ("baseline", TRUE_BASELINE),
        ("fine_tuned", TRUE_FINE_TUNED),
        ("difference", TRUE_BASELINE - TRUE_FINE_TUNED),
        ("relative_loss", 1.0 - TRUE_FINE_TUNED / TRUE_BASELINE),
        ("relative_perplexity", 1.0 - (TRUE_FINE_TUNED - TRUE_BASELINE).exp()),
    ];
    let mut covered = [0; 5];
    let mut generator = ChaCha8Rng::seed_from_u64(2026);
    for simulation in 0..SIMULATIONS {
        let rows = simulated(200, &mut generator);
        let comparison = compare_with_resamples(&rows, simulation as u64, 999).expect("rows with tokens");
        for (index, (key, interval)) in intervals(&comparison).into_iter().enumerate() {
            let (name, truth) = truths[index];
            assert_eq!(key, name);
            covered[index] += usize::from(interval.low <= truth && truth <= interval.high);
        }
    }
    for ((name, _), covered) in truths.iter().zip(covered) {
        let coverage = covered as f64 / SIMULATIONS as f64;
        println!("{name}: {:.1} %", 100.0 * coverage);
        assert!((0.93..=0.97).contains(&coverage), "{name}: {coverage}");
    }
}

/// Largest distance between the distribution of `p` and the uniform one (Kolmogorov and Smirnov).
fn distance_from_uniform(mut p: Vec<f64>) -> f64 {
    p.sort_by(f64::total_cmp);
    let n = p.len() as f64;
    let distance = |(i, &p): (usize, &f64)| (p - i as f64 / n).abs().max(((i + 1) as f64 / n - p).abs());
    p.iter().enumerate().map(distance).fold(0.0, f64::max)
}

#[test]
fn p_values_are_uniform_where_the_models_are_alike() {
    const SIMULATIONS: usize = 2000;
    // 30 rows take the exact signed-rank distribution, 60 its normal approximation.
    for n in [30, 60] {
        let mut generator = ChaCha8Rng::seed_from_u64(n as u64);
        let (mut permutation, mut wilcoxon, mut significant) = (Vec::new(), Vec::new(), 0);
        for simulation in 0..SIMULATIONS {
            let mut rows = simulated(n, &mut generator);
            for row in &mut rows {
                // Which model is which is a coin's choice: that is the null hypothesis.
                if generator.next_u32() % 2 == 0 {
                    std::mem::swap(&mut row.baseline_nll, &mut row.fine_tuned_nll);
                }
            }
            let comparison = compare_with_resamples(&rows, simulation as u64, 999).expect("rows with tokens");
            permutation.push(comparison.permutation_p);
            wilcoxon.push(comparison.wilcoxon.as_ref().expect("losses differ").p);
            significant += usize::from(comparison.is_significant());
        }
        // 1.63 / sqrt(n): a correct test's p-values are farther off in 1 of 100 seeds.
        let bound = 1.63 / (SIMULATIONS as f64).sqrt();
        for (name, p) in [("permutation", permutation), ("wilcoxon", wilcoxon)] {
            let distance = distance_from_uniform(p);
            println!("{n} rows, {name}: distance {distance:.4}, bound {bound:.4}");
            assert!(distance < bound, "{n} rows, {name}: {distance}");
        }
        // The verdict is wrong in at most 5 of 100, with three standard errors of 2000 simulations.
        let rate = significant as f64 / SIMULATIONS as f64;
        println!("{n} rows: significant {:.1} %", 100.0 * rate);
        assert!(rate < 0.05 + 3.0 * (0.05 * 0.95 / SIMULATIONS as f64).sqrt(), "{n} rows: {rate}");
    }
}

//! Simulations: what an interval and a p-value promise.

use super::{intervals, row};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tezgah::statistics::{PairedRow, compare, compare_with_resamples};

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
#[expect(clippy::disallowed_methods, reason = "numbers of the host")]
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

//! Cohen's kappa with quadratic weights (Cohen 1968), the mean over all pairs of raters.
//!
//! With the answers x and y of two raters to n texts, κ = 1 - n Σ_i (x_i - y_i)² / Σ_i Σ_j (x_i - y_j)²: how far they are
//! apart on the same text, over how far on any two texts. The values are their own places: 1 to 5 are one apart whether or
//! not each occurs, as `cohen_kappa_score(x, y, weights="quadratic", labels=[1, 2, 3, 4, 5])` has it.

use super::Answers;
use crate::statistics::seeds;

/// The mean of the kappas of all pairs of raters, each over the texts that both answered. A pair whose kappa is undefined,
/// because it has no such text or gave all of them one and the same answer, is left out; `None` where every pair is.
pub fn kappa(answers: &Answers) -> Option<f64> {
    let pairs = (0..answers.raters).flat_map(|one| (0..one).map(move |other| (other, one)));
    let kappas: Vec<f64> = pairs.filter_map(|(one, other)| of_pair(answers, one, other)).collect();
    (!kappas.is_empty()).then(|| seeds::mean(&kappas))
}

fn of_pair(answers: &Answers, one: usize, other: usize) -> Option<f64> {
    let both: Vec<(f64, f64)> = answers.rows().filter_map(|row| row[one].zip(row[other])).collect();
    // Counted from the first answer: where all are equal, every sum is exactly 0.
    let origin = both.first()?.0;
    let sum =
        |term: fn(f64, f64) -> f64| -> f64 { both.iter().map(|(x, y)| term(x - origin, y - origin)).sum() };
    let n = both.len() as f64;
    let same_text = n * sum(|x, y| (x - y) * (x - y));
    // Σ_i Σ_j (x_i - y_j)², multiplied out.
    let any_texts = n * sum(|x, y| x * x + y * y) - 2.0 * sum(|x, _| x) * sum(|_, y| y);
    (any_texts > 0.0).then(|| 1.0 - same_text / any_texts)
}

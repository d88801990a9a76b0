//! The same figure over several training seeds.

use serde::{Deserialize, Serialize};

/// A figure that was measured once a seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Seeds.
    pub n: usize,
    /// Arithmetic mean.
    pub mean: f64,
    /// Standard deviation with n - 1; absent for one seed, whose noise was not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_deviation: Option<f64>,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
}

/// Mean, spread and range of `values`; `None` where there are none, or one of them or their spread is no
/// finite number.
pub fn summarize(values: &[f64]) -> Option<Summary> {
    let summary = Summary {
        n: values.len(),
        mean: mean(values),
        standard_deviation: standard_deviation(values),
        min: values.iter().copied().fold(f64::INFINITY, f64::min),
        max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    };
    // A NaN or an infinity among the values is in the mean; min and max skip a NaN.
    let is_finite = summary.mean.is_finite() && summary.standard_deviation.is_none_or(f64::is_finite);
    is_finite.then_some(summary)
}

/// Arithmetic mean; NaN of nothing. Equal values give that value, not its neighbour.
pub(super) fn mean(values: &[f64]) -> f64 {
    // Around the first value, so that values alike in their leading digits keep the others.
    let Some(&first) = values.first() else { return f64::NAN };
    first + values.iter().map(|value| value - first).sum::<f64>() / values.len() as f64
}

/// Standard deviation with n - 1, in two passes; `None` below two values.
pub(super) fn standard_deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

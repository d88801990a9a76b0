//! Two values of one setting, all else equal.
//!
//! With the selection losses a_i at the first value and b_i at the second, over the pairs i of finished runs that are alike in
//! level, seed and every other axis: d_i = a_i - b_i, their mean and standard deviation, d_z = mean / standard deviation
//! (Lakens 2013), and p of the signed-rank test (Wilcoxon 1945), adjusted over all contrasts (Holm 1979). n pairs have 2^n
//! signs, of which two are the most extreme: no p is below 2 / 2^n.

use super::{Axis, Contrast, SweepRun};
use crate::level::Level;
use crate::statistics::{holm, signed_rank, summarize};
use std::collections::BTreeMap;

/// What makes two runs a pair: level, seed, and the values of the other axes. Its order is that of the pairs, so that the order
/// of the plan changes no sum.
type Alike<'a> = (Level, u64, Vec<&'a str>);

/// Every two values of every axis for which there are pairs.
pub(super) fn contrasts(axes: &[Axis], runs: &[SweepRun]) -> Vec<Contrast> {
    let mut contrasts = Vec::new();
    for (place, axis) in axes.iter().enumerate() {
        for (index, first) in axis.values.iter().enumerate() {
            for second in &axis.values[index + 1..] {
                contrasts.extend(contrast(axis, place, [first, second], runs));
            }
        }
    }
    // A contrast without a test is one of those that were looked at, and helps none of the others.
    let p: Vec<f64> = contrasts.iter().map(|contrast| contrast.p.unwrap_or(1.0)).collect();
    for (contrast, adjusted) in contrasts.iter_mut().zip(holm(&p)) {
        contrast.holm = contrast.p.map(|_| adjusted);
    }
    contrasts
}

fn contrast(axis: &Axis, place: usize, values: [&String; 2], runs: &[SweepRun]) -> Option<Contrast> {
    let [firsts, seconds] = values.map(|value| losses_at(place, value, runs));
    let pairs: Vec<(f64, f64)> =
        firsts.iter().filter_map(|(alike, first)| Some((*first, *seconds.get(alike)?))).collect();
    let differences: Vec<f64> = pairs.iter().map(|(first, second)| first - second).collect();
    let difference = summarize(&differences)?;
    // Differences of losses that are alike up to rounding have no spread to divide by.
    let largest = pairs.iter().map(|(first, second)| first.abs().max(second.abs())).fold(0.0, f64::max);
    let deviation = difference.standard_deviation.filter(|deviation| *deviation > 1e-12 * largest);
    Some(Contrast {
        path: axis.path.clone(),
        values: values.map(String::clone),
        pairs: pairs.len(),
        second_better: differences.iter().filter(|difference| **difference > 0.0).count(),
        effect_size: deviation.map(|deviation| difference.mean / deviation),
        p: signed_rank(&differences).map(|test| test.p),
        smallest_p: 0.5_f64.powi(pairs.len() as i32 - 1),
        holm: None,
        difference,
    })
}

/// The selection losses of the finished runs that have `value` on the axis in `place`.
fn losses_at<'a>(place: usize, value: &str, runs: &'a [SweepRun]) -> BTreeMap<Alike<'a>, f64> {
    let of_run = |run: &'a SweepRun| {
        let loss = run.result.as_ref()?.selection.loss;
        let others = run.settings.iter().enumerate().filter(|(index, _)| *index != place);
        let others: Vec<&str> = others.map(|(_, of)| of.value.as_str()).collect();
        (run.settings[place].value == value).then_some(((run.level, run.seed, others), loss))
    };
    runs.iter().filter_map(of_run).collect()
}

//! What a run measured, number by number, and what two of one are to each other.

use crate::paths::leaves;
use crate::record::texts::{Measure, System};
use crate::record::{RunRecord, Score};
use crate::report::finding;
use crate::report::measures::Mask;
use crate::statistics::{Comparison, Statistics};
use serde::Serialize;

/// What two values of a metric are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricVerdict {
    /// Equal at full precision.
    Same,
    /// Different, but by no more than rows or seeds explain.
    WithinNoise,
    /// Different beyond noise, or where no noise is known, or measured in one run only.
    Changed,
    /// Measured on different things.
    NotComparable,
}

impl MetricVerdict {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            MetricVerdict::Same => "same",
            MetricVerdict::WithinNoise => "within noise",
            MetricVerdict::Changed => "changed",
            MetricVerdict::NotComparable => "not comparable",
        }
    }
}

/// Whose loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Baseline,
    FineTuned,
}

/// Names of the four losses in the evaluation.
pub(super) const SIDES: [(Side, &str); 2] = [(Side::Baseline, "baseline"), (Side::FineTuned, "fine_tuned")];

/// Every metric that `record` has, by name.
pub(super) fn values(record: &RunRecord) -> Vec<(String, f64)> {
    let training = &record.training;
    let mut values = Vec::new();
    if let Some(best) = &training.best {
        values.push(("training.best.loss".into(), best.loss));
        values.push(("training.best.step".into(), best.step as f64));
    }
    if let Some(last) = training.steps.last() {
        values.push(("training.steps[-1].loss".into(), last.loss));
    }
    for eval in &training.evals {
        values.push((format!("training.evals[step {}].loss", eval.step), eval.loss));
        values
            .push((format!("training.evals[step {}].trainer_eval_loss", eval.step), eval.trainer_eval_loss));
    }
    for (side, name) in SIDES {
        for mask in Mask::ALL {
            if let Some(score) = score(record, side, mask) {
                let path = format!("evaluation.{name}.{}", mask.name());
                values.push((format!("{path}.loss"), score.loss));
                values.push((format!("{path}.perplexity"), score.perplexity));
            }
        }
    }
    values.extend(
        record
            .texts
            .iter()
            .flat_map(|texts| &texts.measures)
            .map(|measured| (text_measure(measured.measure, measured.system), measured.mean.estimate)),
    );
    if let Some(statistics) = &record.evaluation.statistics {
        let tree = serde_json::to_value(statistics).expect("statistics are plain numbers and names");
        let numbers = leaves(&tree).into_iter().filter_map(|(path, value)| Some((path, value.as_f64()?)));
        values.extend(numbers.map(|(path, value)| (format!("evaluation.statistics.{path}"), value)));
    }
    values
}

/// The name of the mean of `measure` over the texts of `system`.
pub(super) fn text_measure(measure: Measure, system: System) -> String {
    format!("texts.measures[{} of {}].mean.estimate", finding::name(measure), system.name())
}

/// The name of the loss of the step in place `index`.
pub(super) fn step_loss(index: usize) -> String {
    format!("training.steps[{index}].loss")
}

pub(super) fn score(record: &RunRecord, side: Side, mask: Mask) -> Option<&Score> {
    let scores = match side {
        Side::Baseline => record.evaluation.baseline.as_ref()?,
        Side::FineTuned => record.evaluation.fine_tuned.as_ref()?,
    };
    Some(mask.of(&scores.masked, &scores.full))
}

/// What statistics are of: their name in the record, the losses that they follow from, and they.
#[derive(Clone, Copy)]
pub(super) struct StatisticOf {
    pub(super) name: &'static str,
    pub(super) masks: &'static [Mask],
    pub(super) comparison: fn(&Statistics) -> Option<&Comparison>,
}

/// The statistics of a record.
pub(super) const STATISTICS: [StatisticOf; 3] = [
    StatisticOf { name: "masked", masks: &[Mask::Masked], comparison: |of| Some(&of.masked) },
    StatisticOf { name: "full", masks: &[Mask::Full], comparison: |of| Some(&of.full) },
    StatisticOf { name: "prompt", masks: &Mask::ALL, comparison: |of| of.prompt.as_ref() },
];

/// Four significant digits.
pub(super) fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    match rounded.abs() {
        magnitude if magnitude == 0.0 || (1e-4..1e9).contains(&magnitude) => format!("{rounded}"),
        _ => format!("{rounded:e}"),
    }
}

//! What templates see of a record: its fields under their own names, what follows from them, and the facts by which a
//! text chooses its sentences. All decisions and all arithmetic are made here or before.

mod derived;
mod facts;
mod commands;
mod tree;
mod names;
mod texts;
mod ratings;

use super::engine::View;
use super::measures;
use super::quantity::{self, Quantity};
use crate::error::{Error, Result};
use crate::record::RunRecord;
use crate::statistics::Interval;
pub(super) use facts::{Fact, has, is_compared, is_rated_by, is_tested};
use minijinja::Value;
#[cfg(test)]
pub(super) use names::MODEL_WORKS;
use serde::Serialize;
pub(super) use texts::{Digits, rows as measure_rows};

/// The part of the view that every document of a run shares.
pub(super) fn common(record: &RunRecord) -> Result<View> {
    Ok(View::from([
        ("record", whole(record)?),
        ("derived", derived::derived(record)),
        ("has", has(&facts::FACTS, record)),
        ("names", names::names(record)),
        ("step_rows", step_rows(record)),
        ("other_seeds", other_seeds(record)),
        ("text_systems", texts::systems(record)),
        ("text_measures", texts::measures(record)?),
        ("rated", ratings::rated(record)?),
    ]))
}

/// A record under its own names.
pub(super) fn whole(record: &impl Serialize) -> Result<Value> {
    let tree = serde_json::to_value(record).map_err(|error| Error::Report(format!("record: {error}")))?;
    Ok(quantity::view("", &tree))
}

/// A cell of a table: `mean` with its interval, by its path in the record, where there is one.
pub(super) fn cell(found: Option<(String, Interval)>) -> Result<Value> {
    let Some((path, interval)) = found else { return Ok(Value::from_pairs(Vec::<(&str, Value)>::new())) };
    let tree = serde_json::to_value(interval).map_err(|error| Error::Report(format!("record: {error}")))?;
    Ok(Value::from_pairs([("mean", quantity::view(&path, &tree))]))
}

/// The training seeds of the replicates besides this run's own.
fn other_seeds(record: &RunRecord) -> Value {
    let runs = record.replicates.iter().flat_map(|replicates| replicates.runs.iter().enumerate());
    runs.filter(|(_, run)| run.seed != record.recipe.train.seed)
        .map(|(index, run)| Value::from(Quantity::new(format!("replicates.runs[{index}].seed"), run.seed)))
        .collect()
}

/// The steps that a table shows: the first, every tenth, those with an evaluation, and the last.
fn step_rows(record: &RunRecord) -> Value {
    let training = &record.training;
    let last = training.steps.len().saturating_sub(1);
    // About ten rows and the evaluations, whatever the length of the run.
    let stride =
        training.steps.len().div_ceil(10).next_multiple_of(if training.steps.len() > 50 { 10 } else { 5 });
    let eval_of = |step: usize| training.evals.iter().position(|eval| eval.step == step);
    let best = training.best.as_ref().map(|best| best.step);
    training
        .steps
        .iter()
        .enumerate()
        .filter(|(index, step)| {
            *index == 0 || *index == last || step.step % stride == 0 || eval_of(step.step).is_some()
        })
        .map(|(index, step)| {
            let number = |field: &str, value: f64| {
                Value::from(Quantity::new(format!("training.steps[{index}].{field}"), value))
            };
            let eval = eval_of(step.step);
            let mut row = View::from([
                ("step", Value::from(Quantity::new(format!("training.steps[{index}].step"), step.step))),
                ("epoch", number("epoch", step.epoch)),
                ("loss", number("loss", step.loss)),
                ("learning_rate", number("learning_rate", step.learning_rate)),
                ("grad_norm", number("grad_norm", step.grad_norm)),
                ("has_eval", Value::from(eval.is_some())),
                ("is_best", Value::from(best == Some(step.step))),
            ]);
            if let Some(quantity) = eval.and_then(|eval| measures::eval_loss(record, eval)) {
                row.insert("eval_loss", Value::from(quantity));
            }
            Value::from_pairs(row)
        })
        .collect()
}

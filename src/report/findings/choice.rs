//! Findings on what was chosen by the evaluations of the training: which checkpoint, and where to end.

use super::{Finding, Kind};
use crate::record::{RunRecord, Status};
use crate::report::finding::Claim;
use crate::report::quantity::Quantity;

/// Evaluations from which on a course shows where its loss turned: the lowest, with two on either side of it, since one
/// that is higher than its neighbour may be chance and two in a row are a direction.
const ENOUGH_EVALUATIONS: usize = 5;

pub(super) fn findings(record: &RunRecord) -> Vec<Finding> {
    chosen_rows(record).into_iter().chain(few(record)).chain(early_stop(record)).collect()
}

fn count(record: &RunRecord) -> Quantity {
    Quantity::new("len(training.evals)", record.training.evals.len())
}

/// On which rows something was chosen. Of one evaluation nothing can be, and what was not evaluated reports nothing.
fn chosen_rows(record: &RunRecord) -> Option<Finding> {
    let training = &record.training;
    let is_best_taken = record.recipe.train.load_best_at_end && training.evals.len() > 1;
    let is_chosen = is_best_taken || training.early_stop.is_some();
    if !is_chosen || record.evaluation.fine_tuned.is_none() {
        return None;
    }
    let eval_rows = Quantity::new("dataset.eval_rows", record.dataset.eval_rows);
    Some(match &record.dataset.validation {
        None => Kind::ChosenOnReportedRows.with([("count", count(record)), ("eval_rows", eval_rows)]),
        Some(part) => Kind::ChosenOnOtherRows.with([
            ("count", count(record)),
            ("validation_rows", Quantity::new("dataset.validation.rows", part.rows)),
            ("eval_rows", eval_rows),
        ]),
    })
}

/// Fewer than two are `TooFewEvaluations`: they say nothing at all.
fn few(record: &RunRecord) -> Option<Finding> {
    let made = record.training.evals.len();
    let every = Quantity::new("recipe.train.eval_steps", record.recipe.train.eval_steps);
    (2..ENOUGH_EVALUATIONS)
        .contains(&made)
        .then(|| Kind::FewEvaluations.with([("count", count(record)), ("every", every)]))
}

fn early_stop(record: &RunRecord) -> Option<Finding> {
    let patience = record.recipe.train.early_stopping_patience;
    let training = &record.training;
    let planned = ("planned", Quantity::new("training.total_steps", training.total_steps));
    match (&training.early_stop, &training.best) {
        (Some(stop), Some(best)) => Some(Kind::EarlyStopped.with([
            ("step", Quantity::new("training.early_stop.step", stop.step)),
            ("evaluations", Quantity::new("training.early_stop.evaluations", stop.evaluations)),
            ("best_step", Quantity::new("training.best.step", best.step)),
            planned,
        ])),
        _ if patience > 0 && record.status == Status::Completed => {
            let patience = Quantity::new("recipe.train.early_stopping_patience", patience);
            Some(Kind::EarlyStopUnused.with([("patience", patience), planned]))
        }
        _ => None,
    }
}

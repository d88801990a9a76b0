//! Findings on the course of the training.

use super::{Finding, Kind};
use crate::record::RunRecord;
use crate::report::finding::Claim;
use crate::report::measures;
use crate::report::quantity::Quantity;

/// A difference of two ways of averaging that would show in the fourth decimal.
const VISIBLE: f64 = 5e-5;

/// The share of the evaluation loss by which it must lie above the late training loss to be called higher: less
/// is the noise of ten windows.
const NOTICEABLE_GAP: f64 = 0.02;

pub(super) fn findings(record: &RunRecord) -> Vec<Finding> {
    if record.training.steps.is_empty() {
        return Vec::new();
    }
    let mut findings = learning_rate(record);
    findings.extend(losses(record));
    findings.extend(gradients(record));
    findings.extend(evaluations(record));
    findings
}

/// Step s uses the factor of s - 1: with warmup W and T steps the peak is used from step W + 1 on, and the
/// cosine first bends the rate at step W + 2.
fn learning_rate(record: &RunRecord) -> Vec<Finding> {
    let warmup = record.recipe.train.warmup_steps;
    // What was planned and not made raised no rate.
    let total = match record.training.early_stop {
        Some(stop) => Quantity::new("training.early_stop.step", stop.step),
        None => Quantity::new("training.total_steps", record.training.total_steps),
    };
    let steps = total.real();
    let (Some(highest), Some(first)) = (
        measures::highest_learning_rate(record),
        measures::of_step(record, 0, "learning_rate", |step| step.learning_rate),
    ) else {
        return Vec::new();
    };
    let evidence = [
        ("warmup", Quantity::new("recipe.train.warmup_steps", warmup)),
        ("total", total),
        ("peak", Quantity::new("recipe.train.learning_rate", record.recipe.train.learning_rate)),
        ("highest", highest),
    ];
    let mut findings = Vec::new();
    if warmup as f64 >= steps {
        findings.push(Kind::PeakNeverReached.with(evidence.clone()));
    }
    if (warmup + 1) as f64 >= steps {
        findings.push(Kind::CosineNeverBegan.with(evidence));
    }
    if first.real() == 0.0 {
        findings
            .push(Kind::FirstStepWithoutRate.with([("rate", first), ("made", measures::steps_made(record))]));
    }
    findings
}

fn losses(record: &RunRecord) -> Vec<Finding> {
    let steps = &record.training.steps;
    let mut findings = Vec::new();
    let (Some(first), Some(last), Some(change)) = (
        measures::first_train_loss(record),
        measures::last_train_loss(record),
        measures::train_loss_change(record),
    ) else {
        return findings;
    };
    if steps.len() > 1 {
        let kind = if last.real() < first.real() { Kind::TrainLossFell } else { Kind::TrainLossRose };
        findings.push(kind.with([("first", first), ("last", last), ("change", change)]));
    }
    let tokens = |index: usize| {
        Quantity::new(format!("training.steps[{index}].supervised_tokens"), steps[index].supervised_tokens)
    };
    let (first, last) = (tokens(0), tokens(steps.len() - 1));
    if last.real() < 0.5 * first.real() {
        findings.push(Kind::LastWindowShort.with([("first", first), ("last", last)]));
    }
    findings
}

fn gradients(record: &RunRecord) -> Vec<Finding> {
    let clipped = measures::clipped_steps(record);
    let kind = if clipped.real() > 0.0 { Kind::GradientsClipped } else { Kind::GradientsNeverClipped };
    vec![kind.with([
        ("clipped", clipped),
        ("made", measures::steps_made(record)),
        ("limit", Quantity::new("recipe.train.max_grad_norm", record.recipe.train.max_grad_norm)),
    ])]
}

fn evaluations(record: &RunRecord) -> Vec<Finding> {
    let mut findings = Vec::new();
    let count = Quantity::new("len(training.evals)", record.training.evals.len());
    if record.training.evals.len() < 2 {
        findings.push(Kind::TooFewEvaluations.with([("count", count)]));
    }
    let Some((index, last)) = measures::last_eval(record) else { return findings };
    let (Some(first_loss), Some(first_step), Some(last_loss), Some(last_step)) = (
        measures::eval_loss(record, 0),
        measures::eval_step(record, 0),
        measures::eval_loss(record, index),
        measures::eval_step(record, index),
    ) else {
        return findings;
    };
    if index > 0 {
        let kind = if last_loss.real() < first_loss.real() { Kind::EvalLossFell } else { Kind::EvalLossRose };
        findings.push(kind.with([
            ("first", first_loss),
            ("first_step", first_step),
            ("last", last_loss.clone()),
            ("last_step", last_step.clone()),
        ]));
        findings.extend(turn(record, &last_loss, &last_step));
    }
    if let Some(late) = measures::late_train_loss(record) {
        let gap = last_loss.real() - late.real();
        let has_fitted = measures::first_train_loss(record).is_some_and(|first| late.real() < first.real());
        let kind = match (gap > NOTICEABLE_GAP * last_loss.real(), has_fitted) {
            (true, true) => Kind::GapAbove,
            (true, false) => Kind::GapWithoutFit,
            (false, _) => Kind::GapNotAbove,
        };
        let gap = Quantity::new(format!("abs({} - {})", last_loss.path, late.path), gap.abs());
        findings.push(kind.with([
            ("late", late),
            ("steps", measures::late_steps(record)),
            ("last", last_loss.clone()),
            ("gap", gap),
        ]));
    }
    if (last.loss - last.trainer_eval_loss).abs() >= VISIBLE {
        let trainer =
            Quantity::new(format!("training.evals[{index}].trainer_eval_loss"), last.trainer_eval_loss);
        let batch = Quantity::new("recipe.train.eval_batch_size", record.recipe.train.eval_batch_size);
        findings.push(Kind::TrainerLossDiffers.with([
            ("ours", last_loss),
            ("trainer", trainer),
            ("batch", batch),
        ]));
    }
    findings
}

/// Whether the evaluation loss was lowest at the end, or turned before it.
fn turn(record: &RunRecord, last_loss: &Quantity, last_step: &Quantity) -> Option<Finding> {
    let best = record.training.best.as_ref()?;
    // A loss that never fell below its first value did not turn: that finding is `EvalLossRose`.
    if best.step == record.training.evals.first()?.step {
        return None;
    }
    let evidence = [
        ("best", Quantity::new("training.best.loss", best.loss)),
        ("best_step", Quantity::new("training.best.step", best.step)),
        ("last", last_loss.clone()),
        ("last_step", last_step.clone()),
        ("count", Quantity::new("len(training.evals)", record.training.evals.len())),
    ];
    // Where the last equals the best before it, neither holds.
    match best.loss < last_loss.real() {
        true => Some(Kind::EvalLossTurned.with(evidence)),
        false => (best.step as f64 == last_step.real()).then(|| Kind::BestIsLast.with(evidence)),
    }
}

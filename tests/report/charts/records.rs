//! Records made in process: one as a real run leaves it, and those that break careless charts.

use crate::fixtures::measured::{Numbers, rescore, scores};
use tezgah::level::Level;
use tezgah::record::*;
use tezgah::report::charts::levels::{CrossLosses, LevelLosses};
use tezgah::statistics::Interval;

/// 87 steps, evaluations at 50 and 87, 200 rows, warmup longer than the run: the seed's shape.
pub(crate) fn realistic() -> RunRecord {
    let mut numbers = Numbers(7);
    let mut record = empty();
    record.training.steps = (1..=87)
        .map(|step| {
            let progress = step as f64 / 87.0;
            let loss = 1.15 + 1.35 * (-3.5 * progress).exp() + 0.05 * numbers.normal();
            let grad_norm = 0.55 + 1.9 * (-6.0 * progress).exp() + 0.08 * numbers.normal().abs();
            step_of(step, loss, 2e-4 * step as f64 / 100.0, grad_norm)
        })
        .collect();
    record.training.evals = vec![eval_of(50, 1.4312), eval_of(87, 1.3127)];
    record.training.best = Some(Best { step: 87, loss: 1.3127 });
    record.evaluation.rows = rows(&mut numbers, 200, 2.35, 1.31, 0.25);
    scored(&mut record);
    record
}

/// Steps, evaluations and rows as given; everything else of the realistic record's shape.
pub(crate) fn short(steps: usize, n_rows: usize) -> RunRecord {
    let mut numbers = Numbers(3);
    let mut record = empty();
    record.training.total_steps = steps;
    record.training.steps =
        (1..=steps).map(|step| step_of(step, 2.5 - 0.1 * step as f64, 2e-4, 0.9)).collect();
    record.training.evals = vec![eval_of(steps, 2.31)];
    record.training.best = Some(Best { step: steps, loss: 2.31 });
    record.evaluation.rows = rows(&mut numbers, n_rows, 2.35, 2.30, 0.1);
    scored(&mut record);
    record
}

/// Stopped by an infinite loss in step 31: no fine-tuned scores.
pub(crate) fn diverged() -> RunRecord {
    let mut record = realistic();
    record.status = Status::Failed;
    record.failure = Some(Failure { step: 31, message: "loss is inf, expected a finite number".into() });
    record.training.steps.truncate(30);
    for (index, step) in record.training.steps.iter_mut().enumerate().skip(20) {
        step.loss = 2.0 + 0.02 * 2.4_f64.powi(index as i32 - 20);
        step.grad_norm = 1.0 + 3.0_f64.powi(index as i32 - 20);
    }
    record.training.evals.clear();
    record.training.best = None;
    record.evaluation.fine_tuned = None;
    record.evaluation.statistics = None;
    record.evaluation.rows.iter_mut().for_each(|row| row.fine_tuned = None);
    record
}

/// The evaluation loss turns at step 40 and ends above the base model; warmup ends in time, long rows are cut.
pub(crate) fn overfitted() -> RunRecord {
    let mut numbers = Numbers(11);
    let mut record = empty();
    record.recipe.train.warmup_steps = 10;
    record.recipe.data.max_seq_len = 120;
    record.training.total_steps = 400;
    record.training.steps = (1..=400)
        .map(|step| {
            let progress = step as f64 / 400.0;
            let loss = 0.2 + 2.2 * (-5.0 * progress).exp() + 0.06 * numbers.normal();
            let rate = if step <= 10 {
                2e-4 * step as f64 / 10.0
            } else {
                1e-4 * (1.0 + (std::f64::consts::PI * (step - 10) as f64 / 390.0).cos())
            };
            step_of(step, loss.max(0.01), rate, 1.4 + 0.5 * numbers.normal().abs())
        })
        .collect();
    record.training.evals = (1..=20)
        .map(|index| eval_of(index * 20, 1.9 + 0.9 * (index as f64 / 20.0 - 0.1).powi(2) * 2.0 - 0.02))
        .collect();
    record.training.best = Some(Best { step: 40, loss: 1.88 });
    record.evaluation.rows = rows(&mut numbers, 200, 2.35, 2.55, 0.3);
    scored(&mut record);
    record
}

/// Losses, norms and counts far outside of what a panel was made for.
pub(crate) fn huge() -> RunRecord {
    let mut record = realistic();
    record.training.total_steps = 12_500;
    record.training.steps =
        (1..=12_500).map(|step| step_of(step, 1e6 / step as f64, 3e-7, 1e300 / step as f64)).collect();
    record.training.evals = vec![eval_of(6_000, 7.5e5), eval_of(12_500, 1.0e5)];
    record.training.best = Some(Best { step: 12_500, loss: 1.0e5 });
    for row in &mut record.evaluation.rows {
        row.baseline = RowNll { masked: row.baseline.masked * 1e6, full: row.baseline.full * 1e6 };
        row.fine_tuned = row.fine_tuned.map(|nll| RowNll { masked: nll.masked * 1e6, full: nll.full * 1e6 });
    }
    scored(&mut record);
    record.dataset.words.histogram = Histogram { first: 0, width: 100, counts: vec![1_250_000, 3, 0, 0, 1] };
    record.dataset.words.max = 450;
    record
}

/// Everything 0, and the two models the same.
pub(crate) fn zero() -> RunRecord {
    let mut record = short(3, 5);
    for step in &mut record.training.steps {
        (step.loss, step.learning_rate, step.grad_norm) = (0.0, 0.0, 0.0);
    }
    record.training.evals = vec![eval_of(3, 0.0)];
    record.training.best = Some(Best { step: 3, loss: 0.0 });
    for row in &mut record.evaluation.rows {
        row.baseline = RowNll { masked: 0.0, full: 0.0 };
        row.fine_tuned = Some(row.baseline);
    }
    scored(&mut record);
    record
}

/// Numbers that a record should not hold; a damaged one may.
pub(crate) fn damaged() -> RunRecord {
    let mut record = realistic();
    record.training.steps[3].loss = f64::NAN;
    record.training.steps[4].grad_norm = f64::INFINITY;
    record.training.steps[5].learning_rate = f64::NEG_INFINITY;
    record.training.best = Some(Best { step: 87, loss: f64::NAN });
    record.evaluation.rows[0].baseline.masked = f64::NAN;
    record.evaluation.rows[1].masked_tokens = 0;
    record.evaluation.statistics = None;
    record.dataset.tokens.histogram.width = 0;
    record.dataset.words.histogram.counts.clear();
    record
}

/// Before the first step.
pub(crate) fn unstarted() -> RunRecord {
    let mut record = empty();
    record.status = Status::Running;
    record.dataset.tokens.histogram.counts.clear();
    record.dataset.words.histogram.counts.clear();
    record
}

pub(crate) fn all() -> Vec<(&'static str, RunRecord)> {
    vec![
        ("realistic", realistic()),
        ("one_step", short(1, 3)),
        ("three_rows", short(6, 3)),
        ("diverged", diverged()),
        ("overfitted", overfitted()),
        ("huge", huge()),
        ("zero", zero()),
        ("damaged", damaged()),
        ("unstarted", unstarted()),
    ]
}

fn step_of(step: usize, loss: f64, learning_rate: f64, grad_norm: f64) -> Step {
    Step {
        step,
        epoch: step as f64 / 87.0,
        loss,
        learning_rate,
        grad_norm,
        tokens: 1600,
        supervised_tokens: 700,
        seconds: 10.0,
    }
}

fn eval_of(step: usize, loss: f64) -> Eval {
    Eval { step, epoch: step as f64 / 87.0, loss, trainer_eval_loss: loss * 1.01 }
}

fn rows(numbers: &mut Numbers, count: usize, before: f64, after: f64, spread: f64) -> Vec<RowScores> {
    (0..count)
        .map(|_| {
            let masked_tokens = 20 + (numbers.next() * 60.0) as usize;
            let full_tokens = masked_tokens + 60;
            let hard = spread * numbers.normal();
            let baseline = before + hard + 0.6 * spread * numbers.normal();
            let fine_tuned = after + 0.8 * hard + 0.8 * spread * numbers.normal();
            let nll = |loss: f64| RowNll {
                masked: loss * masked_tokens as f64,
                full: (loss * 0.8 + 0.5) * full_tokens as f64,
            };
            RowScores {
                masked_tokens,
                full_tokens,
                masked_bytes: masked_tokens * 4,
                full_bytes: full_tokens * 4,
                baseline: nll(baseline),
                fine_tuned: Some(nll(fine_tuned)),
            }
        })
        .collect()
}

/// Sums and statistics as the evaluation room computes them from the rows.
fn scored(record: &mut RunRecord) {
    record.evaluation.baseline = Some(scores(&record.evaluation.rows, |row| row.baseline));
    rescore(&mut record.evaluation, 1);
}

fn empty() -> RunRecord {
    serde_json::from_str(include_str!("record.json")).expect("the fixture is a record")
}

/// Five levels; the last one got worse.
pub(crate) fn levels() -> Vec<LevelLosses> {
    let interval = |estimate: f64| Interval { estimate, low: estimate - 0.07, high: estimate + 0.06 };
    let pairs = [(2.36, 1.35), (2.41, 1.44), (2.52, 1.71), (2.6, 2.21), (2.66, 2.7)];
    let levels = Level::ALL.into_iter().zip(pairs);
    levels
        .map(|(level, (before, after))| LevelLosses {
            level,
            baseline: interval(before),
            fine_tuned: interval(after),
        })
        .collect()
}

/// Each adapter best at home, one cell not measured.
pub(crate) fn matrix() -> CrossLosses {
    let loss = |row: usize, column: usize| 1.3 + 0.1 * column as f64 + 0.21 * row.abs_diff(column) as f64;
    let mut losses: Vec<Vec<Option<f64>>> =
        (0..5).map(|row| (0..5).map(|column| Some(loss(row, column))).collect()).collect();
    losses[3][0] = None;
    let baseline = Some([2.36, 2.41, 2.52, 2.6, 2.66].map(Some).to_vec());
    CrossLosses { levels: Level::ALL.to_vec(), losses, baseline }
}

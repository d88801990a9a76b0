//! Where a training ends early: the counting against transformers' callback, and the loop that follows it.

use crate::reference::Reference;
use candle_core::DType;
use serde::Deserialize;
use tezgah::model::network::llama::Activations;
use tezgah::recipe::Quantization;
use tezgah::record::{Best, EarlyStop, Eval};
use tezgah::train::course::Course;

#[derive(Deserialize)]
struct Case {
    patience: usize,
    losses: Vec<f64>,
    /// Evaluations after which the callback stops; none where it never does.
    stops_after: Option<usize>,
}

/// The course after these evaluations, the best kept as the loop keeps it.
fn course(losses: &[f64]) -> Course {
    let mut course = Course::default();
    for (index, &loss) in losses.iter().enumerate() {
        let step = 5 * (index + 1);
        if course.best.as_ref().is_none_or(|best| loss < best.loss) {
            course.best = Some(Best { step, loss });
        }
        course.evals.push(Eval { step, epoch: 0.0, loss, trainer_eval_loss: loss });
    }
    course
}

/// Against the callback itself, `tests/reference/early_stopping.py`.
#[test]
fn evaluations_without_improvement_are_counted_as_transformers_counts_them() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../reference/early_stopping.json")).expect("the reference");
    let (mut stopped, mut unstopped) = (0, 0);
    for Case { patience, losses, stops_after } in cases {
        let ours = (1..=losses.len()).find(|&made| course(&losses[..made]).stop_due(patience).is_some());
        assert_eq!(ours, stops_after, "patience {patience}: {losses:?}");
        if stops_after.is_some() {
            stopped += 1
        } else {
            unstopped += 1
        }
        assert_eq!(course(&losses).stop_due(0), None);
    }
    assert!(stopped > 100 && unstopped > 20, "{stopped} and {unstopped} cases are no test");
    assert_eq!(Course::default().stop_due(1), None);
}

/// A rate that throws the weights about: the loss rises, the training ends, and its best is what is left in the model.
#[test]
fn the_loop_ends_where_it_is_due_and_keeps_the_best() {
    let mut reference = Reference::tiny();
    let train = &mut reference.recipe.train;
    (train.eval_steps, train.learning_rate, train.epochs, train.load_best_at_end) = (1, 0.05, 8.0, true);
    let mut model = reference.model(Quantization::None, DType::F32);
    let whole = reference.train(&mut model, Activations::Keep);
    assert_eq!(whole.early_stop, None);
    let losses: Vec<f64> = whole.evals.iter().map(|eval| eval.loss).collect();
    for patience in [1, 2] {
        let due = (1..losses.len()).find(|&made| course(&losses[..made]).stop_due(patience).is_some());
        let due = due.expect("a loss that rises before the last step");
        reference.recipe.train.early_stopping_patience = patience;
        let mut model = reference.model(Quantization::None, DType::F32);
        let stopped = reference.train(&mut model, Activations::Keep);
        assert_eq!(stopped.early_stop, Some(EarlyStop { step: due, evaluations: patience }));
        assert_eq!((stopped.steps.len(), &stopped.evals[..]), (due, &whole.evals[..due]));
        let best = stopped.best.expect("a best");
        let lowest = losses[..due].iter().copied().fold(f64::INFINITY, f64::min);
        assert_eq!(best.loss, lowest);
    }
    // Where patience ends with the plan, nothing was cut short: a rate too small to move a weight, evaluated half way and at
    // the end.
    let train = &mut reference.recipe.train;
    (train.eval_steps, train.learning_rate, train.early_stopping_patience) = (losses.len() / 2, 1e-30, 1);
    let mut model = reference.model(Quantization::None, DType::F32);
    let course = reference.train(&mut model, Activations::Keep);
    assert_eq!(course.stop_due(1), Some(EarlyStop { step: losses.len(), evaluations: 1 }));
    assert_eq!((course.evals.len(), course.early_stop), (2, None));
}

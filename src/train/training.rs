//! The training loop: windows of micro-batches, an update each, evaluations, checkpoints, the best at the end.

use crate::data::batches::{Batch, Targets};
use crate::data::encode::EncodedRow;
use crate::error::{Error, Result};
use crate::evaluate::nll;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::{Activations, Llama};
use crate::model::ops::dropout::DropoutStream;
use crate::recipe::Recipe;
use crate::record::{Best, Eval, Step};
use crate::train::checkpoint::Checkpoints;
use crate::train::course::Course;
use crate::train::optimizer::AdamW;
use crate::train::schedule::{Plan, epoch_order, learning_rate};
use std::time::Instant;

/// What happened; the caller records and shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// A step was taken.
    Step(&'a Step),
    /// An evaluation is at so many of its rows.
    Evaluating(usize),
    /// An evaluation is done; whether it is the best so far.
    Eval(&'a Eval, bool),
    /// A checkpoint was written after this step.
    Checkpoint(usize),
}

/// The rows of a run.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// Trained on.
    pub train: &'a [EncodedRow],
    /// Held out.
    pub evaluation: &'a [EncodedRow],
}

/// What a training changes besides the model, and what a checkpoint restores.
pub struct State {
    /// Moments of the trained tensors.
    pub optimizer: AdamW,
    /// Where checkpoints are written.
    pub checkpoints: Checkpoints,
    /// Empty, or what a checkpoint said.
    pub course: Course,
}

/// A training: from the attached updates to the best of them in the model. What was measured is in the state's course,
/// also where an error ended it.
pub type Loop = fn(&mut Llama, Rows, &Recipe, Activations, &mut State, &mut dyn FnMut(Event)) -> Result<()>;

/// Trains the attached updates and leaves the best in the model.
///
/// # Errors
/// `Error::Diverged` where a loss or a gradient norm is no finite number; whatever was recorded until then
/// stays in the course.
pub fn run(
    model: &mut Llama,
    rows: Rows,
    recipe: &Recipe,
    activations: Activations,
    state: &mut State,
    observe: &mut dyn FnMut(Event),
) -> Result<()> {
    let train = &recipe.train;
    let State { optimizer, checkpoints, course } = state;
    let plan = Plan::new(rows.train.len(), train);
    let (began, earlier) = (Instant::now(), course.seconds);
    for step in course.steps.len() + 1..=plan.total_steps {
        let start = Instant::now();
        let window = Window::new(rows.train, recipe, plan, step);
        let supervised: usize = window.batches.iter().map(|batch| batch.targets.len()).sum();
        let mut nll_sum = 0f64;
        for (index, batch) in window.batches.iter().enumerate() {
            let dropout = DropoutStream {
                rate: recipe.lora.dropout,
                seed: train.seed,
                micro_batch: (window.first_micro_batch + index) as u64,
            };
            let scale = 1.0 / supervised.max(1) as f64;
            nll_sum += model.accumulate_gradients(batch, activations, scale, dropout)?;
        }
        let loss = nll_sum / supervised.max(1) as f64;
        if !loss.is_finite() {
            return Err(Error::Diverged { step, message: "the loss is no finite number".into() });
        }
        let rate = learning_rate(train, plan.total_steps, step);
        let grad_norm = optimizer.step(model, rate)?;
        if !grad_norm.is_finite() {
            return Err(Error::Diverged { step, message: "the gradient norm is no finite number".into() });
        }
        course.steps.push(Step {
            step,
            epoch: window.epoch,
            loss,
            learning_rate: rate,
            grad_norm,
            tokens: window.batches.iter().map(Batch::tokens).sum(),
            supervised_tokens: supervised,
            seconds: start.elapsed().as_secs_f64(),
        });
        course.seconds = earlier + began.elapsed().as_secs_f64();
        observe(Event::Step(&course.steps[course.steps.len() - 1]));

        let last = step == plan.total_steps;
        let mut is_best = false;
        if step % train.eval_steps == 0 || last {
            is_best = evaluate(model, rows, recipe, window.epoch, step, course, observe)?;
        }
        course.seconds = earlier + began.elapsed().as_secs_f64();
        // A best evaluation between two saves gets a checkpoint too, or it could not be loaded at the end.
        if step % train.save_steps == 0 || last || (is_best && train.load_best_at_end) {
            checkpoints.save(model, optimizer, &recipe.lora, course)?;
            observe(Event::Checkpoint(step));
        }
    }
    course.seconds = earlier + began.elapsed().as_secs_f64();
    if let (true, Some(best)) = (train.load_best_at_end, &course.best)
        && best.step != course.steps.len()
    {
        checkpoints.load_adapter(model, best.step)?;
    }
    Ok(())
}

fn evaluate(
    model: &Llama,
    rows: Rows,
    recipe: &Recipe,
    epoch: f64,
    step: usize,
    course: &mut Course,
    observe: &mut dyn FnMut(Event),
) -> Result<bool> {
    let batch_size = recipe.train.eval_batch_size;
    let progress = |done| observe(Event::Evaluating(done));
    let sums = nll::rows(model, rows.evaluation, batch_size, Targets::Response, LoraUse::Applied, progress)?;
    let nll::EvalLoss { loss, trainer_eval_loss } = nll::eval_loss(&sums, batch_size);
    if !loss.is_finite() {
        return Err(Error::Diverged { step, message: "the evaluation loss is no finite number".into() });
    }
    // Strictly lower: of two equal evaluations the earlier stays the best.
    let is_best = course.best.as_ref().is_none_or(|best| loss < best.loss);
    if is_best {
        course.best = Some(Best { step, loss });
    }
    course.evals.push(Eval { step, epoch, loss, trainer_eval_loss });
    observe(Event::Eval(&course.evals[course.evals.len() - 1], is_best));
    Ok(is_best)
}

/// The micro-batches of one optimizer step.
struct Window {
    batches: Vec<Batch>,
    /// Micro-batches of the run before this window: names the dropout masks.
    first_micro_batch: usize,
    /// Epochs done after it.
    epoch: f64,
}

impl Window {
    /// Everything follows from the step's number, so that a resumed run meets the same rows.
    fn new(rows: &[EncodedRow], recipe: &Recipe, plan: Plan, step: usize) -> Self {
        let train = &recipe.train;
        let (epoch, in_epoch) = ((step - 1) / plan.steps_per_epoch, (step - 1) % plan.steps_per_epoch);
        let order = epoch_order(rows.len(), train, epoch);
        let first = in_epoch * train.accumulation_steps;
        let batches: Vec<Batch> = order
            .chunks(train.batch_size)
            .skip(first)
            .take(train.accumulation_steps)
            .map(|chunk| {
                Batch::new(&chunk.iter().map(|&row| &rows[row]).collect::<Vec<_>>(), Targets::Response)
            })
            .collect();
        let done = first + batches.len();
        Window {
            first_micro_batch: epoch * plan.micro_batches_per_epoch + first,
            epoch: epoch as f64 + done as f64 / plan.micro_batches_per_epoch as f64,
            batches,
        }
    }
}

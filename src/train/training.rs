//! The training loop: windows of micro-batches, an update each, evaluations, checkpoints, the best at the end.

use crate::data::batches::{Batch, Targets};
use crate::data::encode::EncodedRow;
use crate::error::{Error, Result};
use crate::evaluate::nll;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::{Activations, Llama};
use crate::model::ops::cross_entropy::Losses;
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
    /// A micro-batch has given its gradients.
    MicroBatch,
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
pub type Train =
    fn(&mut Llama, Rows, &Recipe, Activations, &mut State, &mut dyn FnMut(Event) -> Result<()>) -> Result<()>;

/// A training with the name under which its results are kept: another name, and they are another training's. One who
/// changes a loop changes its name.
#[derive(Debug, Clone, Copy)]
pub struct Loop {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub train: Train,
}

/// The loop of this crate: [`run`].
pub const LOOP: Loop = Loop { name: "training::run", train: run };

/// Trains the attached updates to the last planned step, or to where `train.early_stopping_patience` ends it, and leaves the
/// best in the model. An error that `observe` returns ends the training; what
/// was taken until then is in the course and, where the error is an interruption, in a checkpoint.
///
/// # Errors
/// `Error::Diverged` where a loss or a gradient norm is no finite number; `Error::Interrupted` and others of `observe`;
/// `Error::File` where a checkpoint cannot be written.
pub fn run(
    model: &mut Llama,
    rows: Rows,
    recipe: &Recipe,
    activations: Activations,
    state: &mut State,
    observe: &mut dyn FnMut(Event) -> Result<()>,
) -> Result<()> {
    let plan = Plan::new(rows.train.len(), &recipe.train);
    let mut training = Training { rows, recipe, activations, plan, model, state, observe };
    let (began, earlier) = (Instant::now(), training.state.course.seconds);
    let mut outcome = Ok(());
    // The last step of a resumed course may have been cut off before its evaluation: it is settled first.
    for step in training.state.course.steps.len().max(1)..=plan.total_steps {
        outcome = training.take(step).and_then(|()| {
            training.state.course.seconds = earlier + began.elapsed().as_secs_f64();
            training.settle(step)
        });
        training.state.course.seconds = earlier + began.elapsed().as_secs_f64();
        if outcome.is_err() || training.state.course.early_stop.is_some() {
            break;
        }
    }
    match outcome {
        Ok(()) => training.load_best(),
        Err(error @ Error::Interrupted { .. }) => training.keep_interrupted().and(Err(error)),
        Err(error) => Err(error),
    }
}

/// A training on its way.
struct Training<'a> {
    rows: Rows<'a>,
    recipe: &'a Recipe,
    activations: Activations,
    plan: Plan,
    model: &'a mut Llama,
    state: &'a mut State,
    observe: &'a mut dyn FnMut(Event) -> Result<()>,
}

impl Training<'_> {
    /// One optimizer step: its window's gradients, and the update. Nothing where the course has it already.
    fn take(&mut self, step: usize) -> Result<()> {
        if step <= self.state.course.steps.len() {
            return Ok(());
        }
        let start = Instant::now();
        let (recipe, train) = (self.recipe, &self.recipe.train);
        let window = Window::new(self.rows.train, recipe, self.plan, step);
        let supervised: usize = window.batches.iter().map(|batch| batch.targets.len()).sum();
        let mut losses = Losses::default();
        for (index, batch) in window.batches.iter().enumerate() {
            let dropout = DropoutStream {
                rate: recipe.lora.dropout,
                seed: train.seed,
                micro_batch: (window.first_micro_batch + index) as u64,
            };
            let scale = 1.0 / supervised.max(1) as f64;
            losses.add(self.model.accumulate_gradients(batch, self.activations, scale, dropout)?);
            (self.observe)(Event::MicroBatch)?;
        }
        // A device is waited for here, once a window.
        let loss = losses.sum()? / supervised.max(1) as f64;
        if !loss.is_finite() {
            return Err(Error::Diverged { step, message: "the loss is no finite number".into() });
        }
        let rate = learning_rate(train, self.plan.total_steps, step);
        let grad_norm = self.state.optimizer.step(self.model, rate)?;
        if !grad_norm.is_finite() {
            return Err(Error::Diverged { step, message: "the gradient norm is no finite number".into() });
        }
        let taken = Step {
            step,
            epoch: window.epoch,
            loss,
            learning_rate: rate,
            grad_norm,
            tokens: window.batches.iter().map(Batch::tokens).sum(),
            supervised_tokens: supervised,
            seconds: start.elapsed().as_secs_f64(),
        };
        self.state.course.steps.push(taken.clone());
        (self.observe)(Event::Step(&taken))
    }

    /// The evaluation and the checkpoint that are due after a step, where the course does not have them already.
    fn settle(&mut self, step: usize) -> Result<()> {
        let (train, last) = (&self.recipe.train, step == self.plan.total_steps);
        let is_due = step.is_multiple_of(train.eval_steps) || last;
        let is_evaluated = self.state.course.evals.last().is_some_and(|eval| eval.step == step);
        let is_new = is_due && !is_evaluated;
        if is_new {
            self.evaluate(step)?;
        }
        // A stop at the last planned step is none.
        let stop = self.state.course.stop_due(train.early_stopping_patience);
        self.state.course.early_stop = stop.filter(|_| !last);
        let last = last || self.state.course.early_stop.is_some();
        // A best evaluation between two saves gets a checkpoint too, or it could not be loaded at the end.
        let is_best = self.state.course.best.as_ref().is_some_and(|best| best.step == step);
        let is_saved = step.is_multiple_of(train.save_steps) || last || (is_best && train.load_best_at_end);
        if is_saved && (is_new || !self.state.checkpoints.has(step)) {
            self.save()?;
            (self.observe)(Event::Checkpoint(step))?;
        }
        Ok(())
    }

    fn evaluate(&mut self, step: usize) -> Result<()> {
        let batch_size = self.recipe.train.eval_batch_size;
        let progress = |done| (self.observe)(Event::Evaluating(done));
        let rows = self.rows.evaluation;
        let sums = nll::rows(self.model, rows, batch_size, Targets::Response, LoraUse::Applied, progress)?;
        let nll::EvalLoss { loss, trainer_eval_loss } = nll::eval_loss(&sums, batch_size);
        self.state.course.eval_sums.push(sums);
        if !loss.is_finite() {
            return Err(Error::Diverged { step, message: "the evaluation loss is no finite number".into() });
        }
        let course = &mut self.state.course;
        // Strictly lower: of two equal evaluations the earlier stays the best.
        let is_best = course.best.as_ref().is_none_or(|best| loss < best.loss);
        if is_best {
            course.best = Some(Best { step, loss });
        }
        let epoch = course.steps[step - 1].epoch;
        let eval = Eval { step, epoch, loss, trainer_eval_loss };
        course.evals.push(eval.clone());
        (self.observe)(Event::Eval(&eval, is_best))
    }

    fn save(&mut self) -> Result<()> {
        let State { optimizer, checkpoints, course } = &mut *self.state;
        checkpoints.save(self.model, optimizer, &self.recipe.lora, course)
    }

    /// The last step that was taken, so that nothing of it has to be done again.
    fn keep_interrupted(&mut self) -> Result<()> {
        let taken = self.state.course.steps.len();
        if taken == 0 || self.state.checkpoints.has(taken) { Ok(()) } else { self.save() }
    }

    fn load_best(&mut self) -> Result<()> {
        let State { checkpoints, course, .. } = &*self.state;
        match &course.best {
            Some(best) if self.recipe.train.load_best_at_end && best.step != course.steps.len() => {
                checkpoints.load_adapter(self.model, best.step)
            }
            _ => Ok(()),
        }
    }
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

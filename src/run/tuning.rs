//! The update: attached, gone on with where a checkpoint lies, trained, and kept as the best adapter.

use super::events::Events;
use super::interrupt;
use super::recording::{self, Run};
use super::tensorboard::{self, Scalars};
use super::weaving::{OFTEN, SOON};
use crate::device;
use crate::error::Result;
use crate::model::network::adapter;
use crate::model::network::llama::Llama;
use crate::recipe::Cell;
use crate::record::folder::{self, Written};
use crate::record::*;
use crate::train::checkpoint::Resumed;
use crate::train::course::Course;
use crate::train::optimizer::AdamW;
use crate::train::training::{Event, Loop, Rows, State};
use serde::{Deserialize, Serialize};

/// What a finished training leaves to its record, and where it was made: the document names the machine that trained.
#[derive(Serialize, Deserialize)]
struct Trained {
    course: Course,
    gradient_checkpointing: bool,
    peak_memory_bytes: u64,
    environment: Environment,
}

/// Trains the update by `training`, or takes what an earlier call trained by it.
pub(super) fn train(run: &mut Run, training: Loop) -> Result<()> {
    let of = run.study.follows_from(Cell::Training, "") + training.name;
    let trained = run.cell(Cell::Training, &of, |run| {
        let course = trained(run, training)?;
        let folder = run.folder().adapter();
        let lora = run.record.recipe.lora.clone();
        let model = run.held.tuned(&run.study, &lora, &folder)?;
        adapter::write(model, &lora, &run.study.notebook.flags.model, &folder)?;
        let trained = Trained {
            course,
            gradient_checkpointing: run.record.training.gradient_checkpointing,
            peak_memory_bytes: device::peak_memory(&run.study.notebook.device),
            environment: run.record.environment.clone(),
        };
        Ok((trained, folder::files_below(&folder)?))
    })?;
    let Trained { course, gradient_checkpointing, peak_memory_bytes, environment } = trained;
    run.take(course.averaged_by(run.record.recipe.train.eval_batch_size));
    run.record.training.gradient_checkpointing = gradient_checkpointing;
    run.record.training.peak_memory_bytes = peak_memory_bytes;
    run.record.environment = environment;
    let RunRecord { environment, training: Training { steps, evals, .. }, .. } = &run.record;
    tensorboard::settle(&run.folder().tensorboard(), environment, steps, evals)?;
    run.adapter = seal::hash(&run.folder().adapter().join(adapter::TENSORS))?;
    run.list(Written::Adapter)?;
    run.save()
}

/// Trains the update, which is then in the model.
fn trained(run: &mut Run, training: Loop) -> Result<Course> {
    let mut state = attach(run, training)?;
    let (mut events, is_mended) = Events::open(run.folder().events(), &state.course)?;
    let Course { steps, evals, .. } = &state.course;
    let mut scalars = Scalars::open(run.folder().tensorboard(), &run.record.environment, steps, evals)?;
    let opened = run.study.opened()?;
    let Run { study, held, record, lock, page, .. } = run;
    let total_steps = record.training.total_steps;
    let model = held.base(study)?;
    if is_mended {
        let said = "events.jsonl did not tell the whole course: it is written again from the checkpoint";
        study.notebook.progress.say(said);
    }
    study.notebook.progress.begin("training", total_steps);
    let (notebook, progress) = (&study.notebook, &study.notebook.progress);
    // What the page shows meanwhile: the loop has the course until its end.
    let mut seen = record.clone();
    recording::take(&mut seen.training, state.course.clone());
    let rows = Rows { train: &opened.rows.train, evaluation: opened.rows.chosen_on() };
    let mut observe = |event: Event| {
        let after = match event {
            Event::Step(step) => {
                progress.step(step, total_steps);
                seen.training.steps.push(step.clone());
                OFTEN
            }
            Event::Eval(eval, is_best) => {
                progress.eval(eval, is_best);
                seen.training.evals.push(eval.clone());
                if is_best {
                    seen.training.best = Some(Best { step: eval.step, loss: eval.loss });
                }
                SOON
            }
            Event::MicroBatch | Event::Evaluating(_) => {
                interrupt::check()?;
                // A sign of life: of a large model a step takes minutes.
                return page.look(notebook, &seen, OFTEN);
            }
            Event::Checkpoint(_) => OFTEN,
        };
        lock.check()?;
        scalars.write(&event)?;
        events.write(event)?;
        page.look(notebook, &seen, after)
    };
    let activations = opened.memory.activations;
    let outcome = (training.train)(model, rows, &record.recipe, activations, &mut state, &mut observe);
    progress.end();
    if let Some(EarlyStop { step, evaluations }) = state.course.early_stop {
        progress.say(&format!(
            "stopped after step {step} of {total_steps}: {evaluations} evaluations without a lower loss"
        ));
    }
    held.is_now_tuned();
    run.take(state.course.clone());
    run.save()?;
    outcome.map(|()| state.course)
}

/// Puts the update into the model: from the newest sound checkpoint of this very run, with moments and course; else from
/// `--init-adapter`, or fresh.
fn attach(run: &mut Run, training: Loop) -> Result<State> {
    let checkpoints = run.study.checkpoints(training.name);
    let Run { study, held, record, .. } = run;
    let (recipe, notebook) = (&record.recipe, &study.notebook);
    let train = &recipe.train;
    checkpoints.set_aside(&notebook.folder.earlier_checkpoints())?;
    let begin = |model: &mut Llama| -> Result<AdamW> {
        adapter::attach(model, &recipe.lora, train.seed)?;
        AdamW::new(model, train.weight_decay, train.max_grad_norm)
    };
    let model = held.base(study)?;
    let mut optimizer = begin(model)?;
    let Resumed { course, unusable } = checkpoints.resume(model, &mut optimizer)?;
    for checkpoint in &unusable {
        notebook.progress.say(&format!("a checkpoint cannot be used: {checkpoint}"));
    }
    if let Some(course) = course {
        notebook.progress.say(&format!("resuming after step {}", course.steps.len()));
        return Ok(State { optimizer, checkpoints, course: course.averaged_by(train.eval_batch_size) });
    }
    if !unusable.is_empty() {
        // One that could be read by half may have left its values.
        optimizer = begin(model)?;
    }
    if let Some(folder) = &notebook.flags.init_adapter {
        adapter::load(model, folder)?;
    }
    Ok(State { optimizer, checkpoints, course: Course::default() })
}

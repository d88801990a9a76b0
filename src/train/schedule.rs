//! Steps of a run and the learning rate of each: linear warmup, then half a cosine.
//!
//! The arithmetic is transformers' Trainer's (`get_cosine_schedule_with_warmup`, `set_initial_training_values`).

use crate::random;
use crate::recipe::TrainRecipe;

/// How many steps a run has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Micro-batches an epoch: rows / batch, rounded up; the last may be short.
    pub(crate) micro_batches_per_epoch: usize,
    /// Optimizer steps an epoch: micro-batches / accumulation, rounded up; the last window may be short.
    pub(crate) steps_per_epoch: usize,
    /// Optimizer steps of the run.
    pub(crate) total_steps: usize,
}

impl Plan {
    /// 1800 rows, 16 x 4, 3 epochs: 113 micro-batches, 29 steps an epoch, 87 steps.
    pub(crate) fn new(train_rows: usize, recipe: &TrainRecipe) -> Self {
        let micro_batches_per_epoch = train_rows.div_ceil(recipe.batch_size);
        let steps_per_epoch = micro_batches_per_epoch.div_ceil(recipe.accumulation_steps).max(1);
        let by_epochs = (recipe.epochs * steps_per_epoch as f64).ceil() as usize;
        let total_steps = if recipe.max_steps > 0 { recipe.max_steps } else { by_epochs };
        Plan { micro_batches_per_epoch, steps_per_epoch, total_steps }
    }
}

/// The learning rate of step `step`, counted from 1: the first step of a warmup uses 0.
pub(crate) fn learning_rate(recipe: &TrainRecipe, total_steps: usize, step: usize) -> f64 {
    let (done, warmup) = ((step - 1) as f64, recipe.warmup_steps as f64);
    let factor = if done < warmup {
        done / warmup.max(1.0)
    } else {
        let progress = (done - warmup) / (total_steps as f64 - warmup).max(1.0);
        (0.5 * (1.0 + (std::f64::consts::PI * progress).cos())).max(0.0)
    };
    recipe.learning_rate * factor
}

/// The order in which one epoch meets its rows: the file's, or a permutation of the training seed's own stream.
pub(crate) fn epoch_order(rows: usize, recipe: &TrainRecipe, epoch: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    if recipe.shuffle {
        random::shuffle(&mut random::stream(recipe.seed, &format!("shuffle/{epoch}")), &mut order);
    }
    order
}

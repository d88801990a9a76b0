//! How much memory a run will take, said before it is spent.

use crate::data::Prepared;
use crate::error::{Error, Result};
use crate::model::config::LlamaConfig;
use crate::model::llama::{Activations, LOGITS_ROWS};
use crate::recipe::{Checkpointing, LoraRecipe, Quantization, Recipe};
use crate::train::run::epoch_order;
use crate::train::schedule::Plan;
use candle_core::DType;

/// Values of all A and B: rank x (input + output) for each target of each layer.
pub fn trainable_parameters(config: &LlamaConfig, lora: &LoraRecipe) -> u64 {
    let a_layer: usize = lora
        .target_modules
        .iter()
        .map(|&projection| {
            let (output, input) = config.projection_shape(projection);
            lora.rank * (input + output)
        })
        .sum();
    (a_layer * config.num_hidden_layers) as u64
}

/// An estimate of the peak, in bytes, part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Frozen weights as held.
    pub weights: u64,
    /// A, B and their gradients.
    pub adapter: u64,
    /// The optimizer's two moments.
    pub moments: u64,
    /// What a pass keeps of the longest batch.
    pub activations: u64,
    /// One chunk of logits, and its product with the head.
    pub logits: u64,
}

impl Estimate {
    /// The sum of the parts.
    pub fn total(&self) -> u64 {
        self.weights + self.adapter + self.moments + self.activations + self.logits
    }
}

/// Bits a weight of the projections.
fn bits(quantization: Quantization, dtype: DType) -> f64 {
    match quantization {
        Quantization::None => 8.0 * dtype.size_in_bytes() as f64,
        Quantization::Q4_0 | Quantization::Q4K | Quantization::Nf4 => 4.5,
        Quantization::Q4_1 | Quantization::AsIs => 5.0,
        Quantization::Q8_0 => 8.5,
        Quantization::Nf4Double => 4.127,
    }
}

/// The peak of a training run.
pub fn estimate(
    config: &LlamaConfig,
    recipe: &Recipe,
    dtype: DType,
    rows: &Prepared,
    activations: Activations,
) -> Estimate {
    let width = dtype.size_in_bytes() as u64;
    let projections: u64 = crate::recipe::Projection::ALL
        .iter()
        .map(|&projection| {
            let (output, input) = config.projection_shape(projection);
            (output * input * config.num_hidden_layers) as u64
        })
        .sum();
    let others = config.parameters() - projections;
    let weights = (projections as f64 * bits(recipe.model.quantization, dtype) / 8.0) as u64 + others * width;
    let trained = trainable_parameters(config, &recipe.lora) * 4;
    let tokens = largest_batch(recipe, rows) as u64;
    let packed = ((config.num_attention_heads + 2 * config.num_key_value_heads) * config.head_dim) as u64;
    let attended = (config.num_attention_heads * config.head_dim) as u64;
    let (hidden, mlp) = (config.hidden_size as u64, config.intermediate_size as u64);
    let saved = packed + attended + hidden + 2 * mlp;
    let layers = config.num_hidden_layers as u64;
    let a_token = match activations {
        Activations::Keep => layers * (hidden + saved),
        Activations::Recompute => layers * hidden + saved,
    };
    // The widest moment of a backward pass holds gradients of about what one layer saves, twice.
    let working = 2 * saved;
    let logits_rows = LOGITS_ROWS as u64;
    Estimate {
        weights,
        adapter: 2 * trained,
        moments: 2 * trained,
        activations: tokens * (a_token + working) * width,
        logits: logits_rows * config.vocab_size as u64 * width,
    }
}

/// Tokens of the largest batch of the run. The order of every epoch follows from the seed, so it is known before.
fn largest_batch(recipe: &Recipe, rows: &Prepared) -> usize {
    let train = &recipe.train;
    let plan = Plan::new(rows.train.len(), train);
    let epochs = plan.total_steps.div_ceil(plan.steps_per_epoch);
    let of_training = (0..epochs).flat_map(|epoch| {
        let order = epoch_order(rows.train.len(), train, epoch);
        let tokens = |batch: &[usize]| batch.iter().map(|&row| rows.train[row].ids.len()).sum::<usize>();
        order.chunks(train.batch_size).map(tokens).collect::<Vec<_>>()
    });
    // An evaluation keeps one layer at a time: it is never the peak, unless its batches are far larger.
    of_training.max().unwrap_or(0)
}

/// Refuses a run that cannot fit, before it loads anything.
///
/// # Errors
/// `Error::Device` with the estimate, what is free, and what to change.
pub fn check_fits(estimate: Estimate, activations: Activations, available: u64, device: &str) -> Result<()> {
    if estimate.total() <= available {
        return Ok(());
    }
    let recompute = match activations {
        Activations::Keep => "--set train.gradient_checkpointing=true, ",
        Activations::Recompute => "",
    };
    Err(Error::Device {
        device: device.to_string(),
        message: format!(
            "about {} MB are needed and {} MB are free; try {recompute}--set model.quantization=q4_0, a smaller \
             train.batch_size (with more train.accumulation_steps) or lora.rank",
            estimate.total() / 1_000_000,
            available / 1_000_000
        ),
    })
}

/// Keeps activations where asked to or, under `auto`, where they fit the `available` bytes.
pub fn choose(
    config: &LlamaConfig,
    recipe: &Recipe,
    dtype: DType,
    rows: &Prepared,
    available: u64,
) -> Result<Activations> {
    Ok(match recipe.train.gradient_checkpointing {
        Checkpointing::On => Activations::Recompute,
        Checkpointing::Off => Activations::Keep,
        Checkpointing::Auto => {
            let kept = estimate(config, recipe, dtype, rows, Activations::Keep).total();
            if kept < available { Activations::Keep } else { Activations::Recompute }
        }
    })
}

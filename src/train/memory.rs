//! How much memory a run will take, said before it is spent.

mod largest;
mod pass;
mod operations;

use crate::data::Prepared;
use crate::error::{Error, Result};
use crate::model::files::config::{LlamaConfig, weight_name};
use crate::model::files::source::BaseModel;
use crate::model::files::weights::Weights;
use crate::model::network::llama::Activations;
use crate::recipe::{Checkpointing, LoraRecipe, Projection, Quantization, Recipe};
use candle_core::{DType, Device};

pub use largest::Largest;

/// Values of all A and B: rank x (input + output) for each target of each layer.
pub(crate) fn trainable_parameters(config: &LlamaConfig, lora: &LoraRecipe) -> u64 {
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

/// What decides how much memory a training takes.
#[derive(Clone, Copy)]
pub struct Need<'a> {
    /// The network's shape.
    pub config: &'a LlamaConfig,
    /// Its checkpoint: under `as_is` the projections keep their size.
    pub weights: &'a Weights,
    /// How the projections are held.
    pub quantization: Quantization,
    /// The update.
    pub lora: &'a LoraRecipe,
    /// Type of activations and dense weights.
    pub dtype: DType,
    /// Where the passes are made.
    pub place: Place,
    /// The largest batch.
    pub largest: Largest,
}

/// Where passes are made, and so by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// By this program's kernels, which write in place.
    Cpu,
    /// By the kernels of `model::ops::cuda`, most of which write in place, around cuBLAS's products.
    Cuda,
    /// By candle's operations, each of which writes a new tensor.
    Metal,
}

impl Place {
    /// That of the tensors of `device`.
    pub fn of(device: &Device) -> Self {
        match device {
            Device::Cpu => Place::Cpu,
            Device::Cuda(_) => Place::Cuda,
            Device::Metal(_) => Place::Metal,
        }
    }
}

impl<'a> Need<'a> {
    /// The need of a run over `rows`.
    pub(crate) fn of_run(
        base: &'a BaseModel,
        recipe: &'a Recipe,
        dtype: DType,
        device: &Device,
        rows: &Prepared,
    ) -> Self {
        Need {
            config: &base.config,
            weights: &base.weights,
            quantization: recipe.model.quantization,
            lora: &recipe.lora,
            dtype,
            place: Place::of(device),
            largest: Largest::of_run(recipe, rows),
        }
    }

    /// Bytes of a value in the model's dtype.
    fn width(self) -> u64 {
        self.dtype.size_in_bytes() as u64
    }

    /// Values of a token's queries, keys and values.
    fn packed(self) -> u64 {
        let heads = self.config.num_attention_heads + 2 * self.config.num_key_value_heads;
        (heads * self.config.head_dim) as u64
    }

    /// Values of a token's attention.
    fn attended(self) -> u64 {
        (self.config.num_attention_heads * self.config.head_dim) as u64
    }

    /// Values of a token that a layer's backward pass needs, besides its input.
    fn saved(self) -> u64 {
        let (hidden, mlp) = (self.config.hidden_size as u64, self.config.intermediate_size as u64);
        self.packed() + self.attended() + hidden + 2 * mlp
    }

    /// Those of them that are kept until then: on the CPU in bf16 not attention's output, see
    /// `model::ops::attention::is_computed_again`.
    fn kept(self, activations: Activations) -> u64 {
        match (activations, self.place, self.dtype) {
            (Activations::Recompute, ..) => 0,
            (Activations::Keep, Place::Cpu, DType::BF16) => self.saved() - self.attended(),
            (Activations::Keep, ..) => self.saved(),
        }
    }
}

/// An estimate of the peak, in bytes, part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// Frozen weights as they are stored, and on a CPU the widest of them dequantized where they are quantized.
    pub weights: u64,
    /// Quantized projections that are dequantized once for the whole run, see [`Estimate::with_held`].
    pub held: u64,
    /// A, B and their gradients; on a card in bf16 the values once more in it.
    pub adapter: u64,
    /// The optimizer's two moments.
    pub moments: u64,
    /// What a pass keeps of the longest batch, and works with.
    pub activations: u64,
    /// One chunk of logits.
    pub logits: u64,
    /// The program itself: code, tokenizer, rows; on a GPU what its libraries take.
    pub program: u64,
}

/// Resident memory of the program with a tokenizer and some thousand rows: 29 MB with the demonstration model, 73 with
/// SmolLM2's tokenizer.
const PROGRAM: u64 = 50_000_000;

/// cuBLAS's workspace on the cards that take most: 32 MiB on Hopper, 4 on others (its documentation, `cublasSetWorkspace`).
const LIBRARIES: u64 = 32 << 20;

impl Estimate {
    /// The peak of a training.
    pub fn new(need: Need, kept: Activations) -> Self {
        let projections = projection_parameters(need.config);
        let others = need.config.parameters() - projections;
        let held = projection_bytes(need, projections) + others * need.width();
        let trained = trainable_parameters(need.config, need.lora) * 4;
        let (widest, (activations, logits), program) = match need.place {
            Place::Cpu => (widest_dequantized(need), pass::kernels(need, kept), PROGRAM),
            Place::Cuda | Place::Metal => (0, operations::activations(need, kept), LIBRARIES),
        };
        let narrow = match need.place {
            Place::Cuda if need.dtype == DType::BF16 => trained / 2,
            _ => 0,
        };
        Estimate {
            weights: held + widest,
            held: 0,
            adapter: 2 * trained + narrow,
            moments: 2 * trained,
            activations,
            logits,
            program,
        }
    }

    /// The same run with as many quantized projections kept dequantized as a card has memory for, a tenth of what the run
    /// leaves `available` aside. A host shares its memory, and a pass there shares a dequantization among many rows.
    pub fn with_held(self, need: Need, available: u64) -> Self {
        let dense = projection_parameters(need.config) * need.width();
        let spare = available.saturating_sub(self.total()) / 10 * 9;
        let held = match (need.place, need.quantization) {
            (Place::Cpu | Place::Metal, _) | (_, Quantization::None) => 0,
            (Place::Cuda, _) => dense.min(spare),
        };
        Estimate { held, ..self }
    }

    /// The sum of the parts.
    pub fn total(&self) -> u64 {
        self.weights + self.held + self.adapter + self.moments + self.activations + self.logits + self.program
    }
}

/// `about 4941 MB: weights 1733, adapter 721, moments 721, activations 1584, logits 131, program 50`.
impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mega = |bytes: u64| (bytes as f64 / 1e6).round();
        let Estimate { weights, held, adapter, moments, activations, logits, program } = *self;
        let parts = [
            ("weights", weights),
            ("dequantized", held),
            ("adapter", adapter),
            ("moments", moments),
            ("activations", activations),
            ("logits", logits),
            ("program", program),
        ];
        let there = parts.into_iter().filter(|&part| part != ("dequantized", 0));
        let parts: Vec<String> = there.map(|(name, bytes)| format!("{name} {}", mega(bytes))).collect();
        let parts = parts.join(", ");
        write!(f, "about {} MB: {parts}", mega(self.total()))
    }
}

/// Gate and up, one matrix, where they are quantized: the largest that is dense for a while.
fn widest_dequantized(need: Need) -> u64 {
    match need.quantization {
        Quantization::None => 0,
        _ => 2 * (need.config.intermediate_size * need.config.hidden_size) as u64 * need.width().max(4),
    }
}

fn projection_parameters(config: &LlamaConfig) -> u64 {
    let a_layer: usize = Projection::ALL
        .iter()
        .map(|&projection| {
            let (output, input) = config.projection_shape(projection);
            output * input
        })
        .sum();
    (a_layer * config.num_hidden_layers) as u64
}

/// Bytes of the projections as they will be held.
fn projection_bytes(need: Need, parameters: u64) -> u64 {
    let bits = match need.quantization {
        Quantization::None => 8.0 * need.dtype.size_in_bytes() as f64,
        Quantization::Q4_0 | Quantization::Q4K | Quantization::Nf4 => 4.5,
        Quantization::Q4_1 => 5.0,
        Quantization::Q8_0 => 8.5,
        Quantization::Nf4Double => 4.127,
        Quantization::AsIs => {
            let layers = 0..need.config.num_hidden_layers;
            let names = layers.flat_map(|layer| Projection::ALL.map(|one| weight_name(layer, one)));
            return names.filter_map(|name| need.weights.raw(&name).ok()).map(|raw| raw.len() as u64).sum();
        }
    };
    (parameters as f64 * bits / 8.0) as u64
}

/// Refuses a run that cannot fit, before it loads anything.
///
/// # Errors
/// `Error::Device` with the estimate, what is free, and what to change.
pub(crate) fn check_fits(
    estimate: Estimate,
    activations: Activations,
    available: u64,
    device: &str,
) -> Result<()> {
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
pub(crate) fn choose(need: Need, asked: Checkpointing, available: u64) -> Activations {
    match asked {
        Checkpointing::On => Activations::Recompute,
        Checkpointing::Off => Activations::Keep,
        Checkpointing::Auto if Estimate::new(need, Activations::Keep).total() < available => {
            Activations::Keep
        }
        Checkpointing::Auto => Activations::Recompute,
    }
}

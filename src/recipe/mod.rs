//! Every choice of a run, typed, with units. The recipe goes into the record whole, as it was used.

mod choices;
mod export;
pub mod cells;
mod settings;

pub use cells::Cell;
pub use choices::{Checkpointing, GroupBy, Projection};
pub use export::{AdapterDtype, ExportRecipe, GgufType};
pub(crate) use settings::{Reach, is_as_before, reach};

use serde::{Deserialize, Serialize};

/// What a run does, apart from which rows and which base weights it does it to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Rows and tokens.
    pub data: DataRecipe,
    /// The frozen base model.
    pub model: ModelRecipe,
    /// The low-rank update that is trained.
    pub lora: LoraRecipe,
    /// Steps, batches, optimizer.
    pub train: TrainRecipe,
    /// Texts generated before and after, for the reader's eye.
    pub samples: SamplesRecipe,
    /// Files for other programs.
    #[serde(default)]
    pub export: ExportRecipe,
}

/// Rows and tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecipe {
    /// Seed of the permutation that splits the rows; apart from the training seed, so that another
    /// training seed meets the same evaluation rows.
    pub split_seed: u64,
    /// Share of the rows held out, in (0, 1): the checkpoint is chosen on them.
    pub eval_fraction: f64,
    /// Share of the rows held out besides, in [0, 1): nothing is chosen on them, and they report the result. With 0 there is
    /// no such part, and the result is of the rows that the checkpoint was chosen on.
    #[serde(default)]
    pub test_fraction: f64,
    /// Which rows are never divided between two parts.
    #[serde(default)]
    pub group_by: GroupBy,
    /// More than this share of the windows of the answer that has fewer must be the other's too for two rows to be near
    /// duplicates, in [0, 1); see [`crate::data::groups`].
    #[serde(default = "half")]
    pub near_duplicate_share: f64,
    /// Longest encoded row, in tokens; the rest is cut from the right.
    pub max_seq_len: usize,
}

/// A half: from there on more of an answer is the other's than its own.
fn half() -> f64 {
    0.5
}

/// The frozen base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelRecipe {
    /// How the seven projections of each layer are stored.
    pub quantization: Quantization,
    /// Type of activations and of what is not quantized; `auto` is bf16 where the processor or the
    /// GPU multiplies it, else f32.
    pub dtype: ModelDtype,
}

/// Storage of the frozen projections. Norms and embeddings are never quantized. What each scheme adds to the full-text
/// loss of a real model stands in `benches/README.md`: NF4 0.10 and Q4_0 0.13 nats a token on SmolLM2-135M, Q8_0 nothing
/// that shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantization {
    /// Dense, in the model's dtype.
    None,
    /// GGML Q4_0: blocks of 32, f16 scale; 4.5 bits a weight.
    #[serde(rename = "q4_0")]
    Q4_0,
    /// GGML Q4_1: blocks of 32, f16 scale and minimum; 5 bits a weight.
    #[serde(rename = "q4_1")]
    Q4_1,
    /// GGML Q4_K: superblocks of 256; 4.5 bits a weight. Needs input sizes divisible by 256.
    #[serde(rename = "q4_k")]
    Q4K,
    /// GGML Q8_0: blocks of 32, f16 scale; 8.5 bits a weight.
    #[serde(rename = "q8_0")]
    Q8_0,
    /// bitsandbytes' NormalFloat4: blocks of 64, f32 scale; 4.5 bits a weight.
    Nf4,
    /// NF4 with its scales quantized again; 4.127 bits a weight.
    Nf4Double,
    /// The types that a GGUF file already has.
    AsIs,
}

impl Quantization {
    /// The name in recipes and records: `nf4_double`.
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).expect("a variant without fields is a string");
        name.as_str().unwrap_or_default().to_string()
    }
}

/// Type of activations and of the weights that are not quantized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelDtype {
    /// bf16 where it is fast: on a GPU, and on a processor with AVX-512 BF16 or AMX; else f32.
    Auto,
    /// 32-bit float.
    F32,
    /// bfloat16: half of the memory. Sums, softmax, norms, losses, and all that is trained stay f32.
    Bf16,
}

/// LoRA: y = W x + (alpha / rank) B A dropout(x).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoraRecipe {
    /// Rank r of the update.
    pub rank: usize,
    /// Scale numerator: the update counts alpha / rank.
    pub alpha: f64,
    /// Probability that an input element of A is dropped in training, in [0, 1).
    pub dropout: f64,
    /// Biases trained beside the update.
    pub bias: Bias,
    /// The projections that get an update.
    pub target_modules: Vec<Projection>,
}

impl LoraRecipe {
    /// alpha / rank, what the update is multiplied by.
    pub fn scale(&self) -> f64 {
        self.alpha / self.rank as f64
    }
}

/// Which biases are trained. Llama has none, so neither is one trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bias {
    /// No bias.
    None,
}

/// Steps, batches, optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainRecipe {
    /// Rows of one micro-batch.
    pub batch_size: usize,
    /// Rows of one evaluation batch; the token-weighted loss does not depend on it.
    pub eval_batch_size: usize,
    /// Micro-batches of one optimizer step.
    pub accumulation_steps: usize,
    /// Passes over the training rows.
    pub epochs: f64,
    /// Optimizer steps at most; 0 leaves it to `epochs`.
    pub max_steps: usize,
    /// Peak learning rate, reached at the end of the warmup.
    pub learning_rate: f64,
    /// Shape of the learning rate after the warmup.
    pub lr_scheduler: LrScheduler,
    /// Optimizer steps in which the learning rate climbs from 0.
    pub warmup_steps: usize,
    /// AdamW's decoupled decay.
    pub weight_decay: f64,
    /// Gradients longer than this (L2 norm over all of them) are scaled down to it.
    pub max_grad_norm: f64,
    /// Evaluation every so many optimizer steps, and after the last.
    pub eval_steps: usize,
    /// Checkpoint every so many optimizer steps, and after the last.
    pub save_steps: usize,
    /// Checkpoints kept; the best is never deleted.
    pub save_total_limit: usize,
    /// Load the checkpoint of the lowest evaluation loss at the end.
    pub load_best_at_end: bool,
    /// Stop after so many evaluations in a row that were not lower than the lowest before them; 0 never does.
    #[serde(default)]
    pub early_stopping_patience: usize,
    /// Seed of the LoRA initial values, of dropout and of the row order.
    pub seed: u64,
    /// Rows in a new order each epoch; false keeps the order of the file.
    pub shuffle: bool,
    /// Keep only each layer's input and compute the rest again in the backward pass.
    pub gradient_checkpointing: Checkpointing,
    /// Which tokens the training loss counts.
    pub loss_on: LossOn,
}

/// Shape of the learning rate after the warmup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LrScheduler {
    /// Half a cosine, from the peak to 0.
    Cosine,
}

/// Which tokens the training loss counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LossOn {
    /// The response and its end-of-sequence token.
    Response,
}

/// Texts generated from evaluation prompts, before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamplesRecipe {
    /// How many evaluation prompts at most; 0 for none.
    pub count: usize,
    /// Longest generated text, in tokens.
    pub max_new_tokens: usize,
    /// Prompts that are continued at once.
    #[serde(default = "one_at_a_time")]
    pub batch_size: usize,
    /// Divides the logits before a token is drawn; 0 takes the likeliest.
    #[serde(default)]
    pub temperature: f64,
    /// A token is drawn from the likeliest ones that together have this probability; 1 for all.
    #[serde(default = "all")]
    pub top_p: f64,
    /// Divides the positive logits, and multiplies the negative ones, of tokens that stood in prompt or text (Keskar et al.,
    /// 2019); 1 for none.
    #[serde(default = "all")]
    pub repetition_penalty: f64,
    /// Texts a prompt and system.
    #[serde(default = "one_at_a_time")]
    pub per_prompt: usize,
    /// Draws the tokens; each text has a stream of its own.
    #[serde(default)]
    pub seed: u64,
}

impl SamplesRecipe {
    /// How texts were made before they could be drawn: one at a time, the likeliest token each time.
    pub const GREEDY: SamplesRecipe = SamplesRecipe {
        count: 0,
        max_new_tokens: 0,
        batch_size: 1,
        temperature: 0.0,
        top_p: 1.0,
        repetition_penalty: 1.0,
        per_prompt: 1,
        seed: 0,
    };
}

fn one_at_a_time() -> usize {
    1
}

fn all() -> f64 {
    1.0
}

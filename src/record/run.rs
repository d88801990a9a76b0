//! The run record: the only thing that leaves the half of the house that computes.
//!
//! Numbers are finite by construction: `store::write` refuses a record with a NaN or an infinity in it.

use crate::evaluate::statistics::Statistics;
use crate::level::Level;
use crate::recipe::Recipe;
use crate::record::replicates::Replicates;
use serde::{Deserialize, Serialize};

/// The newest layout of `record.json`.
pub const SCHEMA: u32 = 1;

/// Everything that was measured in one run, and everything needed to say how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Layout number of this file.
    pub schema: u32,
    /// The CEFR level of the rows.
    pub level: Level,
    /// How far the run came.
    pub status: Status,
    /// Cut to a few rows and steps to try the program out: its numbers say nothing.
    #[serde(default)]
    pub smoke: bool,
    /// What stopped it, where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The rows.
    pub dataset: Dataset,
    /// The base model.
    pub model: ModelFacts,
    /// Every choice of the run.
    pub recipe: Recipe,
    /// The course of the training; empty lists before the first step.
    pub training: Training,
    /// Base and best adapter on the same rows.
    #[serde(default)]
    pub evaluation: Evaluation,
    /// The same run with other training seeds, this one among them; absent where there was one seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicates: Option<Replicates>,
    /// Texts from the same prompts, before and after.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// The files the run wrote.
    #[serde(default)]
    pub outputs: Vec<Output>,
    /// Where and when; everything here may differ between two equal runs.
    pub environment: Environment,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Not at its end, or killed before it.
    Running,
    /// At its end.
    Completed,
    /// Stopped by an error; see `failure`.
    Failed,
}

/// What stopped a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Optimizer step at which it happened; 0 before the first.
    pub step: usize,
    /// The error's message, in English.
    pub message: String,
}

/// The rows of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// The file as the user named it, or `embedded:a1`.
    pub source: String,
    /// SHA-256 of the file's bytes (of train then eval, where two files were given).
    pub sha256: String,
    /// Made by a program, not written by people.
    pub synthetic: bool,
    /// All rows.
    pub rows: usize,
    /// Rows trained on.
    pub train_rows: usize,
    /// Rows held out.
    pub eval_rows: usize,
    /// Seed of the permutation; absent where the user gave the two files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<u64>,
    /// SHA-256 of the written train split.
    pub train_sha256: String,
    /// SHA-256 of the written eval split.
    pub eval_sha256: String,
    /// Rows that repeat an earlier row exactly.
    pub duplicate_rows: usize,
    /// Evaluation rows whose text is also in the training rows.
    pub leaked_rows: usize,
    /// Words of `output`, split at white space.
    pub words: Lengths,
    /// Tokens of the encoded row, before truncation.
    pub tokens: TokenLengths,
    /// Rows cut at `max_seq_len`.
    pub truncated_rows: usize,
    /// Rows whose response was cut away whole: they have no target.
    pub rows_without_target: usize,
    /// The first training row, for the reader.
    pub example: ExampleRow,
}

/// Lengths of all rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lengths {
    /// Arithmetic mean.
    pub mean: f64,
    /// Shortest.
    pub min: usize,
    /// Longest.
    pub max: usize,
    /// Counts in bins of equal width.
    pub histogram: Histogram,
}

/// Token lengths of all rows, with the two limits that the method section speaks of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenLengths {
    /// Arithmetic mean.
    pub mean: f64,
    /// Shortest.
    pub min: usize,
    /// Longest.
    pub max: usize,
    /// Rows longer than 512 tokens.
    pub over_512: usize,
    /// Rows longer than the recipe's `max_seq_len`.
    pub over_max_seq_len: usize,
    /// Counts in bins of equal width.
    pub histogram: Histogram,
}

/// Counts in bins of equal width: bin i holds the lengths in [first + i width, first + (i + 1) width).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Lower edge of the first bin.
    pub first: usize,
    /// Width of a bin, at least 1.
    pub width: usize,
    /// Rows a bin.
    pub counts: Vec<usize>,
}

/// One Alpaca row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExampleRow {
    /// The task.
    pub instruction: String,
    /// Its input; empty where there is none.
    pub input: String,
    /// The answer.
    pub output: String,
}

/// The base model, and what was attached to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Short name: `Llama-3.2-1B-Instruct`.
    pub name: String,
    /// As the user named it: `demo`, a path, `org/name@revision`.
    pub source: String,
    /// SHA-256 over the weight files.
    pub sha256: String,
    /// The embedded demonstration model: its results are no thesis results.
    pub demonstration: bool,
    /// Parameters of the base model (a tied head counted once).
    pub parameters: u64,
    /// Parameters of all A and B.
    pub trainable_parameters: u64,
    /// Storage of the projections, as used.
    pub quantization: crate::recipe::Quantization,
    /// Type of activations and of unquantized weights, as used: `f32` or `bf16`.
    pub dtype: String,
    /// Parameters that are stored quantized.
    pub quantized_parameters: u64,
    /// Bits a weight of the quantized parameters, scales included; equals the dtype's bits where none is.
    pub bits_per_weight: f64,
    /// Bytes of the frozen weights as held in memory.
    pub weight_bytes: u64,
    /// Bytes that the same weights take in the model's dtype, nothing quantized.
    pub dense_weight_bytes: u64,
    /// Shape of the network.
    pub architecture: Architecture,
}

/// Shape of a Llama network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Architecture {
    /// Transformer layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the MLP.
    pub intermediate_size: usize,
    /// Query heads.
    pub attention_heads: usize,
    /// Key and value heads.
    pub key_value_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Whether the output head is the embedding.
    pub tied_embeddings: bool,
}

/// The course of the training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Optimizer steps of the whole run, planned.
    pub total_steps: usize,
    /// Optimizer steps an epoch.
    pub steps_per_epoch: usize,
    /// Whether activations were computed again, as decided.
    pub gradient_checkpointing: bool,
    /// Wall time of the steps, evaluations and checkpoints, in seconds.
    pub seconds: f64,
    /// Tokens of the training steps over the seconds of the training steps.
    pub tokens_per_second: f64,
    /// Highest resident memory of the process (on a GPU: of the host process), in bytes.
    pub peak_memory_bytes: u64,
    /// One entry an optimizer step.
    pub steps: Vec<Step>,
    /// One entry an evaluation.
    pub evals: Vec<Eval>,
    /// The evaluation of the lowest loss; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
}

/// One optimizer step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// From 1.
    pub step: usize,
    /// Epochs done after it, as a fraction.
    pub epoch: f64,
    /// Token-weighted loss of the step's window, before its update.
    pub loss: f64,
    /// The rate it used.
    pub learning_rate: f64,
    /// L2 norm over all gradients, before clipping.
    pub grad_norm: f64,
    /// Tokens that went through the model.
    pub tokens: usize,
    /// Tokens that were targets.
    pub supervised_tokens: usize,
    /// Wall time, in seconds.
    pub seconds: f64,
}

/// One evaluation during the training, on response tokens.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Eval {
    /// After this optimizer step.
    pub step: usize,
    /// Epochs done, as a fraction.
    pub epoch: f64,
    /// Sum of NLL over sum of tokens.
    pub loss: f64,
    /// The Trainer's figure: batch means weighted by rows; it depends on the batch size.
    pub trainer_eval_loss: f64,
}

/// The evaluation that the final adapter comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Its optimizer step.
    pub step: usize,
    /// Its token-weighted loss.
    pub loss: f64,
}

/// Base and best adapter on the same rows, under the same two masks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evaluation {
    /// The base model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Scores>,
    /// The best adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuned: Option<Scores>,
    /// One entry an evaluation row, in the order of the eval split.
    #[serde(default)]
    pub rows: Vec<RowScores>,
    /// Intervals and tests; present where both sides are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<Statistics>,
}

/// One model under both masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Response tokens and their end-of-sequence token.
    pub masked: Score,
    /// Every token that has a predecessor.
    pub full: Score,
}

/// One model under one mask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Sum of -ln p over the counted tokens.
    pub nll: f64,
    /// Counted tokens.
    pub tokens: usize,
    /// nll / tokens.
    pub loss: f64,
    /// exp(loss).
    pub perplexity: f64,
}

/// One evaluation row under both models and both masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowScores {
    /// Counted response tokens.
    pub masked_tokens: usize,
    /// Counted tokens of the whole text.
    pub full_tokens: usize,
    /// UTF-8 bytes of the response.
    pub masked_bytes: usize,
    /// UTF-8 bytes of the whole text.
    pub full_bytes: usize,
    /// Sums of the base model.
    pub baseline: RowNll,
    /// Sums of the best adapter; absent until it was evaluated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuned: Option<RowNll>,
}

/// Sums of -ln p over one row.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RowNll {
    /// Over the response tokens.
    pub masked: f64,
    /// Over every token that has a predecessor.
    pub full: f64,
}

/// One prompt of the evaluation rows, with what the two models made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Index into the eval split, from 0.
    pub row: usize,
    /// The task.
    pub instruction: String,
    /// Its input; empty where there is none.
    pub input: String,
    /// The row's own answer.
    pub reference: String,
    /// The base model's text.
    pub baseline: String,
    /// The base model's text was cut at the token limit.
    pub baseline_capped: bool,
    /// The fine-tuned model's text.
    pub fine_tuned: String,
    /// The fine-tuned model's text was cut at the token limit.
    pub fine_tuned_capped: bool,
}

/// A file or folder that the run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// What it is: `train_split`, `eval_split`, `adapter`, `merged`, `checkpoint`.
    pub kind: String,
    /// Path below the output folder.
    pub path: String,
    /// Size in bytes, of a folder all its files.
    pub bytes: u64,
    /// Type of the stored tensors, `F16`; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<String>,
    /// For a merged model: type of the weights that the update was added to, `Q4_1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<String>,
}

/// Where and when a run happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Environment {
    /// Start, RFC 3339 with offset.
    pub started_at: String,
    /// End; absent while running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<String>,
    /// Version of this crate.
    pub tezgah_version: String,
    /// Commit of the working copy; absent outside one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git_commit: Option<String>,
    /// Whether the working copy had changes.
    pub git_dirty: bool,
    /// The command line, as typed.
    pub command: Vec<String>,
    /// Operating system and architecture: `linux x86_64`.
    pub platform: String,
    /// Name of the processor.
    pub cpu: String,
    /// Threads used.
    pub threads: usize,
    /// Memory of the machine, in bytes.
    pub memory_bytes: u64,
    /// `cpu`, `cuda:0`, `metal`.
    pub device: String,
    /// Name of the accelerator; absent on a CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accelerator: Option<String>,
}

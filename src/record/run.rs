//! The run record: the only thing that leaves the half of the house that computes.
//!
//! Numbers are finite by construction: `store::write` refuses a record with a NaN or an infinity in it.

use super::dataset::Dataset;
use super::evaluation::Evaluation;
use super::method::Method;
use super::model::ModelFacts;
use super::ratings::Ratings;
use super::replicates::Replicates;
use super::texts::{Sample, Texts};
use super::training::Training;
use crate::level::Level;
use crate::recipe::Recipe;
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
    /// How it was made, where no choice decides.
    #[serde(default)]
    pub method: Method,
    /// The course of the training; empty lists before the first step.
    pub training: Training,
    /// Base and best adapter on the same rows.
    #[serde(default)]
    pub evaluation: Evaluation,
    /// The same run with other training seeds, this one among them; absent where there was one seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicates: Option<Replicates>,
    /// Texts after the held-out prompts, and what they measure; absent where none were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<Texts>,
    /// What people and judges said of these texts. It stands in its own file beside the record, and is put here where a document
    /// is rendered; absent where nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratings: Option<Ratings>,
    /// Some of these prompts, to be read.
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
    /// Stopped by a person or the system; the same call goes on with it.
    Interrupted,
}

/// What stopped a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Optimizer step at which it happened; 0 before the first.
    pub step: usize,
    /// The error's message, in English.
    pub message: String,
}

/// A file or folder that the run wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// What it is: `train_split`, `eval_split` (or `validation_split` and `test_split`), `adapter`, `merged`, `gguf`,
    /// `modelfile`, `adapter_bf16`, `checkpoint`.
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
    /// What its driver says of it; absent on a CPU, and in records that were written before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card: Option<CardFacts>,
}

/// A CUDA card, as its driver describes it. The run's peak memory is then the card's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFacts {
    /// Memory of the card, in bytes.
    pub memory_bytes: u64,
    /// What it can do, `8.9`.
    pub compute_capability: String,
    /// The newest CUDA that its driver knows, `CUDA 13.0`.
    pub driver: String,
}

//! The rows of a run, as far as its record tells them.

use serde::{Deserialize, Serialize};

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

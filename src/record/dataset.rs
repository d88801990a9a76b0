//! The rows of a run, as far as its record tells them.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

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
    /// Rows that the checkpoint was chosen on, where they are others than those that report the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Validation>,
    /// Rows that report the result: those of `data.test_fraction`, or of `data.eval_fraction` where that is 0.
    pub eval_rows: usize,
    /// Seed of the permutation; absent where the user gave the two files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<u64>,
    /// What the split did not divide; absent where every row went by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
    /// SHA-256 of the written train split.
    pub train_sha256: String,
    /// SHA-256 of the written split of the rows that report the result.
    pub eval_sha256: String,
    /// Rows that repeat an earlier row exactly.
    pub duplicate_rows: usize,
    /// Evaluation rows whose text is also in the training rows.
    pub leaked_rows: usize,
    /// How much of the held-out answers stands in the training answers; absent in records that did not measure it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<Overlap>,
    /// Words of `output`, split at white space.
    pub words: Lengths,
    /// Tokens of the encoded row, before truncation.
    pub tokens: TokenLengths,
    /// Rows cut at `max_seq_len`.
    pub truncated_rows: usize,
    /// Rows whose response was cut away whole: they have no target.
    pub rows_without_target: usize,
    /// What the rows are put into.
    #[serde(default)]
    pub prompt: PromptTemplate,
    /// The first training row, for the reader.
    pub example: ExampleRow,
}

/// The rows that the checkpoint was chosen on, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// How many.
    pub rows: usize,
    /// SHA-256 of their written split.
    pub sha256: String,
}

/// Rows that the split kept together, as `data.group_by` says which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Groups {
    /// Groups, those of one row among them.
    pub count: usize,
    /// Rows of the largest.
    pub largest_rows: usize,
}

/// The text around the fields of a row, up to its answer. Records that do not have it are of rows in the default one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptTemplate {
    /// Before the instruction.
    pub instruction: Cow<'static, str>,
    /// Before an input; left out where a row has none.
    pub input: Cow<'static, str>,
    /// Before the answer.
    pub response: Cow<'static, str>,
}

impl PromptTemplate {
    /// Stanford Alpaca's headings, without its preamble.
    pub const ALPACA: PromptTemplate = PromptTemplate {
        instruction: Cow::Borrowed("### Instruction:\n"),
        input: Cow::Borrowed("\n\n### Input:\n"),
        response: Cow::Borrowed("\n\n### Response:\n"),
    };

    /// The prompt of a row. Its input is left out where it is empty or white space alone.
    pub fn fill(&self, instruction: &str, input: &str) -> String {
        let PromptTemplate { instruction: before, input: between, response } = self;
        match input.trim().is_empty() {
            true => format!("{before}{instruction}{response}"),
            false => format!("{before}{instruction}{between}{input}{response}"),
        }
    }
}

impl Default for PromptTemplate {
    fn default() -> Self {
        PromptTemplate::ALPACA
    }
}

/// How much of the held-out answers stands in the training answers, see [`crate::data::overlap::measure`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// Running words that a window has.
    pub n: usize,
    /// Share of all held-out words that lie in a window of the training answers.
    pub covered_words: f64,
    /// Share of all held-out sentences that stand in the training answers word for word.
    pub verbatim_sentences: f64,
    /// One entry an evaluation row, in the order of the eval split.
    pub rows: Vec<RowOverlap>,
}

/// How much of one held-out answer stands in the training answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowOverlap {
    /// Words of the answer.
    pub words: usize,
    /// Those of them that are covered.
    pub covered_words: usize,
    /// Sentences of the answer.
    pub sentences: usize,
    /// Those of them that stand in the training answers word for word.
    pub verbatim_sentences: usize,
    /// Index of the training row that covers the most, from 0; absent where none covers a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<usize>,
    /// Words that this row covers alone.
    pub nearest_words: usize,
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

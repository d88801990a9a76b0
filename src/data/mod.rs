//! From a file of Alpaca rows to token ids: [`alpaca`] reads, [`split`] divides what [`groups`] does not keep together,
//! [`checks`] counts what a reader must know, [`encode`] makes ids. [`prepare`] walks the whole way and returns the record's
//! [`Dataset`] beside the rows.

pub mod alpaca;
pub mod checks;
pub mod overlap;
pub mod tokenizer;
pub mod encode;
pub mod groups;
pub mod split;
pub mod batches;

use crate::error::{Error, Result};
use crate::recipe::{DataRecipe, GroupBy};
use crate::record::{Dataset, ExampleRow, PromptTemplate, Validation};
use crate::sha256;
use alpaca::{Row, RowFile};
use encode::{EncodedRow, RowEncoder, TokenSummary};
use split::Split;
use std::collections::BTreeSet;
use std::path::Path;

/// Where the rows of a run come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// One file, split by the recipe's seed.
    OneFile {
        /// The rows.
        file: RowFile,
        /// Made by a program, not written by people.
        synthetic: bool,
    },
    /// The user's own split, kept in the order of the files.
    TwoFiles {
        /// Rows to train on.
        train: RowFile,
        /// Rows held out.
        evaluation: RowFile,
        /// SHA-256 of the bytes of train followed by those of eval.
        sha256: String,
    },
}

impl Source {
    /// SHA-256 of the files' bytes.
    pub fn sha256(&self) -> &str {
        match self {
            Source::OneFile { file, .. } => &file.sha256,
            Source::TwoFiles { sha256, .. } => sha256,
        }
    }

    /// Leaves the first rows: `rows` of a file that is split or trained on, `evaluation` of one that is held out.
    pub fn truncate(&mut self, rows: usize, evaluation: usize) {
        match self {
            Source::OneFile { file, .. } => {
                file.rows.truncate(rows);
                file.others.truncate(rows);
            }
            Source::TwoFiles { train, evaluation: held_out, .. } => {
                train.rows.truncate(rows);
                held_out.rows.truncate(evaluation);
            }
        }
    }

    /// Reads the user's own split.
    ///
    /// # Errors
    /// As [`alpaca::read`], for either file.
    pub fn two_files(train: impl AsRef<Path>, evaluation: impl AsRef<Path>) -> Result<Self> {
        let read = |path: &Path| std::fs::read(path).map_err(|source| Error::file(path, source));
        let parse = |path: &Path, bytes: &[u8]| alpaca::parse(&path.display().to_string(), bytes);
        let (train, evaluation) = (train.as_ref(), evaluation.as_ref());
        let (train_bytes, evaluation_bytes) = (read(train)?, read(evaluation)?);
        Ok(Source::TwoFiles {
            train: parse(train, &train_bytes)?,
            evaluation: parse(evaluation, &evaluation_bytes)?,
            sha256: sha256::of_parts([&train_bytes[..], &evaluation_bytes]),
        })
    }
}

/// Rows that are ready to be trained and evaluated on.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The rows in their parts.
    pub split: Split,
    /// `split.train` as ids, in the same order.
    pub train: Vec<EncodedRow>,
    /// `split.validation` as ids, in the same order.
    pub validation: Vec<EncodedRow>,
    /// `split.evaluation` as ids, in the same order.
    pub evaluation: Vec<EncodedRow>,
    /// Rows whose own text spells a special token: worth a warning, see [`RowEncoder::encode`].
    pub rows_with_special_text: usize,
    /// Rows of which the tokenizer leaves letters out, as worth a warning.
    pub rows_with_dropped_letters: usize,
    /// Those letters.
    pub dropped_letters: BTreeSet<char>,
    /// What the record says of them.
    pub dataset: Dataset,
}

impl Prepared {
    /// The rows that the checkpoint is chosen on: those of the validation, or those that report the result where it has none.
    pub fn chosen_on(&self) -> &[EncodedRow] {
        if self.validation.is_empty() { &self.evaluation } else { &self.validation }
    }

    /// The first `count` evaluation rows whose prompt is not cut, with their indices: a text that goes on from half a
    /// prompt answers another question, and a prompt of any length takes any memory.
    pub fn sampled(&self, count: usize) -> impl Iterator<Item = (usize, &Row)> {
        sampled(&self.split.evaluation, &self.evaluation, count)
    }
}

/// [`Prepared::sampled`] of any rows.
pub(crate) fn sampled<'a>(
    rows: &'a [Row],
    encoded: &'a [EncodedRow],
    count: usize,
) -> impl Iterator<Item = (usize, &'a Row)> {
    let rows = rows.iter().zip(encoded).enumerate();
    rows.filter(|(_, (_, encoded))| encoded.targets() > 0).take(count).map(|(index, (row, _))| (index, row))
}

/// Splits, counts and encodes the rows of `source`.
///
/// # Errors
/// As [`split::split`] and [`RowEncoder::encode`]; `Error::Data` where no row of a part keeps a response token at the
/// encoder's `max_seq_len`: there would be nothing to learn or to measure; `Error::Setting` where a split that the user made
/// is to be made otherwise.
pub fn prepare(source: Source, recipe: &DataRecipe, encoder: &RowEncoder) -> Result<Prepared> {
    let (name, sha256, synthetic, split_seed, split) = match source {
        Source::OneFile { file, synthetic } => {
            let split = split::split(&file, recipe)?;
            (file.name, file.sha256, synthetic, Some(recipe.split_seed), split)
        }
        Source::TwoFiles { train, evaluation, sha256 } => {
            check_own_split(recipe)?;
            let name = format!("{} + {}", train.name, evaluation.name);
            let (train, evaluation) = (train.rows, evaluation.rows);
            (name, sha256, false, None, Split { train, validation: Vec::new(), evaluation, groups: None })
        }
    };
    let train = encode_all(&name, "training", &split.train, encoder)?;
    let validation = match split.validation.is_empty() {
        true => Vec::new(),
        false => encode_all(&name, "validation", &split.validation, encoder)?,
    };
    let evaluation = encode_all(&name, "evaluation", &split.evaluation, encoder)?;

    let lengths =
        encode::summarize(train.iter().chain(&validation).chain(&evaluation), encoder.max_seq_len());
    let origin = Origin { source: name, sha256, synthetic, split_seed };
    let dataset = described(origin, &split, &lengths);
    Ok(Prepared {
        split,
        train,
        validation,
        evaluation,
        rows_with_special_text: lengths.rows_with_special_text,
        rows_with_dropped_letters: lengths.rows_with_dropped_letters,
        dropped_letters: lengths.dropped_letters,
        dataset,
    })
}

/// Where the parts come from.
struct Origin {
    source: String,
    sha256: String,
    synthetic: bool,
    split_seed: Option<u64>,
}

/// What the record says of the parts.
fn described(origin: Origin, split: &Split, lengths: &TokenSummary) -> Dataset {
    let Origin { source, sha256, synthetic, split_seed } = origin;
    let Split { train, validation, evaluation, groups } = split;
    let all = || train.iter().chain(validation).chain(evaluation);
    let hash = |rows: &[Row]| sha256::of(alpaca::to_json(rows).as_bytes());
    let checks = checks::check(train, validation, evaluation);
    let example = &train[0];
    Dataset {
        source,
        sha256,
        synthetic,
        rows: all().count(),
        train_rows: train.len(),
        validation: (!validation.is_empty())
            .then(|| Validation { rows: validation.len(), sha256: hash(validation) }),
        eval_rows: evaluation.len(),
        split_seed,
        groups: groups.clone(),
        train_sha256: hash(train),
        eval_sha256: hash(evaluation),
        duplicate_rows: checks.duplicate_rows,
        leaked_rows: checks.leaked_rows,
        overlap: Some(overlap::measure(train, evaluation)),
        words: checks::word_lengths(all()),
        tokens: lengths.tokens.clone(),
        truncated_rows: lengths.truncated_rows,
        rows_without_target: lengths.rows_without_target,
        prompt: PromptTemplate::ALPACA,
        example: ExampleRow {
            instruction: example.instruction.clone(),
            input: example.input.clone(),
            output: example.output.clone(),
        },
    }
}

/// Refuses to divide rows again that the user has divided.
fn check_own_split(recipe: &DataRecipe) -> Result<()> {
    let refused = |key: &str, expected: &str, got: String| {
        let message = format!("expected {expected} where the split is your own (two files), got {got}");
        Err(Error::Setting { key: key.into(), message })
    };
    if recipe.test_fraction > 0.0 {
        return refused("data.test_fraction", "0", recipe.test_fraction.to_string());
    }
    match &recipe.group_by {
        GroupBy::None => Ok(()),
        other => refused("data.group_by", "none", other.to_string()),
    }
}

/// The rows of one part as ids, at least one of them with a target.
fn encode_all(name: &str, part: &str, rows: &[Row], encoder: &RowEncoder) -> Result<Vec<EncodedRow>> {
    let encoded = rows.iter().map(|row| encoder.encode(row)).collect::<Result<Vec<_>>>()?;
    if encoded.iter().all(|row| row.targets() == 0) {
        return Err(Error::Data {
            path: name.to_string(),
            row: None,
            message: format!(
                "expected a {part} row with a response left at data.max_seq_len {}, got none",
                encoder.max_seq_len()
            ),
        });
    }
    Ok(encoded)
}

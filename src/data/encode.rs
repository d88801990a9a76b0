//! Rows as token ids, with the boundary between prompt and response exact.
//!
//! `ids = BOS? ‖ tokens(prompt) ‖ tokens(output) ‖ EOS`, cut from the right at `max_seq_len`.
//!
//! Prompt and response are tokenized apart: tokenized as one text, a token could span the boundary, and a
//! search for the marker's tokens fails where the marker merges with its neighbours.

use super::alpaca::Row;
use super::checks;
use super::tokenizer::Tokenizer;
use crate::error::{Error, Result};
use crate::record::{Lengths, PromptTemplate, TokenLengths};
use std::collections::BTreeSet;

/// The text that the model is given before its answer.
///
/// ```
/// # use tezgah::data::{alpaca::Row, encode::prompt};
/// let row = Row { instruction: "Say hello.".into(), input: String::new(), output: "Hello!".into() };
/// assert_eq!(prompt(&row), "### Instruction:\nSay hello.\n\n### Response:\n");
/// ```
pub fn prompt(row: &Row) -> String {
    PromptTemplate::ALPACA.fill(&row.instruction, &row.input)
}

/// A tokenizer with its two boundary tokens.
#[derive(Debug, Clone)]
pub struct RowEncoder {
    tokenizer: Tokenizer,
    special: BTreeSet<u32>,
    bos: Option<u32>,
    eos: u32,
    max_seq_len: usize,
}

/// One row as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedRow {
    /// Token ids, at most `max_seq_len`.
    pub ids: Vec<u32>,
    /// How many of them are prompt, BOS included; the others are response, EOS included.
    pub prompt_len: usize,
    /// Tokens before the cut.
    pub untruncated_len: usize,
    /// UTF-8 bytes of the prompt that `ids` covers.
    pub prompt_bytes: usize,
    /// UTF-8 bytes of the response that `ids` covers; EOS is no byte.
    pub response_bytes: usize,
    /// Special tokens that the row's own text was read as; see [`RowEncoder::encode`].
    pub special_in_text: usize,
    /// Letters of the row that the tokenizer has no token for and leaves out.
    pub dropped_letters: BTreeSet<char>,
}

impl RowEncoder {
    /// Prepares `tokenizer`, and asks its post-processor which token begins a text (Llama-3 has one, SmolLM2
    /// has none). `eos` ends every response; `max_seq_len` is the longest row, in tokens.
    ///
    /// Rows are then tokenized without special tokens: BOS and EOS are set here and nowhere else, so neither
    /// comes twice.
    ///
    /// # Errors
    /// `Error::Model`: the tokenizer does not know `eos`, fails, or puts more than one token before a text.
    pub fn new(tokenizer: Tokenizer, eos: u32, max_seq_len: usize) -> Result<Self> {
        if tokenizer.id_to_token(eos).is_none() {
            let size = tokenizer.vocabulary_size();
            return Err(tokenizer_error(format!(
                "expected an end-of-sequence token that it knows, got the id {eos}; its vocabulary has {size} tokens"
            )));
        }
        let bos = first_token(&tokenizer)?;
        // Generated texts are decoded after the training: a decoder that fails must fail before it.
        let ids: Vec<u32> = (0..=tokenizer.largest_id().unwrap_or(0)).collect();
        tokenizer.decode(&ids, false).map_err(tokenizer_error)?;
        Ok(RowEncoder { special: tokenizer.special_ids(), tokenizer, bos, eos, max_seq_len })
    }

    /// The token that begins a text, where the tokenizer has one.
    pub fn bos(&self) -> Option<u32> {
        self.bos
    }

    /// The token that ends a response.
    pub fn eos(&self) -> u32 {
        self.eos
    }

    /// The longest row, in tokens.
    pub fn max_seq_len(&self) -> usize {
        self.max_seq_len
    }

    /// The tokenizer: for decoding.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The row as ids.
    ///
    /// A row whose own text spells a special token, such as `<|eot_id|>`, gets that token's id there, because
    /// the stack we replace does so (transformers' `split_special_tokens` is false unless asked for). A model
    /// trained on such a row meets an end of text within a text, so the row's `special_in_text` counts them.
    ///
    /// # Errors
    /// `Error::Model` where the tokenizer fails.
    pub fn encode(&self, row: &Row) -> Result<EncodedRow> {
        let (prompt, mut dropped_letters) = self.pieces(&prompt(row))?;
        let (response, of_response) = self.pieces(&row.output)?;
        dropped_letters.extend(of_response);
        let special_in_text =
            prompt.iter().chain(&response).filter(|piece| self.special.contains(&piece.id)).count();

        let text = |pieces: &[Piece]| pieces.iter().map(|piece| piece.id).collect::<Vec<_>>();
        let mut ids = Vec::from_iter(self.bos);
        ids.extend(text(&prompt));
        let boundary = ids.len();
        ids.extend(text(&response));
        ids.push(self.eos);
        let untruncated_len = ids.len();
        ids.truncate(self.max_seq_len);

        let prompt_len = boundary.min(ids.len());
        let bos_len = usize::from(self.bos.is_some());
        Ok(EncodedRow {
            prompt_bytes: covered(&prompt, prompt_len.saturating_sub(bos_len)),
            response_bytes: covered(&response, ids.len() - prompt_len),
            ids,
            prompt_len,
            untruncated_len,
            special_in_text,
            dropped_letters,
        })
    }

    /// The ids that generation starts from: BOS and the prompt, uncut.
    ///
    /// # Errors
    /// `Error::Model` where the tokenizer fails.
    pub fn encode_prompt(&self, row: &Row) -> Result<Vec<u32>> {
        Ok(self.bos.into_iter().chain(self.pieces(&prompt(row))?.0.iter().map(|piece| piece.id)).collect())
    }

    /// The ids of a text that has its special tokens spelled out, as a chat template writes it.
    ///
    /// # Errors
    /// `Error::Model` where the tokenizer fails.
    pub fn encode_text(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.pieces(text)?.0.iter().map(|piece| piece.id).collect())
    }

    /// What a model wrote: the ids as text, without special tokens and without white space at the ends.
    ///
    /// # Errors
    /// `Error::Model` where the tokenizer fails.
    pub fn decode_text(&self, ids: &[u32]) -> Result<String> {
        let text = self.tokenizer.decode(ids, true).map_err(tokenizer_error)?;
        Ok(text.trim().to_string())
    }

    /// The tokens of `text`, and its letters that are in none of them.
    fn pieces(&self, text: &str) -> Result<(Vec<Piece>, BTreeSet<char>)> {
        let encoding = self.tokenizer.encode(text, false).map_err(tokenizer_error)?;
        let offsets = encoding.get_offsets().iter();
        let pieces =
            encoding.get_ids().iter().zip(offsets).map(|(&id, &(_, end))| Piece { id, end }).collect();
        Ok((pieces, self.tokenizer.dropped(text, &encoding)))
    }
}

impl EncodedRow {
    /// Targets under the response mask: response tokens, EOS included, that have a predecessor.
    pub fn targets(&self) -> usize {
        self.ids.len() - self.prompt_len.max(1).min(self.ids.len())
    }

    /// Targets under the full mask: every token that has a predecessor.
    pub fn full_targets(&self) -> usize {
        self.ids.len().saturating_sub(1)
    }

    /// Whether the row was cut.
    pub fn is_truncated(&self) -> bool {
        self.ids.len() < self.untruncated_len
    }
}

/// What the cut at `max_seq_len` did to a list of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenSummary {
    /// Lengths before the cut.
    pub tokens: TokenLengths,
    /// Rows cut.
    pub truncated_rows: usize,
    /// Rows whose response was cut away whole: they have no target.
    pub rows_without_target: usize,
    /// Rows whose own text spells a special token.
    pub rows_with_special_text: usize,
    /// Rows of which the tokenizer leaves letters out.
    pub rows_with_dropped_letters: usize,
    /// Those letters.
    pub dropped_letters: BTreeSet<char>,
}

/// Counts the tokens of `rows`, encoded at `max_seq_len`.
pub fn summarize<'a>(rows: impl IntoIterator<Item = &'a EncodedRow>, max_seq_len: usize) -> TokenSummary {
    let rows: Vec<&EncodedRow> = rows.into_iter().collect();
    let values: Vec<usize> = rows.iter().map(|row| row.untruncated_len).collect();
    let longer_than = |limit| values.iter().filter(|&&value| value > limit).count();
    let Lengths { mean, min, max, histogram } = checks::lengths(&values);
    let (over_512, over_max_seq_len) = (longer_than(512), longer_than(max_seq_len));
    TokenSummary {
        tokens: TokenLengths { mean, min, max, over_512, over_max_seq_len, histogram },
        truncated_rows: rows.iter().filter(|row| row.is_truncated()).count(),
        rows_without_target: rows.iter().filter(|row| row.targets() == 0).count(),
        rows_with_special_text: rows.iter().filter(|row| row.special_in_text > 0).count(),
        rows_with_dropped_letters: rows.iter().filter(|row| !row.dropped_letters.is_empty()).count(),
        dropped_letters: rows.iter().flat_map(|row| row.dropped_letters.iter().copied()).collect(),
    }
}

/// A token and the byte of its text at which it ends.
struct Piece {
    id: u32,
    end: usize,
}

/// Bytes of the text that its first `tokens` tokens cover. A character that a byte-level tokenizer spreads
/// over several tokens counts whole from its first one.
fn covered(pieces: &[Piece], tokens: usize) -> usize {
    pieces[..tokens.min(pieces.len())].last().map_or(0, |piece| piece.end)
}

/// What the post-processor puts before a text. It may put something after it too, which is none of BOS's
/// business: the text's own tokens are looked up inside the processed ones.
fn first_token(tokenizer: &Tokenizer) -> Result<Option<u32>> {
    let ids = |special| tokenizer.encode("a", special).map(|encoding| encoding.get_ids().to_vec());
    let (bare, dressed) = (ids(false).map_err(tokenizer_error)?, ids(true).map_err(tokenizer_error)?);
    let before = dressed.windows(bare.len().max(1)).position(|window| window == bare);
    match before.map(|length| &dressed[..length]) {
        Some([]) => Ok(None),
        Some([bos]) => Ok(Some(*bos)),
        _ => Err(tokenizer_error(format!(
            "expected at most one token before a text, got {dressed:?} for a text whose tokens are {bare:?}"
        ))),
    }
}

fn tokenizer_error(reason: impl std::fmt::Display) -> Error {
    Error::model("tokenizer", reason.to_string())
}

//! Text to token ids and back, by the library `tokenizers`. Its files are foreign, and it panics on some of them: the
//! panic ends here, as an error.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use tokenizers::models::ModelWrapper;
use tokenizers::{Encoding, Tokenizer as Library};

/// A tokenizer that was read and prepared: whatever its file says, it neither cuts nor pads, and it merges the same
/// letters every time (no BPE dropout). Some files carry the settings of their last use.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    library: Library,
    /// Bytes of UTF-8 that are in no token of a byte-level vocabulary.
    unspelled: BTreeSet<u8>,
}

impl Tokenizer {
    /// Reads the text of a `tokenizer.json`.
    ///
    /// # Errors
    /// One line: what the library found wrong, or that it panicked.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let library = held(|| Library::from_bytes(text).map_err(|error| error.to_string()))?;
        Tokenizer::new(library)
    }

    /// Prepares a tokenizer of the library.
    ///
    /// # Errors
    /// As [`Tokenizer::from_json`].
    pub fn new(mut library: Library) -> Result<Self, String> {
        held(move || {
            library.with_truncation(None).map_err(|error| error.to_string())?.with_padding(None);
            library.set_encode_special_tokens(false);
            if let ModelWrapper::BPE(bpe) = library.get_model()
                && bpe.dropout.is_some()
            {
                let mut bpe = bpe.clone();
                bpe.dropout = None;
                library.with_model(bpe);
            }
            Ok(Tokenizer { unspelled: unspelled(&library), library })
        })
    }

    /// The tokens of `text`, with their places in it; with `special` as the post-processor dresses them.
    ///
    /// # Errors
    /// As [`Tokenizer::from_json`].
    pub fn encode(&self, text: &str, special: bool) -> Result<Encoding, String> {
        held(|| self.library.encode(text, special).map_err(|error| error.to_string()))
    }

    /// The text of `ids`, without special tokens where `skip_special`.
    ///
    /// # Errors
    /// As [`Tokenizer::from_json`].
    pub fn decode(&self, ids: &[u32], skip_special: bool) -> Result<String, String> {
        held(|| self.library.decode(ids, skip_special).map_err(|error| error.to_string()))
    }

    /// The id of a token.
    pub fn token_to_id(&self, token: &str) -> Option<u32> {
        self.library.token_to_id(token)
    }

    /// The token of an id.
    pub fn id_to_token(&self, id: u32) -> Option<String> {
        self.library.id_to_token(id)
    }

    /// How many tokens it has, special ones included.
    pub fn vocabulary_size(&self) -> usize {
        self.library.get_vocab_size(true)
    }

    /// The largest id of its model's vocabulary.
    pub(crate) fn largest_id(&self) -> Option<u32> {
        self.library.get_vocab(false).into_values().max()
    }

    /// The ids that stand for no text.
    pub(super) fn special_ids(&self) -> BTreeSet<u32> {
        let added = self.library.get_added_tokens_decoder();
        added.into_iter().filter(|(_, token)| token.special).map(|(id, _)| id).collect()
    }

    /// The letters of `text` that its `encoding` does not have, each once: a vocabulary without a letter, without an
    /// unknown token and without bytes to fall back on drops it, and says nothing. White space is no letter: some
    /// tokenizers split at it and leave it out.
    pub(super) fn dropped(&self, text: &str, encoding: &Encoding) -> BTreeSet<char> {
        let letters = || text.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control());
        if !self.unspelled.is_empty() {
            let is_cut = |letter: &char| {
                letter.encode_utf8(&mut [0; 4]).bytes().any(|byte| self.unspelled.contains(&byte))
            };
            return letters().filter(is_cut).collect();
        }
        if is_covered(text, encoding) {
            return BTreeSet::new();
        }
        // Behind a letter that was dropped the places are wrong, so that they do not say which it was.
        let distinct: BTreeSet<char> = letters().collect();
        let has_no_token = |letter: &char| {
            let alone = self.encode(letter.encode_utf8(&mut [0; 4]), false);
            alone.is_ok_and(|encoding| encoding.get_ids().is_empty())
        };
        distinct.into_iter().filter(has_no_token).collect()
    }
}

/// Whether every letter of `text` lies in a token.
fn is_covered(text: &str, encoding: &Encoding) -> bool {
    let mut places = encoding.get_offsets().to_vec();
    places.sort_unstable();
    places.push((text.len(), text.len()));
    let mut end = 0;
    places.into_iter().all(|(start, next_end)| {
        let between = text.get(end..start).unwrap_or_default();
        end = end.max(next_end);
        between.chars().all(|letter| letter.is_whitespace() || letter.is_control())
    })
}

/// The bytes of UTF-8 that a byte-level BPE has no letter for, and would drop.
fn unspelled(library: &Library) -> BTreeSet<u8> {
    let ModelWrapper::BPE(bpe) = library.get_model() else { return BTreeSet::new() };
    let parts = [
        library.get_pre_tokenizer().and_then(|part| serde_json::to_string(part).ok()),
        library.get_normalizer().and_then(|part| serde_json::to_string(part).ok()),
    ];
    let is_byte_level = parts.into_iter().flatten().any(|part| part.contains("\"ByteLevel\""));
    if !is_byte_level || bpe.unk_token.is_some() || bpe.byte_fallback {
        return BTreeSet::new();
    }
    let letters = byte_letters();
    let is_missing = |byte: &u8| library.token_to_id(&letters[usize::from(*byte)].to_string()).is_none();
    // 0xC0, 0xC1 and what follows 0xF4 are in no UTF-8, and so in no vocabulary that was learned from texts.
    (0..=0xF4).filter(|byte| !matches!(byte, 0xC0 | 0xC1)).filter(is_missing).collect()
}

/// GPT-2's letter of each byte: itself where it can be printed, else the next one from U+0100 on.
fn byte_letters() -> Vec<char> {
    let mut others = '\u{100}'..;
    let letter = |byte: u8| match byte {
        b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => char::from(byte),
        _ => others.next().unwrap_or_default(),
    };
    (0..=0xFF).map(letter).collect()
}

thread_local! {
    /// Whether a panic of this thread is an error that will be told, and not a message of its own.
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// What `work` gives; a panic inside it is an error, and prints nothing.
fn held<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    static SILENCED: Once = Once::new();
    SILENCED.call_once(|| {
        let others = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !HELD.get() {
                others(info);
            }
        }));
    });
    let before = HELD.replace(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(work));
    HELD.set(before);
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    match outcome {
        Ok(result) => result.map_err(|error| one_line(&error)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no reason given");
            Err(format!("expected a whole tokenizer, got one on which the library fails: {}", one_line(text)))
        }
    }
}

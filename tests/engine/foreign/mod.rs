//! Files that come from anywhere, spoilt at random: a reader refuses them in one line or reads them, and neither panics,
//! nor waits for ever, nor asks for memory because a length in the file says so, nor leaves its folder.
//!
//! Inputs that once failed are kept in `proptest-regressions/` and tried first.
#![allow(clippy::unwrap_used, reason = "a test may stop where a fixture is not what it must be")]

mod rows;
mod model;
mod tokenizer;
mod gguf;
mod adapter;
mod record;

use proptest::prelude::*;
use proptest::sample::Index;
use std::fmt::Display;

/// What damaged and hostile files have in them.
const WORDS: [&[u8]; 18] = [
    b"-1",
    b"0",
    b"18446744073709551615",
    b"9223372036854775807",
    b"1e999",
    b"null",
    b"true",
    b"\"\"",
    b"{}",
    b"[",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    b"\"../../../etc/passwd\"",
    b"\\ud800",
    b"\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\xff\xfe\x00",
    b"\x00\x00\x00\x00\x00\x00\x00\x00",
    b"\n",
    b"\xef\xbb\xbf",
];

#[derive(Debug, Clone)]
enum Damage {
    /// Nothing from here on.
    Cut(Index),
    /// One byte is another.
    Byte(Index, u8),
    /// Some bytes are missing.
    Missing(Index, usize),
    /// Some bytes are there twice.
    Twice(Index, usize),
    /// A word is put in.
    Inserted(Index, usize),
    /// A word stands in the place of others.
    Replaced(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let (place, word) = (any::<Index>, 0..WORDS.len());
    prop_oneof![
        1 => place().prop_map(Damage::Cut),
        3 => (place(), any::<u8>()).prop_map(|(at, byte)| Damage::Byte(at, byte)),
        2 => (place(), 1..40_usize).prop_map(|(at, count)| Damage::Missing(at, count)),
        1 => (place(), 1..40_usize).prop_map(|(at, count)| Damage::Twice(at, count)),
        2 => (place(), word.clone()).prop_map(|(at, word)| Damage::Inserted(at, word)),
        3 => (place(), word).prop_map(|(at, word)| Damage::Replaced(at, word)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    let place = |index: &Index| index.index(bytes.len() + 1);
    let range = |at: usize, count: usize| at..(at + count).min(bytes.len());
    match damage {
        Damage::Cut(at) => bytes.truncate(place(at)),
        Damage::Byte(at, byte) => {
            let at = place(at);
            bytes.splice(range(at, 1), [*byte]);
        }
        Damage::Missing(at, count) => {
            let at = place(at);
            bytes.drain(range(at, *count));
        }
        Damage::Twice(at, count) => {
            let at = place(at);
            let copy = bytes[range(at, *count)].to_vec();
            bytes.splice(at..at, copy);
        }
        Damage::Inserted(at, word) => {
            let at = place(at);
            bytes.splice(at..at, WORDS[*word].iter().copied());
        }
        Damage::Replaced(at, word) => {
            let at = place(at);
            bytes.splice(range(at, WORDS[*word].len()), WORDS[*word].iter().copied());
        }
    }
}

/// Spoilt bytes; shown as what was done to them.
#[derive(Clone)]
struct Spoilt {
    bytes: Vec<u8>,
    damages: Vec<Damage>,
}

impl std::fmt::Debug for Spoilt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.damages.fmt(f)
    }
}

/// `sound`, spoilt in one to three places.
fn damaged(sound: Vec<u8>) -> impl Strategy<Value = Spoilt> {
    let head = sound.len();
    damaged_head(sound, head)
}

/// `sound` with a spoilt beginning of `head` bytes: the tables of a file are there, and the rest is numbers.
fn damaged_head(sound: Vec<u8>, head: usize) -> impl Strategy<Value = Spoilt> {
    proptest::collection::vec(damage(), 1..4).prop_map(move |damages| {
        let mut bytes = sound[..head].to_vec();
        damages.iter().for_each(|damage| apply(&mut bytes, damage));
        bytes.extend(&sound[head..]);
        Spoilt { bytes, damages }
    })
}

/// Memory that a reader of a small file may ask for beyond a hundred times its size.
const MOST_BYTES: u64 = 64 << 20;

/// Reads, within the memory that `size` bytes are worth; an error is one line.
fn read_calmly<T, E: Display>(size: usize, read: impl FnOnce() -> Result<T, E>) -> Option<T> {
    let mut outcome = None;
    let memory = allocation_counter::measure(|| outcome = Some(read()));
    assert!(memory.bytes_max <= MOST_BYTES + 100 * size as u64, "{} bytes for {size}", memory.bytes_max);
    match outcome.unwrap() {
        Ok(value) => Some(value),
        Err(error) => {
            let text = error.to_string();
            assert!(!text.is_empty() && !text.contains('\n'), "{text}");
            None
        }
    }
}

/// A few hundred cases of files that take a millisecond each.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, max_shrink_iters: 2_000, ..ProptestConfig::default() }
}

//! Seeded streams of random numbers that are the same on every platform and in every version.
//!
//! A stream is ChaCha8 keyed with SHA-256(`"tezgah"` ‖ name ‖ seed as 8 little-endian bytes). The name keeps
//! the purposes of one seed apart: a longer shuffle never moves the numbers of a dropout mask. Ranges are
//! drawn here and not by the `rand` crate, whose sampling may change between its versions.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// The stream called `name` of the seed `seed`. 0 is a seed like any other.
pub fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    let key = Sha256::new().chain_update("tezgah").chain_update(name).chain_update(seed.to_le_bytes());
    ChaCha8Rng::from_seed(key.finalize().into())
}

/// A whole number in [0, `bound`), each with the same probability. `bound` is at least 1.
///
/// 64-bit draws at or above the largest multiple of `bound` are thrown away, because the remainder
/// of those would favour the small numbers.
pub fn below(generator: &mut impl Rng, bound: u64) -> u64 {
    let limit = u64::MAX - u64::MAX % bound;
    loop {
        let draw = generator.next_u64();
        if draw < limit {
            return draw % bound;
        }
    }
}

/// Puts `items` into a random order (Fisher-Yates, from the last place down): each order equally likely.
pub fn shuffle<T>(generator: &mut impl Rng, items: &mut [T]) {
    for last in (1..items.len()).rev() {
        items.swap(last, below(generator, last as u64 + 1) as usize);
    }
}

/// A number in [0, 1), a multiple of 2^-53.
pub fn unit(generator: &mut impl Rng) -> f64 {
    (generator.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

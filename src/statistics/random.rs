//! The statistics' random numbers: ChaCha8, one named stream a purpose.
//!
//! The 32-byte key is the seed in little-endian order, then zeros: the cipher needs no better spread key, and
//! `seed_from_u64` would tie the numbers to rand_core's way of expanding it. The 64-bit stream number is the
//! purpose's name in ASCII, so two purposes never share a number, and a further one moves none of the others.
//! [`crate::random`] keys its streams by a hash; these stay apart because recorded intervals rest on them, and
//! `tests/reference/statistics/make_fixtures.py` draws them again without any.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What random numbers are drawn for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stream {
    /// Rows of the bootstrap's resamples.
    Bootstrap,
    /// Signs of the permutation test.
    SignFlips,
    /// Groups of the resamples of any other figure.
    Groups,
}

/// The stream of `seed` for one purpose, from its start.
pub(super) fn stream(seed: u64, purpose: Stream) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let mut generator = ChaCha8Rng::from_seed(key);
    generator.set_stream(u64::from_be_bytes(*match purpose {
        Stream::Bootstrap => b"resample",
        Stream::SignFlips => b"signflip",
        Stream::Groups => b"clusters",
    }));
    generator
}

/// A number in 0..length, each equally likely: the high half of draw x length, where the few draws that
/// would favour some numbers are drawn again (Lemire 2019). In 64 bits on every platform.
pub(super) fn index_below(length: usize, generator: &mut ChaCha8Rng) -> usize {
    let length = length as u64;
    loop {
        let product = u128::from(generator.next_u64()) * u128::from(length);
        let low = product as u64;
        // The remainder costs a division: only the rare low half that could be rejected pays it.
        if low >= length || low >= length.wrapping_neg() % length {
            return (product >> 64) as usize;
        }
    }
}

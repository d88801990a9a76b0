//! One query over the keys and values that are kept of its row.
//!
//! Keys lie a token a column, in blocks of a few tokens; values lie a token a row. Either product then adds whole registers, each
//! number of which is a sum of its own, nothing is added across a register, and memory is read from one end to the other.

use crate::model::ops::simd::{self, LANES};
use crate::model::ops::{Element, dispatch};

/// Keys of a block, which are scored together: the capacity of a head is a multiple of it.
pub(super) const KEYS: usize = 2 * LANES;
/// Columns of the values that are summed together.
const COLUMNS: usize = 4 * LANES;

/// What is kept of a row for one key head, up to its capacity.
#[derive(Clone, Copy)]
pub(super) struct KeptHead<'a, E> {
    /// (capacity / KEYS, D, KEYS)
    pub(super) keys: &'a [E],
    /// (capacity, D)
    pub(super) values: &'a [E],
    /// Tokens that the query looks at.
    pub(super) seen: usize,
}

/// Where the first number of a token's key stands among the keys of its head; the next stand KEYS apart.
pub(super) fn begin_of_key(token: usize, width: usize) -> usize {
    token / KEYS * KEYS * width + token % KEYS
}

/// y = softmax(scale q K^T) V. `scores` is memory that is used again.
pub(super) fn one_query<E: Element>(
    y: &mut [E],
    q: &[E],
    kept: KeptHead<E>,
    scale: f32,
    scores: &mut Vec<f32>,
) {
    scores.resize(kept.seen.next_multiple_of(KEYS), 0.0);
    dispatch(
        #[inline(always)]
        || {
            let blocks = kept.keys.chunks_exact(KEYS * q.len());
            for (scores, keys) in scores.chunks_exact_mut(KEYS).zip(blocks) {
                score(scores, q, keys, scale);
            }
            let seen = &mut scores[..kept.seen];
            let top = simd::maximum(seen);
            let sum = simd::exp_in_place(seen, top);
            for (block, y) in y.chunks_mut(COLUMNS).enumerate() {
                weigh(y, seen, kept.values, q.len(), block * COLUMNS, sum);
            }
        },
    );
}

/// The scores of a block of keys.
#[inline(always)]
fn score<E: Element>(scores: &mut [f32], q: &[E], keys: &[E], scale: f32) {
    let mut sums = [0f32; KEYS];
    for (q, keys) in q.iter().zip(keys.chunks_exact(KEYS)) {
        sums = with_multiple(sums, q.wide(), keys);
    }
    for (score, sum) in scores.iter_mut().zip(sums) {
        *score = scale * sum;
    }
}

/// Columns of the values from `first` on, each value times its weight, over the sum of the weights.
#[inline(always)]
fn weigh<E: Element>(y: &mut [E], weights: &[f32], values: &[E], width: usize, first: usize, sum: f32) {
    let mut sums = [0f32; COLUMNS];
    // No iterator adaptor with the sums in it: its loop would be compiled apart, for the smallest processor.
    for (&weight, value) in weights.iter().zip(values.chunks_exact(width)) {
        if y.len() == COLUMNS {
            sums = with_multiple(sums, weight, &value[first..]);
        } else {
            for (sum, number) in sums.iter_mut().zip(&value[first..]) {
                *sum += weight * number.wide();
            }
        }
    }
    for (y, weighted) in y.iter_mut().zip(sums) {
        *y = E::narrowed(weighted / sum);
    }
}

/// sums + factor x. (By value: the compiler makes registers of an array, of slices only numbers.)
#[inline(always)]
fn with_multiple<E: Element, const N: usize>(sums: [f32; N], factor: f32, x: &[E]) -> [f32; N] {
    let x: &[E; N] = x.first_chunk().expect("as many numbers as sums");
    std::array::from_fn(|i| sums[i] + factor * x[i].wide())
}

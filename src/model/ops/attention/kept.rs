//! Attention of one fresh token a row over the keys and values that are kept of the row's tokens: softmax(scale q K^T) V.
//!
//! What is kept lies in slots of equal size, one a row, head by head, so that a head's keys are one matrix. Nothing is copied
//! when a token comes: it is written behind the others.

use super::Heads;
use super::device::{softmax, wide};
use crate::model::ops::heads::PADDED_TO;
use crate::model::ops::{Element, by_type, create, dispatch, in_place, is_fast, simd};
use candle_core::{D, DType, Device, Result, Tensor};
use rayon::prelude::*;

/// The keys and values of one layer: slot after slot, in each the key heads or the value heads, in each its tokens.
pub(crate) struct Kept {
    /// (2 x slots x key_value x capacity, D): all keys, then all values.
    values: Tensor,
    room: Room,
}

/// How much is kept, of which heads.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    /// Rows that can be kept.
    pub(crate) slots: usize,
    /// Tokens of a row that can be kept.
    pub(crate) capacity: usize,
    /// Division of the columns into heads.
    pub(crate) heads: Heads,
}

impl Room {
    /// For `slots` rows of `tokens` tokens.
    pub(crate) fn new(slots: usize, tokens: usize, heads: Heads) -> Self {
        Room { slots, capacity: tokens.next_multiple_of(PADDED_TO), heads }
    }

    /// Where the matrix of a slot's `column` begins, in rows of [`Kept::values`]; columns are the key heads, then the
    /// value heads, as a packed token has them.
    fn begins(self, column: usize, slot: usize) -> usize {
        let (half, head) = (column / self.heads.key_value, column % self.heads.key_value);
        ((half * self.slots + slot) * self.heads.key_value + head) * self.capacity
    }
}

/// Where the tokens of one pass are kept, the same in every layer.
pub(crate) struct Places {
    /// Slot and position of each token.
    of: Vec<(usize, usize)>,
    /// The same as rows of [`Kept::values`], (N x 2 key_value, D), where a device writes them.
    rows: Option<Tensor>,
}

impl Places {
    /// The tokens at (slot, position) of `of`, in the order of the pass, for tensors like `like`.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub(crate) fn new(of: Vec<(usize, usize)>, room: Room, like: &Tensor) -> Result<Self> {
        if is_fast(like) {
            return Ok(Places { of, rows: None });
        }
        let Heads { key_value, width, .. } = room.heads;
        let rows = of.iter().flat_map(|&(slot, position)| {
            (0..2 * key_value).map(move |column| (room.begins(column, slot) + position) as u32)
        });
        let rows =
            Tensor::from_vec(rows.collect::<Vec<u32>>(), (of.len() * 2 * key_value, 1), like.device())?;
        Ok(Places { rows: Some(rows.broadcast_as((rows.dim(0)?, width))?.contiguous()?), of })
    }
}

/// The tokens that the rows of one pass look at, their fresh ones among them.
pub(crate) struct Seen {
    /// One a row.
    tokens: Vec<usize>,
    /// The same as what is added to scores, (rows, 1, 1, longest), where a device adds it.
    mask: Option<Tensor>,
}

impl Seen {
    /// Row i, which slot i keeps, looks at its first `tokens`\[i\] tokens.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub(crate) fn new(tokens: Vec<usize>, like: &Tensor) -> Result<Self> {
        if is_fast(like) {
            return Ok(Seen { tokens, mask: None });
        }
        let longest = tokens.iter().copied().max().unwrap_or(0).next_multiple_of(PADDED_TO);
        let of_row =
            |seen: usize| (0..longest).map(move |key| if key < seen { 0.0 } else { f32::NEG_INFINITY });
        let mask: Vec<f32> = tokens.iter().flat_map(|&seen| of_row(seen)).collect();
        let mask = Tensor::from_vec(mask, (tokens.len(), 1, 1, longest), like.device())?;
        Ok(Seen { tokens, mask: Some(mask.to_dtype(wide(like.dtype()))?) })
    }
}

impl Kept {
    /// Room for rows that are not there yet. What no token has been written to is zero: a masked product of it stays finite.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub(crate) fn new(room: Room, dtype: DType, device: &Device) -> Result<Self> {
        let rows = 2 * room.slots * room.heads.key_value * room.capacity;
        Ok(Kept { values: Tensor::zeros((rows, room.heads.width), dtype, device)?, room })
    }

    /// Keeps the keys and values of the tokens of a pass.
    ///
    /// # Shapes
    /// qkv (N, packed), N tokens at `places`
    ///
    /// # Errors
    /// Operands on different devices.
    pub(crate) fn keep(&self, qkv: &Tensor, places: &Places) -> Result<()> {
        let Heads { query, key_value, width } = self.room.heads;
        if let Some(rows) = &places.rows {
            let fresh = qkv.narrow(1, query * width, 2 * key_value * width)?.contiguous()?;
            return self.values.scatter_set(rows, &fresh.reshape(rows.shape())?, 0);
        }
        by_type!(qkv.dtype(), E => self.keep_kernel::<E>(qkv, places))
    }

    fn keep_kernel<E: Element>(&self, qkv: &Tensor, places: &Places) -> Result<()> {
        let (room, Heads { query, width, .. }) = (self.room, self.room.heads);
        let packed = room.heads.packed_width();
        in_place(&self.values, [qkv], |kept: &mut [E], [qkv]: [&[E]; 1]| {
            for (token, &(slot, position)) in qkv.chunks_exact(packed).zip(&places.of) {
                let pairs = token[query * width..].chunks_exact(width).enumerate();
                for (column, values) in pairs {
                    let at = room.begins(column, slot) + position;
                    kept[at * width..][..width].copy_from_slice(values);
                }
            }
        })
    }

    /// Attention of the tokens of a pass, one a row, which were kept before.
    ///
    /// # Shapes
    /// qkv (rows, packed) -> (rows, query heads x D)
    ///
    /// # Errors
    /// Operands on different devices.
    pub(crate) fn attend(&self, qkv: &Tensor, seen: &Seen) -> Result<Tensor> {
        if let Some(mask) = &seen.mask {
            return self.attend_on_device(qkv, mask);
        }
        by_type!(qkv.dtype(), E => self.attend_kernel::<E>(qkv, seen))
    }

    fn attend_kernel<E: Element>(&self, qkv: &Tensor, seen: &Seen) -> Result<Tensor> {
        let (room, Heads { key_value, width, .. }) = (self.room, self.room.heads);
        let (packed, group) = (room.heads.packed_width(), room.heads.group() * width);
        create(
            (seen.tokens.len(), key_value * group),
            [qkv, &self.values],
            |y: &mut [E], [qkv, kept]: [&[E]; 2]| {
                // A task has the query heads of one key head, which read its keys one after the other.
                y.par_chunks_mut(group).enumerate().for_each_init(Vec::new, |scores, (task, y)| {
                    let (row, head) = (task / key_value, task % key_value);
                    let matrix =
                        |column| &kept[room.begins(column, row) * width..][..seen.tokens[row] * width];
                    let queries = &qkv[row * packed + head * group..][..group];
                    for (y, q) in y.chunks_exact_mut(width).zip(queries.chunks_exact(width)) {
                        one_query(
                            y,
                            q,
                            matrix(head),
                            matrix(key_value + head),
                            room.heads.scale() as f32,
                            scores,
                        );
                    }
                });
            },
        )
    }

    fn attend_on_device(&self, qkv: &Tensor, mask: &Tensor) -> Result<Tensor> {
        let (room, Heads { query, key_value, width }) = (self.room, self.room.heads);
        let (rows, longest) = (qkv.dim(0)?, mask.dim(D::Minus1)?);
        let shape = (2, room.slots, key_value, room.capacity, width);
        let halves = self.values.reshape(shape)?.narrow(1, 0, rows)?.narrow(3, 0, longest)?;
        let q = qkv.narrow(1, 0, query * width)?.contiguous()?;
        let q = q.reshape((rows, key_value, room.heads.group(), width))?;
        let scores = (q.matmul(&halves.get(0)?.t()?)? * room.heads.scale())?;
        softmax(&scores, mask)?.matmul(&halves.get(1)?)?.reshape((rows, query * width))
    }

    /// Brings what slot `from` keeps to slot `to`, whose own is no longer needed.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub(crate) fn bring(&self, from: usize, to: usize) -> Result<()> {
        let slots = self.values.reshape((2, self.room.slots, ()))?;
        slots.slice_set(&slots.narrow(1, from, 1)?.contiguous()?, 1, to)
    }
}

/// y = softmax(scale q K^T) V for one query over all rows of K and V. `scores` is memory that is used again.
fn one_query<E: Element>(y: &mut [E], q: &[E], k: &[E], v: &[E], scale: f32, scores: &mut Vec<f32>) {
    let width = q.len();
    dispatch(
        #[inline(always)]
        || {
            // No iterator adaptor that writes: its loop would be compiled apart, for the smallest processor.
            scores.clear();
            scores.resize(k.len() / width, 0.0);
            for (score, key) in scores.iter_mut().zip(k.chunks_exact(width)) {
                *score = scale * simd::dot(q, key);
            }
            let top = simd::maximum(scores);
            let sum = simd::exp_in_place(scores, top);
            let seen = scores.len();
            scores.resize(seen + width, 0.0);
            let (probabilities, sums) = scores.split_at_mut(seen);
            for (p, value) in probabilities.iter().zip(v.chunks_exact(width)) {
                let p = p / sum;
                for (sum, value) in sums.iter_mut().zip(value) {
                    *sum += p * value.wide();
                }
            }
            y.iter_mut().zip(sums).for_each(|(y, sum)| *y = E::narrowed(*sum));
        },
    );
}

//! Attention of one fresh token a row over the keys and values that are kept of the row's tokens: softmax(scale q K^T) V.
//!
//! What is kept lies in slots of equal size, one a row, head by head, so that a head's keys are one matrix: on a device a token
//! a row, on the host a token a column (see [`one_query`]). Nothing is copied when a token comes: it is written behind the
//! others.

use super::Heads;
use super::device::{softmax, wide};
use super::one_query::{KEYS, KeptHead, begin_of_key, one_query};
use crate::model::ops::heads::PADDED_TO;
use crate::model::ops::{Element, by_type, create, in_place, is_fast};
use candle_core::{D, DType, Device, Result, Tensor};
use rayon::prelude::*;
use std::ops::Range;

/// The keys and values of one layer: slot after slot, in each the key heads or the value heads, in each its tokens.
pub(crate) struct Kept {
    /// (2 x slots x key_value x capacity, D): all keys, then all values. On the host a head's keys are (capacity / KEYS, D, KEYS).
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
        Room { slots, capacity: tokens.next_multiple_of(KEYS), heads }
    }

    /// Where the matrix of a slot's `column` begins, in rows of [`Kept::values`]; columns are the key heads, then the
    /// value heads, as a packed token has them.
    fn begins(self, column: usize, slot: usize) -> usize {
        let (half, head) = (column / self.heads.key_value, column % self.heads.key_value);
        ((half * self.slots + slot) * self.heads.key_value + head) * self.capacity
    }
}

/// Where the tokens of one pass are kept, the same in every layer: slot after slot, in the order of the pass.
pub(crate) struct Places {
    /// Of each slot, the first of its tokens in the pass, and their positions.
    of: Vec<(usize, Range<usize>)>,
    /// The same as rows of [`Kept::values`], (N x 2 key_value, D), where a device writes them.
    rows: Option<Tensor>,
}

impl Places {
    /// Slot i keeps tokens at `positions`\[i\]; for tensors like `like`.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub(crate) fn new(
        positions: impl Iterator<Item = Range<usize>>,
        room: Room,
        like: &Tensor,
    ) -> Result<Self> {
        let mut tokens = 0;
        let of: Vec<(usize, Range<usize>)> = positions
            .map(|positions| {
                tokens += positions.len();
                (tokens - positions.len(), positions)
            })
            .collect();
        if is_fast(like) {
            return Ok(Places { of, rows: None });
        }
        let Heads { key_value, width, .. } = room.heads;
        let tokens = of.iter().enumerate().flat_map(|(slot, (_, at))| at.clone().map(move |at| (slot, at)));
        let rows: Vec<u32> = tokens
            .flat_map(|(slot, at)| {
                (0..2 * key_value).map(move |column| (room.begins(column, slot) + at) as u32)
            })
            .collect();
        let rows = Tensor::new(rows, like.device())?.unsqueeze(1)?;
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
        let (room, Heads { query, key_value, width }) = (self.room, self.room.heads);
        let packed = room.heads.packed_width();
        let numbers = room.capacity * width;
        in_place(&self.values, [qkv], |kept: &mut [E], [qkv]: [&[E]; 1]| {
            let (keys, values) = kept.split_at_mut(room.slots * key_value * numbers);
            let slots =
                keys.par_chunks_mut(key_value * numbers).zip(values.par_chunks_mut(key_value * numbers));
            slots.zip(&places.of).for_each(|((kept_keys, kept_values), (first, positions))| {
                let tokens = qkv[first * packed..].chunks_exact(packed);
                for (token, position) in tokens.zip(positions.clone()) {
                    let (keys, values) = token[query * width..].split_at(key_value * width);
                    for (kept, key) in kept_keys.chunks_exact_mut(numbers).zip(keys.chunks_exact(width)) {
                        let column = kept[begin_of_key(position, width)..].iter_mut().step_by(KEYS);
                        column.zip(key).for_each(|(to, &number)| *to = number);
                    }
                    for (kept, value) in kept_values.chunks_exact_mut(numbers).zip(values.chunks_exact(width))
                    {
                        kept[position * width..][..width].copy_from_slice(value);
                    }
                }
            });
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
                    let numbers = room.capacity * width;
                    let matrix = |column| &kept[room.begins(column, row) * width..][..numbers];
                    let head_kept = KeptHead {
                        keys: matrix(head),
                        values: matrix(key_value + head),
                        seen: seen.tokens[row],
                    };
                    let queries = &qkv[row * packed + head * group..][..group];
                    for (y, q) in y.chunks_exact_mut(width).zip(queries.chunks_exact(width)) {
                        one_query(y, q, head_kept, room.heads.scale() as f32, scores);
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

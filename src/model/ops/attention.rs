//! Causal grouped-query attention over packed rows: softmax(scale Q K^T) V, scale = 1 / sqrt(D).
//!
//! Scores exist for one block of queries at a time, forward and backward (Rabe and Staats, 2021), so
//! memory grows with the row's length and not with its square. The backward pass computes the
//! probabilities again. Blocks stop at the diagonal, which saves nearly half of the work on long rows.

pub mod device;
mod one_query;
pub(crate) mod kept;

#[cfg(feature = "cuda")]
use super::cuda::padding::Grid;
use super::gemm::{Operand, Threads, View, Write, gemm_of};
use super::{Element, by_type, create, dispatch, is_fast, simd, zeros};
use candle_core::{DType, Device, Result, Tensor};
use rayon::prelude::*;

pub use super::heads::Heads;

/// Queries of one block: 64 keep scores and probabilities of a 2048-token row in the second-level cache. In bf16 a block's
/// operands are brought into order first, which few queries of a short row do not pay for.
fn queries_at_once<E: Element>(length: usize) -> usize {
    const FEW: usize = 64;
    if E::DTYPE == DType::BF16 { (FEW * 2048 / length.max(1)).clamp(FEW, 256) } else { FEW }
}

/// A product on the thread of a task, which has it for itself.
fn product<'a, 'b>(
    c: &mut [f32],
    row_stride: usize,
    write: Write,
    scale: f32,
    a: impl Into<Operand<'a>>,
    b: impl Into<Operand<'b>>,
) {
    gemm_of(c, row_stride, write, scale, a.into(), b.into(), Threads::One);
}

/// The rows of a batch, packed end to end: made once for all layers of a pass, since a card has to be told of them.
pub struct Rows {
    /// Where they begin among the tokens, one more than rows.
    offsets: Vec<usize>,
    /// The same on a card.
    #[cfg(feature = "cuda")]
    grid: Option<Grid>,
}

impl Rows {
    /// Rows that begin at `offsets`, one more than rows, of tensors of `device`.
    ///
    /// # Errors
    /// Offsets that fall; a device that has no memory left.
    #[cfg_attr(not(feature = "cuda"), expect(unused_variables, reason = "CUDA alone is told of them"))]
    pub fn new(offsets: &[usize], device: &Device) -> Result<Self> {
        Ok(Rows {
            offsets: offsets.to_vec(),
            #[cfg(feature = "cuda")]
            grid: if device.is_cuda() { Some(Grid::new(offsets, device)?) } else { None },
        })
    }
}

/// # Shapes
/// qkv (N, packed) of `rows` -> (N, query heads x D)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn attention(qkv: &Tensor, rows: &Rows, heads: Heads) -> Result<Tensor> {
    if !is_fast(qkv) {
        return device::attention(qkv, rows, heads);
    }
    by_type!(qkv.dtype(), E => kernel::<E>(qkv, &rows.offsets, heads))
}

/// Whether a training computes the output once more rather than keep it until the backward pass: in bf16 on the CPU, where,
/// of rows of 200 tokens, that is a hundredth of a pass, and the output a tenth of what is kept.
pub(crate) fn is_computed_again(qkv: &Tensor) -> bool {
    is_fast(qkv) && qkv.dtype() == DType::BF16
}

/// The columns of one head, as many as it is wide, from row `first` on.
fn head_of<E: Element>(
    values: &[E],
    row_stride: usize,
    column: usize,
    (first, rows): (usize, usize),
    d: usize,
) -> View<'_, E> {
    View::new(&values[first * row_stride + column..], (rows, d), (row_stride, 1))
}

#[expect(clippy::disallowed_methods, reason = "its tasks hold slices of the host")]
fn kernel<E: Element>(qkv: &Tensor, offsets: &[usize], heads: Heads) -> Result<Tensor>
where
    for<'v> View<'v, E>: Into<Operand<'v>>,
{
    let (tokens, packed) = qkv.dims2()?;
    let (d, out) = (heads.width, heads.query * heads.width);
    create((tokens, out), [qkv], |y: &mut [E], [qkv]: [&[E]; 1]| {
        let mut by_head: Vec<f32> = zeros(tokens * out);
        let tasks = tasks(&mut by_head, offsets, heads.query, d);
        tasks.into_par_iter().for_each_init(Vec::new, |scores, Task { start, length, head, values }| {
            let row = &qkv[start * packed..(start + length) * packed];
            let (key, value) = heads.key_value_columns(head / heads.group());
            let at_once = queries_at_once::<E>(length);
            let scores = at_least(scores, at_once.min(length) * length);
            for (block, values) in values.chunks_mut(at_once * d).enumerate() {
                let (first, queries) = (block * at_once, values.len() / d);
                let keys = first + queries;
                let q = head_of(row, packed, head * d, (first, queries), d);
                let k = head_of(row, packed, key, (0, keys), d);
                let v = head_of(row, packed, value, (0, keys), d);
                product(scores, keys, Write::Replace, heads.scale() as f32, q, k.t());
                causal_softmax(&mut scores[..queries * keys], first, keys);
                let p = View::new(scores, (queries, keys), (keys, 1));
                product(values, d, Write::Replace, 1.0, p, v);
            }
        });
        interleave(y, &by_head, offsets, heads.query, d, |head| head * d);
    })
}

/// The gradient of queries, keys and values.
///
/// With P the probabilities: dV = P^T dO, dP = dO V^T, dS = scale P (dP - rowsum(P dP)), dQ = dS K,
/// dK = dS^T Q.
///
/// # Shapes
/// qkv (N, packed), grad_y (N, query heads x D) -> (N, packed)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn backward(qkv: &Tensor, grad_y: &Tensor, rows: &Rows, heads: Heads) -> Result<Tensor> {
    if !is_fast(qkv) {
        return device::backward(qkv, grad_y, rows, heads);
    }
    by_type!(qkv.dtype(), E => backward_kernel::<E>(qkv, grad_y, &rows.offsets, heads))
}

#[expect(clippy::disallowed_methods, reason = "its tasks hold slices of the host")]
fn backward_kernel<E: Element>(
    qkv: &Tensor,
    grad_y: &Tensor,
    offsets: &[usize],
    heads: Heads,
) -> Result<Tensor>
where
    for<'v> View<'v, E>: Into<Operand<'v>>,
{
    let (tokens, packed) = qkv.dims2()?;
    let (d, out, group) = (heads.width, heads.query * heads.width, heads.group());
    create((tokens, packed), [qkv, grad_y], |grad: &mut [E], [qkv, grad_y]: [&[E]; 2]| {
        // A task owns its group's query heads, its key head and its value head, one after the other.
        let mut by_head: Vec<f32> = zeros(tokens * packed);
        let tasks = tasks(&mut by_head, offsets, heads.key_value, (group + 2) * d);
        tasks.into_par_iter().for_each_init(
            Default::default,
            |(p, ds), Task { start, length, head, values }| {
                let row = &qkv[start * packed..(start + length) * packed];
                let grad_row = &grad_y[start * out..(start + length) * out];
                let (key, value) = heads.key_value_columns(head);
                let at_once = queries_at_once::<E>(length);
                let (grad_q, grad_kv) = values.split_at_mut(group * length * d);
                let (grad_k, grad_v) = grad_kv.split_at_mut(length * d);
                let block = at_once.min(length) * length;
                let (p, ds) = (at_least(p, block), at_least(ds, block));
                for (member, grad_q) in grad_q.chunks_mut(length * d).enumerate() {
                    let column = (head * group + member) * d;
                    for (block, grad_q) in grad_q.chunks_mut(at_once * d).enumerate() {
                        let (first, queries) = (block * at_once, grad_q.len() / d);
                        let keys = first + queries;
                        let q = head_of(row, packed, column, (first, queries), d);
                        let k = head_of(row, packed, key, (0, keys), d);
                        let v = head_of(row, packed, value, (0, keys), d);
                        let dy = head_of(grad_row, out, column, (first, queries), d);
                        product(p, keys, Write::Replace, heads.scale() as f32, q, k.t());
                        causal_softmax(&mut p[..queries * keys], first, keys);
                        product(ds, keys, Write::Replace, 1.0, dy, v.t());
                        let probabilities = View::new(p, (queries, keys), (keys, 1));
                        product(grad_v, d, Write::Add, 1.0, probabilities.t(), dy);
                        softmax_backward(
                            &p[..queries * keys],
                            &mut ds[..queries * keys],
                            keys,
                            heads.scale() as f32,
                        );
                        let ds = View::new(ds, (queries, keys), (keys, 1));
                        product(grad_q, d, Write::Replace, 1.0, ds, k);
                        product(grad_k, d, Write::Add, 1.0, ds.t(), q);
                    }
                }
            },
        );
        interleave(grad, &by_head, offsets, heads.packed_width() / d, d, |place| {
            // Place in a row's blocks -> column: group members, key, value of each key-value head in turn.
            let (head, member) = (place / (group + 2), place % (group + 2));
            let (key, value) = heads.key_value_columns(head);
            match member.checked_sub(group) {
                None => (head * group + member) * d,
                Some(0) => key,
                Some(_) => value,
            }
        });
    })
}

struct Task<'a> {
    start: usize,
    length: usize,
    head: usize,
    values: &'a mut [f32],
}

/// One task a row and head, each with its own part of `values`: rows outermost, `width` numbers a token.
fn tasks<'a>(mut values: &'a mut [f32], offsets: &[usize], heads: usize, width: usize) -> Vec<Task<'a>> {
    let mut tasks = Vec::with_capacity(offsets.len() * heads);
    for row in offsets.windows(2) {
        let length = row[1] - row[0];
        for head in 0..heads {
            let (own, rest) = values.split_at_mut(length * width);
            values = rest;
            tasks.push(Task { start: row[0], length, head, values: own });
        }
    }
    // Long rows first, so that the last thread does not start the longest task last.
    tasks.sort_by_key(|task| std::cmp::Reverse(task.length));
    tasks
}

/// So many numbers, whatever they are, of what a thread keeps from task to task: new ones would have to be cleared each time.
fn at_least(kept: &mut Vec<f32>, count: usize) -> &mut [f32] {
    if kept.len() < count {
        kept.resize(count, 0.0);
    }
    &mut kept[..count]
}

/// From blocks (row, place, token, D) to tokens with `place` at `column(place)`.
#[expect(clippy::disallowed_methods, reason = "its rows are slices of the host")]
fn interleave<E: Element>(
    y: &mut [E],
    by_head: &[f32],
    offsets: &[usize],
    places: usize,
    d: usize,
    column: impl Fn(usize) -> usize + Sync,
) {
    let width = places * d;
    let mut rows = Vec::with_capacity(offsets.len());
    let mut rest = y;
    for row in offsets.windows(2) {
        let (own, others) = rest.split_at_mut((row[1] - row[0]) * width);
        rest = others;
        rows.push((row[0], own));
    }
    rows.into_par_iter().for_each(|(start, y)| {
        let length = y.len() / width;
        for place in 0..places {
            let block = &by_head[start * width + place * length * d..][..length * d];
            let column = column(place);
            for (token, values) in block.chunks_exact(d).enumerate() {
                let to = &mut y[token * width + column..][..d];
                to.iter_mut().zip(values).for_each(|(to, &value)| *to = E::narrowed(value));
            }
        }
    });
}

/// Softmax of each score row up to its diagonal, 0 beyond; query i of the block is token first + i.
fn causal_softmax(scores: &mut [f32], first: usize, keys: usize) {
    dispatch(
        #[inline(always)]
        || {
            for (i, row) in scores.chunks_exact_mut(keys).enumerate() {
                let (seen, hidden) = row.split_at_mut(first + i + 1);
                let top = simd::maximum(seen);
                let scale = 1.0 / simd::exp_in_place(seen, top);
                seen.iter_mut().for_each(|p| *p *= scale);
                hidden.fill(0.0);
            }
        },
    );
}

/// dS = scale P (dP - rowsum(P dP)), in the place of dP.
fn softmax_backward(p: &[f32], dp: &mut [f32], keys: usize, scale: f32) {
    dispatch(
        #[inline(always)]
        || {
            for (p, dp) in p.chunks_exact(keys).zip(dp.chunks_exact_mut(keys)) {
                let along = simd::dot(p, dp);
                for (p, dp) in p.iter().zip(dp) {
                    *dp = p * (*dp - along) * scale;
                }
            }
        },
    );
}

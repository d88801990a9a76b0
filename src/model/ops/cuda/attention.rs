//! Attention on a card: `padding.cu` before and after, cuBLAS's batched products, and `softmax.cu` between them.
//!
//! A group is a row and one of its key heads; its queries are those of the query heads that look at it, one below the other.

use super::padding::Grid;
use super::product;
use super::softmax::{self, Causal, causal_softmax};
use crate::model::ops::heads::{Heads, blocks, flat};
use candle_core::{DType, Result, Tensor};

/// Rows of a grid by their heads.
struct Operands {
    /// (groups, group, longest, D)
    q: Tensor,
    /// (groups, longest, D)
    k: Tensor,
    v: Tensor,
}

impl Operands {
    fn new(qkv: &Tensor, grid: &Grid, heads: Heads) -> Result<Self> {
        let Heads { query, key_value, width } = heads;
        let parts = grid.split(qkv, &[query, key_value, key_value], width)?;
        let groups = grid.rows * key_value;
        Ok(Operands {
            q: parts[0].reshape((groups, query / key_value, grid.longest, width))?,
            k: parts[1].reshape((groups, grid.longest, width))?,
            v: parts[2].reshape((groups, grid.longest, width))?,
        })
    }

    /// Queries [first, first + count) of all heads and their keys, which products take as views:
    /// (groups, group x count, D), (groups, keys, D).
    fn block(&self, first: usize, count: usize) -> Result<(Tensor, Tensor, Tensor)> {
        let keys = first + count;
        Ok((flat(&self.q.narrow(2, first, count)?)?, self.k.narrow(1, 0, keys)?, self.v.narrow(1, 0, keys)?))
    }
}

/// See [`crate::model::ops::attention::attention`].
///
/// # Errors
/// As there.
pub(in crate::model::ops) fn attention(
    qkv: &Tensor,
    grid: &Grid,
    heads: Heads,
    scale: f64,
) -> Result<Tensor> {
    let operands = Operands::new(qkv, grid, heads)?;
    let (groups, group, _, width) = operands.q.dims4()?;
    let mut outputs = Vec::new();
    for (first, count) in blocks(grid.longest) {
        let (q, k, v) = operands.block(first, count)?;
        let causal = Causal { first, count, grid, scale };
        let y = probabilities(&q, &k, causal)?.matmul(&v)?;
        outputs.push(y.reshape((groups, group, count, width))?);
    }
    grid.join(&[Tensor::cat(&outputs, 2)?], &[heads.query], width)
}

/// See [`crate::model::ops::attention::backward`]. What padding has in it does no harm: its probabilities are 0, and it is not
/// joined.
///
/// # Errors
/// As there.
pub(in crate::model::ops) fn backward(
    qkv: &Tensor,
    grad_y: &Tensor,
    grid: &Grid,
    heads: Heads,
    scale: f64,
) -> Result<Tensor> {
    let operands = Operands::new(qkv, grid, heads)?;
    let (Heads { query, key_value, width }, (groups, group, ..)) = (heads, operands.q.dims4()?);
    let grad = grid.split(grad_y, &[query], width)?;
    let grad = grad[0].reshape(operands.q.shape())?;
    let (mut grad_q, mut grad_k, mut grad_v) = (Vec::new(), None, None);
    // The last block first: it sees all keys, and its products need nothing to be added to.
    for (first, count) in blocks(grid.longest).rev() {
        let (q, k, v) = operands.block(first, count)?;
        let grad = flat(&grad.narrow(2, first, count)?)?;
        let causal = Causal { first, count, grid, scale };
        let p = probabilities(&q, &k, causal)?;
        let grad_s = softmax::backward(&p, grad.matmul(&v.t()?)?, causal)?;
        grad_q.push(grad_s.matmul(&k)?.reshape((groups, group, count, width))?);
        grad_k = Some(add_to_first(grad_k, &grad_s.t()?, &q)?);
        grad_v = Some(add_to_first(grad_v, &p.t()?, &grad)?);
    }
    grad_q.reverse();
    let parts: Vec<Tensor> = [Some(Tensor::cat(&grad_q, 2)?), grad_k, grad_v].into_iter().flatten().collect();
    grid.join(&parts, &[query, key_value, key_value], width)
}

/// (groups, group x count, keys), of scores that nothing has rounded.
fn probabilities(q: &Tensor, k: &Tensor, causal: Causal) -> Result<Tensor> {
    causal_softmax(product::product(1.0, q, &k.t()?, DType::F32)?, q.dtype(), causal)
}

/// A B, added to the first keys of what later queries gave.
fn add_to_first(sum: Option<Tensor>, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    match sum {
        None => a.matmul(b),
        Some(sum) => {
            product::add(&sum.narrow(1, 0, a.dim(1)?)?, 1.0, a, b)?;
            Ok(sum)
        }
    }
}

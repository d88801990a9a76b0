//! A weight and the low-rank updates beside it (Hu et al., 2021), forward and back to what it reads.
//!
//! In bf16 on the CPU the terms are summed where the weight's sums are, before they are rounded, once: the terms are no
//! products that are written and read again, which took a twentieth of a training.

use super::dropout::{self, DropoutMask};
use super::gemm::{COLUMNS_OF_BLOCK, Factor, Term, product_bf16};
use super::is_fast;
use super::matmul::{add_matmul, has_kernels, matmul, matmul_wide, narrowed, with_operands};
use candle_core::{DType, Device, Result, Tensor};
use half::bf16;

/// A low-rank term for some columns of a product.
pub struct LowRank {
    /// First column and number of columns.
    pub columns: (usize, usize),
    /// A's output, (N, r).
    pub hidden: Tensor,
    /// B, (columns, r).
    pub b: Tensor,
    /// What the product is multiplied by.
    pub scale: f64,
}

/// Y with scale h B^T added to the columns of each term.
///
/// # Shapes
/// (N, O) -> (N, O)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn add(y: Tensor, terms: &[LowRank]) -> Result<Tensor> {
    if has_kernels(&y) {
        for term in terms {
            let (start, width) = term.columns;
            add_matmul(y.narrow(1, start, width)?, term.scale, &term.hidden, &term.b.t()?)?;
        }
        return Ok(y);
    }
    let (mut pieces, mut done) = (Vec::new(), 0);
    for term in terms {
        let (start, width) = term.columns;
        if start > done {
            pieces.push(y.narrow(1, done, start - done)?);
        }
        pieces.push((y.narrow(1, start, width)? + (term.hidden.matmul(&term.b.t()?)? * term.scale)?)?);
        done = start + width;
    }
    if done < y.dim(1)? {
        pieces.push(y.narrow(1, done, y.dim(1)? - done)?);
    }
    Tensor::cat(&pieces, 1)
}

/// X W^T, with scale h B^T added to the columns of each term.
///
/// # Shapes
/// (N, K), (O, K) -> (N, O)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn forward(x: &Tensor, weight: &Tensor, terms: &[LowRank]) -> Result<Tensor> {
    let weight = weight.t()?;
    if !is_fused(x) {
        return add(matmul(x, &weight)?, terms);
    }
    let factor = |scale: f64| {
        #[inline(always)]
        move |_: usize| scale as f32
    };
    let terms = terms.iter().map(|LowRank { columns: (first, _), hidden, b, scale }| {
        // A term begins with a block: where its columns do not, columns of zeros come before them.
        let before = first % COLUMNS_OF_BLOCK;
        let b = match before {
            0 => b.clone(),
            _ => Tensor::cat(&[&Tensor::zeros((before, b.dim(1)?), b.dtype(), b.device())?, b], 0)?,
        };
        Ok((hidden.clone(), b.t()?, first - before, factor(*scale)))
    });
    fused(x, &weight, terms.collect::<Result<_>>()?)
}

/// The gradient of X for that of X W^T and its terms: dY W, and dh A of each of `terms`, behind its mask where there are any.
///
/// # Shapes
/// (N, O), (O, K), (N, r) and (r, K) a term -> (N, K)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn backward(
    grad_y: &Tensor,
    weight: &Tensor,
    terms: &[(Tensor, Tensor)],
    masks: &[DropoutMask],
) -> Result<Tensor> {
    if is_fused(grad_y) {
        let term = |(a, b): &(Tensor, Tensor)| (a.clone(), b.clone(), 0);
        let terms = terms.iter().map(term);
        if masks.is_empty() {
            let with = |(a, b, first)| {
                (
                    a,
                    b,
                    first,
                    #[inline(always)]
                    |_: usize| 1.0,
                )
            };
            return fused(grad_y, weight, terms.map(with).collect());
        }
        let with = |((a, b, first), mask): (_, &DropoutMask)| (a, b, first, mask.factor());
        return fused(grad_y, weight, terms.zip(masks).map(with).collect());
    }
    // The sum of several products is rounded once, at the end.
    let mut grad_x = matmul_wide(grad_y, weight)?;
    if masks.is_empty() {
        for (grad_hidden, a) in terms {
            grad_x = add_matmul(grad_x, 1.0, grad_hidden, a)?;
        }
    } else {
        grad_x = dropout::add_backward(grad_x, terms.iter().map(|(h, a)| matmul_wide(h, a)), masks)?;
    }
    narrowed(grad_x, grad_y.dtype())
}

/// Whether the terms are summed before anything is written.
fn is_fused(x: &Tensor) -> bool {
    is_fast(x) && x.dtype() == DType::BF16
}

/// A B and its terms: two factors, the first column, and what each place is multiplied by.
fn fused<F: Factor>(a: &Tensor, b: &Tensor, terms: Vec<(Tensor, Tensor, usize, F)>) -> Result<Tensor> {
    let factors = terms.iter().flat_map(|(a, b, ..)| [a, b]);
    let tensors: Vec<&Tensor> = [a, b].into_iter().chain(factors).collect();
    with_operands(&tensors, |operands| {
        let (product, factors) = operands.split_at(2);
        let term = |(factors, &(_, _, first, factor)): (&[_], &(_, _, usize, F))| Term {
            a: factors[0],
            b: factors[1],
            first,
            factor,
        };
        let terms: Vec<_> = factors.chunks_exact(2).zip(&terms).map(term).collect();
        let values = product_bf16::<bf16, F>(1.0, product[0], product[1], &terms);
        Tensor::from_vec(values, (a.dim(0)?, b.dim(1)?), &Device::Cpu)
    })
}

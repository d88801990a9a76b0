//! A weight and the low-rank updates beside it (Hu et al., 2021), forward and back to what it reads.
//!
//! In bf16 on the CPU the terms are summed where the weight's sums are, before they are rounded, once: the terms are no
//! products that are written and read again, which took a twentieth of a training.

use super::dropout::{self, DropoutMask};
use super::gemm::{COLUMNS_OF_BLOCK, Term, product_bf16};
use super::is_fast;
use super::mask::Factors;
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
    let term = |LowRank { columns: (first, _), hidden, b, scale }: &LowRank| {
        // A term begins with a block: where its columns do not, columns of zeros come before them.
        let before = first % COLUMNS_OF_BLOCK;
        let b = match before {
            0 => b.clone(),
            _ => Tensor::cat(&[&Tensor::zeros((before, b.dim(1)?), b.dtype(), b.device())?, b], 0)?,
        };
        Ok(Fused { a: hidden.clone(), b: b.t()?, first: first - before, scale: *scale as f32, mask: None })
    };
    fused(x, &weight, &terms.iter().map(term).collect::<Result<Vec<_>>>()?)
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
        let term = |(place, (a, b)): (usize, &(Tensor, Tensor))| {
            let mask = masks.get(place).map(|mask| mask.factors());
            Fused { a: a.clone(), b: b.clone(), first: 0, scale: 1.0, mask }
        };
        return fused(grad_y, weight, &terms.iter().enumerate().map(term).collect::<Vec<_>>());
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

/// A term of a product, as [`Term`].
struct Fused {
    a: Tensor,
    b: Tensor,
    first: usize,
    scale: f32,
    mask: Option<Factors>,
}

/// A B and its terms.
fn fused(a: &Tensor, b: &Tensor, terms: &[Fused]) -> Result<Tensor> {
    let of_terms = terms.iter().flat_map(|term| [&term.a, &term.b]);
    let tensors: Vec<&Tensor> = [a, b].into_iter().chain(of_terms).collect();
    with_operands(&tensors, |operands| {
        let (product, of_terms) = operands.split_at(2);
        let of_terms = of_terms.chunks_exact(2).zip(terms);
        let terms: Vec<Term> = of_terms
            .map(|(operands, &Fused { first, scale, mask, .. })| Term {
                a: operands[0],
                b: operands[1],
                first,
                scale,
                mask,
            })
            .collect();
        let values = product_bf16::<bf16>(1.0, product[0], product[1], &terms);
        Tensor::from_vec(values, (a.dim(0)?, b.dim(1)?), &Device::Cpu)
    })
}

//! Products, and products added in place.

use super::gemm::{Threads, View, Write, gemm};
use super::{create, in_place, is_fast};
use candle_core::{Result, Tensor};
use rayon::prelude::*;

fn view<'a>(values: &'a [f32], tensor: &Tensor) -> Result<View<'a>> {
    let strides = tensor.stride();
    Ok(View::new(values, tensor.dims2()?, (strides[0], strides[1])))
}

/// A B. Either may be a transposed or narrowed view.
///
/// # Shapes
/// (M, K), (K, N) -> (M, N)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if !is_fast(a) {
        return a.matmul(b);
    }
    let (m, n) = (a.dim(0)?, b.dim(1)?);
    create((m, n), [a, b], |c, [x, y]| {
        let (Ok(x), Ok(y)) = (view(x, a), view(y, b)) else {
            unreachable!("both are matrices: dim(1) exists")
        };
        if FEW.contains(&m) && y.is_transposed() {
            of_few_rows(c, x, y);
        } else {
            gemm(c, n, Write::Replace, 1.0, x, y, Threads::All);
        }
    })
}

/// Rows that are multiplied by a weight as it lies in memory; one row takes gemm's own path, more than these pay for a copy.
const FEW: std::ops::RangeInclusive<usize> = 2..=64;

/// X W^T for a few rows of X: gemm copies the operand that meets the rows of its result into panels, and a weight that meets
/// a few rows alone is used up before the copy is. The transposed result meets X instead, which is small.
fn of_few_rows(c: &mut [f32], x: View, w_t: View) {
    let (rows, columns) = (x.rows(), w_t.columns());
    let mut transposed = vec![0f32; rows * columns];
    gemm(&mut transposed, rows, Write::Replace, 1.0, w_t.t(), x.t(), Threads::All);
    c.par_chunks_mut(TILE * columns).enumerate().for_each(|(band, c)| {
        let (first, rows_of_band) = (band * TILE, c.len() / columns);
        for start in (0..columns).step_by(TILE) {
            for row in 0..rows_of_band {
                let out = &mut c[row * columns + start..][..TILE.min(columns - start)];
                for (column, out) in out.iter_mut().enumerate() {
                    *out = transposed[(start + column) * rows + first + row];
                }
            }
        }
    });
}

/// Numbers of a cache line.
const TILE: usize = 16;

/// C + scale A B, consuming C. On the CPU it is written in place, and every view of C sees it.
///
/// # Shapes
/// (M, N), (M, K), (K, N) -> (M, N)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn add_matmul(c: Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if !is_fast(&c) {
        return c + (a.matmul(b)? * scale)?;
    }
    accumulate(&c, scale, a, b)?;
    Ok(c)
}

fn accumulate(c: &Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<()> {
    let row_stride = c.stride()[0];
    c.dims2()?;
    in_place(c, [a, b], |c, [x, y]| {
        let (Ok(x), Ok(y)) = (view(x, a), view(y, b)) else { unreachable!("the caller passes matrices") };
        gemm(c, row_stride, Write::Add, scale as f32, x, y, Threads::All);
    })
}

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
pub fn add_low_rank(y: Tensor, terms: &[LowRank]) -> Result<Tensor> {
    if is_fast(&y) {
        for term in terms {
            let (start, width) = term.columns;
            accumulate(&y.narrow(1, start, width)?, term.scale, &term.hidden, &term.b.t()?)?;
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

/// Some columns of a matrix: a view where the kernels can step over the rest, a copy elsewhere.
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn columns(y: &Tensor, (start, width): (usize, usize)) -> Result<Tensor> {
    let view = y.narrow(1, start, width)?;
    if is_fast(y) { Ok(view) } else { view.contiguous() }
}

/// X + Y element by element, consuming X.
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn add(x: Tensor, y: &Tensor) -> Result<Tensor> {
    if !is_fast(&x) {
        return x + y;
    }
    const CHUNK: usize = 1 << 14;
    let count = x.elem_count();
    in_place(&x, [y], |x, [y]| {
        x[..count].par_chunks_mut(CHUNK).zip(y[..count].par_chunks(CHUNK)).for_each(|(x, y)| {
            super::dispatch(
                #[inline(always)]
                || {
                    for (x, y) in x.iter_mut().zip(y) {
                        *x += y;
                    }
                },
            )
        });
    })?;
    Ok(x)
}

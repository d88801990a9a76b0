//! Products, and products added in place.
//!
//! On the CPU a product of which an operand or the result is bf16 is one of bf16: f32 operands are rounded on their way in,
//! sums are f32, and what is written is rounded once.

#[cfg(feature = "cuda")]
use super::cuda;
use super::gemm::{Operand, Threads, View, Write, gemm, gemm_bf16, product_bf16};
use super::{Element, NUMBERS_PER_TASK, by_type, change, create, dispatch, in_place, is_fast, values_of};
use candle_core::{DType, Device, Result, Tensor};
use half::bf16;
use rayon::prelude::*;

fn view<'a, E: Copy>(values: &'a [E], tensor: &Tensor) -> Result<View<'a, E>> {
    let strides = tensor.stride();
    Ok(View::new(values, tensor.dims2()?, (strides[0], strides[1])))
}

/// A B, of A's type. Either may be a transposed or narrowed view; on Metal a narrowed one may not.
///
/// # Shapes
/// (M, K), (K, N) -> (M, N)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn matmul(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    matmul_scaled(1.0, a, b)
}

/// scale A B, of A's type; see [`matmul`].
///
/// # Shapes
/// (M, K), (K, N) -> (M, N)
///
/// # Errors
/// As [`matmul`].
pub fn matmul_scaled(scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if is_fast(a) {
        return product(scale as f32, a, b, a.dtype());
    }
    #[cfg(feature = "cuda")]
    if cuda::takes(a) && cuda::takes(b) {
        return cuda::product::product(scale, a, b, a.dtype());
    }
    let y = a.matmul(b)?;
    if scale == 1.0 { Ok(y) } else { y * scale }
}

/// A B with the sums as they are, f32, also where A and B are bf16: for logits. On a device, as [`matmul`].
///
/// # Shapes
/// (M, K), (K, N) -> (M, N)
///
/// # Errors
/// As [`matmul`].
pub fn matmul_wide(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if is_fast(a) { product(1.0, a, b, DType::F32) } else { a.matmul(b) }
}

/// X in `dtype`, rounded where that is narrower.
///
/// # Errors
/// A device that has no memory left.
pub fn narrowed(x: Tensor, dtype: DType) -> Result<Tensor> {
    if !is_fast(&x) || (x.dtype(), dtype) != (DType::F32, DType::BF16) {
        return x.to_dtype(dtype);
    }
    create(x.shape().clone(), [&x], |y: &mut [bf16], [x]: [&[f32]; 1]| {
        y.par_chunks_mut(NUMBERS_PER_TASK).zip(x.par_chunks(NUMBERS_PER_TASK)).for_each(|(y, x)| {
            dispatch(
                #[inline(always)]
                || y.iter_mut().zip(x).for_each(|(y, &x)| *y = bf16::narrowed(x)),
            );
        });
    })
}

fn product(scale: f32, a: &Tensor, b: &Tensor, dtype: DType) -> Result<Tensor> {
    let (m, n) = (a.dim(0)?, b.dim(1)?);
    if [a, b].iter().any(|operand| operand.dtype() == DType::BF16) {
        return by_type!(dtype, E => with_operands(&[a, b], |operands| {
            let product = product_bf16::<E>(scale, operands[0], operands[1], &[]);
            Tensor::from_vec(product, (m, n), &Device::Cpu)
        }));
    }
    create((m, n), [a, b], |c: &mut [f32], [x, y]: [&[f32]; 2]| {
        let (Ok(x), Ok(y)) = (view(x, a), view(y, b)) else {
            unreachable!("both are matrices: dim(1) exists")
        };
        if FEW.contains(&m) && y.is_transposed() {
            of_few_rows(c, scale, x, y);
        } else {
            gemm(c, n, Write::Replace, scale, x, y, Threads::All);
        }
    })
}

/// Calls `with` on matrices of the host as they go into products of bf16.
pub(super) fn with_operands<R>(tensors: &[&Tensor], with: impl FnOnce(&[Operand]) -> Result<R>) -> Result<R> {
    let held: Vec<_> = tensors.iter().map(|tensor| tensor.storage_and_layout()).collect();
    let mut operands = Vec::with_capacity(tensors.len());
    for (tensor, (storage, layout)) in tensors.iter().zip(&held) {
        operands.push(by_type!(tensor.dtype(), E => view(values_of::<E>(storage, layout)?, tensor)?.into()));
    }
    with(&operands)
}

/// Rows that are multiplied by a weight as it lies in memory; one row takes gemm's own path, more than these pay for a copy.
const FEW: std::ops::RangeInclusive<usize> = 2..=64;

/// scale X W^T for a few rows of X: gemm copies the operand that meets the rows of its result into panels, and a weight that meets
/// a few rows alone is used up before the copy is. The transposed result meets X instead, which is small.
fn of_few_rows(c: &mut [f32], scale: f32, x: View, w_t: View) {
    let (rows, columns) = (x.rows(), w_t.columns());
    let mut transposed = vec![0f32; rows * columns];
    gemm(&mut transposed, rows, Write::Replace, scale, w_t.t(), x.t(), Threads::All);
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

/// C + scale A B, consuming C. On the CPU and on CUDA it is written in place, and every view of C sees it.
///
/// # Shapes
/// (M, N), (M, K), (K, N) -> (M, N)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn add_matmul(c: Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    if !is_fast(&c) {
        #[cfg(feature = "cuda")]
        if cuda::takes(&c) {
            cuda::product::add(&c, scale, a, b)?;
            return Ok(c);
        }
        // A gradient is f32 where its factors may be narrower.
        return &c + (a.matmul(b)?.to_dtype(c.dtype())? * scale)?;
    }
    accumulate(&c, scale, a, b)?;
    Ok(c)
}

fn accumulate(c: &Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<()> {
    let row_stride = c.stride()[0];
    c.dims2()?;
    if [c, a, b].iter().any(|tensor| tensor.dtype() == DType::BF16) {
        return with_operands(&[a, b], |operands| {
            by_type!(c.dtype(), E => change(c, |c: &mut [E]| {
                gemm_bf16(c, row_stride, Write::Add, scale as f32, operands[0], operands[1], Threads::All);
            }))
        });
    }
    in_place(c, [a, b], |c: &mut [f32], [x, y]: [&[f32]; 2]| {
        let (Ok(x), Ok(y)) = (view(x, a), view(y, b)) else { unreachable!("the caller passes matrices") };
        gemm(c, row_stride, Write::Add, scale as f32, x, y, Threads::All);
    })
}

/// Whether kernels multiply it, on the CPU or on CUDA: they write where it lies, and step over what lies beside a view.
pub(super) fn has_kernels(x: &Tensor) -> bool {
    #[cfg(feature = "cuda")]
    if cuda::takes(x) {
        return true;
    }
    is_fast(x)
}

/// Some columns of a matrix: a view where the kernels can step over the rest, a copy elsewhere.
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn columns(y: &Tensor, (start, width): (usize, usize)) -> Result<Tensor> {
    let view = y.narrow(1, start, width)?;
    if has_kernels(y) { Ok(view) } else { view.contiguous() }
}

/// X + Y element by element, consuming X.
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn add(x: Tensor, y: &Tensor) -> Result<Tensor> {
    if !is_fast(&x) {
        return x + y;
    }
    by_type!(x.dtype(), E => add_kernel::<E>(&x, y)?);
    Ok(x)
}

fn add_kernel<E: Element>(x: &Tensor, y: &Tensor) -> Result<()> {
    let count = x.elem_count();
    in_place(x, [y], |x: &mut [E], [y]: [&[E]; 1]| {
        x[..count].par_chunks_mut(NUMBERS_PER_TASK).zip(y[..count].par_chunks(NUMBERS_PER_TASK)).for_each(
            |(x, y)| {
                dispatch(
                    #[inline(always)]
                    || {
                        for (x, y) in x.iter_mut().zip(y) {
                            *x = E::narrowed(x.wide() + y.wide());
                        }
                    },
                )
            },
        );
    })
}

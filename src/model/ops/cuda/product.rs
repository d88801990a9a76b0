//! Products by cuBLAS that candle has not: onto what is there, of operands that lie at any distance, from bf16 into f32.
//!
//! C = [C +] scale A B with sums in f32 and one rounding. cuBLAS counts in columns: C^T = B^T A^T are the same numbers in
//! the same places, so its first operand is our B. As on the CPU, a product of which an operand or the result is bf16 is
//! one of bf16.

use super::{address, unwritten};
use candle_core::cuda_backend::WrapErr;
use candle_core::cuda_backend::cudarc::cublas::{result, sys};
use candle_core::{D, DType, Error, Result, Tensor, bail};
use std::ffi::c_void;

/// C + scale A B in the place of C, whose rows may be apart: a narrowed view of a matrix, or of one for each of a batch.
///
/// # Shapes
/// (M, N), (M, K), (K, N), or each with the batch before them
///
/// # Errors
/// Operands whose shapes do not fit together; a C whose columns are apart; a card without memory left.
pub(in crate::model::ops) fn add(c: &Tensor, scale: f64, a: &Tensor, b: &Tensor) -> Result<()> {
    multiply(c, Write::Add, scale, a, b)
}

/// scale A B in numbers of `dtype`.
///
/// # Shapes
/// (M, K), (K, N) -> (M, N), or each with the batch before them
///
/// # Errors
/// Operands whose shapes do not fit together; a card without memory left.
pub(in crate::model::ops) fn product(scale: f64, a: &Tensor, b: &Tensor, dtype: DType) -> Result<Tensor> {
    let mut shape = a.dims().to_vec();
    let Some(inner) = shape.pop() else { bail!("a product of a number") };
    shape.push(b.dim(D::Minus1)?);
    if inner == 0 {
        return Tensor::zeros(shape, dtype, a.device());
    }
    let c = unwritten(shape, dtype, a.device().as_cuda_device()?)?;
    multiply(&c, Write::Replace, scale, a, b)?;
    Ok(c)
}

/// Whether what lies in C's place is read.
#[derive(Clone, Copy)]
enum Write {
    Replace,
    Add,
}

impl Write {
    /// What C is multiplied by before. At 0 cuBLAS does not read it.
    fn beta(self) -> f32 {
        match self {
            Write::Replace => 0.0,
            Write::Add => 1.0,
        }
    }
}

/// A matrix, or one for each of a batch, as cuBLAS finds it.
struct Place {
    first: u64,
    kind: sys::cudaDataType,
    operation: sys::cublasOperation_t,
    leading: i32,
    stride: i64,
}

impl Place {
    /// Where `x` lies, (batch, rows, columns): its rows or its columns one number after the other. None where neither do.
    fn of(x: &Tensor) -> Result<Option<Self>> {
        let (&[batch_stride, row_stride, column_stride], (_, rows, columns)) = (x.stride(), x.dims3()?)
        else {
            bail!("a product takes matrices, got {:?}", x.shape())
        };
        let (operation, leading) = if lie_so((rows, columns), (row_stride, column_stride)) {
            (sys::cublasOperation_t::CUBLAS_OP_N, row_stride.max(columns))
        } else if lie_so((columns, rows), (column_stride, row_stride)) {
            (sys::cublasOperation_t::CUBLAS_OP_T, column_stride.max(rows))
        } else {
            return Ok(None);
        };
        let kind = match x.dtype() {
            DType::F32 => sys::cudaDataType::CUDA_R_32F,
            DType::BF16 => sys::cudaDataType::CUDA_R_16BF,
            other => bail!("a product takes f32 or bf16, got {other:?}"),
        };
        // A single element is contiguous, whatever lies around it.
        let first = address(&x.narrow(0, 0, 1)?.narrow(1, 0, 1)?.narrow(2, 0, 1)?)?;
        Ok(Some(Place { first, kind, operation, leading: size(leading)?, stride: batch_stride as i64 }))
    }
}

/// Whether lines of numbers next to each other do not overlap: the distance of a single line, or of the numbers of lines
/// of one, is nobody's.
fn lie_so((lines, length): (usize, usize), (between_lines, between_numbers): (usize, usize)) -> bool {
    (between_numbers == 1 || length == 1) && (between_lines >= length || lines == 1)
}

/// An operand of type `dtype` and where it lies: copied where its numbers are of another type or lie too far apart. The
/// tensor keeps the place alive until the product is on the stream.
fn operand(x: &Tensor, dtype: DType) -> Result<(Tensor, Place)> {
    let x = x.to_dtype(dtype)?;
    if let Some(place) = Place::of(&x)? {
        return Ok((x, place));
    }
    let x = x.contiguous()?;
    match Place::of(&x)? {
        Some(place) => Ok((x, place)),
        None => bail!("a contiguous matrix lies in rows, got {:?}", x.layout()),
    }
}

/// cuBLAS counts in 32 bits.
fn size(count: usize) -> Result<i32> {
    i32::try_from(count).map_err(Error::wrap)
}

fn multiply(c: &Tensor, write: Write, scale: f64, a: &Tensor, b: &Tensor) -> Result<()> {
    if c.rank() == 2 {
        return multiply(&c.unsqueeze(0)?, write, scale, &a.unsqueeze(0)?, &b.unsqueeze(0)?);
    }
    let ((batch, m, n), (of_a, rows, k), (of_b, inner, columns)) = (c.dims3()?, a.dims3()?, b.dims3()?);
    if (batch, batch, m, k, n) != (of_a, of_b, rows, inner, columns) {
        bail!("a product of {:?} and {:?} into {:?}", a.shape(), b.shape(), c.shape());
    }
    if batch == 0 || m == 0 || n == 0 || k == 0 {
        return Ok(()); // nothing is added; a result that is replaced has numbers
    }
    let is_narrow = [c, a, b].iter().any(|x| x.dtype() == DType::BF16);
    let dtype = if is_narrow { DType::BF16 } else { DType::F32 };
    let ((_a, a), (_b, b)) = (operand(a, dtype)?, operand(b, dtype)?);
    let Some(c_place @ Place { operation: sys::cublasOperation_t::CUBLAS_OP_N, .. }) = Place::of(c)? else {
        bail!("a product is written in rows, not to {:?}", c.layout())
    };
    let sizes = Sizes { batch: size(batch)?, m: size(m)?, n: size(n)?, k: size(k)? };
    call(c, sizes, [scale as f32, write.beta()], [&c_place, &a, &b])
}

struct Sizes {
    batch: i32,
    m: i32,
    n: i32,
    k: i32,
}

/// Puts the product on the stream of `like`'s card: cuBLAS reads the two factors before it returns.
fn call(like: &Tensor, sizes: Sizes, factors: [f32; 2], places: [&Place; 3]) -> Result<()> {
    let device = like.device().as_cuda_device()?;
    device.cuda_stream().context().bind_to_thread().w()?;
    let (blas, [alpha, beta]) = (device.cublas_handle(), &factors);
    let factors = [std::ptr::from_ref(alpha).cast(), std::ptr::from_ref(beta).cast()];
    #[allow(unsafe_code, reason = "cuBLAS takes pointers")]
    // SAFETY: `Place::of` read addresses, types and distances off tensors that live until after the call, and `multiply`
    // holds their shapes against each other; the stream keeps their memory until the product has ended.
    unsafe {
        match sizes.batch {
            1 => single(*blas.handle(), sizes, factors, places),
            _ => batched(*blas.handle(), sizes, factors, places),
        }
    }
    .w()
}

const COMPUTE: sys::cublasComputeType_t = sys::cublasComputeType_t::CUBLAS_COMPUTE_32F;

/// candle's choice; cuBLAS takes tensor cores without being asked since its version 11.
const ALGORITHM: sys::cublasGemmAlgo_t = sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT_TENSOR_OP;

/// One product: for it cuBLAS may divide a long K among more blocks than the result has tiles, which thin gradients need.
///
/// # Safety
/// Places of memory that hold matrices of these sizes.
#[rustfmt::skip] // rows of one operand each
#[allow(unsafe_code, reason = "cuBLAS takes pointers")]
unsafe fn single(
    handle: sys::cublasHandle_t,
    Sizes { m, n, k, .. }: Sizes,
    [alpha, beta]: [*const c_void; 2],
    [c, a, b]: [&Place; 3],
) -> std::result::Result<(), result::CublasError> {
    // SAFETY: the caller's.
    unsafe {
        result::gemm_ex(
            handle, b.operation, a.operation, n, m, k, alpha,
            b.first as *const c_void, b.kind, b.leading,
            a.first as *const c_void, a.kind, a.leading, beta,
            c.first as *mut c_void, c.kind, c.leading, COMPUTE, ALGORITHM,
        )
    }
}

/// Products at equal distances.
///
/// # Safety
/// As [`single`].
#[rustfmt::skip] // rows of one operand each
#[allow(unsafe_code, reason = "cuBLAS takes pointers")]
unsafe fn batched(
    handle: sys::cublasHandle_t,
    Sizes { batch, m, n, k }: Sizes,
    [alpha, beta]: [*const c_void; 2],
    [c, a, b]: [&Place; 3],
) -> std::result::Result<(), result::CublasError> {
    // SAFETY: the caller's.
    unsafe {
        result::gemm_strided_batched_ex(
            handle, b.operation, a.operation, n, m, k, alpha,
            b.first as *const c_void, b.kind, b.leading, b.stride,
            a.first as *const c_void, a.kind, a.leading, a.stride, beta,
            c.first as *mut c_void, c.kind, c.leading, c.stride, batch, COMPUTE, ALGORITHM,
        )
    }
}

//! The operations of a Llama layer, each with its backward pass, each twice.
//!
//! The first version is a CPU kernel over f32 slices (rayon over rows or heads, SIMD width chosen at run
//! time). The second is the same formula in plain candle operations: CUDA and Metal use it, f64 and bf16
//! use it, and the tests hold the kernel against it. `is_fast` decides, on the operand alone, so
//! that no flag has to travel through the model.
//!
//! Shapes: N tokens of all rows of a batch, packed end to end without padding; H hidden, F intermediate,
//! D head width, V vocabulary.

mod simd;
mod slices;
mod gemm;
pub mod matmul;
pub mod dropout;
pub mod rms_norm;
pub mod rope;
pub mod swiglu;
pub mod attention;
pub mod cross_entropy;

use candle_core::{DType, Tensor};

pub(crate) use simd::dispatch;
pub(crate) use slices::{create, in_place, in_place_together, read};

/// Whether the CPU kernels take this tensor.
pub(crate) fn is_fast(tensor: &Tensor) -> bool {
    tensor.device().is_cpu() && tensor.dtype() == DType::F32
}

/// Rows that one rayon task of an element-wise kernel handles.
const ROWS_PER_TASK: usize = 32;

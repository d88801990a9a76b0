//! The operations of a Llama layer, each with its backward pass, each twice.
//!
//! The first version is a CPU kernel over slices of f32 or bf16 (rayon over rows or heads, SIMD width chosen at run
//! time; computed in f32 either way). The second is the same formula in plain candle operations: CUDA and Metal use it,
//! f64 uses it, and the tests hold the kernel against it. `is_fast` decides, on the operand alone, so
//! that no flag has to travel through the model.
//!
//! Shapes: N tokens of all rows of a batch, packed end to end without padding; H hidden, F intermediate,
//! D head width, V vocabulary.

mod element;
mod simd;
mod slices;
mod gemm;
pub(crate) mod heads;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
pub mod matmul;
pub mod dropout;
pub mod lookup;
pub mod rms_norm;
pub mod rope;
pub mod swiglu;
pub mod attention;
pub mod cross_entropy;

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

pub(crate) use element::Element;
pub(crate) use simd::dispatch;
pub(crate) use slices::{change, create, in_place, in_place_together, read, zeros};

/// Whether the CPU kernels take this tensor.
pub(crate) fn is_fast(tensor: &Tensor) -> bool {
    tensor.device().is_cpu() && matches!(tensor.dtype(), DType::F32 | DType::BF16)
}

/// `$body` with `$E` the type of numbers that `$dtype` says, one of the two that [`is_fast`] lets through.
macro_rules! by_type {
    ($dtype:expr, $E:ident => $body:expr) => {
        match $dtype {
            candle_core::DType::BF16 => {
                type $E = half::bf16;
                $body
            }
            _ => {
                type $E = f32;
                $body
            }
        }
    };
}
pub(crate) use by_type;

/// `work` on each of `items`, in their order: on all threads of the host where the tensors are the CPU's, on this thread
/// alone where they are a device's. A device does its work in the order of one thread's calls; two threads' calls would
/// be in no order that anybody chose. Outside the kernels of this room nothing else shares tensors among threads.
#[expect(clippy::disallowed_methods, reason = "the one helper for tensors: on the CPU's alone")]
pub(crate) fn on_threads<T: Send, R: Send, E: Send>(
    device: &Device,
    items: Vec<T>,
    work: impl Fn(T) -> Result<R, E> + Send + Sync,
) -> Result<Vec<R>, E> {
    match device.is_cpu() {
        true => items.into_par_iter().map(work).collect(),
        false => items.into_iter().map(work).collect(),
    }
}

/// Numbers that one rayon task of a kernel without rows handles.
const NUMBERS_PER_TASK: usize = 1 << 14;

/// Rows that one rayon task of an element-wise kernel handles.
const ROWS_PER_TASK: usize = 32;

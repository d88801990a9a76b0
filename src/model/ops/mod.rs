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
mod mask;
mod gemm;
pub(crate) mod heads;
#[cfg(feature = "cuda")]
pub(crate) mod cuda;
pub mod matmul;
pub mod dropout;
pub mod low_rank;
pub mod lookup;
pub mod rms_norm;
pub mod rope;
pub mod swiglu;
pub mod attention;
pub mod cross_entropy;
pub mod argmax;

use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use element::Element;
pub(crate) use simd::dispatch;
pub(crate) use slices::{change, create, in_place, in_place_together, read, values_of, zeros};

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

/// Runs `work`, whose many small kernels follow each other closely, while the host's other threads stay awake for them: one
/// that has slept comes later than such a kernel ends.
pub(crate) fn with_threads_awake<R>(device: &Device, work: impl FnOnce() -> R) -> R {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    /// Ends it, also where `work` panics.
    struct End<'a>(&'a AtomicBool);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }
    // Two works that each wait for the other's end, on each other's threads, would never end.
    if !device.is_cpu() || TAKEN.swap(true, Ordering::Acquire) {
        return work();
    }
    let (own, ended) = (rayon::current_thread_index(), AtomicBool::new(false));
    let result = rayon::in_place_scope(|scope| {
        let _end = End(&ended);
        scope.spawn_broadcast(|_, thread| {
            while Some(thread.index()) != own && !ended.load(Ordering::Acquire) {
                if rayon::yield_now() == Some(rayon::Yield::Idle) {
                    std::hint::spin_loop();
                }
            }
        });
        work()
    });
    TAKEN.store(false, Ordering::Release);
    result
}

/// Numbers that one rayon task of a kernel without rows handles.
const NUMBERS_PER_TASK: usize = 1 << 13;

/// Rows that one rayon task of an element-wise kernel handles.
const ROWS_PER_TASK: usize = 8;

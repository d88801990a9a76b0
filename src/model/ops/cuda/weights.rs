//! What launches that dequantize weights share: a thread writes eight of them.

use super::{Argument, Launch, address, launch, suffix};
use candle_core::{DType, Device, Result, Tensor};

const THREADS: usize = 256;
const WEIGHTS_PER_THREAD: usize = 8;

/// A dense matrix on a card, which launches of this room are to fill. None on another device, or of a type that none of
/// them writes.
///
/// # Errors
/// A card without memory left.
pub(crate) fn unwritten(shape: (usize, usize), dtype: DType, device: &Device) -> Result<Option<Tensor>> {
    match device {
        Device::Cuda(card) if matches!(dtype, DType::F32 | DType::BF16) => {
            super::unwritten(shape, dtype, card).map(Some)
        }
        _ => Ok(None),
    }
}

/// One of a module's kernels, by the name of the stored type.
pub(super) struct Kernel {
    /// The module's name.
    pub(super) module: &'static str,
    /// What its file was compiled to.
    pub(super) ptx: &'static str,
    /// `nf4`, `q4_0`; the type that is written comes behind it.
    pub(super) stored: &'static str,
}

/// Fills `dense` from what `stored` names, in one launch.
///
/// # Errors
/// A card that refuses the launch.
pub(super) fn write(kernel: Kernel, stored: &[Argument], dense: &Tensor) -> Result<()> {
    let count = dense.elem_count();
    let what = Launch {
        module: kernel.module,
        ptx: kernel.ptx,
        name: &format!("{}_{}", kernel.stored, suffix(dense.dtype())?),
        blocks: (count.div_ceil(THREADS * WEIGHTS_PER_THREAD), 1),
        threads: THREADS as u32,
        shared: 0,
    };
    let mut arguments = vec![Argument::Count(count)];
    arguments.extend_from_slice(stored);
    arguments.push(Argument::Address(address(dense)?));
    launch(dense.device().as_cuda_device()?, what, &arguments)
}

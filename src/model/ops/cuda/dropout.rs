//! `dropout.cu`: the mask is made where it is used, and never lies in memory.

use super::{Argument, Launch, address, launch, ptx, suffix, unwritten};
use candle_core::{Result, Tensor};

const THREADS: u32 = 256;

/// A mask: hashes below the threshold are dropped, the others scaled; the keys are of the hash.
#[derive(Clone, Copy)]
pub(in crate::model::ops) struct Mask {
    pub(in crate::model::ops) threshold: u32,
    pub(in crate::model::ops) scale: f32,
    pub(in crate::model::ops) keys: (u32, u32),
}

/// See `ops::dropout`.
pub(in crate::model::ops) fn dropout(x: &Tensor, mask: Mask) -> Result<Tensor> {
    let x = x.contiguous()?;
    let y = unwritten(x.shape(), x.dtype(), x.device().as_cuda_device()?)?;
    masked("dropout", &x, mask, &y)?;
    Ok(y)
}

/// See its `add_backward`: into `grad_x`, which nobody else holds.
pub(in crate::model::ops) fn add_backward(grad_x: Tensor, grad_y: &Tensor, mask: Mask) -> Result<Tensor> {
    masked("add_dropout", &grad_y.contiguous()?, mask, &grad_x)?;
    Ok(grad_x)
}

/// Launches `name` over the elements of `x`, which go into or onto `y`.
fn masked(name: &str, x: &Tensor, mask: Mask, y: &Tensor) -> Result<()> {
    let (count, Mask { threshold, scale, keys }) = (x.elem_count(), mask);
    let what = Launch {
        module: "tezgah_dropout",
        ptx: ptx::DROPOUT,
        name: &format!("{name}_{}", suffix(x.dtype())?),
        blocks: (count.div_ceil(THREADS as usize), 1),
        threads: THREADS,
        shared: 0,
    };
    let arguments = [
        Argument::Count(count),
        Argument::Whole(threshold),
        Argument::Number(scale),
        Argument::Whole(keys.0),
        Argument::Whole(keys.1),
        Argument::Address(address(x)?),
        Argument::Address(address(y)?),
    ];
    launch(x.device().as_cuda_device()?, what, &arguments)
}

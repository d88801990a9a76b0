//! `cross_entropy.cu`: the losses of rows stay on the card, the gradient takes the logits' place.

use super::{Argument, Launch, address, launch, ptx, suffix, unwritten};
use candle_core::{DType, Result, Tensor, bail};

/// Of a block, as the kernels count them: a block has a row.
const THREADS: u32 = 512;

/// -ln p of each row's target.
///
/// # Shapes
/// (C, V), C targets of u32 below V -> C, f32
///
/// # Errors
/// Shapes that do not fit together; a card without memory left.
pub(in crate::model::ops) fn nll(logits: &Tensor, targets: &Tensor) -> Result<Tensor> {
    over("cross_entropy", &logits.contiguous()?, targets, None)
}

/// The same, and in the logits' place `scale` times the gradient of their sum.
///
/// # Shapes
/// (C, V), C targets of u32 below V -> C, f32; (C, V)
///
/// # Errors
/// As [`nll`].
pub(in crate::model::ops) fn with_gradient(
    logits: Tensor,
    targets: &Tensor,
    scale: f64,
) -> Result<(Tensor, Tensor)> {
    let losses = over("cross_entropy_gradient", &logits, targets, Some(scale as f32))?;
    Ok((losses, logits))
}

fn over(name: &str, logits: &Tensor, targets: &Tensor, scale: Option<f32>) -> Result<Tensor> {
    let (rows, columns) = logits.dims2()?;
    if targets.elem_count() != rows || targets.dtype() != DType::U32 {
        bail!("{rows} rows of logits for targets {:?} of {:?}", targets.shape(), targets.dtype());
    }
    let device = logits.device().as_cuda_device()?;
    let losses = unwritten(rows, DType::F32, device)?;
    let mut arguments = vec![Argument::Count(columns)];
    arguments.extend(scale.map(Argument::Number));
    arguments.extend([
        Argument::Address(address(targets)?),
        Argument::Address(address(logits)?),
        Argument::Address(address(&losses)?),
    ]);
    let what = Launch {
        module: "tezgah_cross_entropy",
        ptx: ptx::CROSS_ENTROPY,
        name: &format!("{name}_{}", suffix(logits.dtype())?),
        blocks: (rows, 1),
        threads: THREADS,
        shared: 0,
    };
    launch(device, what, &arguments)?;
    Ok(losses)
}

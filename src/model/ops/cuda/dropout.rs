//! `dropout.cu`: masks are made where they are used, and never lie in memory. What shares an input shares a launch.

use super::{Argument, Launch, address, launch, ptx, suffix, unwritten};
use crate::model::ops::mask::Factors;
use candle_core::{Result, Tensor, bail};

const THREADS: usize = 256;
const NUMBERS_PER_THREAD: usize = 8;
/// Masks of one launch: queries, keys and values.
const MASKS: usize = 3;

/// See `ops::dropout`.
pub(in crate::model::ops) fn dropout(x: &Tensor, masks: &[Factors]) -> Result<Vec<Tensor>> {
    let x = x.contiguous()?;
    let device = x.device().as_cuda_device()?;
    let seen: Vec<Tensor> =
        masks.iter().map(|_| unwritten(x.shape(), x.dtype(), device)).collect::<Result<_>>()?;
    for (masks, seen) in masks.chunks(MASKS).zip(seen.chunks(MASKS)) {
        masked("dropout", masks, &x, seen)?;
    }
    Ok(seen)
}

/// See its `add_backward`: into `grad_x`, which nobody else holds.
pub(in crate::model::ops) fn add_backward(
    grad_x: Tensor,
    grads: &[Tensor],
    masks: &[Factors],
) -> Result<Tensor> {
    let grads: Vec<Tensor> = grads.iter().map(Tensor::contiguous).collect::<Result<_>>()?;
    for (masks, grads) in masks.chunks(MASKS).zip(grads.chunks(MASKS)) {
        masked("add_dropout", masks, &grad_x, grads)?;
    }
    Ok(grad_x)
}

/// Launches `name` over the elements of `shared`; `each` has a matrix a mask.
fn masked(name: &str, masks: &[Factors], shared: &Tensor, each: &[Tensor]) -> Result<()> {
    let (Some(&Factors { threshold, scale, .. }), Some(last)) = (masks.first(), each.last()) else {
        return Ok(());
    };
    if masks.len() != each.len() || masks.iter().any(|mask| mask.threshold != threshold) {
        bail!("{} masks of one rate for {} matrices", masks.len(), each.len());
    }
    if each.iter().any(|one| one.shape() != shared.shape() || one.dtype() != shared.dtype()) {
        bail!("expected {:?} {:?} for each mask", shared.dtype(), shared.shape());
    }
    let count = shared.elem_count();
    let what = Launch {
        module: "tezgah_dropout",
        ptx: ptx::DROPOUT,
        name: &format!("{name}_{}", suffix(shared.dtype())?),
        blocks: (count.div_ceil(THREADS * NUMBERS_PER_THREAD), 1),
        threads: THREADS as u32,
        shared: 0,
    };
    let mut arguments = vec![
        Argument::Count(count),
        Argument::Whole(masks.len() as u32),
        Argument::Whole(threshold),
        Argument::Number(scale),
    ];
    // A kernel does not look at the masks and matrices beyond its own.
    let padded = |place: usize| masks.get(place).map_or((0, 0), |mask| mask.keys);
    for place in 0..MASKS {
        arguments.extend([Argument::Whole(padded(place).0), Argument::Whole(padded(place).1)]);
    }
    arguments.push(Argument::Address(address(shared)?));
    for place in 0..MASKS {
        arguments.push(Argument::Address(address(each.get(place).unwrap_or(last))?));
    }
    launch(shared.device().as_cuda_device()?, what, &arguments)
}

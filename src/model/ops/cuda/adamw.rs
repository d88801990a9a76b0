//! `adamw.cu`: a launch for each gradient's squares and one for each tensor's update, and a wait a step.

use super::{Argument, Launch, address, launch, ptx, unwritten};
use candle_core::{DType, Result, Tensor, bail};

const MODULE: &str = "tezgah_adamw";
const THREADS: u32 = 256;
/// Numbers whose squares a block adds.
const SHARE: usize = 64 * THREADS as usize;

/// Whether the kernels take this tensor: one of f32 on a card.
pub(crate) fn takes(tensor: &Tensor) -> bool {
    tensor.device().is_cuda() && tensor.dtype() == DType::F32
}

/// The sum of the squares of all gradients, of each block in f32, of the blocks in f64 and in their order: the same bits in
/// every run. The host waits for the blocks' sums, 4 bytes for 16,384 numbers: it decides by the norm whether to go on.
///
/// # Errors
/// A gradient that [`takes`] refuses; a card without memory left.
pub(crate) fn sum_of_squares(gradients: &[&Tensor]) -> Result<f64> {
    let blocks = |gradient: &Tensor| gradient.elem_count().div_ceil(SHARE);
    let all: usize = gradients.iter().map(|gradient| blocks(gradient)).sum();
    let (Some(first), 1..) = (gradients.first(), all) else { return Ok(0.0) };
    let sums = unwritten(all, DType::F32, first.device().as_cuda_device()?)?;
    let mut next = address(&sums)?;
    for gradient in gradients {
        expect(gradient, gradient.elem_count())?;
        let what = kernel("sum_of_squares", blocks(gradient));
        let arguments = [
            Argument::Count(gradient.elem_count()),
            Argument::Address(address(gradient)?),
            Argument::Address(next),
        ];
        launch(gradient.device().as_cuda_device()?, what, &arguments)?;
        next += (blocks(gradient) * size_of::<f32>()) as u64;
    }
    Ok(sums.to_vec1::<f32>()?.into_iter().map(f64::from).sum())
}

/// Updates a gradient, its two moments and its parameter in place; the gradient becomes 0. The scalars are those of
/// [`crate::train::optimizer`], in the order of the kernel's signature.
///
/// # Errors
/// Tensors that [`takes`] refuses, or of different sizes.
pub(crate) fn update(tensors: [&Tensor; 4], scalars: [f32; 9]) -> Result<()> {
    let [gradient, ..] = tensors;
    let count = gradient.elem_count();
    let mut arguments = vec![Argument::Count(count)];
    arguments.extend(scalars.map(Argument::Number));
    for tensor in tensors {
        expect(tensor, count)?;
        arguments.push(Argument::Address(address(tensor)?));
    }
    let what = kernel("adamw", count.div_ceil(THREADS as usize));
    launch(gradient.device().as_cuda_device()?, what, &arguments)
}

fn kernel(name: &'static str, blocks: usize) -> Launch<'static> {
    Launch { module: MODULE, ptx: ptx::ADAMW, name, blocks: (blocks, 1), threads: THREADS, shared: 0 }
}

fn expect(tensor: &Tensor, count: usize) -> Result<()> {
    if !takes(tensor) || tensor.elem_count() != count {
        bail!("expected {count} numbers of f32 on a card, got {:?} {:?}", tensor.dtype(), tensor.shape())
    }
    Ok(())
}

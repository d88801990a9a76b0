//! Cross-entropy over a chunk of logits: -ln of the softmax at the target, summed, in at least f32.
//!
//! The vocabulary is long: an f32 sum of its exponentials stagnates and shows in the gradients, so blocks
//! of 256 are summed in f32 and the blocks in f64.

use super::{change, dispatch, is_fast, read, simd};
use candle_core::{D, DType, Device, Result, Tensor};
use rayon::prelude::*;

const BLOCK: usize = 256;

/// Logits are f32 even in a bf16 model: the head's product keeps its sums.
fn is_taken(logits: &Tensor) -> bool {
    is_fast(logits) && logits.dtype() == DType::F32
}

/// -ln p of each row's target, in nats.
///
/// # Shapes
/// (C, V), C targets -> C
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn nll(logits: &Tensor, targets: &[u32]) -> Result<Vec<f64>> {
    if !is_taken(logits) {
        return device::nll(logits, targets);
    }
    let vocabulary = logits.dim(1)?;
    read([logits], |[logits]: [&[f32]; 1]| {
        let rows = logits.par_chunks(vocabulary).zip(targets);
        Ok(rows
            .map(|(row, &target)| {
                dispatch(
                    #[inline(always)]
                    || row_nll(row, target),
                )
            })
            .collect())
    })
}

#[inline(always)]
fn row_nll(row: &[f32], target: u32) -> f64 {
    let top = simd::maximum(row);
    let mut scratch = [0f32; BLOCK];
    let mut sum = 0f64;
    for block in row.chunks(BLOCK) {
        let scratch = &mut scratch[..block.len()];
        scratch.copy_from_slice(block);
        sum += simd::exp_in_place(scratch, top) as f64;
    }
    sum.ln() + (top as f64 - row[target as usize] as f64)
}

/// The summed -ln p, and `scale` times its gradient, consuming the logits: on the CPU it takes their place.
///
/// d logits = scale (softmax(logits) - onehot(target)).
///
/// # Shapes
/// (C, V), C targets -> (C, V)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn with_gradient(logits: Tensor, targets: &[u32], scale: f64) -> Result<(f64, Tensor)> {
    if !is_taken(&logits) {
        return device::with_gradient(&logits, targets, scale);
    }
    let (rows, vocabulary) = logits.dims2()?;
    let mut nll = vec![0f64; rows];
    change(&logits, |logits: &mut [f32]| {
        let rows = logits[..rows * vocabulary].par_chunks_mut(vocabulary).zip(targets).zip(&mut nll);
        rows.for_each(|((row, &target), nll)| {
            *nll = dispatch(
                #[inline(always)]
                || {
                    let at_target = row[target as usize];
                    let top = simd::maximum(row);
                    let sum: f64 =
                        row.chunks_mut(BLOCK).map(|block| simd::exp_in_place(block, top) as f64).sum();
                    let factor = (scale / sum) as f32;
                    row.iter_mut().for_each(|p| *p *= factor);
                    row[target as usize] -= scale as f32;
                    sum.ln() + (top as f64 - at_target as f64)
                },
            );
        });
    })?;
    // Summed in the order of the rows: the same total on any number of threads.
    Ok((nll.iter().sum(), logits))
}

/// The same in candle operations.
pub mod device {
    use super::*;

    fn log_probabilities(logits: &Tensor) -> Result<Tensor> {
        let wide = if logits.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        let logits = logits.to_dtype(wide)?;
        let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?)?;
        shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)
    }

    fn index(targets: &[u32], device: &Device) -> Result<Tensor> {
        Tensor::from_slice(targets, (targets.len(), 1), device)
    }

    /// See [`super::nll`].
    ///
    /// # Errors
    /// As there.
    pub fn nll(logits: &Tensor, targets: &[u32]) -> Result<Vec<f64>> {
        let log_p = log_probabilities(logits)?.gather(&index(targets, logits.device())?, 1)?;
        // Widened on the host: Metal has no f64.
        log_p.neg()?.flatten_all()?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()
    }

    /// See [`super::with_gradient`].
    ///
    /// # Errors
    /// As there.
    pub fn with_gradient(logits: &Tensor, targets: &[u32], scale: f64) -> Result<(f64, Tensor)> {
        let targets = index(targets, logits.device())?;
        let log_p = log_probabilities(logits)?;
        let at_targets = log_p.gather(&targets, 1)?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let nll = at_targets.neg()?.sum_all()?.to_scalar::<f64>()?;
        let ones = Tensor::ones(targets.shape(), log_p.dtype(), logits.device())?;
        let gradient = (log_p.exp()?.scatter_add(&targets, &ones.neg()?, 1)? * scale)?;
        Ok((nll, gradient.to_dtype(logits.dtype())?))
    }
}

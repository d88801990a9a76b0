//! Cross-entropy over a chunk of logits: -ln of the softmax at the target, summed, in at least f32.
//!
//! The vocabulary is long: an f32 sum of its exponentials stagnates and shows in the gradients, so blocks
//! of 256 are summed in f32 and the blocks in f64.

#[cfg(feature = "cuda")]
use super::cuda;
use super::{change, dispatch, is_fast, read, simd};
use candle_core::{D, DType, Device, Result, Tensor, bail};
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
    expect(logits, targets)?;
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

/// What is trained for, where the tensors are: a device is given it once, and chunks of rows take their part.
#[derive(Clone)]
pub struct Targets<'a> {
    ids: &'a [u32],
    /// The same on a device.
    there: Option<Tensor>,
}

impl<'a> Targets<'a> {
    /// Of rows of logits that will lie on `device`: one upload.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub fn new(ids: &'a [u32], device: &Device) -> Result<Self> {
        let there = match device.is_cpu() {
            true => None,
            false => Some(Tensor::new(ids, device)?),
        };
        Ok(Targets { ids, there })
    }

    /// Those of `count` rows from row `first` on.
    ///
    /// # Errors
    /// Fewer rows than that.
    pub fn narrow(&self, first: usize, count: usize) -> Result<Self> {
        let Some(ids) = self.ids.get(first..first + count) else {
            bail!("{count} targets from {first} on, of {}", self.ids.len())
        };
        let there = self.there.as_ref().map(|ids| ids.narrow(0, first, count)).transpose()?;
        Ok(Targets { ids, there })
    }
}

/// Losses of rows. On a device they stay there: to ask for their sum is to wait for all that was launched before.
#[derive(Default)]
pub struct Losses {
    here: f64,
    /// -ln p a row.
    there: Vec<Tensor>,
}

impl Losses {
    /// Takes those of further rows.
    pub fn add(&mut self, others: Losses) {
        self.here += others.here;
        self.there.extend(others.there);
    }

    /// The sum, in f64 and in the order of the rows, after one wait.
    ///
    /// # Errors
    /// An operation of the device that failed.
    pub fn sum(self) -> Result<f64> {
        if self.there.is_empty() {
            return Ok(self.here);
        }
        Ok(self.here + on_host(&Tensor::cat(&self.there, 0)?)?.iter().sum::<f64>())
    }
}

/// Widened on the host: Metal has no f64.
fn on_host(losses: &Tensor) -> Result<Vec<f64>> {
    losses.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()
}

/// Refuses targets that are not the rows' own: a device would read what lies elsewhere.
fn expect(logits: &Tensor, targets: &[u32]) -> Result<()> {
    let (rows, vocabulary) = logits.dims2()?;
    if rows != targets.len() || targets.iter().any(|&target| target as usize >= vocabulary) {
        bail!("{} targets for logits {:?}, or one outside of them", targets.len(), logits.shape());
    }
    Ok(())
}

/// The summed -ln p, and `scale` times its gradient, consuming the logits. On a device it waits for the sum; see
/// [`losses_with_gradient`].
///
/// # Errors
/// As there.
pub fn with_gradient(logits: Tensor, targets: &[u32], scale: f64) -> Result<(f64, Tensor)> {
    let targets = Targets::new(targets, logits.device())?;
    let (losses, gradient) = losses_with_gradient(logits, &targets, scale)?;
    Ok((losses.sum()?, gradient))
}

/// -ln p of each row's target, and `scale` times the gradient of their sum, consuming the logits: on the CPU and on CUDA it
/// takes their place.
///
/// d logits = scale (softmax(logits) - onehot(target)).
///
/// # Shapes
/// (C, V), C targets -> (C, V)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn losses_with_gradient(logits: Tensor, targets: &Targets, scale: f64) -> Result<(Losses, Tensor)> {
    expect(&logits, targets.ids)?;
    if !is_taken(&logits) {
        return device::losses_with_gradient(logits, targets, scale);
    }
    let targets = targets.ids;
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
    Ok((Losses { here: nll.iter().sum(), there: Vec::new() }, logits))
}

/// The same on a device: by a kernel on CUDA, elsewhere in candle operations.
pub mod device {
    use super::*;

    fn log_probabilities(logits: &Tensor) -> Result<Tensor> {
        let wide = if logits.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        let logits = logits.to_dtype(wide)?;
        let shifted = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?)?;
        shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)
    }

    /// See [`super::nll`].
    ///
    /// # Errors
    /// As there.
    pub fn nll(logits: &Tensor, targets: &[u32]) -> Result<Vec<f64>> {
        let targets = Tensor::new(targets, logits.device())?;
        #[cfg(feature = "cuda")]
        if cuda::takes(logits) {
            return on_host(&cuda::cross_entropy::nll(logits, &targets)?);
        }
        on_host(&log_probabilities(logits)?.gather(&targets.unsqueeze(1)?, 1)?.neg()?.squeeze(1)?)
    }

    /// See [`super::losses_with_gradient`].
    pub(super) fn losses_with_gradient(
        logits: Tensor,
        targets: &Targets,
        scale: f64,
    ) -> Result<(Losses, Tensor)> {
        let targets = match &targets.there {
            Some(targets) => targets.clone(),
            None => Tensor::new(targets.ids, logits.device())?,
        };
        #[cfg(feature = "cuda")]
        if cuda::takes(&logits) {
            let (losses, gradient) = cuda::cross_entropy::with_gradient(logits, &targets, scale)?;
            return Ok((Losses { here: 0.0, there: vec![losses] }, gradient));
        }
        let (losses, gradient) = by_operations(&logits, &targets, scale)?;
        Ok((Losses { here: 0.0, there: vec![losses] }, gradient))
    }

    /// See [`super::with_gradient`]: in candle operations everywhere.
    ///
    /// # Errors
    /// As there.
    pub fn with_gradient(logits: &Tensor, targets: &[u32], scale: f64) -> Result<(f64, Tensor)> {
        let (losses, gradient) = by_operations(logits, &Tensor::new(targets, logits.device())?, scale)?;
        Ok((on_host(&losses)?.iter().sum(), gradient))
    }

    fn by_operations(logits: &Tensor, targets: &Tensor, scale: f64) -> Result<(Tensor, Tensor)> {
        let targets = targets.unsqueeze(1)?;
        let log_p = log_probabilities(logits)?;
        let losses = log_p.gather(&targets, 1)?.neg()?.squeeze(1)?;
        let ones = Tensor::ones(targets.shape(), log_p.dtype(), logits.device())?;
        let gradient = (log_p.exp()?.scatter_add(&targets, &ones.neg()?, 1)? * scale)?;
        Ok((losses, gradient.to_dtype(logits.dtype())?))
    }
}

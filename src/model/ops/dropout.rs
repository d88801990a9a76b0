//! Inverted dropout whose mask is a function, not a state (Srivastava et al., 2014).
//!
//! An element is dropped where hash(key, index) < rate x 2^32, and scaled by 1 / (1 - rate) elsewhere. The same key
//! gives the same mask, so that the backward pass, a recomputed layer and a resumed run replay it.

#[cfg(feature = "cuda")]
use super::cuda;
use super::mask::Factors;
use super::{Element, NUMBERS_PER_TASK, by_type, create, dispatch, in_place, is_fast};
use candle_core::{DType, Device, Result, Tensor};
use rayon::prelude::*;

pub use super::mask::{DropoutMask, DropoutStream};

fn masked<E: Element>(x: &Tensor, factors: Factors) -> Result<Tensor> {
    let count = x.elem_count();
    create(x.dims2()?, [x], |y: &mut [E], [x]: [&[E]; 1]| {
        let chunks = y.par_chunks_mut(NUMBERS_PER_TASK).zip(x[..count].par_chunks(NUMBERS_PER_TASK));
        chunks.enumerate().for_each(|(chunk, (y, x))| {
            dispatch(
                #[inline(always)]
                || {
                    for (place, (y, &x)) in (chunk * NUMBERS_PER_TASK..).zip(y.iter_mut().zip(x)) {
                        *y = factors.of(place, x);
                    }
                },
            )
        });
    })
}

fn add_masked<E: Element>(grad_x: &Tensor, grad_y: &Tensor, factors: Factors) -> Result<()> {
    let count = grad_x.elem_count();
    in_place(grad_x, [grad_y], |x: &mut [E], [y]: [&[E]; 1]| {
        let chunks = x[..count].par_chunks_mut(NUMBERS_PER_TASK).zip(y[..count].par_chunks(NUMBERS_PER_TASK));
        chunks.enumerate().for_each(|(chunk, (x, y))| {
            dispatch(
                #[inline(always)]
                || {
                    for (place, (x, y)) in (chunk * NUMBERS_PER_TASK..).zip(x.iter_mut().zip(y)) {
                        *x = E::narrowed(x.wide() + y.wide() * factors.at(place));
                    }
                },
            )
        });
    })
}

/// mask(x) / (1 - rate) for each of `masks`: what projections that share an input see of it.
///
/// # Shapes
/// (N, H) -> (N, H) a mask
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn dropout(x: &Tensor, masks: &[DropoutMask]) -> Result<Vec<Tensor>> {
    if !is_fast(x) {
        return device::dropout(x, masks);
    }
    masks.iter().map(|&mask| by_type!(x.dtype(), E => masked::<E>(x, mask.factors()))).collect()
}

/// grad_x + the sum of mask(grad_y) / (1 - rate) over `masks`, each with its own of `grads`, consuming grad_x: the gradient
/// through [`dropout`]. A gradient that can be computed when it is its turn need not exist beside the others.
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn add_backward(
    grad_x: Tensor,
    grads: impl Iterator<Item = Result<Tensor>>,
    masks: &[DropoutMask],
) -> Result<Tensor> {
    if !is_fast(&grad_x) {
        return device::add_backward(grad_x, grads, masks);
    }
    for (&mask, grad_y) in masks.iter().zip(grads) {
        by_type!(grad_x.dtype(), E => add_masked::<E>(&grad_x, &grad_y?, mask.factors())?);
    }
    Ok(grad_x)
}

/// The same on a device, bit for bit but for a sum of several in bf16, which a card rounds once: by a kernel on CUDA, elsewhere
/// in candle operations with a mask from the host.
mod device {
    use super::*;

    /// See [`super::dropout`].
    pub(super) fn dropout(x: &Tensor, masks: &[DropoutMask]) -> Result<Vec<Tensor>> {
        #[cfg(feature = "cuda")]
        if cuda::takes(x) {
            return cuda::dropout::dropout(x, &on_card(masks));
        }
        masks.iter().map(|&mask| (wide(x)? * factors(x, mask)?)?.to_dtype(x.dtype())).collect()
    }

    /// See [`super::add_backward`].
    pub(super) fn add_backward(
        mut grad_x: Tensor,
        grads: impl Iterator<Item = Result<Tensor>>,
        masks: &[DropoutMask],
    ) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if cuda::takes(&grad_x) {
            return cuda::dropout::add_backward(grad_x, &grads.collect::<Result<Vec<_>>>()?, &on_card(masks));
        }
        for (&mask, grad_y) in masks.iter().zip(grads) {
            let grad_y = grad_y?;
            let dtype = grad_x.dtype();
            grad_x = (wide(&grad_x)? + (wide(&grad_y)? * factors(&grad_y, mask)?)?)?.to_dtype(dtype)?;
        }
        Ok(grad_x)
    }

    #[cfg(feature = "cuda")]
    fn on_card(masks: &[DropoutMask]) -> Vec<Factors> {
        masks.iter().map(|&mask| mask.factors()).collect()
    }

    /// In bf16 the factor 1/0.95 itself would be rounded, to 1.0547 and not 1.0526: a bias of every element.
    fn wide(x: &Tensor) -> Result<Tensor> {
        x.to_dtype(wide_dtype(x))
    }

    fn wide_dtype(x: &Tensor) -> DType {
        if x.dtype() == DType::F64 { DType::F64 } else { DType::F32 }
    }

    /// 0 or 1 / (1 - rate) for each element of `like`.
    fn factors(like: &Tensor, mask: DropoutMask) -> Result<Tensor> {
        let factors = mask.factors();
        let values: Vec<f32> = (0..like.elem_count()).map(|index| factors.at(index)).collect();
        Tensor::from_vec(values, like.dims2()?, &Device::Cpu)?
            .to_device(like.device())?
            .to_dtype(wide_dtype(like))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2^20 draws at p = 0.05: the count is binomial with sigma = 223; neighbouring keys must not agree
    /// more often than chance (0.05^2 + 0.95^2 = 0.905).
    #[test]
    fn masks_have_the_rate_and_differ_by_key() {
        let shape = (1024, 1024);
        let ones = Tensor::ones(shape, DType::F32, &Device::Cpu).expect("ones");
        let draw = |micro_batch, layer, module| {
            let stream = DropoutStream { rate: 0.05, seed: 3407, micro_batch };
            let mask = stream.mask(layer, module).expect("the rate is not 0");
            let y = dropout(&ones, &[mask]).expect("dropout");
            y[0].flatten_all().expect("flat").to_vec1::<f32>().expect("values")
        };
        let first = draw(0, 0, 0);
        let dropped = first.iter().filter(|&&x| x == 0.0).count() as f64;
        assert!((dropped - 52428.8).abs() < 5.0 * 223.0, "{dropped} dropped of 2^20 at rate 0.05");
        assert!(first.iter().all(|&x| x == 0.0 || (x - 1.0 / 0.95).abs() < 1e-6));
        for other in [draw(1, 0, 0), draw(0, 1, 0), draw(0, 0, 1)] {
            let same = first.iter().zip(&other).filter(|(a, b)| a == b).count() as f64 / first.len() as f64;
            assert!((same - 0.905).abs() < 0.003, "masks of different keys agree on {same}");
        }
    }
}

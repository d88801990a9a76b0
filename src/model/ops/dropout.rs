//! Inverted dropout whose mask is a function, not a state (Srivastava et al., 2014).
//!
//! An element is dropped where hash(key, index) < rate x 2^32, and scaled by 1 / (1 - rate) elsewhere. The same key
//! gives the same mask, so that the backward pass, a recomputed layer and a resumed run replay it.

#[cfg(feature = "cuda")]
use super::cuda;
use super::{Element, NUMBERS_PER_TASK, by_type, create, dispatch, in_place, is_fast};
use candle_core::{DType, Device, Result, Tensor};
use rayon::prelude::*;

/// One mask: rate and key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutMask {
    /// Share of dropped elements, in [0, 1).
    pub rate: f64,
    /// Which of the masks.
    pub key: u64,
}

impl DropoutMask {
    /// What the element at each place is multiplied by.
    pub(super) fn factor(self) -> impl Fn(usize) -> f32 + Copy + Sync {
        let kernel = Kernel::new(self);
        #[inline(always)]
        move |place| kernel.factor(place as u32)
    }
}

/// The streams of a run: a mask for each micro-batch, layer and module.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutStream {
    /// Share of dropped elements, in [0, 1).
    pub rate: f64,
    /// Seed of the run.
    pub seed: u64,
    /// Micro-batches done before this one.
    pub micro_batch: u64,
}

impl DropoutStream {
    /// The mask of one module in one layer; none where the rate is 0.
    pub fn mask(&self, layer: usize, module: usize) -> Option<DropoutMask> {
        let place = ((layer as u64) << 8) | module as u64;
        let key = mix64(mix64(mix64(self.seed) ^ self.micro_batch) ^ place);
        (self.rate > 0.0).then_some(DropoutMask { rate: self.rate, key })
    }
}

/// SplitMix64's finalizer (Steele, Lea and Flood, 2014).
fn mix64(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A mask as kernels take it.
#[derive(Clone, Copy)]
struct Kernel {
    /// Hashes below it are dropped.
    threshold: u32,
    /// What the others are multiplied by.
    scale: f32,
    /// Of the hash.
    keys: (u32, u32),
}

impl Kernel {
    #[cfg(feature = "cuda")]
    fn on_card(self) -> cuda::dropout::Mask {
        let Kernel { threshold, scale, keys } = self;
        cuda::dropout::Mask { threshold, scale, keys }
    }

    fn new(mask: DropoutMask) -> Self {
        Kernel {
            threshold: (mask.rate * 4_294_967_296.0) as u32,
            scale: (1.0 / (1.0 - mask.rate)) as f32,
            keys: (mask.key as u32, (mask.key >> 32) as u32),
        }
    }

    /// 0 where the element is dropped, else the scale. The hash is Wellons' lowbias32, keyed twice.
    #[inline(always)]
    fn factor(self, index: u32) -> f32 {
        let x = index ^ self.keys.0;
        let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d).wrapping_add(self.keys.1);
        let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        let x = x ^ (x >> 16);
        if x < self.threshold { 0.0 } else { self.scale }
    }

    fn drop<E: Element>(self, x: &Tensor) -> Result<Tensor> {
        let count = x.elem_count();
        create(x.dims2()?, [x], |y: &mut [E], [x]: [&[E]; 1]| {
            y.par_chunks_mut(NUMBERS_PER_TASK)
                .zip(x[..count].par_chunks(NUMBERS_PER_TASK))
                .enumerate()
                .for_each(|(chunk, (y, x))| {
                    dispatch(
                        #[inline(always)]
                        || {
                            let first = (chunk * NUMBERS_PER_TASK) as u32;
                            for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
                                *y = E::narrowed(x.wide() * self.factor(first.wrapping_add(i as u32)));
                            }
                        },
                    )
                });
        })
    }

    fn add<E: Element>(self, grad_x: &Tensor, grad_y: &Tensor) -> Result<()> {
        let count = grad_x.elem_count();
        in_place(grad_x, [grad_y], |x: &mut [E], [y]: [&[E]; 1]| {
            let chunks =
                x[..count].par_chunks_mut(NUMBERS_PER_TASK).zip(y[..count].par_chunks(NUMBERS_PER_TASK));
            chunks.enumerate().for_each(|(chunk, (x, y))| {
                dispatch(
                    #[inline(always)]
                    || {
                        let first = (chunk * NUMBERS_PER_TASK) as u32;
                        for (i, (x, y)) in x.iter_mut().zip(y).enumerate() {
                            *x = E::narrowed(x.wide() + y.wide() * self.factor(first.wrapping_add(i as u32)));
                        }
                    },
                )
            });
        })
    }
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
    masks.iter().map(|&mask| by_type!(x.dtype(), E => Kernel::new(mask).drop::<E>(x))).collect()
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
        by_type!(grad_x.dtype(), E => Kernel::new(mask).add::<E>(&grad_x, &grad_y?)?);
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
    fn on_card(masks: &[DropoutMask]) -> Vec<cuda::dropout::Mask> {
        masks.iter().map(|&mask| Kernel::new(mask).on_card()).collect()
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
        let kernel = Kernel::new(mask);
        let values: Vec<f32> = (0..like.elem_count() as u32).map(|index| kernel.factor(index)).collect();
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

//! Which elements dropout drops: a function of a key and a place, not a state.

use super::Element;

/// One mask: rate and key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DropoutMask {
    /// Share of dropped elements, in [0, 1).
    pub rate: f64,
    /// Which of the masks.
    pub key: u64,
}

impl DropoutMask {
    /// What the elements are multiplied by.
    pub(super) fn factors(self) -> Factors {
        Factors {
            threshold: (self.rate * 4_294_967_296.0) as u32,
            scale: (1.0 / (1.0 - self.rate)) as f32,
            keys: (self.key as u32, (self.key >> 32) as u32),
        }
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

/// A mask as kernels take it: a number for each element of a tensor.
#[derive(Clone, Copy)]
pub(super) struct Factors {
    /// Hashes below it are dropped.
    pub(super) threshold: u32,
    /// What the others are multiplied by.
    pub(super) scale: f32,
    /// Of the hash.
    pub(super) keys: (u32, u32),
}

impl Factors {
    /// 0 where the element is dropped, else the scale. The hash is Wellons' lowbias32, keyed twice.
    #[inline(always)]
    pub(super) fn at(self, place: usize) -> f32 {
        let x = place as u32 ^ self.keys.0;
        let x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d).wrapping_add(self.keys.1);
        let x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
        let x = x ^ (x >> 16);
        if x < self.threshold { 0.0 } else { self.scale }
    }

    /// What becomes of an element.
    #[inline(always)]
    pub(super) fn of<E: Element>(self, place: usize, element: E) -> E {
        E::narrowed(element.wide() * self.at(place))
    }
}

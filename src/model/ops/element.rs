//! The two types that the CPU kernels store numbers in: f32, and bf16, which is widened to f32 for every computation.

use candle_core::{CpuStorage, WithDType};
use half::bf16;

/// A number of a CPU tensor.
pub(crate) trait Element: WithDType {
    /// As it is computed with.
    fn wide(self) -> f32;
    /// The nearest of this type; of two equally near, the one whose last bit is 0.
    fn narrowed(value: f32) -> Self;
    /// [`Element::narrowed`] to bf16.
    #[inline(always)]
    fn to_bf16(self) -> bf16 {
        bf16::narrowed(self.wide())
    }
    /// The values of a storage of this type.
    fn values(storage: &CpuStorage) -> Option<&[Self]>;
    /// The same, to be changed.
    fn values_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;
}

impl Element for f32 {
    #[inline(always)]
    fn wide(self) -> f32 {
        self
    }

    #[inline(always)]
    fn narrowed(value: f32) -> Self {
        value
    }

    fn values(storage: &CpuStorage) -> Option<&[Self]> {
        if let CpuStorage::F32(values) = storage { Some(values) } else { None }
    }

    fn values_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        if let CpuStorage::F32(values) = storage { Some(values) } else { None }
    }
}

impl Element for bf16 {
    #[inline(always)]
    fn wide(self) -> f32 {
        f32::from_bits((self.to_bits() as u32) << 16)
    }

    /// As `bf16::from_f32`, without a branch: loops over it become vectors.
    #[inline(always)]
    fn narrowed(value: f32) -> Self {
        let bits = value.to_bits();
        let rounded = bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16;
        let quiet_nan = (bits >> 16) | 0x40;
        bf16::from_bits(if value.is_nan() { quiet_nan } else { rounded } as u16)
    }

    #[inline(always)]
    fn to_bf16(self) -> bf16 {
        self
    }

    fn values(storage: &CpuStorage) -> Option<&[Self]> {
        if let CpuStorage::BF16(values) = storage { Some(values) } else { None }
    }

    fn values_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
        if let CpuStorage::BF16(values) = storage { Some(values) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrowing_is_that_of_half() {
        let patterns =
            (0..=u32::MAX).step_by(4099).chain([0, 0x7f80_0000, 0xff80_0000, 0x7fc0_0001, 0x7f80_0001]);
        for bits in patterns.chain((0x3f80_0000..0x3f82_0000).step_by(7)) {
            let value = f32::from_bits(bits);
            let (ours, theirs) = (bf16::narrowed(value), bf16::from_f32(value));
            assert_eq!(ours.to_bits(), theirs.to_bits(), "of {value} ({bits:#x})");
            assert!(ours.wide() == theirs.to_f32() || value.is_nan());
        }
    }
}

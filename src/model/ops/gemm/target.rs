//! Where the sums of a product go, and how they are written.

use super::block::{SIDE, Sums};
use crate::device::processor::Bf16Instructions;
use crate::model::ops::{Element, dispatch};
use std::mem::MaybeUninit;

/// Where the sums go, block by block, and how each is written.
#[derive(Clone, Copy)]
pub(super) struct Target<T, W> {
    pub(super) first: *mut MaybeUninit<T>,
    pub(super) strides: (usize, usize),
    pub(super) write: W,
}

impl<T, W> Target<T, W> {
    /// The same places of the transposed result.
    pub(super) fn t(self) -> Self {
        Target { strides: (self.strides.1, self.strides.0), ..self }
    }
}

// SAFETY: blocks do not overlap, and the values are exclusively borrowed while tasks write them.
unsafe impl<T, W: Sync> Sync for Target<T, W> {}

/// How a sum is written.
pub(super) trait WriteSum<T>: Fn(&mut MaybeUninit<T>, f32) + Copy + Sync {}

impl<T, W: Fn(&mut MaybeUninit<T>, f32) + Copy + Sync> WriteSum<T> for W {}

/// Writes the sums of the block at `at`, which no other task has.
pub(super) fn finish<T: Element, W: WriteSum<T>>(
    instructions: Bf16Instructions,
    c: Target<T, W>,
    (m, n): (usize, usize),
    at: (usize, usize),
    sums: &mut Sums,
) {
    let shape = (SIDE.min(m - at.0), SIDE.min(n - at.1));
    let (c, at, shape) = match c.strides {
        (_, 1) => (c, at, shape),
        _ => {
            instructions.transpose_sums(sums);
            (c.t(), (at.1, at.0), (shape.1, shape.0))
        }
    };
    // SAFETY: the block lies in C, whose bounds were asserted.
    unsafe { write_block(c, at, shape, sums) };
}

/// # Safety
/// The block of `shape` at `at` must lie in the target, whose columns lie side by side, and nobody else may use it meanwhile.
unsafe fn write_block<T: Element, W: WriteSum<T>>(
    c: Target<T, W>,
    at: (usize, usize),
    shape: (usize, usize),
    sums: &Sums,
) {
    dispatch(
        #[inline(always)]
        || {
            for (row, sums) in sums.0.chunks_exact(SIDE).take(shape.0).enumerate() {
                let place = (at.0 + row) * c.strides.0 + at.1;
                // SAFETY: as the caller promises.
                let to = unsafe { std::slice::from_raw_parts_mut(c.first.add(place), shape.1) };
                let each = |(to, &sum): (&mut MaybeUninit<T>, &f32)| (c.write)(to, sum);
                match <&mut [MaybeUninit<T>; SIDE]>::try_from(&mut *to) {
                    // A known length: one vector after the other, without a loop.
                    Ok(to) => to.iter_mut().zip(sums).for_each(each),
                    Err(_) => to.iter_mut().zip(sums).for_each(each),
                }
            }
        },
    )
}

//! Where the sums of a product go, and how they are written.

use super::Write;
use super::block::{SIDE, Sums};
use crate::device::processor::Bf16Instructions;
use crate::model::ops::{Element, dispatch};
use std::mem::MaybeUninit;

/// Where the sums go, block by block, and how each is written.
#[derive(Clone, Copy)]
pub(super) struct Target<T> {
    pub(super) first: *mut MaybeUninit<T>,
    pub(super) strides: (usize, usize),
    pub(super) write: Write,
    /// What each sum is multiplied by.
    pub(super) scale: f32,
}

impl<T> Target<T> {
    /// The same places of the transposed result.
    pub(super) fn t(self) -> Self {
        Target { strides: (self.strides.1, self.strides.0), ..self }
    }
}

// SAFETY: blocks do not overlap, and the values are exclusively borrowed while tasks write them.
unsafe impl<T> Sync for Target<T> {}

/// Writes the sums of the block at `at`, which no other task has.
pub(super) fn finish<T: Element>(
    instructions: Bf16Instructions,
    c: Target<T>,
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
    let first = c.first.wrapping_add(at.0 * c.strides.0 + at.1);
    // SAFETY: the block lies in C, whose bounds were asserted.
    unsafe { write_block(Target { first, ..c }, shape, sums) };
}

/// # Safety
/// The block of `shape` must lie at the beginning of the target, whose columns lie side by side, and nobody else may use it
/// meanwhile.
unsafe fn write_block<T: Element>(c: Target<T>, shape: (usize, usize), sums: &Sums) {
    dispatch(
        #[inline(always)]
        || {
            for (row, sums) in sums.0.chunks_exact(SIDE).take(shape.0).enumerate() {
                // SAFETY: as the caller promises.
                let to = unsafe { std::slice::from_raw_parts_mut(c.first.add(row * c.strides.0), shape.1) };
                match <&mut [MaybeUninit<T>; SIDE]>::try_from(&mut *to) {
                    // A known length: one vector after the other, without a loop.
                    // SAFETY: as the caller promises.
                    Ok(to) => unsafe { write_row(c, to, sums) },
                    // SAFETY: as the caller promises.
                    Err(_) => unsafe { write_row(c, to, sums) },
                }
            }
        },
    )
}

/// # Safety
/// What is added to must have been written.
#[inline(always)]
pub(super) unsafe fn write_row<T: Element>(c: Target<T>, to: &mut [MaybeUninit<T>], sums: &[f32]) {
    match c.write {
        Write::Replace => {
            to.iter_mut().zip(sums).for_each(|(to, sum)| _ = to.write(T::narrowed(c.scale * sum)))
        }
        Write::Add => to.iter_mut().zip(sums).for_each(|(to, sum)| {
            // SAFETY: as the caller promises.
            let to = unsafe { to.assume_init_mut() };
            *to = T::narrowed(to.wide() + c.scale * sum);
        }),
    }
}

//! Products of bf16 with sums in f32: blocks of 32 x 32, each summed over the whole inner size and written once.
//!
//! Where there are no instructions for it the operands are widened, and the f32 product is taken.

use super::pack::{Left, Lines, Operand, pack};
use super::tiles::{Instructions, SIDE, STEP, Sums};
use super::{Threads, View, Write, gemm, last_index};
use crate::model::ops::{Element, dispatch};
use half::bf16;
use rayon::prelude::*;

/// C = [C +] scale A B, C given by its values and the distance of its rows.
///
/// # Panics
/// Where the shapes do not fit together or C does not fit its values: a bug of the calling kernel.
pub(crate) fn gemm_bf16<T: Element>(
    c: &mut [T],
    c_row_stride: usize,
    write: Write,
    scale: f32,
    a: Operand,
    b: Operand,
    threads: Threads,
) {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    assert_eq!(k, b.rows(), "inner sizes of a product");
    if m == 0 || n == 0 {
        return;
    }
    assert!(n <= c_row_stride || m == 1, "rows of the result overlap");
    assert!(last_index(m, n, c_row_stride, 1) < c.len(), "result outside its values");
    match Instructions::of_this_machine() {
        Some(instructions) => {
            // (A B)^T = B^T A^T: the same sums, whichever operand is cheaper to bring into order.
            let turned = a.copied_on_the_left() + k * n > b.t().copied_on_the_left() + m * k;
            let strides = if turned { (1, c_row_stride) } else { (c_row_stride, 1) };
            let (a, b) = if turned { (b.t(), a.t()) } else { (a, b) };
            by_blocks(instructions, Target { first: c.as_mut_ptr(), strides, write, scale }, a, b, threads);
        }
        None => widened(c, c_row_stride, write, scale, a, b, threads),
    }
}

/// The result, which tasks write block by block.
#[derive(Clone, Copy)]
struct Target<T> {
    first: *mut T,
    strides: (usize, usize),
    write: Write,
    scale: f32,
}

impl<T> Target<T> {
    fn t(self) -> Self {
        Target { strides: (self.strides.1, self.strides.0), ..self }
    }
}

// SAFETY: blocks do not overlap, and the values are exclusively borrowed while tasks write them.
unsafe impl<T> Sync for Target<T> {}

/// Bytes of the right operand that are packed at a time.
const PACKED: usize = 8 << 20;
/// Bytes of the left operand's panels that a task goes through for each panel of the right one: they stay in the
/// second-level cache.
const CACHED: usize = 1 << 19;
/// Tasks that a thread should have, so that none waits long for the last.
const TASKS: usize = 4;

fn by_blocks<T: Element>(instructions: Instructions, c: Target<T>, a: Operand, b: Operand, threads: Threads) {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    let steps = k.div_ceil(SIDE);
    let left = Left::new(instructions, a);
    let panel_bytes = (steps * STEP * size_of::<bf16>()).max(1);
    let at_once = (PACKED / panel_bytes).clamp(1, n.div_ceil(SIDE));
    let mut packed = vec![bf16::ZERO; at_once * steps * STEP];
    let rows_of_task = (CACHED / panel_bytes).clamp(1, 16);
    let row_tasks = m.div_ceil(SIDE * rows_of_task);
    for first in (0..n.div_ceil(SIDE)).step_by(at_once) {
        let panels = at_once.min(n.div_ceil(SIDE) - first);
        let pack = |(panel, to): (usize, &mut [bf16])| {
            pack(instructions, to, b.t(), (first + panel) * SIDE, Lines::Pairs)
        };
        let chunks = packed[..panels * steps * STEP].chunks_mut((steps * STEP).max(1));
        let wanted = match threads {
            Threads::One => 1,
            Threads::All => (TASKS * rayon::current_num_threads()).div_ceil(row_tasks),
        };
        let width = panels.div_ceil(wanted.min(panels));
        let column_tasks = panels.div_ceil(width);
        let task = |packed: &[bf16], task: usize| {
            let (row, column) = (task / column_tasks * rows_of_task, task % column_tasks * width);
            instructions.with(|| {
                let mut sums = Sums([0.0; SIDE * SIDE]);
                for panel in column..(column + width).min(panels) {
                    for row in row..(row + rows_of_task).min(m.div_ceil(SIDE)) {
                        let b = packed[panel * steps * STEP..].as_ptr();
                        // SAFETY: a panel of either operand holds `steps` steps.
                        unsafe { instructions.block(left.panel(row), b, steps, &mut sums) };
                        let at = (row * SIDE, (first + panel) * SIDE);
                        // SAFETY: the block lies in C, whose bounds were asserted, and no other task has it.
                        let shape = (SIDE.min(m - at.0), SIDE.min(n - at.1));
                        match c.strides.1 {
                            1 => unsafe { write_block(c, at, shape, &sums) },
                            _ => {
                                sums.transpose(instructions);
                                unsafe { write_block(c.t(), (at.1, at.0), (shape.1, shape.0), &sums) }
                            }
                        }
                    }
                }
            });
        };
        match threads {
            Threads::One => {
                chunks.enumerate().for_each(pack);
                (0..row_tasks * column_tasks).for_each(|index| task(&packed, index));
            }
            Threads::All => {
                packed[..panels * steps * STEP].par_chunks_mut((steps * STEP).max(1)).enumerate().for_each(pack);
                (0..row_tasks * column_tasks).into_par_iter().for_each(|index| task(&packed, index));
            }
        }
    }
}

/// # Safety
/// The block of `shape` at `at` must lie in the target, whose columns lie side by side, and nobody else may use it meanwhile.
unsafe fn write_block<T: Element>(c: Target<T>, at: (usize, usize), shape: (usize, usize), sums: &Sums) {
    dispatch(
        #[inline(always)]
        || {
            for (row, sums) in sums.0.chunks_exact(SIDE).take(shape.0).enumerate() {
                // SAFETY: as the caller promises.
                let to = unsafe {
                    std::slice::from_raw_parts_mut(c.first.add((at.0 + row) * c.strides.0 + at.1), shape.1)
                };
                match <&mut [T; SIDE]>::try_from(&mut *to) {
                    // A known length: one vector after the other, without a loop.
                    Ok(to) => to.iter_mut().zip(sums).for_each(|(to, &sum)| store(to, sum, c.write, c.scale)),
                    Err(_) => to.iter_mut().zip(sums).for_each(|(to, &sum)| store(to, sum, c.write, c.scale)),
                }
            }
        },
    )
}

#[inline(always)]
fn store<T: Element>(to: &mut T, sum: f32, write: Write, scale: f32) {
    *to = match write {
        Write::Replace => T::narrowed(scale * sum),
        Write::Add => T::narrowed(to.wide() + scale * sum),
    };
}

fn widened<T: Element>(c: &mut [T], stride: usize, write: Write, scale: f32, a: Operand, b: Operand, threads: Threads) {
    let (m, n) = (a.rows(), b.columns());
    let mut product = vec![0f32; m * n];
    let (mut wide_a, mut wide_b) = (Vec::new(), Vec::new());
    let (a, b) = (wide(a, &mut wide_a), wide(b, &mut wide_b));
    gemm(&mut product, n, Write::Replace, 1.0, a, b, threads);
    for (to, sums) in c.chunks_mut(stride).zip(product.chunks_exact(n)) {
        to.iter_mut().zip(sums).for_each(|(to, &sum)| store(to, sum, write, scale));
    }
}

fn wide<'a>(operand: Operand<'a>, values: &'a mut Vec<f32>) -> View<'a, f32> {
    match operand {
        Operand::F32(view) => view,
        Operand::Bf16(view) => {
            let last = last_index(view.rows.max(1), view.columns.max(1), view.row_stride, view.column_stride);
            values.extend(view.values[..=last].iter().map(|value| value.wide()));
            View { values, rows: view.rows, columns: view.columns, row_stride: view.row_stride, column_stride: view.column_stride }
        }
    }
}

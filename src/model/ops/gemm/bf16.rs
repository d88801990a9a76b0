//! Products of bf16 with sums in f32: blocks of 32 x 32, each summed over the whole inner size and written once.
//!
//! Where there are no instructions for it the operands are widened, and the f32 product is taken.

use super::pack::{Left, Lines, Operand, Scratch, pack};
use super::tiles::{Line, SIDE, STEP, Sums};
use super::{Threads, View, Write, gemm, last_index};
use crate::device::processor::Bf16Instructions;
use crate::model::ops::{Element, dispatch};
use rayon::prelude::*;
use std::ops::Range;

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
) {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    assert_eq!(k, b.rows(), "inner sizes of a product");
    if m == 0 || n == 0 || k == 0 {
        return; // nothing is added; a result that is replaced is one of zeros
    }
    assert!(n <= c_row_stride || m == 1, "rows of the result overlap");
    assert!(last_index(m, n, c_row_stride, 1) < c.len(), "result outside its values");
    match Bf16Instructions::of_this_machine() {
        Some(instructions) => {
            // (A B)^T = B^T A^T: the same sums, whichever operand is cheaper to bring into order.
            let turned = a.copied_on_the_left(n) + k * n > b.t().copied_on_the_left(m) + m * k;
            let strides = if turned { (1, c_row_stride) } else { (c_row_stride, 1) };
            let (a, b) = if turned { (b.t(), a.t()) } else { (a, b) };
            by_blocks(instructions, Target { first: c.as_mut_ptr(), strides, write, scale }, a, b);
        }
        None => widened(c, c_row_stride, write, scale, a, b),
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

#[expect(clippy::disallowed_methods, reason = "its tasks hold numbers of the host")]
fn by_blocks<T: Element>(instructions: Bf16Instructions, c: Target<T>, a: Operand, b: Operand) {
    let (m, n, panel) = (a.rows(), b.columns(), a.columns().div_ceil(SIDE) * STEP);
    let left = Left::new(instructions, a, n);
    let at_once = (PACKED / size_of::<Line>() / panel.max(1)).clamp(1, n.div_ceil(SIDE));
    let mut packed = Scratch::new(at_once * panel);
    let rows = (CACHED / size_of::<Line>() / panel.max(1)).clamp(1, 16);
    let row_tasks = m.div_ceil(SIDE).div_ceil(rows);
    for first in (0..n.div_ceil(SIDE)).step_by(at_once) {
        let panels = at_once.min(n.div_ceil(SIDE) - first);
        pack(instructions, &mut packed[..panels * panel], b.t(), first, Lines::Pairs);
        let columns = panels.div_ceil((TASKS * rayon::current_num_threads()).div_ceil(row_tasks));
        let column_tasks = panels.div_ceil(columns);
        (0..row_tasks * column_tasks).into_par_iter().for_each(|task| {
            let (row, column) = (task / column_tasks * rows, task % column_tasks * columns);
            let task = Task {
                rows: row..(row + rows).min(m.div_ceil(SIDE)),
                columns: column..(column + columns).min(panels),
                first,
            };
            instructions.with(|| task.run(instructions, c, (m, n), &left, &packed));
        });
    }
}

/// Blocks of the result that one thread makes.
struct Task {
    /// Panels of the left operand.
    rows: Range<usize>,
    /// Panels of the right one, among those that are packed.
    columns: Range<usize>,
    /// The first that is packed.
    first: usize,
}

impl Task {
    fn run<T: Element>(
        self,
        instructions: Bf16Instructions,
        c: Target<T>,
        (m, n): (usize, usize),
        left: &Left,
        packed: &[Line],
    ) {
        let (panel, mut sums) = (left.panel_lines(), Sums::ZERO);
        for column in self.columns {
            for row in self.rows.clone() {
                // SAFETY: a panel of either operand holds the steps of the whole inner size.
                unsafe {
                    instructions.block(
                        left.panel(row),
                        packed[column * panel..].as_ptr(),
                        panel / STEP,
                        &mut sums,
                    );
                }
                let at = (row * SIDE, (self.first + column) * SIDE);
                let shape = (SIDE.min(m - at.0), SIDE.min(n - at.1));
                let (c, at, shape) = match c.strides {
                    (_, 1) => (c, at, shape),
                    _ => {
                        sums.transpose(instructions);
                        (c.t(), (at.1, at.0), (shape.1, shape.0))
                    }
                };
                // SAFETY: the block lies in C, whose bounds were asserted, and no other task has it.
                unsafe { write_block(c, at, shape, &sums) };
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
                let each = |(to, &sum): (&mut T, &f32)| store(to, sum, c.write, c.scale);
                match <&mut [T; SIDE]>::try_from(&mut *to) {
                    // A known length: one vector after the other, without a loop.
                    Ok(to) => to.iter_mut().zip(sums).for_each(each),
                    Err(_) => to.iter_mut().zip(sums).for_each(each),
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

fn widened<T: Element>(c: &mut [T], stride: usize, write: Write, scale: f32, a: Operand, b: Operand) {
    let (m, n) = (a.rows(), b.columns());
    let mut product = vec![0f32; m * n];
    let (mut wide_a, mut wide_b) = (Vec::new(), Vec::new());
    let (a, b) = (wide(a, &mut wide_a), wide(b, &mut wide_b));
    gemm(&mut product, n, Write::Replace, 1.0, a, b, Threads::All);
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
            View::new(values, (view.rows, view.columns), (view.row_stride, view.column_stride))
        }
    }
}

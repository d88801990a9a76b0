//! Products of bf16 with sums in f32: blocks of 32 x 32, each summed over the inner size piece by piece and written once.

use super::beside::{Beside, Term};
use super::block::{Line, SIDE, Sums};
use super::operand::Operand;
use super::pack::{Left, Lines, pack};
use super::scratch::Scratch;
use super::target::{Target, finish};
use super::tiles::Earlier;
use super::widened::widened;
use super::{Threads, Write, last_index};
use crate::device::processor::Bf16Instructions;
use crate::model::ops::{Element, zeros};
use candle_core::DType;
use std::ops::Range;

/// C = [C +] scale A B, C given by its values and the distance of its rows.
///
/// # Panics
/// Where the shapes do not fit together or C does not fit its values: a bug of the calling kernel.
pub(crate) fn gemm_bf16<T: Element>(
    c: &mut [T],
    row_stride: usize,
    write: Write,
    scale: f32,
    a: Operand,
    b: Operand,
    threads: Threads,
) {
    assert_eq!(a.columns(), b.rows(), "inner sizes of a product");
    let (m, n) = (a.rows(), b.columns());
    if m == 0 || n == 0 || a.columns() == 0 {
        return; // nothing is added; a result that is replaced is one of zeros
    }
    assert!(n <= row_stride || m == 1, "rows of the result overlap");
    assert!(last_index(m, n, row_stride, 1) < c.len(), "result outside its values");
    let c = Target::<T> { first: c.as_mut_ptr().cast(), strides: (row_stride, 1), write, scale };
    // SAFETY: the product lies in C, which is exclusively borrowed, and what is added to is one of its values.
    unsafe { write_product(c, a, b, &[], threads) }
}

/// scale (A B and what the terms add to it) in new memory, row by row, which is not cleared first: the sums are the first that
/// is written there.
///
/// # Panics
/// Where the shapes do not fit together: a bug of the calling kernel.
pub(crate) fn product_bf16<T: Element>(scale: f32, a: Operand, b: Operand, terms: &[Term]) -> Vec<T> {
    let (m, k, n) = (a.rows(), a.columns(), b.columns());
    assert_eq!(k, b.rows(), "inner sizes of a product");
    for Term { a, b, first, .. } in terms {
        assert!(a.rows() == m && first + b.columns() <= n, "a term of {m} rows inside of {n} columns");
        assert_eq!(a.columns(), b.rows(), "inner sizes of a term");
    }
    if m == 0 || n == 0 || k == 0 {
        return zeros(m * n);
    }
    let mut c = Vec::with_capacity(m * n);
    let first = c.spare_capacity_mut().as_mut_ptr();
    let target = Target { first, strides: (n, 1), write: Write::Replace, scale };
    // A sum in f32 may be made of several.
    let at_once = if T::DTYPE == DType::F32 && terms.is_empty() { LONGEST } else { k };
    for first in (0..k).step_by(at_once) {
        let some = first..k.min(first + at_once);
        let (a, b) = (a.some_columns(some.clone()), b.t().some_columns(some).t());
        let write = if first == 0 { Write::Replace } else { Write::Add };
        // SAFETY: there is room for m rows of n, and every one of the numbers is written before it is added to.
        unsafe { write_product(Target { write, ..target }, a, b, terms, Threads::All) };
    }
    // SAFETY: all of them were written.
    unsafe { c.set_len(m * n) };
    c
}

/// The longest inner size of a product that is made at once where several can be added: of a longer one, such as a vocabulary, few
/// columns of the right operand would be packed at a time, and the left one read from memory for each few.
const LONGEST: usize = 4096;

/// # Safety
/// The rows of A by the columns of B must lie in the target, which nobody else may use meanwhile, and what is added to must have
/// been written.
unsafe fn write_product<T: Element>(c: Target<T>, a: Operand, b: Operand, terms: &[Term], threads: Threads) {
    let Some(instructions) = Bf16Instructions::of_this_machine() else {
        return widened(c, a, b, terms, threads);
    };
    // (A B)^T = B^T A^T: the same sums, whichever operand is cheaper to bring into order.
    let is_transposed = a.costs_more_on_the_left(b);
    let terms: Vec<_> =
        terms.iter().map(|term| Beside::new(instructions, *term, is_transposed, threads)).collect();
    match is_transposed {
        true => by_blocks(instructions, c.t(), b.t(), a.t(), &terms, threads),
        false => by_blocks(instructions, c, a, b, &terms, threads),
    }
}

/// Bytes of the right operand that are packed at a time.
const PACKED: usize = 8 << 20;
/// Bytes of the left operand's panels, or of a piece of them, that a task goes through for each panel of the right one: they
/// stay in the second-level cache.
const CACHED: usize = 1 << 19;
/// At most so many panels of the left operand, and of the right one before the next piece of the inner size: as many blocks
/// of sums wait for it, beside the panels in the cache.
const ROWS: usize = 16;
const COLUMNS: usize = 8;
/// Lines of a block of sums.
const SUMS: usize = size_of::<Sums>() / size_of::<Line>();
/// Tasks that a thread should have, so that none waits long for the last.
const TASKS: usize = 4;
/// Numbers to be copied for which it pays to hand some to another thread.
const WORTH_SHARING: usize = 1 << 16;

fn by_blocks<T: Element>(
    instructions: Bf16Instructions,
    c: Target<T>,
    a: Operand,
    b: Operand,
    terms: &[Beside],
    threads: Threads,
) {
    let (m, n) = (a.rows(), b.columns());
    let pieces = a.pieces(n);
    let at_once = (PACKED / size_of::<Line>() / pieces.all_lines()).clamp(1, n.div_ceil(SIDE));
    let mut packed = Scratch::new(at_once * pieces.all_lines());
    let packing = if a.copied(b) < WORTH_SHARING { Threads::One } else { threads };
    let pack_right = |packed: &mut [Line], first: usize| {
        let panels = first..(first + at_once).min(n.div_ceil(SIDE));
        pack(instructions, packed, pieces, b.t(), panels, Lines::Pairs, packing);
    };
    let (left, ()) = packing.both(|| Left::new(instructions, a, n, packing), || pack_right(&mut packed, 0));
    let rows = (CACHED / size_of::<Line>() / pieces.panel_lines()).clamp(1, ROWS);
    let row_tasks = m.div_ceil(SIDE).div_ceil(rows);
    for first in (0..n.div_ceil(SIDE)).step_by(at_once) {
        if first > 0 {
            pack_right(&mut packed, first);
        }
        let panels = at_once.min(n.div_ceil(SIDE) - first);
        let columns = panels.div_ceil((TASKS * threads.count()).div_ceil(row_tasks));
        let column_tasks = panels.div_ceil(columns);
        threads.for_each(row_tasks * column_tasks, |task| {
            let (row, column) = (task / column_tasks * rows, task % column_tasks * columns);
            let task = Task {
                rows: row..(row + rows).min(m.div_ceil(SIDE)),
                columns: column..(column + columns).min(panels),
                first,
                packed: (&packed, panels),
            };
            instructions.with(|| task.run(instructions, c, (m, n), &left, terms));
        });
    }
}

/// Blocks of the result that one thread makes.
struct Task<'a> {
    /// Panels of the left operand.
    rows: Range<usize>,
    /// Panels of the right one, among those that are packed.
    columns: Range<usize>,
    /// The first that is packed.
    first: usize,
    /// Those, and their number.
    packed: (&'a [Line], usize),
}

impl Task<'_> {
    fn run<T: Element>(
        self,
        instructions: Bf16Instructions,
        c: Target<T>,
        (m, n): (usize, usize),
        left: &Left,
        terms: &[Beside],
    ) {
        let (pieces, (packed, panels)) = (left.pieces(), self.packed);
        // Sums that wait for the next piece; of an inner size in one piece none do.
        let waiting = if pieces.count() == 1 { 1 } else { COLUMNS * self.rows.len() };
        let mut scratch = Scratch::new((waiting + 1) * SUMS);
        let (of_term, sums) = scratch.sums().split_first_mut().expect("sums of a term and of the product");
        for some in self.columns.clone().step_by(COLUMNS) {
            let columns = some..(some + COLUMNS).min(self.columns.end);
            for (piece, column) in
                (0..pieces.count()).flat_map(|piece| columns.clone().map(move |column| (piece, column)))
            {
                let right = packed[pieces.line(piece, column, panels)..].as_ptr();
                let earlier = if piece == 0 { Earlier::Nothing } else { Earlier::Piece };
                for row in self.rows.clone() {
                    let place = (column - some) * self.rows.len() + row - self.rows.start;
                    let sums = &mut sums[place % waiting];
                    // SAFETY: a piece of a panel of either operand holds so many steps.
                    unsafe {
                        let steps = pieces.steps(piece);
                        instructions.block(left.panel(row, piece), right, steps, earlier, sums);
                    }
                    if piece + 1 == pieces.count() {
                        for term in terms {
                            term.add(instructions, (row, self.first + column), c.strides, sums, of_term);
                        }
                        let at = (row * SIDE, (self.first + column) * SIDE);
                        finish(instructions, c, (m, n), at, sums);
                    }
                }
            }
        }
    }
}

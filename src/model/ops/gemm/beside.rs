//! Products of a small inner size that are added to another before it is written, such as an update's to its weight's: neither
//! exists for itself, and the sum is rounded once.

use super::Threads;
use super::block::{SIDE, Sums};
use super::operand::Operand;
use super::pack::{Left, Lines, pack};
use super::scratch::Scratch;
use super::tiles::Earlier;
use crate::device::processor::Bf16Instructions;
use crate::model::ops::dispatch;
use crate::model::ops::mask::Factors;

/// scale A B, or what a mask leaves of it, which is added to some columns of a product.
#[derive(Clone, Copy)]
pub(crate) struct Term<'a> {
    pub(crate) a: Operand<'a>,
    pub(crate) b: Operand<'a>,
    /// The column of the product that it is added to with its first, a multiple of [`COLUMNS_OF_BLOCK`].
    pub(crate) first: usize,
    /// What it is multiplied by.
    pub(crate) scale: f32,
    /// What its numbers are multiplied by besides, each by that of its place among the product's values.
    pub(crate) mask: Option<Factors>,
}

/// The columns of a block: a term begins with one.
pub(crate) const COLUMNS_OF_BLOCK: usize = SIDE;

/// A term whose operands are in order.
pub(super) struct Beside<'a> {
    left: Left<'a>,
    right: Scratch,
    /// Those of the right operand.
    panels: usize,
    /// The first panels of rows and of columns that it is added to.
    first: (usize, usize),
    scale: f32,
    mask: Option<Factors>,
}

impl<'a> Beside<'a> {
    /// A term of a product, or of its transpose.
    pub(super) fn new(
        instructions: Bf16Instructions,
        term: Term<'a>,
        is_transposed: bool,
        threads: Threads,
    ) -> Self {
        assert!(term.first.is_multiple_of(SIDE), "a term begins with a block");
        let (a, b, first) = match is_transposed {
            false => (term.a, term.b, (0, term.first / SIDE)),
            true => (term.b.t(), term.a.t(), (term.first / SIDE, 0)),
        };
        let left = Left::new(instructions, a, b.columns(), threads);
        let (panels, pieces) = (b.columns().div_ceil(SIDE), left.pieces());
        let mut right = Scratch::new(panels * pieces.all_lines());
        pack(instructions, &mut right, pieces, b.t(), 0..panels, Lines::Pairs, threads);
        Beside { left, right, panels, first, scale: term.scale, mask: term.mask }
    }

    /// Adds the block at so many panels of rows and of columns to its sums, where the term has one; `own` is overwritten.
    pub(super) fn add(
        &self,
        instructions: Bf16Instructions,
        block: (usize, usize),
        strides: (usize, usize),
        sums: &mut Sums,
        own: &mut Sums,
    ) {
        let (Some(row), Some(column)) =
            (block.0.checked_sub(self.first.0), block.1.checked_sub(self.first.1))
        else {
            return;
        };
        if row >= self.left.panels() || column >= self.panels {
            return;
        }
        let pieces = self.left.pieces();
        for piece in 0..pieces.count() {
            let right = self.right[pieces.line(piece, column, self.panels)..].as_ptr();
            let earlier = if piece == 0 { Earlier::Nothing } else { Earlier::Piece };
            // SAFETY: a piece of a panel of either operand holds so many steps.
            unsafe {
                instructions.block(self.left.panel(row, piece), right, pieces.steps(piece), earlier, own);
            }
        }
        let first = block.0 * SIDE * strides.0 + block.1 * SIDE * strides.1;
        dispatch(
            #[inline(always)]
            || match self.mask {
                None => sums.0.iter_mut().zip(&own.0).for_each(|(sum, own)| *sum += self.scale * own),
                Some(mask) => {
                    let rows = sums.0.chunks_exact_mut(SIDE).zip(own.0.chunks_exact(SIDE));
                    for (row, (sums, own)) in rows.enumerate() {
                        let first = first + row * strides.0;
                        for (column, (sum, own)) in sums.iter_mut().zip(own).enumerate() {
                            *sum += self.scale * mask.at(first + column * strides.1) * own;
                        }
                    }
                }
            },
        );
    }
}

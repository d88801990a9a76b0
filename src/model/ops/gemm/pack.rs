//! The operands of a bf16 product as its innermost loop reads them.
//!
//! Both are cut into panels: 32 rows of A, or 32 columns of B. A panel goes along the inner size in steps of 32, and a step
//! is two tiles, each of 16 lines of 16 pairs: of A a line is a row and its pairs follow the inner size; of B a line is a
//! pair of the inner size and its pairs follow the columns. One is the other's transpose, in units of pairs.

use super::View;
use super::tiles::{Instructions, Rows, SIDE, STEP, TILE};
use crate::model::ops::{Element, dispatch};
use half::bf16;
use rayon::prelude::*;

/// A matrix in either type.
#[derive(Clone, Copy)]
pub(crate) enum Operand<'a> {
    /// Of parameters and gradients: rounded to bf16 where it is packed.
    F32(View<'a, f32>),
    /// Of activations and frozen weights.
    Bf16(View<'a, bf16>),
}

impl<'a> From<View<'a, f32>> for Operand<'a> {
    fn from(view: View<'a, f32>) -> Self {
        Operand::F32(view)
    }
}

impl<'a> From<View<'a, bf16>> for Operand<'a> {
    fn from(view: View<'a, bf16>) -> Self {
        Operand::Bf16(view)
    }
}

/// `$value` with `$view` bound to the view of either type.
macro_rules! on_view {
    ($operand:expr, $view:ident => $value:expr) => {
        match $operand {
            Operand::F32($view) => $value,
            Operand::Bf16($view) => $value,
        }
    };
}

impl Operand<'_> {
    /// Number of rows.
    pub(super) fn rows(self) -> usize {
        on_view!(self, view => view.rows)
    }

    /// Number of columns.
    pub(super) fn columns(self) -> usize {
        on_view!(self, view => view.columns)
    }

    /// The transpose, without a copy.
    pub(super) fn t(self) -> Self {
        match self {
            Operand::F32(view) => Operand::F32(view.t()),
            Operand::Bf16(view) => Operand::Bf16(view.t()),
        }
    }

    /// Whether whole panels of it are read where they lie.
    fn is_direct(self) -> bool {
        matches!(self, Operand::Bf16(view) if view.column_stride == 1 && view.columns.is_multiple_of(SIDE))
    }

    /// Numbers that must be copied to make it the left operand; on the right all of them are.
    pub(super) fn copied_on_the_left(self) -> usize {
        if self.is_direct() { 0 } else { self.rows() * self.columns() }
    }
}

/// The order of the lines of a packed tile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// A line is a row of A.
    Rows,
    /// A line is a pair of the inner size.
    Pairs,
}

/// The left operand: panels of 32 rows.
pub(super) struct Left<'a> {
    /// Where whole panels are read in their place.
    direct: Option<View<'a, bf16>>,
    /// First of the panels that are packed.
    first_packed: usize,
    packed: Vec<bf16>,
    panel: usize,
}

impl<'a> Left<'a> {
    /// Packs what cannot be read where it lies: all of it, or the rows after the last whole panel.
    pub(super) fn new(instructions: Instructions, a: Operand<'a>) -> Self {
        let (rows, panel) = (a.rows(), a.columns().div_ceil(SIDE) * STEP);
        let direct = match a {
            Operand::Bf16(view) if a.is_direct() => Some(view),
            _ => None,
        };
        let first_packed = if direct.is_some() { rows / SIDE } else { 0 };
        let mut packed = vec![bf16::ZERO; (rows.div_ceil(SIDE) - first_packed) * panel];
        packed.par_chunks_mut(panel.max(1)).enumerate().for_each(|(index, to)| {
            pack(instructions, to, a, (first_packed + index) * SIDE, Lines::Rows);
        });
        Left { direct, first_packed, packed, panel }
    }

    /// Panel `index`, where it lies.
    pub(super) fn panel(&self, index: usize) -> Rows {
        match self.direct {
            Some(view) if index < self.first_packed => Rows {
                first: view.values[index * SIDE * view.row_stride..].as_ptr(),
                row: view.row_stride,
                half: TILE * view.row_stride,
                step: SIDE,
            },
            _ => Rows {
                first: self.packed[(index - self.first_packed) * self.panel..].as_ptr(),
                row: SIDE,
                half: TILE * SIDE,
                step: STEP,
            },
        }
    }
}

/// The panel of 32 rows from `first` on; zeros where there are none. The right operand is given transposed.
pub(super) fn pack(instructions: Instructions, to: &mut [bf16], from: Operand, first: usize, lines: Lines) {
    on_view!(from, view => dispatch(
        #[inline(always)]
        || pack_panel(instructions, to, view, first, lines),
    ))
}

#[inline(always)]
fn pack_panel<T: Element>(instructions: Instructions, to: &mut [bf16], from: View<T>, first: usize, lines: Lines) {
    for (index, to) in to.chunks_exact_mut(STEP / 2).enumerate() {
        let (row, column) = (first + index % 2 * TILE, index / 2 * SIDE);
        let shape = (TILE.min(from.rows.saturating_sub(row)), SIDE.min(from.columns - column));
        if shape.0 == 0 {
            to.fill(bf16::ZERO);
            continue;
        }
        let values = &from.values[row * from.row_stride + column * from.column_stride..];
        let strides = (from.row_stride, from.column_stride);
        let found = match (shape, strides) {
            ((TILE, SIDE), (stride, 1)) => rows(to, values, stride),
            ((TILE, SIDE), (1, stride)) => pairs(to, values, stride),
            _ => by_one(to, values, shape, strides),
        };
        if found != lines {
            instructions.transpose(to);
        }
    }
}

/// 16 rows of 32 numbers side by side.
#[inline(always)]
fn rows<T: Element>(to: &mut [bf16], values: &[T], row_stride: usize) -> Lines {
    for (row, line) in to.chunks_exact_mut(SIDE).enumerate() {
        let values = &values[row * row_stride..][..SIDE];
        line.iter_mut().zip(values).for_each(|(to, value)| *to = value.to_bf16());
    }
    Lines::Rows
}

/// 32 columns of 16 numbers one below the other: two columns make a line.
#[inline(always)]
fn pairs<T: Element>(to: &mut [bf16], values: &[T], column_stride: usize) -> Lines {
    for (pair, line) in to.chunks_exact_mut(SIDE).enumerate() {
        let even = &values[2 * pair * column_stride..][..TILE];
        let odd = &values[(2 * pair + 1) * column_stride..][..TILE];
        for ((to, even), odd) in line.chunks_exact_mut(2).zip(even).zip(odd) {
            (to[0], to[1]) = (even.to_bf16(), odd.to_bf16());
        }
    }
    Lines::Pairs
}

/// Any strides, and the edges.
fn by_one<T: Element>(to: &mut [bf16], values: &[T], shape: (usize, usize), strides: (usize, usize)) -> Lines {
    to.fill(bf16::ZERO);
    for (row, line) in to.chunks_exact_mut(SIDE).enumerate().take(shape.0) {
        for (column, to) in line.iter_mut().enumerate().take(shape.1) {
            *to = values[row * strides.0 + column * strides.1].to_bf16();
        }
    }
    Lines::Rows
}

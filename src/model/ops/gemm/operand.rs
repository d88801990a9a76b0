//! The operands of a product, of either type.

use super::View;
use super::block::SIDE;
use super::pieces::Pieces;
use half::bf16;
use std::ops::Range;

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

pub(super) use on_view;

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

    /// Some of its columns, without a copy.
    pub(super) fn some_columns(self, columns: Range<usize>) -> Self {
        match self {
            Operand::F32(view) => Operand::F32(view.some_columns(columns)),
            Operand::Bf16(view) => Operand::Bf16(view.some_columns(columns)),
        }
    }

    /// Whether whole panels of it are read where they lie, as the left operand of a product of so many columns: few,
    /// since tiles of rows that are far apart are slow to load.
    pub(super) fn is_direct(self, columns: usize) -> bool {
        let lies_well = |view: View<bf16>| view.column_stride == 1 && view.columns.is_multiple_of(SIDE);
        columns <= FEW && matches!(self, Operand::Bf16(view) if lies_well(view))
    }

    /// How both operands of a product of so many columns are cut along the inner size, where this is the left one: not at
    /// all where it is read where it lies, since the right operand is small then and each of these numbers is read once.
    pub(super) fn pieces(self, columns: usize) -> Pieces {
        if self.is_direct(columns) { Pieces::whole(self.columns()) } else { Pieces::of(self.columns()) }
    }

    /// Numbers that must be copied for A B: of A those that are not read where they lie, of B all.
    pub(super) fn copied(self, b: Operand) -> usize {
        let (m, k, n) = (self.rows(), self.columns(), b.columns());
        let on_the_left = if self.is_direct(n) { 0 } else { m * k };
        on_the_left + k * n
    }

    /// Whether more numbers are copied for A B than for (B^T A^T)^T.
    pub(super) fn costs_more_on_the_left(self, b: Operand) -> bool {
        self.copied(b) > b.t().copied(self.t())
    }
}

/// Columns of a product for which its left operand is not worth a copy: those of the recipe's rank.
const FEW: usize = 128;

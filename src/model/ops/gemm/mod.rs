//! The one place of products and of unsafe arithmetic: f32 by candle's own matmul crate, bf16 by blocks of our own, on
//! checked views.
//!
//! candle's `matmul` has no C += A B and fills its output with zeros first; LoRA and the backward pass
//! are mostly C += A B. It has no bf16 on a CPU.
#![allow(unsafe_code, reason = "products take raw pointers; every view is bounds-checked before the call")]

mod block;
#[cfg_attr(not(target_arch = "x86_64"), path = "no_x86.rs")]
mod x86;
mod tiles;
mod pieces;
mod operand;
mod target;
mod scratch;
mod pack;
mod beside;
mod widened;
mod bf16;

use super::Element;
use rayon::prelude::*;
use std::ops::Range;

pub(crate) use beside::{COLUMNS_OF_BLOCK, Term};
pub(crate) use bf16::{gemm_bf16, product_bf16};
pub(crate) use operand::Operand;

/// A matrix in a slice, rows and columns at any stride.
#[derive(Clone, Copy)]
pub(crate) struct View<'a, T = f32> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

fn last_index(rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> usize {
    (rows - 1) * row_stride + (columns - 1) * column_stride
}

impl<'a, T: Copy> View<'a, T> {
    /// A view that reaches no element outside `values`.
    ///
    /// # Panics
    /// Where it would: that is a bug of the calling kernel.
    pub(crate) fn new(values: &'a [T], shape: (usize, usize), strides: (usize, usize)) -> Self {
        let ((rows, columns), (row_stride, column_stride)) = (shape, strides);
        if rows > 0 && columns > 0 {
            assert!(
                last_index(rows, columns, row_stride, column_stride) < values.len(),
                "view outside its values"
            );
        }
        View { values, rows, columns, row_stride, column_stride }
    }

    /// Number of rows.
    pub(crate) fn rows(self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub(crate) fn columns(self) -> usize {
        self.columns
    }

    /// Whether its columns lie one after the other.
    pub(crate) fn is_transposed(self) -> bool {
        self.row_stride == 1 && self.column_stride >= self.rows
    }

    /// The transpose, without a copy.
    pub(crate) fn t(self) -> Self {
        View {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

impl<'a, T: Element> View<'a, T> {
    /// Some of the columns, without a copy.
    fn some_columns(self, columns: Range<usize>) -> Self {
        View { values: self.at(0, columns.start), columns: columns.len(), ..self }
    }

    /// The values from a number on.
    #[inline(always)]
    fn at(self, row: usize, column: usize) -> &'a [T] {
        &self.values[row * self.row_stride + column * self.column_stride..]
    }

    /// Numbers of a row from `column` on, zeros where there are none.
    fn row<const N: usize>(self, row: usize, column: usize) -> [T; N] {
        let mut numbers = [T::narrowed(0.0); N];
        let count = N.min(self.columns.saturating_sub(column));
        if row >= self.rows || count == 0 {
            return numbers;
        }
        let values = self.at(row, column);
        if self.column_stride == 1 {
            numbers[..count].copy_from_slice(&values[..count]);
        } else {
            let values = values.iter().step_by(self.column_stride);
            numbers[..count].iter_mut().zip(values).for_each(|(to, &value)| *to = value);
        }
        numbers
    }
}

/// Whether the destination is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Write {
    /// C = scale A B
    Replace,
    /// C = C + scale A B
    Add,
}

/// On which threads the product is computed.
#[derive(Clone, Copy)]
pub(crate) enum Threads {
    /// The calling one: the caller is parallel already.
    One,
    /// All of rayon's.
    All,
}

impl Threads {
    /// How many there are.
    fn count(self) -> usize {
        match self {
            Threads::One => 1,
            Threads::All => rayon::current_num_threads(),
        }
    }

    /// Calls `work` with each number below `count`.
    #[expect(clippy::disallowed_methods, reason = "products of the host alone are divided")]
    fn for_each(self, count: usize, work: impl Fn(usize) + Sync + Send) {
        match self {
            Threads::One => (0..count).for_each(work),
            Threads::All => (0..count).into_par_iter().for_each(work),
        }
    }

    /// What both give. A thread that is done with its part of one goes on with the other.
    #[expect(clippy::disallowed_methods, reason = "products of the host alone are divided")]
    fn both<A: Send, B: Send>(
        self,
        first: impl FnOnce() -> A + Send,
        second: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        match self {
            Threads::One => (first(), second()),
            Threads::All => rayon::join(first, second),
        }
    }
}

/// C = [C +] scale A B; a product of bf16 where an operand is.
///
/// # Panics
/// As [`gemm`].
pub(crate) fn gemm_of(
    c: &mut [f32],
    c_row_stride: usize,
    write: Write,
    scale: f32,
    a: Operand,
    b: Operand,
    threads: Threads,
) {
    match (a, b) {
        (Operand::F32(a), Operand::F32(b)) => gemm(c, c_row_stride, write, scale, a, b, threads),
        _ => gemm_bf16(c, c_row_stride, write, scale, a, b, threads),
    }
}

/// C = [C +] scale A B, C given by its values and the distance of its rows.
///
/// # Panics
/// Where the shapes do not fit together or C does not fit its values: a bug of the calling kernel.
pub(crate) fn gemm(
    c: &mut [f32],
    c_row_stride: usize,
    write: Write,
    scale: f32,
    a: View,
    b: View,
    threads: Threads,
) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert_eq!(k, b.rows, "inner sizes of a product");
    if m == 0 || n == 0 {
        return;
    }
    assert!(n <= c_row_stride || m == 1, "rows of the result overlap");
    assert!(last_index(m, n, c_row_stride, 1) < c.len(), "result outside its values");
    let parallelism = match threads {
        Threads::One => gemm::Parallelism::None,
        Threads::All => gemm::Parallelism::Rayon(0),
    };
    // SAFETY: `View::new` and the assertion above bound every index that gemm forms from these shapes and
    // strides; C is exclusively borrowed, and its elements are distinct since its rows do not overlap.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c.as_mut_ptr(),
            1,
            c_row_stride as isize,
            write == Write::Add,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1f32,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

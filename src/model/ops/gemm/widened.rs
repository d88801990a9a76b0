//! Products of bf16 where there are no instructions for them: the operands are widened, and the f32 product is taken.

use super::beside::Term;
use super::operand::Operand;
use super::target::{Target, write_row};
use super::{Threads, View, Write, gemm, last_index};
use crate::model::ops::Element;

/// C = A B and what the terms add to it, written by C.
pub(super) fn widened<T: Element>(c: Target<T>, a: Operand, b: Operand, terms: &[Term], threads: Threads) {
    let n = b.columns();
    let mut product = wide_product(a, b, threads);
    for term in terms {
        let width = term.b.columns();
        for (row, sums) in wide_product(term.a, term.b, threads).chunks_exact(width).enumerate() {
            for (column, sum) in (term.first..).zip(sums) {
                let place = row * c.strides.0 + column;
                let of_place = term.mask.map_or(1.0, |mask| mask.at(place));
                product[row * n + column] += term.scale * of_place * sum;
            }
        }
    }
    for (row, sums) in product.chunks_exact(n).enumerate() {
        // SAFETY: the product lies in the target, which this thread has alone.
        unsafe { write_row(c, std::slice::from_raw_parts_mut(c.first.add(row * c.strides.0), n), sums) }
    }
}

fn wide_product(a: Operand, b: Operand, threads: Threads) -> Vec<f32> {
    let (m, n) = (a.rows(), b.columns());
    let mut product = vec![0f32; m * n];
    let (mut wide_a, mut wide_b) = (Vec::new(), Vec::new());
    let (a, b) = (wide(a, &mut wide_a), wide(b, &mut wide_b));
    gemm(&mut product, n, Write::Replace, 1.0, a, b, threads);
    product
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

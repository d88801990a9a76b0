//! The operands of a bf16 product as its innermost loop reads them.
//!
//! Both are cut into panels: 32 rows of A, or 32 columns of B. A panel goes along the inner size in steps of 32, and a step
//! is two tiles, each of 16 lines of 16 pairs: of A a line is a row and its pairs follow the inner size; of B a line is a
//! pair of the inner size and its pairs follow the columns. One is the other's transpose, in units of pairs.

use super::View;
use super::pieces::Pieces;
use super::tiles::{Line, Pair, Rows, SIDE, STEP, Sums, TILE};
use crate::device::processor::Bf16Instructions;
use crate::model::ops::{Element, dispatch};
use half::bf16;
use rayon::prelude::*;
use std::ops::{Deref, DerefMut, Range};
use std::sync::{Mutex, PoisonError};

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

    /// Whether whole panels of it are read where they lie, as the left operand of a product of so many columns: few,
    /// since tiles of rows that are far apart are slow to load.
    fn is_direct(self, columns: usize) -> bool {
        let lies_well = |view: View<bf16>| view.column_stride == 1 && view.columns.is_multiple_of(SIDE);
        columns <= FEW && matches!(self, Operand::Bf16(view) if lies_well(view))
    }

    /// Numbers that must be copied to make it the left operand; on the right all of them are.
    pub(super) fn copied_on_the_left(self, columns: usize) -> usize {
        if self.is_direct(columns) { 0 } else { self.rows() * self.columns() }
    }
}

/// Columns of a product for which its left operand is not worth a copy.
const FEW: usize = 64;

/// The order of the lines of a packed tile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// A line is a row of A.
    Rows,
    /// A line is a pair of the inner size.
    Pairs,
}

/// Memory for panels, which a product takes and gives back: new memory would have to be cleared each time.
pub(super) struct Scratch(Vec<Line>);

static UNUSED: Mutex<Vec<Vec<Line>>> = Mutex::new(Vec::new());

impl Scratch {
    /// At least so many lines, whatever they hold.
    pub(super) fn new(lines: usize) -> Self {
        let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that is large enough, else the largest, which grows.
        unused.sort_by_key(Vec::len);
        let place = unused.iter().position(|one| one.len() >= lines).or(unused.len().checked_sub(1));
        let mut found = place.map(|place| unused.remove(place)).unwrap_or_default();
        drop(unused);
        if found.len() < lines {
            found.resize(lines, Line::ZERO);
        }
        Scratch(found)
    }
}

impl Scratch {
    /// The same memory as sums, whatever they are.
    pub(super) fn sums(&mut self) -> &mut [Sums] {
        const LINES: usize = size_of::<Sums>() / size_of::<Line>();
        let count = self.len() / LINES;
        // SAFETY: sums are lines of as many numbers, with the same alignment; any bits are numbers.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr().cast(), count) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        UNUSED.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.0));
    }
}

impl Deref for Scratch {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [Line] {
        &mut self.0
    }
}

/// The left operand: panels of 32 rows.
pub(super) struct Left<'a> {
    /// Where whole panels are read in their place.
    direct: Option<View<'a, bf16>>,
    /// First of the panels that are packed.
    first_packed: usize,
    packed: Scratch,
    panels: usize,
    pieces: Pieces,
}

impl<'a> Left<'a> {
    /// Packs what cannot be read where it lies: all of it, or the rows after the last whole panel.
    pub(super) fn new(instructions: Bf16Instructions, a: Operand<'a>, columns: usize) -> Self {
        let rows = a.rows();
        let (direct, pieces) = match a {
            // The right operand is small, and each of these numbers is read once.
            Operand::Bf16(view) if a.is_direct(columns) => (Some(view), Pieces::whole(a.columns())),
            _ => (None, Pieces::of(a.columns())),
        };
        let first_packed = if direct.is_some() { rows / SIDE } else { 0 };
        let panels = rows.div_ceil(SIDE) - first_packed;
        let mut packed = Scratch::new(panels * pieces.all_lines());
        pack(instructions, &mut packed, pieces, a, first_packed..first_packed + panels, Lines::Rows);
        Left { direct, first_packed, packed, panels, pieces }
    }

    /// How either operand is cut along the inner size.
    pub(super) fn pieces(&self) -> Pieces {
        self.pieces
    }

    /// A piece of panel `index`, where it lies.
    pub(super) fn panel(&self, index: usize, piece: usize) -> Rows {
        match self.direct {
            Some(view) if index < self.first_packed => Rows {
                // One that is read where it lies is not cut.
                first: view.values[index * SIDE * view.row_stride..].as_ptr().cast(),
                row: view.row_stride * size_of::<bf16>(),
                half: TILE * view.row_stride * size_of::<bf16>(),
                step: SIDE * size_of::<bf16>(),
            },
            _ => Rows {
                first: self.packed[self.pieces.line(piece, index - self.first_packed, self.panels)..]
                    .as_ptr()
                    .cast(),
                row: size_of::<Line>(),
                half: TILE * size_of::<Line>(),
                step: STEP * size_of::<Line>(),
            },
        }
    }
}

/// A tile to be packed, and where its first number stands in the operand.
struct Tile<'a> {
    lines: &'a mut [Line],
    row: usize,
    column: usize,
}

/// The `panels` of 32 rows, at the beginning of `to`; zeros where there are no rows. The right operand is given transposed.
pub(super) fn pack(
    instructions: Bf16Instructions,
    to: &mut [Line],
    pieces: Pieces,
    from: Operand,
    panels: Range<usize>,
    lines: Lines,
) {
    let (steps, halves) = (pieces.all_steps(), STEP / TILE);
    let tile = |(index, lines)| {
        let ((panel, step), half) = (pieces.panel_and_step(index / halves, panels.len()), index % halves);
        Tile { lines, row: (panels.start + panel) * SIDE + half * TILE, column: step * SIDE }
    };
    let to = &mut to[..panels.len() * pieces.all_lines()];
    let mut tiles: Vec<Tile> = to.chunks_exact_mut(TILE).enumerate().map(tile).collect();
    // A band of tiles goes along the numbers that lie side by side, which are read from one end to the other.
    let band = if on_view!(from, view => view.row_stride == 1) {
        tiles.sort_by_key(|tile| tile.column);
        tiles.len() / steps
    } else {
        tiles.sort_by_key(|tile| tile.row);
        steps
    };
    tiles.par_chunks_mut(band).for_each(|band| {
        on_view!(from, view => dispatch(
            #[inline(always)]
            || pack_band(instructions, band, view, lines),
        ))
    });
}

#[inline(always)]
fn pack_band<T: Element>(instructions: Bf16Instructions, band: &mut [Tile], from: View<T>, lines: Lines) {
    let is_whole = |tile: &Tile| tile.row + TILE <= from.rows && tile.column + SIDE <= from.columns;
    let found = if from.row_stride == 1 { Lines::Pairs } else { Lines::Rows };
    let lies_side_by_side = from.row_stride == 1 || from.column_stride == 1;
    let whole = if lies_side_by_side { band.iter().take_while(|tile| is_whole(tile)).count() } else { 0 };
    let (whole, rest) = band.split_at_mut(whole);
    for line in 0..TILE {
        for tile in &mut *whole {
            tile.lines[line] = match found {
                Lines::Rows => numbers_of_a_row(from, tile.row + line, tile.column),
                Lines::Pairs => two_columns(from, tile.row, tile.column + 2 * line),
            };
        }
    }
    for tile in rest {
        number_by_number(tile, from, found);
    }
    if found != lines {
        band.iter_mut().for_each(|tile| instructions.transpose(tile.lines));
    }
}

/// The two numbers as they lie in memory.
#[inline(always)]
fn pair<T: Element>(first: T, second: T) -> Pair {
    first.to_bf16().to_bits() as Pair | (second.to_bf16().to_bits() as Pair) << 16
}

/// 32 numbers of a row, side by side. (By value: the compiler makes registers of an array, of slices only numbers.)
#[inline(always)]
fn numbers_of_a_row<T: Element>(from: View<T>, row: usize, column: usize) -> Line {
    let values: [T; SIDE] = first(&from.values[row * from.row_stride + column..]);
    Line(std::array::from_fn(|index| pair(values[2 * index], values[2 * index + 1])))
}

/// 16 numbers of a column, one below the other and side by side in memory, and those of the next.
#[inline(always)]
fn two_columns<T: Element>(from: View<T>, row: usize, column: usize) -> Line {
    let even: [T; TILE] = first(&from.values[row + column * from.column_stride..]);
    let odd: [T; TILE] = first(&from.values[row + (column + 1) * from.column_stride..]);
    Line(std::array::from_fn(|row| pair(even[row], odd[row])))
}

#[inline(always)]
fn first<T: Copy, const N: usize>(values: &[T]) -> [T; N] {
    *values.first_chunk().expect("a whole tile lies in the view")
}

/// Any strides, and the edges.
fn number_by_number<T: Element>(tile: &mut Tile, from: View<T>, lines: Lines) {
    let number = |row: usize, column: usize| match row < from.rows && column < from.columns {
        true => from.values[row * from.row_stride + column * from.column_stride],
        false => T::narrowed(0.0),
    };
    for (line, to) in tile.lines.iter_mut().enumerate() {
        to.0 = std::array::from_fn(|index| {
            let (row, column) = match lines {
                Lines::Rows => (tile.row + line, tile.column + 2 * index),
                Lines::Pairs => (tile.row + index, tile.column + 2 * line),
            };
            pair(number(row, column), number(row, column + 1))
        });
    }
}

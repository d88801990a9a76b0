//! The operands of a bf16 product as its innermost loop reads them.
//!
//! Both are cut into panels: 32 rows of A, or 32 columns of B. A panel goes along the inner size in steps of 32, and a step
//! is two tiles, each of 16 lines of 16 pairs: of A a line is a row and its pairs follow the inner size; of B a line is a
//! pair of the inner size and its pairs follow the columns. One is the other's transpose, in units of pairs.

use super::block::{Line, Pair, Rows, SIDE, STEP, TILE};
use super::operand::{Operand, on_view};
use super::pieces::Pieces;
use super::scratch::Scratch;
use super::{Threads, View};
use crate::device::processor::Bf16Instructions;
use crate::model::ops::{Element, dispatch};
use half::bf16;
use std::ops::Range;

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
    packed: Scratch,
    panels: usize,
    pieces: Pieces,
}

impl<'a> Left<'a> {
    /// Packs what cannot be read where it lies: all of it, or the rows after the last whole panel.
    pub(super) fn new(
        instructions: Bf16Instructions,
        a: Operand<'a>,
        columns: usize,
        threads: Threads,
    ) -> Self {
        let (rows, pieces) = (a.rows(), a.pieces(columns));
        let direct = match a {
            Operand::Bf16(view) if a.is_direct(columns) => Some(view),
            _ => None,
        };
        let first_packed = if direct.is_some() { rows / SIDE } else { 0 };
        let panels = rows.div_ceil(SIDE) - first_packed;
        let mut packed = Scratch::new(panels * pieces.all_lines());
        pack(instructions, &mut packed, pieces, a, first_packed..first_packed + panels, Lines::Rows, threads);
        Left { direct, first_packed, packed, panels, pieces }
    }

    /// How many panels.
    pub(super) fn panels(&self) -> usize {
        self.first_packed + self.panels
    }

    /// How either operand is cut along the inner size.
    pub(super) fn pieces(&self) -> Pieces {
        self.pieces
    }

    /// Whether another panel follows in memory without a gap.
    fn is_followed(&self, view: View<bf16>, index: usize) -> bool {
        index + 1 < self.first_packed && view.row_stride == view.columns
    }

    /// A piece of panel `index`, where it lies.
    pub(super) fn panel(&self, index: usize, piece: usize) -> Rows {
        match self.direct {
            // One that is read where it lies is not cut.
            Some(view) if index < self.first_packed => Rows {
                first: view.values[index * SIDE * view.row_stride..].as_ptr().cast(),
                next: self
                    .is_followed(view, index)
                    .then(|| view.values[(index + 1) * SIDE * view.row_stride..].as_ptr().cast()),
                row: view.row_stride * size_of::<bf16>(),
                half: TILE * view.row_stride * size_of::<bf16>(),
                step: SIDE * size_of::<bf16>(),
            },
            _ => Rows {
                first: self.packed[self.pieces.line(piece, index - self.first_packed, self.panels)..]
                    .as_ptr()
                    .cast(),
                next: None,
                row: size_of::<Line>(),
                half: TILE * size_of::<Line>(),
                step: STEP * size_of::<Line>(),
            },
        }
    }
}

/// A tile to be packed, and where its first number stands in the operand.
#[derive(Clone, Copy)]
struct Tile {
    lines: *mut Line,
    row: usize,
    column: usize,
}

impl Tile {
    /// # Safety
    /// Nobody else may use the tile meanwhile.
    unsafe fn lines<'a>(self) -> &'a mut [Line; TILE] {
        // SAFETY: `pack` points at as many lines of its panels, and the caller has them alone.
        unsafe { &mut *self.lines.cast() }
    }
}

/// Panels that tasks write tile by tile.
#[derive(Clone, Copy)]
struct Panels {
    first: *mut Line,
    pieces: Pieces,
    count: usize,
}

// SAFETY: tiles do not overlap, and the lines are exclusively borrowed while tasks write them.
unsafe impl Sync for Panels {}

impl Panels {
    fn tile(&self, half: usize, step: usize) -> *mut Line {
        let (panel, half) = (half / HALVES, half % HALVES);
        // Inside of the lines that `pack` was given, whose number it has asserted.
        self.first.wrapping_add(self.pieces.line_of_step(step, panel, self.count) + half * TILE)
    }
}

/// Tiles of a step.
const HALVES: usize = STEP / TILE;
/// Tiles that are packed line by line together.
const TOGETHER: usize = 64;

/// The `panels` of 32 rows, at the beginning of `to`; zeros where there are no rows. The right operand is given transposed.
pub(super) fn pack(
    instructions: Bf16Instructions,
    to: &mut [Line],
    pieces: Pieces,
    from: Operand,
    panels: Range<usize>,
    lines: Lines,
    threads: Threads,
) {
    assert!(panels.len() * pieces.all_lines() <= to.len(), "room for the panels");
    let (halves, steps) = (panels.len() * HALVES, pieces.all_steps());
    let to = Panels { first: to.as_mut_ptr(), pieces, count: panels.len() };
    let tile = |half: usize, step: usize| Tile {
        lines: to.tile(half, step),
        row: panels.start * SIDE + half * TILE,
        column: step * SIDE,
    };
    // A band of tiles goes along the numbers that lie side by side, which are read from one end to the other.
    let along_rows = on_view!(from, view => view.row_stride != 1);
    let (bands, length) = if along_rows { (halves, steps) } else { (steps, halves) };
    threads.for_each(bands, |band| {
        let mut tiles = [Tile { lines: std::ptr::null_mut(), row: 0, column: 0 }; TOGETHER];
        for first in (0..length).step_by(TOGETHER) {
            let tiles = &mut tiles[..TOGETHER.min(length - first)];
            for (place, one) in (first..).zip(&mut *tiles) {
                *one = if along_rows { tile(band, place) } else { tile(place, band) };
            }
            // SAFETY: each tile belongs to one band.
            on_view!(from, view => dispatch(
                #[inline(always)]
                || unsafe { pack_tiles(instructions, tiles, view, lines) },
            ));
        }
    });
}

/// # Safety
/// Nobody else may use the tiles meanwhile.
#[inline(always)]
unsafe fn pack_tiles<T: Element>(
    instructions: Bf16Instructions,
    tiles: &[Tile],
    from: View<T>,
    lines: Lines,
) {
    let is_whole = |tile: &Tile| tile.row + TILE <= from.rows && tile.column + SIDE <= from.columns;
    let found = if from.row_stride == 1 { Lines::Pairs } else { Lines::Rows };
    let whole = tiles.iter().take_while(|tile| is_whole(tile)).count();
    let (whole, rest) =
        tiles.split_at(if from.row_stride == 1 || from.column_stride == 1 { whole } else { 0 });
    for line in 0..TILE {
        for tile in whole {
            let values = match found {
                Lines::Rows => numbers_of_a_row(first(from.at(tile.row + line, tile.column))),
                Lines::Pairs => {
                    let column = |column| first(from.at(tile.row, tile.column + column));
                    two_columns(column(2 * line), column(2 * line + 1))
                }
            };
            // SAFETY: as the caller promises.
            unsafe { tile.lines()[line] = values };
        }
    }
    for tile in rest {
        // SAFETY: as the caller promises.
        let lines = unsafe { tile.lines() };
        for (line, to) in lines.iter_mut().enumerate() {
            *to = match found {
                Lines::Rows => numbers_of_a_row(from.row(tile.row + line, tile.column)),
                Lines::Pairs => {
                    let column = |column| from.t().row(tile.column + column, tile.row);
                    two_columns(column(2 * line), column(2 * line + 1))
                }
            };
        }
    }
    if found != lines {
        // SAFETY: as the caller promises.
        tiles.iter().for_each(|tile| instructions.transpose(unsafe { tile.lines() }));
    }
}

/// The two numbers as they lie in memory.
#[inline(always)]
fn pair<T: Element>(first: T, second: T) -> Pair {
    first.to_bf16().to_bits() as Pair | (second.to_bf16().to_bits() as Pair) << 16
}

/// 32 numbers of a row, side by side. (By value: the compiler makes registers of an array, of slices only numbers.)
#[inline(always)]
fn numbers_of_a_row<T: Element>(values: [T; SIDE]) -> Line {
    Line(std::array::from_fn(|index| pair(values[2 * index], values[2 * index + 1])))
}

/// 16 numbers of a column, one below the other and side by side in memory, and those of the next.
#[inline(always)]
fn two_columns<T: Element>(even: [T; TILE], odd: [T; TILE]) -> Line {
    Line(std::array::from_fn(|row| pair(even[row], odd[row])))
}

#[inline(always)]
fn first<T: Copy, const N: usize>(values: &[T]) -> [T; N] {
    *values.first_chunk().expect("a whole tile lies in the view")
}

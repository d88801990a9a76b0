//! What a bf16 product is cut into: lines of packed tiles, the rows of a panel, a block of sums.

/// Rows and columns of a block of sums, and numbers of a step along the inner size.
pub(super) const SIDE: usize = 32;
/// Rows of one tile, and numbers of 32 bits in each.
pub(super) const TILE: usize = 16;
/// Two numbers of bf16 that follow each other along the inner size, the first in the lower half.
pub(super) type Pair = u32;
/// Lines of one step in a packed panel.
pub(super) const STEP: usize = SIDE;

/// A line of a packed tile. A tile whose lines cross from one line of the cache into the next is loaded half as fast.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Line(
    #[expect(dead_code, reason = "tiles are loaded through pointers")] pub(super) [Pair; TILE],
);

impl Line {
    /// What is multiplied with where there is nothing.
    pub(super) const ZERO: Line = Line([0; TILE]);
}

/// The sums of a block, row by row.
#[repr(align(64))]
pub(super) struct Sums(pub(super) [f32; SIDE * SIDE]);

impl Sums {
    /// What the first piece of an inner size is added to.
    pub(super) const NOTHING: &'static Sums = &Sums([0.0; SIDE * SIDE]);
}

/// 32 rows of A, as they lie in memory.
#[derive(Clone, Copy)]
pub(super) struct Rows {
    /// The first number of the first row.
    pub(super) first: *const u8,
    /// Where the panel begins that comes next, whose numbers follow each other without a gap, as this one's do: it is asked for
    /// meanwhile, from one end to the other, since the order in which tiles read is not one that the processor foresees.
    pub(super) next: Option<*const u8>,
    /// From row to row, in bytes.
    pub(super) row: usize,
    /// From the first to the seventeenth row, in bytes.
    pub(super) half: usize,
    /// From step to step, in bytes.
    pub(super) step: usize,
}

//! The innermost loop of a bf16 product: 32 x 32 sums in f32, by AMX tiles or by AVX-512's pairs of bf16.
//!
//! Both read the same two panels. Along the inner size both go by steps of 32: of A, 32 rows of 32 numbers; of B, 16 pairs
//! of rows by 32 columns, the two numbers of a pair side by side (Intel's VNNI order), in two halves of 16 columns.
//! Both add a[2p] b[2p] and then a[2p+1] b[2p+1] to a sum that is in f32 all along.

use super::x86;
use crate::device::processor::Bf16Instructions;

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
    const NOTHING: &'static Sums = &Sums([0.0; SIDE * SIDE]);

    /// Column by column, from then on.
    pub(super) fn transpose(&mut self, _: Bf16Instructions) {
        let quarters = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(row, column)| (row * SIDE + column) * TILE);
        for quarter in quarters {
            // SAFETY: the instructions are there, so AVX-512 is; 16 lines of 16 sums begin at each of the quarters.
            unsafe { x86::transpose(self.0.as_mut_ptr().add(quarter).cast(), SIDE) }
        }
        for row in 0..TILE {
            let (upper, lower) = self.0.split_at_mut(TILE * SIDE);
            upper[row * SIDE + TILE..][..TILE].swap_with_slice(&mut lower[row * SIDE..][..TILE]);
        }
    }
}

/// What a block begins with.
#[derive(Clone, Copy)]
pub(super) enum Earlier {
    /// The first piece of the inner size.
    Nothing,
    /// The sums of the piece before.
    Piece,
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

impl Bf16Instructions {
    /// Runs `work` on this thread with what the instructions need.
    pub(super) fn with<R>(self, work: impl FnOnce() -> R) -> R {
        match self {
            Bf16Instructions::Amx => x86::with_tiles(work),
            Bf16Instructions::Avx512 => work(),
        }
    }

    /// The transpose of 16 x 16 pairs, in their place.
    pub(super) fn transpose(self, tile: &mut [Line]) {
        assert_eq!(tile.len(), TILE, "a tile");
        // SAFETY: either kind of instructions comes with AVX-512; the tile's length was asserted.
        unsafe { x86::transpose(tile.as_mut_ptr().cast(), TILE) }
    }

    /// The sums of 32 rows of A and 32 columns of B, added to what an earlier piece of the inner size gave.
    ///
    /// # Safety
    /// `a` and `b` must hold `steps` steps; under AMX the call stands inside of [`Bf16Instructions::with`].
    pub(super) unsafe fn block(
        self,
        a: Rows,
        b: *const Line,
        steps: usize,
        earlier: Earlier,
        sums: &mut Sums,
    ) {
        let from = match earlier {
            Earlier::Nothing => std::ptr::from_ref(Sums::NOTHING),
            Earlier::Piece => std::ptr::from_ref(&*sums),
        };
        // SAFETY: as the caller promises; what is added to is read before the sums are written.
        unsafe {
            match self {
                Bf16Instructions::Amx => x86::block_of_tiles(a, b, steps, from, sums),
                Bf16Instructions::Avx512 => x86::block_of_pairs(a, b, steps, from, sums),
            }
        }
    }
}

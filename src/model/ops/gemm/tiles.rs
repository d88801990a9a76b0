//! The innermost loop of a bf16 product: 32 x 32 sums in f32, by AMX tiles or by AVX-512's pairs of bf16.
//!
//! Both read the same two panels. Along the inner size both go by steps of 32: of A, 32 rows of 32 numbers; of B, 16 pairs
//! of rows by 32 columns, the two numbers of a pair side by side (Intel's VNNI order), in two halves of 16 columns.
//! Both add a[2p] b[2p] and then a[2p+1] b[2p+1] to a sum that is in f32 all along.

use super::block::{Line, Rows, SIDE, Sums, TILE};
use super::x86;
use crate::device::processor::Bf16Instructions;

/// What a block begins with.
#[derive(Clone, Copy)]
pub(super) enum Earlier {
    /// The first piece of the inner size.
    Nothing,
    /// The sums of the piece before.
    Piece,
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

    /// The sums of a block, column by column from then on.
    pub(super) fn transpose_sums(self, sums: &mut Sums) {
        let sums = &mut sums.0;
        let quarters = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(row, column)| (row * SIDE + column) * TILE);
        for quarter in quarters {
            // SAFETY: the instructions are there, so AVX-512 is; 16 lines of 16 sums begin at each of the quarters.
            unsafe { x86::transpose(sums.as_mut_ptr().add(quarter).cast(), SIDE) }
        }
        for row in 0..TILE {
            let (upper, lower) = sums.split_at_mut(TILE * SIDE);
            upper[row * SIDE + TILE..][..TILE].swap_with_slice(&mut lower[row * SIDE..][..TILE]);
        }
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

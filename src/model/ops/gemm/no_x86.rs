//! Other processors have none of the instructions, so nothing of this is called there.

use super::block::{Line, Rows, Sums};

pub(super) fn with_tiles<R>(_: impl FnOnce() -> R) -> R {
    unreachable!("AMX is not there")
}

pub(super) unsafe fn block_of_tiles(_: Rows, _: *const Line, _: usize, _: *const Sums, _: &mut Sums) {
    unreachable!("AMX is not there")
}

pub(super) unsafe fn block_of_pairs(_: Rows, _: *const Line, _: usize, _: *const Sums, _: &mut Sums) {
    unreachable!("AVX-512 is not there")
}

pub(super) unsafe fn transpose(_: *mut f32, _: usize) {
    unreachable!("AVX-512 is not there")
}

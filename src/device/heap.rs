//! The heap of the process, as kernels want it: freed buffers stay for the next ones, in huge pages.
//!
//! By default glibc maps every large buffer anew and unmaps it, and the kernel clears each page again: a fifth of a training
//! step. Of huge pages it clears 512 at once: a fifth of the first step in bf16, of which every page is new
//! (`benches/README.md`).
#![allow(unsafe_code, reason = "glibc's allocator is set up by C functions")]

use crate::record::environment;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

/// A huge page, in bytes.
const HUGE: usize = 2 << 20;

/// All threads take memory from one pool: a pool a thread would keep what it freed from all the others.
pub(super) fn one_pool() {
    // SAFETY: mallopt may be called at any time and from any thread; a value that it refuses changes nothing.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Keeps freed memory for the next buffer of the process.
pub(super) fn keep_freed() {
    // SAFETY: as in `one_pool`. The heap is never trimmed by itself.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
    }
    if !is_limited() {
        take_huge_pages(environment::available_memory() as usize);
    }
}

/// Gives back to the system what was freed and kept for a next buffer: what follows takes its memory elsewhere, from mapped
/// files say.
pub(crate) fn give_back_freed() {
    // SAFETY: malloc_trim may be called at any time and from any thread; it touches free memory alone.
    unsafe { libc::malloc_trim(0) };
}

/// Whether the process may only have so many addresses, or each that it has counts as memory.
fn is_limited() -> bool {
    let limited = |of| getrlimit(of).is_ok_and(|(soft, _)| soft != RLIM_INFINITY);
    let overcommit = std::fs::read_to_string("/proc/sys/vm/overcommit_memory").unwrap_or_default();
    limited(Resource::RLIMIT_AS) || limited(Resource::RLIMIT_DATA) || overcommit.trim() == "2"
}

/// Lets the next `bytes` of the heap be of huge pages, where the system has them on request (`madvise`, as most have it):
/// addresses alone are taken, and stay the heap's when they are freed.
fn take_huge_pages(bytes: usize) {
    // SAFETY: nothing is read or written; the range lies inside of what malloc gave, and is freed once.
    unsafe {
        let first = libc::malloc(bytes);
        if first.is_null() {
            return;
        }
        let before = first.addr().next_multiple_of(HUGE) - first.addr();
        let whole = bytes.saturating_sub(before) / HUGE * HUGE;
        // Where it is refused, pages stay small.
        libc::madvise(first.byte_add(before), whole, libc::MADV_HUGEPAGE);
        libc::free(first);
    }
}

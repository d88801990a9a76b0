//! The threads that kernels share.

use super::heap;

/// Runs `work`, a whole program, as one of the threads that kernels share.
///
/// A thread from outside hands each loop over and sleeps until others are done with it: two switches of context a loop, and a
/// generated token has hundreds of loops. From inside it takes its part of the loop at once. The numbers are the same.
///
/// The threads use one pool of memory.
#[expect(clippy::disallowed_methods, reason = "one program on one thread: nothing is divided")]
pub fn among_threads<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    heap::one_pool();
    // The stack of a program's main thread; where threads are there already, theirs has to do.
    let _ = rayon::ThreadPoolBuilder::new().stack_size(8 << 20).build_global();
    rayon::scope(|_| work())
}

//! The threads that kernels share, and their memory.

/// Runs `work`, a whole program, as one of the threads that kernels share.
///
/// A thread from outside hands each loop over and sleeps until others are done with it: two switches of context a loop, and a
/// generated token has hundreds of loops. From inside it takes its part of the loop at once. The numbers are the same.
///
/// The threads use one pool of memory, the one that large buffers come from anyway: a pool a thread would keep what it freed
/// from all the others.
#[expect(clippy::disallowed_methods, reason = "one program on one thread: nothing is divided")]
pub fn among_threads<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    one_arena();
    // The stack of a program's main thread; where threads are there already, theirs has to do.
    let _ = rayon::ThreadPoolBuilder::new().stack_size(8 << 20).build_global();
    rayon::scope(|_| work())
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "mallopt is a C function; it sets a number of the allocator")]
fn one_arena() {
    // SAFETY: mallopt may be called at any time and from any thread; a value that it refuses changes nothing.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 1) };
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn one_arena() {}

//! Ctrl-C and SIGTERM: the first lets the run finish what it is at and keep it, the second ends the program at once. And
//! SIGBUS, which is how the system tells a reader that a mapped file has lost its end.

use super::progress::tell;
use crate::error::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The signal that was seen; 0 for none.
static SEEN: AtomicUsize = AtomicUsize::new(0);

/// Elsewhere a signal ends the program, and the next call goes on from the last checkpoint.
#[cfg(not(unix))]
pub(crate) fn listen() {}

/// Begins to listen, once a process.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "it waits for signals and sees no tensor")]
pub(crate) fn listen() {
    static LISTENING: std::sync::OnceLock<()> = std::sync::OnceLock::new();
    LISTENING.get_or_init(|| {
        use signal_hook::consts::{SIGINT, SIGTERM};
        name_a_cut_file();
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if SEEN.swap(signal as usize, Ordering::SeqCst) != 0 {
                    // Files have their names only when they are whole, so nothing is left half written.
                    signal_hook::low_level::exit(128 + signal);
                }
                tell("interrupted: finishing what is being computed; once more ends the program at once");
            }
        });
    });
}

/// Said when a part of a mapped file is read that is no longer there.
#[cfg(unix)]
const CUT: &[u8] = b"error: a model file was shortened, or its disk failed, while it was read; with the whole file the same \
                     command goes on after the last checkpoint\n";

/// Has a cut file end the program with a line instead of without a word. It cannot fail like other errors: the read has no
/// place to return to, and the thread may hold any lock, so that neither the record nor the page can be written.
#[cfg(unix)]
#[allow(unsafe_code, reason = "a handler that runs inside of the failed read is unsafe by nature")]
fn name_a_cut_file() {
    let stderr = std::io::stderr();
    // SAFETY: the handler calls write(2) and _exit(2) on bytes that are part of the program, both of which POSIX allows in a
    // handler; the descriptor is asked of the stream without its lock.
    let registered = unsafe {
        signal_hook::low_level::register(signal_hook::consts::SIGBUS, move || {
            let _ = nix::unistd::write(&stderr, CUT);
            signal_hook::low_level::exit(1);
        })
    };
    // Without it the program ends as it would have: by the signal.
    drop(registered);
}

/// Whether the run may go on.
///
/// # Errors
/// `Error::Interrupted` after a signal.
pub(crate) fn check() -> Result<()> {
    match SEEN.load(Ordering::SeqCst) {
        0 => Ok(()),
        signal => Err(Error::Interrupted { signal }),
    }
}

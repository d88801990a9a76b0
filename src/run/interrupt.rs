//! Ctrl-C and SIGTERM: the first lets the run finish what it is at and keep it, the second ends the program at once.

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

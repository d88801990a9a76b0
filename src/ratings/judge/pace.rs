//! How far a session is, in a line every so often.

use std::time::{Duration, Instant};

/// Longer than this nothing is said at most, if something was answered.
const SILENCE: Duration = Duration::from_secs(60);

/// A session's course.
pub(super) struct Pace<'a> {
    say: &'a dyn Fn(&str),
    total: usize,
    done: usize,
    tenths: usize,
    started: Instant,
    said: Instant,
}

impl<'a> Pace<'a> {
    /// A course of `total` answers.
    pub(super) fn new(total: usize, say: &'a dyn Fn(&str)) -> Self {
        let now = Instant::now();
        Pace { say, total, done: 0, tenths: 0, started: now, said: now }
    }

    /// One more is done. A line is said at every tenth, and where the last one is a minute old.
    pub(super) fn step(&mut self) {
        self.done += 1;
        let tenths = 10 * self.done / self.total.max(1);
        if tenths <= self.tenths && self.said.elapsed() < SILENCE {
            return;
        }
        (self.tenths, self.said) = (tenths, Instant::now());
        let each = self.started.elapsed().as_secs_f64() / self.done as f64;
        let left = in_words(each * self.total.saturating_sub(self.done) as f64);
        (self.say)(&format!("  {} of {} answered, {left} left", self.done, self.total));
    }
}

/// A length of time, as exactly as one waits for it.
fn in_words(seconds: f64) -> String {
    match seconds {
        ..90.0 => format!("{seconds:.0} s"),
        ..5400.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

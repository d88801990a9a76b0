//! Memory that products share, one after the other.

use super::block::{Line, Sums};
use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Memory for panels, which a product takes and gives back: new memory would have to be cleared each time.
pub(super) struct Scratch(Vec<Line>);

static UNUSED: Mutex<Vec<Vec<Line>>> = Mutex::new(Vec::new());

impl Scratch {
    /// At least so many lines, whatever they hold.
    pub(super) fn new(lines: usize) -> Self {
        let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that is large enough, else the largest, which grows.
        unused.sort_by_key(Vec::len);
        let place = unused.iter().position(|one| one.len() >= lines).or(unused.len().checked_sub(1));
        let mut found = place.map(|place| unused.remove(place)).unwrap_or_default();
        drop(unused);
        if found.len() < lines {
            found.resize(lines, Line::ZERO);
        }
        Scratch(found)
    }
}

impl Scratch {
    /// The same memory as sums, whatever they are.
    pub(super) fn sums(&mut self) -> &mut [Sums] {
        const LINES: usize = size_of::<Sums>() / size_of::<Line>();
        let count = self.len() / LINES;
        // SAFETY: sums are lines of as many numbers, with the same alignment; any bits are numbers.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr().cast(), count) }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        UNUSED.lock().unwrap_or_else(PoisonError::into_inner).push(std::mem::take(&mut self.0));
    }
}

impl Deref for Scratch {
    type Target = [Line];

    fn deref(&self) -> &[Line] {
        &self.0
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut [Line] {
        &mut self.0
    }
}

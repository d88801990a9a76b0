//! The inner size of a product in pieces that are gone through one after the other: of a long one, a piece of a panel of B stays
//! in the first-level cache and those of several panels of A in the second, where whole panels would come from further away for
//! every block.

use super::block::{SIDE, STEP};

/// How the inner size is cut.
#[derive(Clone, Copy)]
pub(super) struct Pieces {
    steps: usize,
    each: usize,
}

/// Steps of the longest piece.
const LONGEST: usize = 32;

impl Pieces {
    /// Of an inner size that is cut.
    pub(super) fn of(inner: usize) -> Self {
        let steps = inner.div_ceil(SIDE);
        Pieces { steps, each: steps.div_ceil(steps.div_ceil(LONGEST)) }
    }

    /// Of one that is not.
    pub(super) fn whole(inner: usize) -> Self {
        let steps = inner.div_ceil(SIDE);
        Pieces { steps, each: steps }
    }

    /// How many.
    pub(super) fn count(self) -> usize {
        self.steps.div_ceil(self.each)
    }

    /// Steps of a piece; the last may be shorter.
    pub(super) fn steps(self, piece: usize) -> usize {
        self.each.min(self.steps - piece * self.each)
    }

    /// Steps of all pieces.
    pub(super) fn all_steps(self) -> usize {
        self.steps
    }

    /// Lines of a panel of the longest piece.
    pub(super) fn panel_lines(self) -> usize {
        self.each * STEP
    }

    /// Lines of a whole panel.
    pub(super) fn all_lines(self) -> usize {
        self.steps * STEP
    }

    /// The first line of a piece of a panel, among `panels`: what is used together lies together.
    pub(super) fn line(self, piece: usize, panel: usize, panels: usize) -> usize {
        (piece * self.each * panels + panel * self.steps(piece)) * STEP
    }

    /// The first line of a step of a whole panel, among `panels`.
    pub(super) fn line_of_step(self, step: usize, panel: usize, panels: usize) -> usize {
        let piece = step / self.each;
        self.line(piece, panel, panels) + step % self.each * STEP
    }
}

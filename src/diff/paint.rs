//! Colour on a terminal, and none elsewhere.

/// What may stand between the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// Markdown alone.
    Plain,
    /// ANSI colours too.
    Ansi,
}

/// ANSI codes by what they tell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Colour {
    Bold = 1,
    Red = 31,
    Green = 32,
    Yellow = 33,
}

impl Paint {
    pub(super) fn on(self, colour: Colour, text: &str) -> String {
        match self {
            Paint::Plain => text.to_string(),
            Paint::Ansi => format!("\x1b[{}m{text}\x1b[0m", colour as u8),
        }
    }
}

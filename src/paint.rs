//! Colour on a terminal, and none elsewhere.

/// What may stand between the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paint {
    /// The words alone.
    Plain,
    /// ANSI colours too.
    Ansi,
}

/// ANSI codes by what they tell.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Colour {
    Bold = 1,
    Red = 31,
    Green = 32,
    Yellow = 33,
}

impl Paint {
    /// Colours for a terminal, unless `NO_COLOR` (no-color.org) forbids them.
    pub fn for_output(is_terminal: bool) -> Paint {
        let is_asked_plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if is_terminal && !is_asked_plain { Paint::Ansi } else { Paint::Plain }
    }

    pub(crate) fn on(self, colour: Colour, text: &str) -> String {
        match self {
            Paint::Plain => text.to_string(),
            Paint::Ansi => format!("\x1b[{}m{text}\x1b[0m", colour as u8),
        }
    }
}

//! The five CEFR levels of the thesis, and the six of word lists. The only place that knows their names.

use serde::{Deserialize, Serialize};

/// A level of the Common European Framework of Reference for Languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Breakthrough.
    A1,
    /// Waystage.
    A2,
    /// Threshold.
    B1,
    /// Vantage.
    B2,
    /// Effective operational proficiency.
    C1,
}

impl Level {
    /// Every level, in the order of the framework.
    pub const ALL: [Level; 5] = [Level::A1, Level::A2, Level::B1, Level::B2, Level::C1];

    /// The name as it is printed: `A1`.
    pub fn label(self) -> &'static str {
        match self {
            Level::A1 => "A1",
            Level::A2 => "A2",
            Level::B1 => "B1",
            Level::B2 => "B2",
            Level::C1 => "C1",
        }
    }

    /// The name in paths and file names: `a1`.
    pub(crate) fn slug(self) -> &'static str {
        match self {
            Level::A1 => "a1",
            Level::A2 => "a2",
            Level::B1 => "b1",
            Level::B2 => "b2",
            Level::C1 => "c1",
        }
    }
}

/// A level of a word in a list; lists go on where the thesis ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum WordLevel {
    /// Breakthrough.
    A1,
    /// Waystage.
    A2,
    /// Threshold.
    B1,
    /// Vantage.
    B2,
    /// Effective operational proficiency.
    C1,
    /// Mastery.
    C2,
}

impl WordLevel {
    /// Every level, in the order of the framework.
    pub const ALL: [WordLevel; 6] =
        [WordLevel::A1, WordLevel::A2, WordLevel::B1, WordLevel::B2, WordLevel::C1, WordLevel::C2];

    /// Whether a text of `level` is written without the word.
    pub fn is_above(self, level: Level) -> bool {
        self > WordLevel::from(level)
    }
}

impl From<Level> for WordLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::A1 => WordLevel::A1,
            Level::A2 => WordLevel::A2,
            Level::B1 => WordLevel::B1,
            Level::B2 => WordLevel::B2,
            Level::C1 => WordLevel::C1,
        }
    }
}

impl std::str::FromStr for WordLevel {
    type Err = String;

    /// Accepts both spellings, `C2` and `c2`.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        if name.eq_ignore_ascii_case("c2") {
            return Ok(WordLevel::C2);
        }
        let level =
            name.parse::<Level>().map_err(|_| format!("one of A1, A2, B1, B2, C1, C2, got '{name}'"))?;
        Ok(level.into())
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.label())
    }
}

impl std::str::FromStr for Level {
    type Err = String;

    /// Accepts both spellings, `A1` and `a1`.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Level::ALL
            .into_iter()
            .find(|level| level.slug().eq_ignore_ascii_case(name))
            .ok_or_else(|| format!("no CEFR level '{name}': expected one of a1, a2, b1, b2, c1"))
    }
}

//! The five levels: how long their texts are, and where their scenes stand.

use anyhow::{Context, Result};

use crate::dice::Dice;
use crate::scene::{self, Book};

/// What distinguishes the data of one level.
pub struct Level {
    /// As written in instructions: `A1`.
    pub name: &'static str,
    /// Number of the level's random stream under the common seed.
    pub stream: u64,
    /// Shortest text in words; one row has it exactly.
    pub shortest: usize,
    /// Most texts lie in `usual.0..=usual.1`, around the middle.
    pub usual: (usize, usize),
    /// Longest text in words; one row has it exactly.
    pub longest: usize,
    /// The scene file's text.
    scenes: &'static [&'static str],
}

/// From beginner to advanced.
pub const LEVELS: [Level; 5] = [
    Level {
        name: "A1",
        stream: 1,
        shortest: 77,
        usual: (102, 133),
        longest: 134,
        scenes: &[
            include_str!("scenes/a1_home.txt"),
            include_str!("scenes/a1_world.txt"),
            include_str!("scenes/a1_days.txt"),
            include_str!("scenes/a1_talk.txt"),
        ],
    },
    Level {
        name: "A2",
        stream: 2,
        shortest: 95,
        usual: (115, 148),
        longest: 155,
        scenes: &[
            include_str!("scenes/a2_stories.txt"),
            include_str!("scenes/a2_life.txt"),
            include_str!("scenes/a2_talk.txt"),
        ],
    },
    Level {
        name: "B1",
        stream: 3,
        shortest: 118,
        usual: (138, 171),
        longest: 180,
        scenes: &[
            include_str!("scenes/b1_life.txt"),
            include_str!("scenes/b1_world.txt"),
            include_str!("scenes/b1_talk.txt"),
        ],
    },
    Level {
        name: "B2",
        stream: 4,
        shortest: 130,
        usual: (160, 196),
        longest: 205,
        scenes: &[
            include_str!("scenes/b2_opinion.txt"),
            include_str!("scenes/b2_people.txt"),
            include_str!("scenes/b2_talk.txt"),
        ],
    },
    Level {
        name: "C1",
        stream: 5,
        shortest: 150,
        usual: (186, 225),
        longest: 235,
        scenes: &[include_str!("scenes/c1_essays.txt"), include_str!("scenes/c1_prose.txt")],
    },
];

impl Level {
    /// The level's scenes, read from the text that was compiled in.
    ///
    /// # Errors
    /// A scene file with a fault, named by line.
    pub fn book(&self) -> Result<Book> {
        scene::read(&self.scenes.join("\n")).with_context(|| format!("scenes of {}", self.name))
    }

    /// A length in words: a bell over the usual range, and one text in twenty shorter.
    pub fn draw_length(&self, dice: &mut Dice) -> usize {
        if dice.chance(5) {
            return dice.between(self.shortest, self.usual.0);
        }
        let thirds = (self.usual.1 - self.usual.0) / 3;
        self.usual.0 + (0..3).map(|_| dice.between(0, thirds)).sum::<usize>()
    }
}

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
    /// Tellings of a sentence among which the one is taken that repeats least of what was said: a beginner says the same
    /// more often.
    pub tellings: usize,
    /// The scene files' texts.
    scenes: &'static [&'static str],
}

/// The texts of scene files, by their names.
macro_rules! scenes {
    ($($name:literal)+) => {
        &[$(include_str!(concat!("scenes/", $name, ".txt"))),+]
    };
}

/// From beginner to advanced.
pub const LEVELS: [Level; 5] = [
    Level {
        name: "A1",
        stream: 1,
        shortest: 77,
        usual: (105, 134),
        longest: 134,
        tellings: 3,
        scenes: scenes!["a1_food" "a1_frames" "a1_home" "a1_home2" "a1_life" "a1_more" "a1_more2" "a1_out" "a1_people" "a1_school" "a1_speak" "a1_speak2" "a1_time" "a1_town"],
    },
    Level {
        name: "A2",
        stream: 2,
        shortest: 95,
        usual: (115, 148),
        longest: 155,
        tellings: 6,
        scenes: scenes!["a2_days" "a2_frames" "a2_free" "a2_home" "a2_life" "a2_more" "a2_new" "a2_talk" "a2_time" "a2_travel" "a2_work"],
    },
    Level {
        name: "B1",
        stream: 3,
        shortest: 118,
        usual: (138, 171),
        longest: 180,
        tellings: 32,
        scenes: scenes!["b1_frames" "b1_story" "b1_opinion" "b1_life" "b1_talk" "b1_culture" "b1_more" "b1_more2" "b1_last"],
    },
    Level {
        name: "B2",
        stream: 4,
        shortest: 130,
        usual: (160, 196),
        longest: 205,
        tellings: 48,
        scenes: scenes!["b2_frames" "b2_society" "b2_stories" "b2_talk" "b2_opinion" "b2_stories" "b2_life" "b2_more"],
    },
    Level {
        name: "C1",
        stream: 5,
        shortest: 150,
        usual: (186, 225),
        longest: 235,
        tellings: 32,
        scenes: scenes!["c1_frames" "c1_life" "c1_mind" "c1_more" "c1_prose" "c1_short" "c1_talk" "c1_essay" "c1_society"],
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

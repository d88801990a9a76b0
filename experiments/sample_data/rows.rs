//! Whole files: 2000 different rows of a level.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::compose::{self, Row, Wish, word_count};
use crate::dice::Dice;
use crate::fresh::Memory;
use crate::level::Level;
use crate::scene::Book;

/// Rows a level has: the size of the thesis's own sets.
const ROWS: usize = 2000;
/// Attempts at one scene and length before another length is tried; most succeed within ten.
const ATTEMPTS: usize = 60;
/// Words that a text may be longer or shorter than aimed at.
const SLACK: usize = 8;

/// The rows of a level: all different, the shortest and the longest allowed length among them.
///
/// # Errors
/// A fault in the level's scenes.
pub fn level(level: &Level, seed: u64) -> Result<Vec<Row>> {
    let mut writer = Writer::open(level, Dice::new(seed, level.stream))?;
    let mut rows = Vec::new();
    // Where the two extreme rows stand is drawn too, so that no split meets them at a known place.
    let extremes = [
        (writer.dice.below(ROWS / 2), level.shortest),
        (ROWS / 2 + writer.dice.below(ROWS / 2), level.longest),
    ];
    while rows.len() < ROWS {
        let extreme = extremes.iter().find(|(at, _)| *at == rows.len()).map(|(_, length)| *length);
        rows.push(writer.next(extreme)?);
    }
    Ok(rows)
}

/// An Alpaca JSON array, one row a line, ending in a line feed.
///
/// # Errors
/// Never for strings; what serde_json would say.
pub fn json(rows: &[Row]) -> Result<String> {
    let mut lines = Vec::new();
    for row in rows {
        let instruction = serde_json::to_string(&row.instruction)?;
        let output = serde_json::to_string(&row.output)?;
        lines.push(format!("{{\"instruction\": {instruction}, \"output\": {output}}}"));
    }
    Ok(format!("[\n{}\n]\n", lines.join(",\n")))
}

/// Rows and words, for the terminal and data/README.md.
pub fn summary(rows: &[Row]) -> String {
    let counts: Vec<usize> = rows.iter().map(|row| word_count(&row.output)).collect();
    let (least, most) = (counts.iter().min().unwrap_or(&0), counts.iter().max().unwrap_or(&0));
    let mean = counts.iter().sum::<usize>() as f64 / counts.len().max(1) as f64;
    format!("{} rows, words mean {mean:.1}, min {least}, max {most}", rows.len())
}

/// Writes new rows of one level, never the same text twice.
struct Writer<'a> {
    level: &'a Level,
    book: Book,
    dice: Dice,
    seen: BTreeSet<String>,
    memory: Memory,
}

impl<'a> Writer<'a> {
    fn open(level: &'a Level, dice: Dice) -> Result<Self> {
        Ok(Writer { level, book: level.book()?, dice, seen: BTreeSet::new(), memory: Memory::default() })
    }

    /// A row of a drawn length, or of exactly `length` words.
    fn next(&mut self, length: Option<usize>) -> Result<Row> {
        for _ in 0..200 {
            let scene = self.book.draw(&mut self.dice);
            let kind = *self.dice.pick(&scene.kinds);
            // Another length before another scene: scenes that hit a length less often must not grow rare.
            for _ in 0..4 {
                let aim = length.unwrap_or_else(|| self.level.draw_length(&mut self.dice));
                let lengths = match length {
                    Some(exactly) => exactly..=exactly,
                    None => self.level.shortest.max(aim - SLACK)..=self.level.longest.min(aim + SLACK),
                };
                let wish = Wish { scene, kind, length: aim, lengths };
                for _ in 0..ATTEMPTS {
                    let row = compose::attempt(&mut self.dice, &self.book, &self.memory, self.level, &wish)?;
                    if let Some(row) = row.filter(|row| self.seen.insert(row.output.clone())) {
                        self.memory.learn(&row.output);
                        return Ok(row);
                    }
                }
            }
        }
        bail!("{}: no new text of {length:?} words found", self.level.name)
    }
}

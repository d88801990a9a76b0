//! What the adapters of several levels write after the same prompts.

use crate::level::Level;
use crate::record::texts::Measure;
use crate::statistics::Interval;
use crate::texts::word_list::Source;
use serde::{Deserialize, Serialize};

/// Texts of every adapter on the same prompts, some of each level's held-out rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LevelTexts {
    /// Prompts that each adapter has answered.
    pub prompts: usize,
    /// The files of the list by which words have a level.
    pub word_lists: Vec<Source>,
    /// The adapters, in the order of the levels.
    pub adapters: Vec<AdapterTexts>,
    /// Each level's adapter against that of the level before it, measure after measure.
    pub neighbours: Vec<TextGap>,
}

/// What one adapter's texts measure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdapterTexts {
    /// The level that it was trained on.
    pub level: Level,
    /// In the order of [`LevelTexts::MEASURES`]; one that no text has a value of is left out.
    pub means: Vec<MeasureMean>,
}

/// The mean of one measure over the texts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeasureMean {
    /// Which; words above the level are those above A1 here, whatever the adapter's level.
    pub measure: Measure,
    /// With the interval of a bootstrap over the prompts.
    pub mean: Interval,
}

/// One measure of two neighbouring levels' adapters on the same prompts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TextGap {
    /// The lower level and the next.
    pub levels: [Level; 2],
    /// Which measure.
    pub measure: Measure,
    /// The higher level's minus the lower one's, with the interval of a paired bootstrap over the prompts.
    pub difference: Interval,
    /// Two-sided p of the paired permutation test, adjusted by Holm over all of these.
    pub p: f64,
}

impl TextGap {
    /// Whether the higher level's adapter has surely more of it, by test and interval.
    pub fn surely_rises(&self) -> bool {
        self.p <= 0.05 && self.difference.low > 0.0
    }
}

impl LevelTexts {
    /// What tells how simple a text is, whatever level was asked for.
    pub const MEASURES: [Measure; 4] =
        [Measure::SentenceLength, Measure::FleschKincaid, Measure::Mtld, Measure::AboveLevel];
}

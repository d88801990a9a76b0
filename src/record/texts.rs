//! What the systems of a run wrote after the held-out prompts, and what the texts measure.

use crate::level::Level;
use crate::sha256;
use crate::statistics::Interval;
use crate::texts::Measures;
use crate::texts::word_list::Source;
use serde::{Deserialize, Serialize};

/// Who wrote a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// The base model, in the prompt that the other was trained in.
    Baseline,
    /// The base model, told in its own chat template to write at the level.
    Prompted,
    /// The fine-tuned model.
    FineTuned,
    /// The rows' own answers: what a model that had learned all there is would write.
    Reference,
}

impl System {
    /// All, in the order of a table.
    pub const ALL: [System; 4] = [System::Baseline, System::Prompted, System::FineTuned, System::Reference];

    /// Those that write, in the order in which they do.
    pub const WRITING: [System; 3] = [System::Baseline, System::Prompted, System::FineTuned];

    /// Its name in records and messages.
    pub fn name(self) -> &'static str {
        match self {
            System::Baseline => "baseline",
            System::Prompted => "prompted",
            System::FineTuned => "fine_tuned",
            System::Reference => "reference",
        }
    }
}

/// A number that every text has, or that it is too short for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Share of the words above the run's level.
    AboveLevel,
    /// Flesch-Kincaid grade.
    FleschKincaid,
    /// Words a sentence.
    SentenceLength,
    /// MTLD in words.
    Mtld,
    /// Different pairs of words / pairs.
    #[serde(rename = "distinct_2")]
    Distinct2,
    /// Share of 4-grams that stood in the text before.
    #[serde(rename = "repeated_4grams")]
    Repeated4grams,
    /// 1 where the model ended the text, 0 where it was cut at the limit.
    Stopped,
    /// Words of the text / words of the reference.
    LengthRatio,
    /// Share of the words that lie in eight running words of a training answer.
    CopiedWords,
    /// Words of the longest span that stands in a training answer.
    LongestCopy,
}

impl Measure {
    /// All, in the order of the record.
    pub const ALL: [Measure; 10] = [
        Measure::AboveLevel,
        Measure::FleschKincaid,
        Measure::SentenceLength,
        Measure::Mtld,
        Measure::Distinct2,
        Measure::Repeated4grams,
        Measure::Stopped,
        Measure::LengthRatio,
        Measure::CopiedWords,
        Measure::LongestCopy,
    ];

    /// Its value among the `measures` of a text that was asked for at `level`; nothing where the text has none, or where it
    /// takes more than the text.
    pub fn of(self, measures: &Measures, level: Level) -> Option<f64> {
        match self {
            Measure::AboveLevel => measures.levels.above(level),
            Measure::FleschKincaid => measures.flesch_kincaid,
            Measure::SentenceLength => measures.sentence_length,
            Measure::Mtld => measures.mtld,
            Measure::Distinct2 => measures.distinct_2,
            Measure::Repeated4grams => Some(measures.repeated_4grams),
            Measure::CopiedWords => Some(measures.copied.share()),
            Measure::LongestCopy => Some(measures.copied.longest as f64),
            Measure::Stopped | Measure::LengthRatio => None,
        }
    }
}

/// The texts of a run and their measures.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Texts {
    /// What the prompted system was told, with the level in it; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<String>,
    /// Systems that wrote nothing, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Absent>,
    /// The texts: system after system, each in the order of the rows.
    pub rows: Vec<Text>,
    /// Tokens a second over all systems, prompts read included; 0 where nothing was written.
    pub tokens_per_second: f64,
    /// The files of the list by which words have a level.
    #[serde(default)]
    pub word_lists: Vec<Source>,
    /// Words by level and by frequency, of all texts of a system together.
    #[serde(default)]
    pub profiles: Vec<Profile>,
    /// Each measure of each system, in the order of [`Measure::ALL`]; one without a value has no entry.
    #[serde(default)]
    pub measures: Vec<Measured>,
    /// The fine-tuned model against each other system, on the rows that both have a value for.
    #[serde(default)]
    pub differences: Vec<TextDifference>,
}

/// A system that wrote nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// Which.
    pub system: System,
    /// Why, in English.
    pub reason: String,
}

/// One text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// Index into the rows that report the result, from 0.
    pub row: usize,
    /// Who wrote it.
    pub system: System,
    /// Which of several texts of the same prompt and system, from 0.
    #[serde(default)]
    pub draw: usize,
    /// The text, without white space at its ends.
    pub text: String,
    /// Its tokens, without the one that ended it.
    pub tokens: usize,
    /// Ended by the model rather than cut at the limit.
    pub stopped: bool,
}

/// The words of a system's texts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Whose.
    pub system: System,
    /// Running words that shares are of.
    pub words: usize,
    /// Shares of A1, A2, B1, B2, C1, C2 and of what the list lacks.
    pub levels: [f64; 7],
    /// Shares of the first and the second thousand of English, and of rarer words.
    pub frequency: [f64; 3],
}

/// One measure of one system.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Which.
    pub measure: Measure,
    /// Whose.
    pub system: System,
    /// Rows with a value.
    pub rows: usize,
    /// Mean over the rows, several texts of one first averaged, with the interval of a bootstrap over rows.
    pub mean: Interval,
}

/// One measure of the fine-tuned model against that of another system on the same rows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TextDifference {
    /// Which.
    pub measure: Measure,
    /// The other system.
    pub against: System,
    /// Rows with a value of both.
    pub rows: usize,
    /// Fine-tuned minus other, with the interval of a paired bootstrap over rows.
    pub difference: Interval,
    /// Two-sided p of the paired permutation test.
    pub p: f64,
    /// The same, adjusted by Holm over the measures against this system.
    pub adjusted_p: f64,
}

impl TextDifference {
    /// Whether the two differ by both standards, as [`crate::statistics::Comparison::is_significant`] asks, the p adjusted.
    pub fn is_significant(&self) -> bool {
        self.adjusted_p <= 0.05 && (self.difference.low > 0.0 || self.difference.high < 0.0)
    }
}

impl Texts {
    /// SHA-256 of what the systems wrote: of row, system, draw and text of each, in their order.
    pub fn sha256(&self) -> String {
        let written = self.rows.iter().map(|text| (text.row, text.system, text.draw, text.text.as_str()));
        sha256::of(&serde_json::to_vec(&written.collect::<Vec<_>>()).expect("numbers and texts"))
    }

    /// What `system` wrote after the prompt of `row`: the first text where it wrote several.
    pub fn first(&self, row: usize, system: System) -> Option<&Text> {
        self.rows.iter().find(|text| text.row == row && text.system == system && text.draw == 0)
    }

    /// Where `measure` of `system` stands among the measures.
    pub fn place(&self, measure: Measure, system: System) -> Option<usize> {
        self.measures.iter().position(|found| found.measure == measure && found.system == system)
    }

    /// The mean of `measure` over the texts of `system`.
    pub fn mean(&self, measure: Measure, system: System) -> Option<Interval> {
        self.place(measure, system).map(|place| self.measures[place].mean)
    }

    /// The fine-tuned model against `system` by `measure`.
    pub fn difference(&self, measure: Measure, against: System) -> Option<&TextDifference> {
        self.differences.iter().find(|found| found.measure == measure && found.against == against)
    }
}

/// One prompt of the rows that report the result, with what the systems made of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Index into these rows, from 0.
    pub row: usize,
    /// Why it is shown; absent where it is one of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<Chosen>,
    /// The task.
    pub instruction: String,
    /// Its input; empty where there is none.
    pub input: String,
    /// The row's own answer.
    pub reference: String,
    /// The base model's text.
    pub baseline: String,
    /// The base model's text was cut at the token limit.
    pub baseline_capped: bool,
    /// The prompted base model's text, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompted: Option<String>,
    /// The fine-tuned model's text.
    pub fine_tuned: String,
    /// The fine-tuned model's text was cut at the token limit.
    pub fine_tuned_capped: bool,
    /// What the texts measure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measures: Vec<SampleMeasures>,
}

/// By which rule a sample is shown: the rows in the order of how far the fine-tuned text is from its reference in the share of
/// words above the level, the copied share deciding among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chosen {
    /// The nearest.
    Best,
    /// The one in the middle.
    Median,
    /// The farthest.
    Worst,
}

/// What one system's text of a sample measures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SampleMeasures {
    /// Whose.
    pub system: System,
    /// Share of the words above the level; absent of a text without words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above_level: Option<f64>,
    /// The others.
    #[serde(flatten)]
    pub text: Measures,
}

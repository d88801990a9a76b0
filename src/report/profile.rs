//! What guides for theses disagree on, chosen in one place: a TOML file beside the experiment, or a ready one.
//!
//! Where the file is looked for is told at [`crate::cli::Flags::profile`]; all of it:
//!
//! ```toml
//! name = "enstitü"
//! decimal = "comma"            # or "point"
//! table_word = "Tablo"         # or "Çizelge"
//! table_caption = "above"      # or "below"
//! figure_caption = "below"
//! after_number = "."           # or ":", or "\n" for a caption on its own line
//! italic_p = false             # optional: whether the p of a test is set in italics
//!
//! [method]                     # Yöntem; likewise [results] and [discussion]
//! chapter = 3
//! first_section = 1            # the section that the text begins with: 3.1
//! first_table = 1
//! first_figure = 1
//!
//! [limits]                     # optional: what the success criteria ask for
//! overlap_percent = 50         # most of the held-out words that may stand in the training answers' running words
//! above_level_points = 2       # percent of its words by which a text may stand above the level more than its reference
//! rater_alpha_percent = 67     # hundredths that Krippendorff's alpha of the raters must surely exceed
//!
//! [model]                      # optional, for the runs of one model: how the text names it, how it is read aloud
//! name = "Llama-3.2-1B-Instruct"
//! reading = "lama üç nokta iki bir be instrakt"
//! ```

use super::DecimalMark;
use super::turkish::{self, Case};
use crate::error::{Error, Result};
use serde::Deserialize;

/// The look of the documents.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name, for messages.
    pub name: String,
    /// What stands before the decimals.
    pub decimal: DecimalMark,
    /// The word in front of a table's number.
    pub table_word: TableWord,
    /// Where a table's caption stands.
    pub table_caption: CaptionPlace,
    /// Where a figure's caption stands.
    pub figure_caption: CaptionPlace,
    /// What stands between the number and the caption.
    pub after_number: AfterNumber,
    /// Whether the p of a test is set in italics, as APA 7 has it.
    #[serde(default)]
    pub italic_p: bool,
    /// Numbers of the method section.
    pub method: Chapter,
    /// Numbers of the results section.
    pub results: Chapter,
    /// Numbers of the discussion section.
    pub discussion: Chapter,
    /// What the success criteria ask for.
    #[serde(default)]
    pub limits: Limits,
    /// How the text names the model; the record's name where it is absent.
    pub model: Option<ModelName>,
}

/// What the success criteria ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Percent of the held-out words that may lie in running words of the training answers, see
    /// [`crate::data::overlap::measure`].
    pub overlap_percent: u32,
    /// Percent of its words by which a text may stand above the level more than its reference does, and still be called of the
    /// level: a margin that the interval of the difference must stay under.
    pub above_level_points: u32,
    /// Hundredths that Krippendorff's alpha must surely exceed where raters are said to agree.
    pub rater_alpha_percent: u32,
}

impl Default for Limits {
    /// Half: beyond it most of what is measured was seen in training. Two points: two words in a hundred, where a reference's
    /// own share differs as much from row to row. 0.67: Krippendorff (2004) allows tentative conclusions from there on.
    fn default() -> Self {
        Limits { overlap_percent: 50, above_level_points: 2, rater_alpha_percent: 67 }
    }
}

/// The word for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum TableWord {
    /// Of APA-like guides.
    #[serde(rename = "Tablo")]
    Apa,
    /// Of technical institutes.
    #[serde(rename = "Çizelge")]
    Technical,
}

/// Where a caption stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CaptionPlace {
    /// Over its table or figure.
    Above,
    /// Under it.
    Below,
}

/// What follows "Tablo 4.1".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AfterNumber {
    /// Tablo 4.1. Caption
    #[serde(rename = ".")]
    Stop,
    /// Tablo 4.1: Caption
    #[serde(rename = ":")]
    Colon,
    /// The number in bold, the caption in italics on a line of its own, as APA 7 has it.
    #[serde(rename = "\n")]
    Line,
}

/// Where a section's numbers begin: theses put several levels into one chapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chapter {
    /// The chapter of the thesis.
    pub chapter: usize,
    /// Number of the text's first section in it.
    #[serde(default = "one")]
    pub first_section: usize,
    /// Number of its first table.
    #[serde(default = "one")]
    pub first_table: usize,
    /// Number of its first figure.
    #[serde(default = "one")]
    pub first_figure: usize,
}

impl Chapter {
    /// The numbers of the text's sections in it, more than any text has: 4.1, 4.2.
    pub(super) fn section_numbers(self) -> Vec<String> {
        (0..9).map(|index| format!("{}.{}", self.chapter, self.first_section + index)).collect()
    }
}

fn one() -> usize {
    1
}

/// How the text names the model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelName {
    /// As it is written.
    pub name: String,
    /// As it is read aloud, for its suffixes; without it they go to the word "modeli".
    pub reading: Option<String>,
}

/// The ready profiles: name and text.
const READY: [(&str, &str); 3] = [
    ("varsayilan", include_str!("../../templates/profiles/varsayilan.toml")),
    ("apa7", include_str!("../../templates/profiles/apa7.toml")),
    ("tohum", include_str!("../../templates/profiles/tohum.toml")),
];

impl Profile {
    /// Names of the ready profiles; the first is the default.
    pub const NAMES: [&str; 3] = [READY[0].0, READY[1].0, READY[2].0];

    /// A ready profile.
    ///
    /// # Errors
    /// `Error::Report` naming the ready ones, where `name` is not one of them.
    pub fn ready(name: &str) -> Result<Self> {
        let Some((_, text)) = READY.iter().find(|(ready, _)| *ready == name) else {
            let known = Self::NAMES.join(", ");
            return Err(Error::Report(format!(
                "no profile '{name}': expected one of {known}, or a TOML file"
            )));
        };
        Self::parse(name, text)
    }

    /// A profile from TOML text; `origin` is its file, for messages.
    ///
    /// # Errors
    /// `Error::Report` with the line that does not fit, or a reading that has no suffixes: it must not be found after a
    /// training.
    pub fn parse(origin: &str, text: &str) -> Result<Self> {
        let profile: Profile = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            Error::Report(format!("profile {origin}, line {line}: {}", error.message().replace('\n', " ")))
        })?;
        if let Some(ModelName { name, reading: Some(reading) }) = &profile.model {
            turkish::suffix_with_reading(name, reading, Case::Locative)
                .map_err(|error| Error::Report(format!("profile {origin}: model.reading: {error}")))?;
        }
        Ok(profile)
    }
}

impl Default for Profile {
    /// `varsayilan`.
    fn default() -> Self {
        Self::ready(Self::NAMES[0]).expect("the ready profiles are parsed by the tests")
    }
}

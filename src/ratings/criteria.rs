//! What raters are asked and told: criteria with five anchors each, the question of preference, instructions and consent.
//!
//! The standard wording is `templates/ratings/olcutler.toml`; a researcher's own file has the same fields. `{level}` in it
//! stands for the level of the run. What was asked is kept in the key of the sheets, so that no answer is read by another
//! wording than the one it was given to.

use crate::error::{Error, Result};
use crate::level::Level;
use crate::record::ratings::Criterion;
use serde::{Deserialize, Serialize};

/// The standard wording.
const STANDARD: &str = include_str!("../../templates/ratings/olcutler.toml");

/// What stands for the level in a file of criteria.
const LEVEL: &str = "{level}";

/// What the question beside the criteria is called, and so none of them.
pub(super) const PREFERENCE: &str = "preference";

/// What raters are asked, and what they are told before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questionnaire {
    /// What is asked about each text, at least one.
    pub criteria: Vec<Criterion>,
    /// What is asked about the two texts of an item, answered by A, B or equal; in Turkish.
    pub preference: String,
    /// How to rate: a paragraph each, in Turkish.
    pub instructions: Vec<String>,
    /// What is told of the workbook besides; in Turkish.
    pub workbook: Vec<String>,
    /// What is told of the printed form besides; in Turkish.
    pub paper: Vec<String>,
    /// What a rater agrees to: a paragraph each, in Turkish.
    pub consent: Vec<String>,
}

impl Questionnaire {
    /// The standard criteria, for texts of `level`.
    ///
    /// # Errors
    /// None: the tests parse the shipped file for every level.
    pub fn standard(level: Level) -> Result<Self> {
        Self::parse("embedded:olcutler.toml", STANDARD.as_bytes(), level)
    }

    /// The criteria in the bytes of a TOML file, `{level}` replaced by `level`. `name` goes into the messages.
    ///
    /// # Errors
    /// `Error::Data` with the file and the place: no UTF-8, no TOML (with its line), an unknown or missing field, no criterion,
    /// a key that is no small word, or is another's, an anchor or a question without words.
    pub fn parse(name: &str, bytes: &[u8], level: Level) -> Result<Self> {
        let refuse = |message: String| Error::Data { path: name.to_string(), row: None, message };
        // The label has no line end, so a place in the text is still in the same line of the file.
        let text = Error::unless_text(name, bytes)?.replace(LEVEL, level.label());
        let parsed: Questionnaire = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            refuse(format!("line {line}: {}", error.message().replace('\n', " ")))
        })?;
        parsed.check().map_err(refuse)?;
        Ok(parsed)
    }

    /// What a sheet needs of its criteria: at least one, keys of small letters and `_` that are told apart from each other and
    /// from `preference`, names that are told apart, five anchors with words, a question of preference.
    ///
    /// # Errors
    /// One line: the field, expected and got.
    pub(super) fn check(&self) -> std::result::Result<(), String> {
        if self.criteria.is_empty() {
            return Err("criteria: expected at least one criterion, got none".into());
        }
        for (index, criterion) in self.criteria.iter().enumerate() {
            let Criterion { key, name, question, anchors } = criterion;
            let place = format!("criterion {}", index + 1);
            let is_key =
                !key.is_empty() && key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            if !is_key || key == PREFERENCE {
                let got = key.escape_debug();
                return Err(format!(
                    "{place}: key: expected small letters a-z and _, and not {PREFERENCE}, got '{got}'"
                ));
            }
            let place = format!("{place} ({key})");
            let earlier = &self.criteria[..index];
            if earlier.iter().any(|other| other.key == *key || other.name.trim() == name.trim()) {
                return Err(format!(
                    "{place}: expected a key and a name that no other criterion has, got '{name}'"
                ));
            }
            filled(&format!("{place}: name"), name)?;
            filled(&format!("{place}: question"), question)?;
            for (score, anchor) in anchors.iter().enumerate() {
                filled(&format!("{place}: anchor {}", score + 1), anchor)?;
            }
        }
        filled(PREFERENCE, &self.preference)?;
        let paragraphs = [
            ("instructions", &self.instructions),
            ("workbook", &self.workbook),
            ("paper", &self.paper),
            ("consent", &self.consent),
        ];
        paragraphs
            .into_iter()
            .try_for_each(|(field, texts)| texts.iter().try_for_each(|text| filled(field, text)))
    }
}

/// Refuses a text without words.
fn filled(field: &str, text: &str) -> std::result::Result<(), String> {
    match text.trim().is_empty() {
        true => Err(format!("{field}: expected words, got an empty text")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_criteria_name_the_level_and_end_at_their_best() {
        for level in Level::ALL {
            let standard = Questionnaire::standard(level).expect("the shipped file");
            let keys: Vec<&str> = standard.criteria.iter().map(|criterion| criterion.key.as_str()).collect();
            assert_eq!(keys, ["level_fit", "grammar", "task", "naturalness"]);
            let text = serde_json::to_string(&standard).expect("texts");
            assert!(text.contains(level.label()) && !text.contains(LEVEL), "{level}: {text}");
            let others = Level::ALL.into_iter().filter(|other| *other != level);
            others
                .for_each(|other| assert!(!text.contains(other.label()), "{other} in the sheets of {level}"));
            assert!(standard.criteria[0].anchors[4].starts_with("Tam düzeyinde"));
        }
    }

    #[test]
    fn what_is_no_questionnaire_is_refused_with_its_place() {
        let refused = |from: &str, to: &str| {
            assert!(STANDARD.contains(from), "'{from}' is not in the file");
            let changed = STANDARD.replacen(from, to, 1);
            let error = Questionnaire::parse("o.toml", changed.as_bytes(), Level::A1).expect_err("a fault");
            error.to_string()
        };
        for (from, to, message) in [
            ("key = \"grammar\"", "key = \"level_fit\"", "criterion 2 (level_fit): expected a key"),
            ("name = \"Dil bilgisi\"", "name = \"Düzeye uygunluk\"", "criterion 2 (grammar): expected a key"),
            ("key = \"task\"", "key = \"preference\"", "criterion 3: key: expected small letters"),
            ("key = \"task\"", "key = \"Task\"", "got 'Task'"),
            ("key = \"task\"", "key = \"\"", "got ''"),
            ("  \"Hata yok\",", "  \" \",", "criterion 2 (grammar): anchor 5: expected words"),
            ("  \"Hata yok\",\n", "", "o.toml: line"),
            ("preference = ", "tercih = ", "unknown field `tercih`"),
            ("[[criteria]]", "[[criteria", "o.toml: line"),
        ] {
            let said = refused(from, to);
            assert!(said.contains(message) && said.lines().count() == 1, "'{message}' is not in {said}");
        }
        let none =
            "preference = 'x'\ninstructions = []\nworkbook = []\npaper = []\nconsent = []\ncriteria = []";
        let error = Questionnaire::parse("o.toml", none.as_bytes(), Level::A1).expect_err("no criterion");
        assert_eq!(error.to_string(), "o.toml: criteria: expected at least one criterion, got none");
    }
}

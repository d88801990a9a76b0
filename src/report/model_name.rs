//! What a text calls the base model, alone and with a suffix.

use super::markdown;
use super::profile::Profile;
use super::turkish::{self, Case};

/// What stands before "modeli" where the text names the demonstration model.
const DEMONSTRATION: &str = "gösterim";

/// The base model's name: the profile's where it has one, else the record's. The demonstration model has none that a
/// reader would know.
pub(super) struct ModelName {
    name: String,
    /// How it is read aloud.
    reading: Option<String>,
    is_demonstration: bool,
}

impl ModelName {
    /// The name for a model that the record calls `recorded`.
    pub(super) fn new(recorded: &str, is_demonstration: bool, profile: &Profile) -> Self {
        match &profile.model {
            Some(model) => {
                Self { name: model.name.clone(), reading: model.reading.clone(), is_demonstration: false }
            }
            None if is_demonstration => Self { name: DEMONSTRATION.into(), reading: None, is_demonstration },
            None => Self { name: recorded.into(), reading: None, is_demonstration },
        }
    }

    /// The name alone.
    pub(super) fn plain(&self) -> String {
        let name = markdown::escaped(&self.name);
        if self.is_demonstration { format!("{name} modeli") } else { name }
    }

    /// The name with a suffix: on the name itself where its reading is known, else on the word "modeli".
    ///
    /// # Errors
    /// As [`turkish::suffix_with_reading`]; [`turkish::Error::NotAfterPossessive`] for a suffix that "modeli" does not
    /// take.
    pub(super) fn suffixed(&self, case: Case) -> Result<String, turkish::Error> {
        let name = markdown::escaped(&self.name);
        if let Some(reading) = &self.reading {
            return turkish::suffix_with_reading(&name, reading, case);
        }
        let ending = match case {
            Case::Dative => "ne",
            Case::Accusative => "ni",
            Case::Genitive => "nin",
            Case::Locative => "nde",
            Case::Ablative => "nden",
            Case::Instrumental => "yle",
            Case::Lik | Case::Ordinal | Case::Possessive => {
                return Err(turkish::Error::NotAfterPossessive { case });
            }
        };
        Ok(format!("{name} modeli{ending}"))
    }
}

//! The suffixes, and the names by which templates ask for them.

use super::Error;
use std::fmt;
use std::str::FromStr;

/// The suffixes that thesis text puts on a numeral.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Case {
    /// -(y)A, towards: `0,64'e`.
    Dative,
    /// -(y)I, the definite object: `0,64'ü`.
    Accusative,
    /// -(n)In, of: `B2'nin`.
    Genitive,
    /// -DA, at: `2025'te`.
    Locative,
    /// -DAn, from: `1,95'ten`.
    Ablative,
    /// -(y)lA, with: `2'yle`.
    Instrumental,
    /// -lIk, amounting to: `%44,1'lik`.
    Lik,
    /// -(I)ncI, the n-th: `87'nci`.
    Ordinal,
    /// -(s)I, its: `%44,1'i`.
    Possessive,
}

impl Case {
    /// All cases, in the order in which they are declared.
    pub const ALL: [Self; 9] = [
        Self::Dative,
        Self::Accusative,
        Self::Genitive,
        Self::Locative,
        Self::Ablative,
        Self::Instrumental,
        Self::Lik,
        Self::Ordinal,
        Self::Possessive,
    ];

    /// The English name and the short Turkish example by which templates ask for the case.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Dative => ("dative", "e"),
            Self::Accusative => ("accusative", "i"),
            Self::Genitive => ("genitive", "in"),
            Self::Locative => ("locative", "de"),
            Self::Ablative => ("ablative", "den"),
            Self::Instrumental => ("instrumental", "le"),
            Self::Lik => ("lik", "lik"),
            Self::Ordinal => ("ordinal", "inci"),
            Self::Possessive => ("possessive", "si"),
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.names().0)
    }
}

/// Reads `"ablative"` or, as in a template, `"den"`.
///
/// One spelling a case: were `"ten"` accepted beside `"den"`, a template could seem to state the form
/// that harmony chooses.
impl FromStr for Case {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|case| case.names().0 == name || case.names().1 == name)
            .ok_or_else(|| Error::UnknownCase { name: name.to_owned() })
    }
}

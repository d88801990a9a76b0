//! Turkish suffixes on numerals, names and words: `1,95'ten`, `%44,1'lik`, `LoRA'nın`, `93 saniyede`.
//!
//! A suffix follows how its host is read aloud, so the way is always the same: find the last word that is
//! read (`reading.rs`), see how that word ends, and let vowel harmony choose the letters:
//!
//! ```text
//! A = a after a ı o u, else e          D = t after ç f h k p s ş t, else d
//! I = ı u i ü by the last vowel        buffer y, n or s after a vowel
//! ```
//!
//! Source: the spelling rules of the Türk Dil Kurumu (TDK). A numeral, a name and an abbreviation take an
//! apostrophe; a common noun takes none.

mod letters;
mod reading;

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};

use super::numbers::DecimalMark;
pub use letters::{capitalize, lower, upper};

/// Why a suffix could not be chosen. Every message is one line and quotes what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text does not end in a numeral whose reading is known.
    #[error(
        "no numeral to read at the end of {text:?}: expected digits such as 12.400, 0,64, %44,1, A1 or \"Tablo 4.3\"; \
         a name needs its reading"
    )]
    NotANumeral {
        /// What was given.
        text: String,
    },
    /// The numeral is larger than 10^15, where the names of numbers end here.
    #[error("the numeral {text:?} is too long to be read: expected at most 10^15 and at most 15 decimals")]
    TooLarge {
        /// What was given.
        text: String,
    },
    /// The word or reading is not written as Turkish is pronounced.
    #[error(
        "cannot read {word:?} aloud: expected a last word of Turkish letters with a vowel, such as \"lora\" or \"bir be\""
    )]
    Unreadable {
        /// The word or reading that was given.
        word: String,
    },
    /// A name to be suffixed is empty.
    #[error("no name before the suffix: expected one, got an empty text (its reading is {reading:?})")]
    EmptyName {
        /// The reading that was given.
        reading: String,
    },
    /// No case is called so.
    #[error(
        "unknown suffix {name:?}: expected one of e, i, in, de, den, le, lik, inci, si or its English name"
    )]
    UnknownCase {
        /// What was given.
        name: String,
    },
    /// This case cannot follow a possessive suffix.
    #[error(
        "{case} cannot follow a possessive suffix: expected dative, accusative, genitive, locative, ablative or instrumental"
    )]
    NotAfterPossessive {
        /// The case that was asked for.
        case: Case,
    },
}

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

/// The numeral with its suffix, `1,95` -> `1,95'ten`, telling comma from point by shape.
///
/// Read are: `7`, `-2,16` (also with U+2212), `1.250.000`, `%44,1`, `0.64` (a dot that cannot be a group is a
/// decimal point), `A1`, `Tablo 4.3`, `24 Ekim 2025`, `2 × 10⁻⁴`, and a quantity: `9,9 MB`, `1 sa 12 dk`, and
/// `93 saniye`, which takes its suffix without an apostrophe. The fraction is read as one whole number, zeros
/// at its end included (0,480: dört yüz seksen; 2,00: sıfır).
///
/// # Errors
/// [`Error::NotANumeral`] for anything else, [`Error::TooLarge`] above 10^15 or 15 decimals,
/// [`Error::Unreadable`] for a quantity whose unit has no vowel.
///
/// ```
/// use tezgah::report::turkish::{Case, suffix};
/// # fn main() -> Result<(), tezgah::report::turkish::Error> {
/// assert_eq!(suffix("1,95", Case::Ablative)?, "1,95'ten");
/// assert_eq!(suffix("%44,1", Case::Lik)?, "%44,1'lik");
/// assert_eq!(suffix("12.400", "e".parse()?)?, "12.400'e");
/// assert_eq!(suffix("Tablo 4.3", Case::Locative)?, "Tablo 4.3'te");
/// assert_eq!(suffix("93 saniye", Case::Locative)?, "93 saniyede");
/// # Ok(())
/// # }
/// ```
pub fn suffix(number: &str, case: Case) -> Result<String, Error> {
    attach(number, None, |ending| Ok(ending.form(case)))
}

/// [`suffix`] where the profile says what a dot means: with the point `1.250` is one and a quarter.
///
/// The only numerals that shape leaves open are those with a single dot and three digits after it. With the
/// comma they are thousands and `0.64` is an error; with the point they are decimals and `0,64` is an error.
/// After a label (`Tablo 4.3`) a dot divides chapter and number under both.
///
/// # Errors
/// As [`suffix`], and [`Error::NotANumeral`] for the other profile's decimals.
///
/// ```
/// use tezgah::{report::numbers::DecimalMark, turkish::{Case, suffix_with_mark}};
/// # fn main() -> Result<(), tezgah::report::turkish::Error> {
/// assert_eq!(suffix_with_mark("2.000", DecimalMark::Comma, Case::Dative)?, "2.000'e"); // iki bin
/// assert_eq!(suffix_with_mark("2.000", DecimalMark::Point, Case::Dative)?, "2.000'a"); // iki nokta sıfır
/// # Ok(())
/// # }
/// ```
pub fn suffix_with_mark(number: &str, mark: DecimalMark, case: Case) -> Result<String, Error> {
    attach(number, Some(mark), |ending| Ok(ending.form(case)))
}

/// The numeral with a possessive suffix and a case after it: `%44,1` -> `%44,1'inden`, "from its 44,1 %".
///
/// # Errors
/// As [`suffix`], and [`Error::NotAfterPossessive`] for Lik, Ordinal and Possessive.
///
/// ```
/// use tezgah::report::turkish::{Case, possessive_suffix};
/// # fn main() -> Result<(), tezgah::report::turkish::Error> {
/// assert_eq!(possessive_suffix("%44,1", Case::Ablative)?, "%44,1'inden");
/// assert_eq!(possessive_suffix("%7", Case::Locative)?, "%7'sinde");
/// # Ok(())
/// # }
/// ```
pub fn possessive_suffix(number: &str, case: Case) -> Result<String, Error> {
    attach(number, None, |ending| ending.possessive_form(case))
}

/// [`possessive_suffix`] where the profile says what a dot means, as in [`suffix_with_mark`].
///
/// # Errors
/// As [`possessive_suffix`] and [`suffix_with_mark`].
///
/// ```
/// use tezgah::{report::numbers::DecimalMark, turkish::{Case, possessive_suffix_with_mark}};
/// # fn main() -> Result<(), tezgah::report::turkish::Error> {
/// let text = possessive_suffix_with_mark("%44.1", DecimalMark::Point, Case::Dative)?;
/// assert_eq!(text, "%44.1'ine");
/// # Ok(())
/// # }
/// ```
pub fn possessive_suffix_with_mark(number: &str, mark: DecimalMark, case: Case) -> Result<String, Error> {
    attach(number, Some(mark), |ending| ending.possessive_form(case))
}

/// A name with a suffix chosen by how it is read: `LoRA` read "lora" -> `LoRA'nın`, `1B` read "bir be" ->
/// `1B'nin`.
///
/// A final consonant is never softened in front of the apostrophe, as TDK writes proper names.
///
/// # Errors
/// [`Error::Unreadable`] if the last word of the reading is not of Turkish letters with a vowel,
/// [`Error::EmptyName`] if there is nothing to suffix.
///
/// ```
/// use tezgah::report::turkish::{Case, suffix_with_reading};
/// # fn main() -> Result<(), tezgah::report::turkish::Error> {
/// let model = suffix_with_reading("Llama-3.2-1B-Instruct", "lama üç nokta iki bir be instrakt", Case::Locative)?;
/// assert_eq!(model, "Llama-3.2-1B-Instruct'ta");
/// # Ok(())
/// # }
/// ```
pub fn suffix_with_reading(name: &str, reading: &str, case: Case) -> Result<String, Error> {
    if name.trim().is_empty() {
        return Err(Error::EmptyName { reading: reading.to_owned() });
    }
    Ok(format!("{name}'{}", Ending::of(reading)?.form(case)))
}

/// A common noun with its suffix and no apostrophe: `saniye` -> `saniyede`, `saat` -> `saatte`.
///
/// A `k` at the end of a word of several syllables softens (örnek -> örneği). What no rule tells, loans with
/// front vowels (saat, harf, kontrol) and changing stems (kayıp -> kaybı, süreç -> süreci), is a short list of
/// words that a thesis on language models uses; other such words keep their stem.
///
/// # Errors
/// [`Error::Unreadable`] if the last word is not of Turkish letters with a vowel.
///
/// ```
/// use tezgah::report::turkish::{Case, plain_suffix};
/// # fn main() -> Result<(), tezgah::report::turkish::Error> {
/// assert_eq!(plain_suffix("saniye", Case::Lik)?, "saniyelik");
/// assert_eq!(plain_suffix("dakika", Case::Ablative)?, "dakikadan");
/// assert_eq!(plain_suffix("eğitim örneği", Case::Genitive)?, "eğitim örneğinin");
/// # Ok(())
/// # }
/// ```
pub fn plain_suffix(word: &str, case: Case) -> Result<String, Error> {
    let form = Ending::of(word)?.form(case);
    if form.starts_with(letters::is_vowel) {
        return Ok(reading::soften(word) + &form);
    }
    Ok(format!("{word}{form}"))
}

/// The months as they are written in a date, Ocak first.
pub const MONTHS: [&str; 12] = [
    "Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim", "Kasım",
    "Aralık",
];

/// A date as Turkish text writes it: day, month, year, no leading zero.
///
/// ```
/// let day = chrono::NaiveDate::from_ymd_opt(2025, 10, 24).expect("a day of the calendar");
/// assert_eq!(tezgah::report::turkish::date(day), "24 Ekim 2025");
/// ```
pub fn date(day: NaiveDate) -> String {
    format!("{} {} {}", day.day(), MONTHS[day.month0() as usize], day.year())
}

/// Joins numeral and suffix: with an apostrophe, unless the text is a quantity with its unit written out.
fn attach(
    number: &str,
    mark: Option<DecimalMark>,
    form: impl Fn(Ending) -> Result<String, Error>,
) -> Result<String, Error> {
    Ok(match reading::last_word(number, mark)? {
        reading::LastWord::Read(word) => format!("{number}'{}", form(Ending::of(word)?)?),
        reading::LastWord::WrittenOut(word) => {
            let form = form(Ending::of(word)?)?;
            let stem =
                if form.starts_with(letters::is_vowel) { reading::soften(number) } else { number.to_owned() };
            stem + &form
        }
    })
}

/// All that harmony asks of a word: its last vowel, and how it closes.
#[derive(Debug, Clone, Copy)]
struct Ending {
    /// One of a ı o u e i ö ü.
    vowel: char,
    close: Close,
}

/// The last sound of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Close {
    /// A vowel: suffixes take their buffer.
    Vowel,
    /// ç f h k p s ş t: D becomes t.
    Hard,
    /// Any other consonant.
    Soft,
}

impl Ending {
    /// The ending of the last word of `words`.
    fn of(words: &str) -> Result<Self, Error> {
        let unreadable = || Error::Unreadable { word: words.to_owned() };
        let word = lower(words.rsplit(char::is_whitespace).next().unwrap_or_default());
        let last = word.chars().next_back().ok_or_else(unreadable)?;
        if !word.chars().all(letters::is_turkish) {
            return Err(unreadable());
        }
        let vowel = word.chars().rev().find_map(letters::vowel).ok_or_else(unreadable)?;
        let close = match last {
            letter if letters::is_vowel(letter) => Close::Vowel,
            'ç' | 'f' | 'h' | 'k' | 'p' | 's' | 'ş' | 't' => Close::Hard,
            _ => Close::Soft,
        };
        Ok(Self { vowel: if reading::is_fronted(&word) { letters::fronted(vowel) } else { vowel }, close })
    }

    /// The suffix itself. Capitals in the names below are those of the module's rules.
    fn form(self, case: Case) -> String {
        let a = if "aıou".contains(self.vowel) { "a" } else { "e" };
        let i = self.high_vowel();
        let d = if self.close == Close::Hard { "t" } else { "d" };
        let after_vowel = |buffer| if self.close == Close::Vowel { buffer } else { "" };
        match case {
            Case::Dative => format!("{}{a}", after_vowel("y")),
            Case::Accusative => format!("{}{i}", after_vowel("y")),
            Case::Genitive => format!("{}{i}n", after_vowel("n")),
            Case::Locative => format!("{d}{a}"),
            Case::Ablative => format!("{d}{a}n"),
            Case::Instrumental => format!("{}l{a}", after_vowel("y")),
            Case::Lik => format!("l{i}k"),
            Case::Ordinal if self.close == Close::Vowel => format!("nc{i}"),
            Case::Ordinal => format!("{i}nc{i}"),
            Case::Possessive => format!("{}{i}", after_vowel("s")),
        }
    }

    /// Possessive and case: after it a case begins with n (`-ine`, `-inden`), save the instrumental (`-iyle`).
    fn possessive_form(self, case: Case) -> Result<String, Error> {
        let possessive = self.form(Case::Possessive);
        let vowel = self.high_vowel();
        match case {
            Case::Instrumental => Ok(possessive + &Self { vowel, close: Close::Vowel }.form(case)),
            Case::Dative | Case::Accusative | Case::Genitive | Case::Locative | Case::Ablative => {
                Ok(possessive + "n" + &Self { vowel, close: Close::Soft }.form(case))
            }
            Case::Lik | Case::Ordinal | Case::Possessive => Err(Error::NotAfterPossessive { case }),
        }
    }

    /// The I of the rules.
    fn high_vowel(self) -> char {
        match self.vowel {
            'a' | 'ı' => 'ı',
            'o' | 'u' => 'u',
            'ö' | 'ü' => 'ü',
            _ => 'i',
        }
    }
}

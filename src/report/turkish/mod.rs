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

mod case;
mod letters;
mod reading;
mod harmony;

use super::DecimalMark;
pub use case::Case;
use chrono::{Datelike, NaiveDate};
use harmony::Ending;
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
/// use tezgah::report::{DecimalMark, turkish::{Case, suffix_with_mark}};
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
/// use tezgah::report::{DecimalMark, turkish::{Case, possessive_suffix_with_mark}};
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

/// `a`, `a ve b`, `a, b ve c`.
pub(crate) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} ve {last}", head.join(", ")),
    }
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

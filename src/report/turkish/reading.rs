//! How a numeral is read aloud, as far as suffixes care: its last word.
//!
//! Digits d with z zeros at the end: z = 0 the unit, z = 1 the ten, z = 2 yüz, z >= 3 the scale z / 3 (bin,
//! milyon, ...). So 12.400 ends in yüz and 40.000 in bin.

use super::Error;
use super::letters::{is_turkish, is_vowel, lower};
use crate::report::DecimalMark;

const UNITS: [&str; 10] = ["sıfır", "bir", "iki", "üç", "dört", "beş", "altı", "yedi", "sekiz", "dokuz"];
const TENS: [&str; 10] = ["", "on", "yirmi", "otuz", "kırk", "elli", "altmış", "yetmiş", "seksen", "doksan"];
const SCALES: [&str; 6] = ["", "bin", "milyon", "milyar", "trilyon", "katrilyon"];

/// Unit signs that the reports print, each with the word that is read.
const UNIT_SIGNS: [(&str, &str); 10] = [
    ("ms", "milisaniye"),
    ("sn", "saniye"),
    ("dk", "dakika"),
    ("sa", "saat"),
    ("B", "bayt"),
    ("kB", "kilobayt"),
    ("MB", "megabayt"),
    ("GB", "gigabayt"),
    ("TB", "terabayt"),
    ("PB", "petabayt"),
];

/// Loans whose suffixes have front vowels though their last vowel is a back one: saatte, kontrolü.
const FRONTED: [&str; 16] = [
    "dikkat", "final", "harf", "hayal", "ideal", "ihmal", "ihtimal", "kabul", "kontrol", "metal", "normal",
    "protokol", "rol", "saat", "sembol", "sinyal",
];

/// Stems that change in front of a vowel: word, the end that goes, what comes. `k` to `ğ` is a rule, not listed.
const CHANGING: [(&str, &str, &str); 14] = [
    ("adet", "t", "d"),
    ("amaç", "ç", "c"),
    ("araç", "ç", "c"),
    ("dört", "t", "d"),
    ("hesap", "p", "b"),
    ("isim", "im", "m"),
    ("kayıp", "ıp", "b"),
    ("kitap", "p", "b"),
    ("metin", "in", "n"),
    ("renk", "k", "g"),
    ("resim", "im", "m"),
    ("sonuç", "ç", "c"),
    ("süreç", "ç", "c"),
    ("şekil", "il", "l"),
];

/// The last word that is read, and what that says about the apostrophe.
pub(super) enum LastWord<'a> {
    /// A sign (digits, level, unit sign) stands for the word: the suffix follows an apostrophe.
    Read(&'static str),
    /// The text ends in the word itself: no apostrophe.
    WrittenOut(&'a str),
}

/// Finds the last word read. Without a `mark`, the shape of the numeral tells comma from point.
pub(super) fn last_word(text: &str, mark: Option<DecimalMark>) -> Result<LastWord<'_>, Error> {
    let not_a_numeral = || Error::NotANumeral { text: text.to_owned() };
    let (label, token) = match text.rsplit_once(char::is_whitespace) {
        Some((label, token)) => (Some(label), token),
        None => (None, text),
    };
    // "93 saniye", "9,9 MB", "1 sa 12 dk": a unit, with its number in front.
    if let Some(amount) = label
        && let Some(unit) = unit(token)
    {
        let number = amount.rsplit(char::is_whitespace).next().unwrap_or_default();
        return last_digits(number, None, mark).map(|_| unit).ok_or_else(not_a_numeral);
    }
    // "Tablo 4.3", "24 Ekim 2025", "2 × 10⁻⁴", "p = 0,013": a word or sign that is read before a numeral. After
    // anything else ("12 400", "[0,61; 0,67") the last token is not all that is read.
    if label.is_some_and(|label| !label.ends_with(|c: char| c.is_alphabetic() || "×=".contains(c))) {
        return Err(not_a_numeral());
    }
    let digits = match exponent(token) {
        Some(exponent) => exponent,
        None => last_digits(token, label, mark).ok_or_else(not_a_numeral)?,
    };
    match last_word_of_digits(&digits) {
        Some(word) => Ok(LastWord::Read(word)),
        None => Err(Error::TooLarge { text: text.to_owned() }),
    }
}

/// `word` as it stands before a suffix that begins with a vowel: örnek -> örneğ, kayıp -> kayb.
pub(super) fn soften(word: &str) -> String {
    let last = lower(word.rsplit(char::is_whitespace).next().unwrap_or_default());
    if let Some((_, goes, comes)) = CHANGING.iter().find(|(listed, ..)| *listed == last)
        && let Some(stem) = word.strip_suffix(goes)
    {
        return format!("{stem}{comes}");
    }
    let syllables = last.chars().filter(|letter| is_vowel(*letter)).count();
    if syllables > 1
        && last.strip_suffix('k').is_some_and(|stem| stem.ends_with(is_vowel))
        && let Some(stem) = word.strip_suffix('k')
    {
        return format!("{stem}ğ");
    }
    word.to_owned()
}

/// Whether the lower-case word takes front suffixes against its last vowel.
pub(super) fn is_fronted(word: &str) -> bool {
    FRONTED.contains(&word)
}

/// The unit at the end of a quantity: a known sign, or any noun in lower-case Turkish letters.
fn unit(token: &str) -> Option<LastWord<'_>> {
    if let Some((_, word)) = UNIT_SIGNS.iter().find(|(sign, _)| *sign == token) {
        return Some(LastWord::Read(word));
    }
    let noun = token.chars().all(is_turkish) && token.chars().any(is_vowel);
    noun.then_some(LastWord::WrittenOut(token))
}

/// The digits of the exponent in `10⁻⁴`, which is read last ("on üzeri eksi dört").
fn exponent(token: &str) -> Option<String> {
    const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = token.strip_prefix("10")?;
    let raised = raised.strip_prefix('⁻').unwrap_or(raised);
    let digit =
        |sign| SUPERSCRIPTS.iter().position(|s| *s == sign).and_then(|d| char::from_digit(d as u32, 10));
    raised.chars().map(digit).collect::<Option<String>>().filter(|digits| !digits.is_empty())
}

/// The digits that are read last: those of the fraction, of the last part of a section number, or all.
/// `None` if the token is no numeral. Digits that are too many are kept: the caller tells.
fn last_digits(token: &str, label: Option<&str>, mark: Option<DecimalMark>) -> Option<String> {
    // A1, B2, C1, H100: one capital and a number. Tablo E.1: the same in an appendix.
    if let Some(number) = token.strip_prefix(|c: char| c.is_ascii_uppercase()) {
        let number = if label.is_some() { number.strip_prefix('.').unwrap_or(number) } else { number };
        return is_digits(number).then(|| number.to_owned());
    }
    let body = unsigned(token);
    if let Some((whole, fraction)) = body.split_once(',') {
        let parts: Vec<&str> = whole.split('.').collect();
        let is_whole = is_digits(whole) || is_grouped(&parts);
        return (mark != Some(DecimalMark::Point) && is_whole && is_digits(fraction))
            .then(|| longer(parts.concat(), fraction));
    }
    let parts: Vec<&str> = body.split('.').collect();
    if !parts.iter().all(|part| is_digits(part)) {
        return None;
    }
    let is_section = label.is_some();
    match parts.as_slice() {
        [whole] => Some((*whole).to_owned()),
        [whole, fraction] if mark == Some(DecimalMark::Point) => Some(longer((*whole).to_owned(), fraction)),
        parts if is_grouped(parts) => Some(parts.concat()),
        [whole, fraction] if mark.is_none() || is_section => Some(longer((*whole).to_owned(), fraction)),
        [.., last] if is_section => Some((*last).to_owned()),
        _ => None,
    }
}

/// `fraction`, unless the whole before it is already beyond reading.
fn longer(whole: String, fraction: &str) -> String {
    if last_word_of_digits(&whole).is_none() { whole } else { fraction.to_owned() }
}

/// The token without one sign and one percent sign, in either order: `-%5,2` and `%-5,2` are both met.
fn unsigned(token: &str) -> &str {
    let no_sign = |text| str::strip_prefix(text, ['-', '−', '+']);
    match token.strip_prefix('%') {
        Some(rest) => no_sign(rest).unwrap_or(rest),
        None => no_sign(token).map_or(token, |rest| rest.strip_prefix('%').unwrap_or(rest)),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the parts between dots are groups of thousands: 1.250.000, but not 0.480.
fn is_grouped(parts: &[&str]) -> bool {
    let (first, rest) = parts.split_at(1);
    first.iter().all(|part| is_digits(part) && part.len() <= 3 && !part.starts_with('0'))
        && !rest.is_empty()
        && rest.iter().all(|part| is_digits(part) && part.len() == 3)
}

/// The last word of a whole number; zeros in front are not read. `None` above 10^15.
fn last_word_of_digits(digits: &str) -> Option<&'static str> {
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    let zeros = digits.len() - significant.len();
    if digits.len() > 15 && !(significant == "1" && zeros == 15) {
        return None;
    }
    let Some(last) = significant.bytes().next_back() else { return Some(UNITS[0]) };
    let last = usize::from(last - b'0');
    Some(match zeros {
        0 => UNITS[last],
        1 => TENS[last],
        2 => "yüz",
        _ => SCALES[zeros / 3],
    })
}

//! Numbers as the thesis prints them: `1,95`, `%44,1`, `12.400`, `93 saniye`, `9,9 MB`, `24 Ekim 2025`.
//!
//! Rounding, stated once: half to even, on the decimal value that the number shows. A `f64` shows its shortest
//! decimal expansion that reads back as itself, the one that the record prints. So 2.675 is 2,68 although the
//! nearest `f64` lies a little below and `format!("{:.2}")` says 2.67; and 0.125, a true tie, is 0,12. A reader
//! who rounds the record's digits by hand gets the document's digits. Factors (percent, megabytes) move the
//! decimal mark and never multiply in `f64`, where 0.575 * 100 is 57.49999999999999.
//!
//! The minus sign is U+2212, as typography has it; zero has no sign, so there is no `−0,00`. The percent sign
//! stands in front, the minus before it (CLDR's Turkish pattern): `−%5,2`.

mod decimal;
mod units;

use super::DecimalMark;
use super::turkish;
use chrono::DateTime;
use decimal::Decimal;

/// Why a number could not be printed. Every message is one line and names the value.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// NaN or an infinity.
    #[error("cannot print {value}: expected a finite number")]
    NotFinite {
        /// What was given.
        value: f64,
    },
    /// The value has no meaning for this quantity.
    #[error("cannot print {value} as {quantity}: expected {expected}")]
    OutOfRange {
        /// What was given.
        value: f64,
        /// The quantity that was asked for.
        quantity: &'static str,
        /// The values it can have.
        expected: &'static str,
    },
    /// More decimals than a `f64` knows.
    #[error("cannot print {value} with {digits} decimals: expected at most {MAX_DIGITS}")]
    TooManyDigits {
        /// What was given.
        value: f64,
        /// The decimals that were asked for.
        digits: usize,
    },
    /// A time that is not in RFC 3339.
    #[error("cannot read the time {text:?}: expected RFC 3339 such as 2025-10-24T14:05:00+03:00 ({reason})")]
    NotATime {
        /// What was given.
        text: String,
        /// What the parser says.
        reason: chrono::ParseError,
    },
}

impl From<Error> for crate::error::Error {
    fn from(error: Error) -> Self {
        crate::error::Error::Report(error.to_string())
    }
}

/// The decimals that a `f64` can mean.
pub const MAX_DIGITS: usize = 15;

/// The look of all numbers of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Style {
    /// The mark between whole and fraction; it also decides about groups.
    pub decimal: DecimalMark,
}

impl Style {
    /// A number with `digits` decimals.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::TooManyDigits`] above [`MAX_DIGITS`].
    ///
    /// ```
    /// use tezgah::report::{DecimalMark, numbers::Style};
    /// # fn main() -> Result<(), tezgah::report::numbers::Error> {
    /// let style = Style::default();
    /// assert_eq!(style.number(0.125, 2)?, "0,12"); // a tie goes to the even digit
    /// assert_eq!(style.number(2.675, 2)?, "2,68"); // 7 is odd
    /// assert_eq!(style.number(-12400.56, 1)?, "−12.400,6");
    /// assert_eq!(style.number(-0.001, 2)?, "0,00");
    /// assert_eq!(Style { decimal: DecimalMark::Point }.number(12400.56, 1)?, "12400.6");
    /// # Ok(())
    /// # }
    /// ```
    pub fn number(self, value: f64, digits: usize) -> Result<String, Error> {
        let rounded = Decimal::shown(value)?.rounded(checked_digits(value, digits)?);
        Ok(format!("{}{}", rounded.sign(), self.unsigned(&rounded, digits)))
    }

    /// A fraction of one in percent with `digits` decimals.
    ///
    /// # Errors
    /// As [`Style::number`].
    ///
    /// ```
    /// use tezgah::report::numbers::Style;
    /// # fn main() -> Result<(), tezgah::report::numbers::Error> {
    /// assert_eq!(Style::default().percent(0.441, 1)?, "%44,1");
    /// assert_eq!(Style::default().percent(-0.052, 1)?, "−%5,2");
    /// # Ok(())
    /// # }
    /// ```
    pub fn percent(self, fraction: f64, digits: usize) -> Result<String, Error> {
        let rounded = Decimal::shown(fraction)?.times_ten_to(2).rounded(checked_digits(fraction, digits)?);
        Ok(format!("{}%{}", rounded.sign(), self.unsigned(&rounded, digits)))
    }

    /// A count.
    ///
    /// ```
    /// use tezgah::report::numbers::Style;
    /// assert_eq!(Style::default().count(1_250_000), "1.250.000");
    /// assert_eq!(Style::default().count(640), "640");
    /// ```
    pub fn count(self, count: u64) -> String {
        self.unsigned(&Decimal::of_count(count), 0)
    }

    /// A very small or large number, such as a learning rate, with at most two decimals before the power of ten.
    ///
    /// Zeros at the end of the decimals are dropped; a number from 1 to below 10 has no power.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    ///
    /// ```
    /// use tezgah::report::numbers::Style;
    /// # fn main() -> Result<(), tezgah::report::numbers::Error> {
    /// assert_eq!(Style::default().scientific(2e-4)?, "2 × 10⁻⁴");
    /// assert_eq!(Style::default().scientific(1.9608e-4)?, "1,96 × 10⁻⁴");
    /// # Ok(())
    /// # }
    /// ```
    pub fn scientific(self, value: f64) -> Result<String, Error> {
        let shown = Decimal::shown(value)?;
        if shown.is_zero() {
            return Ok("0".to_owned());
        }
        let mut power = shown.power();
        let mut mantissa = shown.times_ten_to(-power).rounded(2);
        if mantissa.whole() == 10 {
            // 9,996 rounds into the next power.
            power += 1;
            mantissa = mantissa.times_ten_to(-1);
        }
        let printed = self.unsigned(&mantissa, 2);
        let printed = printed.trim_end_matches('0').trim_end_matches([',', '.']);
        let sign = mantissa.sign();
        if power == 0 {
            return Ok(format!("{sign}{printed}"));
        }
        Ok(format!("{sign}{printed} × 10{}", superscript(power)))
    }

    /// A p value with three decimals, or `<0,001`.
    ///
    /// Whether it is below a level is asked of the value, never of this text: 0.0496 prints as 0,050.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::OutOfRange`] outside [0, 1].
    ///
    /// ```
    /// use tezgah::report::numbers::Style;
    /// # fn main() -> Result<(), tezgah::report::numbers::Error> {
    /// assert_eq!(Style::default().p_value(0.0132)?, "0,013");
    /// assert_eq!(Style::default().p_value(0.0002)?, "<0,001");
    /// # Ok(())
    /// # }
    /// ```
    pub fn p_value(self, p: f64) -> Result<String, Error> {
        let shown = Decimal::shown(p)?;
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::OutOfRange { value: p, quantity: "a p value", expected: "0 to 1" });
        }
        if p < 0.001 {
            return Ok(format!("<{}", self.number(0.001, 3)?));
        }
        Ok(self.unsigned(&shown.rounded(3), 3))
    }

    /// `number`, which has at most `digits` decimals, without its sign.
    fn unsigned(self, number: &Decimal, digits: usize) -> String {
        let (whole, fraction) = number.parts(digits);
        let (whole, mark) = match self.decimal {
            DecimalMark::Comma => (grouped(&whole), ','),
            DecimalMark::Point => (whole, '.'),
        };
        if digits == 0 { whole } else { format!("{whole}{mark}{fraction}") }
    }
}

/// The day of an RFC 3339 time, on the calendar of the time's own offset: `24 Ekim 2025`.
///
/// # Errors
/// [`Error::NotATime`].
///
/// ```
/// # fn main() -> Result<(), tezgah::report::numbers::Error> {
/// assert_eq!(tezgah::report::numbers::date("2025-10-24T23:30:00+03:00")?, "24 Ekim 2025");
/// # Ok(())
/// # }
/// ```
pub fn date(time: &str) -> Result<String, Error> {
    DateTime::parse_from_rfc3339(time)
        .map(|time| turkish::date(time.date_naive()))
        .map_err(|reason| Error::NotATime { text: time.to_owned(), reason })
}

/// The day and the minute of an RFC 3339 time, by the clock of its own offset: `24 Ekim 2025, 23.30`.
///
/// # Errors
/// [`Error::NotATime`].
///
/// ```
/// # fn main() -> Result<(), tezgah::report::numbers::Error> {
/// assert_eq!(tezgah::report::numbers::date_and_time("2025-10-24T23:30:05+03:00")?, "24 Ekim 2025, 23.30");
/// # Ok(())
/// # }
/// ```
pub fn date_and_time(time: &str) -> Result<String, Error> {
    DateTime::parse_from_rfc3339(time)
        .map(|time| format!("{}, {}", turkish::date(time.date_naive()), time.format("%H.%M")))
        .map_err(|reason| Error::NotATime { text: time.to_owned(), reason })
}

fn checked_digits(value: f64, digits: usize) -> Result<usize, Error> {
    if digits > MAX_DIGITS { Err(Error::TooManyDigits { value, digits }) } else { Ok(digits) }
}

/// Digits in groups of three from the right.
fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('.');
        }
        text.push(digit);
    }
    text
}

/// A whole number in superscript digits: `⁻⁴`.
pub(crate) fn superscript(power: i32) -> String {
    const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    power
        .to_string()
        .bytes()
        .map(|b| if b == b'-' { '⁻' } else { SUPERSCRIPTS[usize::from(b - b'0')] })
        .collect()
}

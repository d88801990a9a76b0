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

use chrono::DateTime;

use super::turkish;
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
    /// An interval whose ends are exchanged.
    #[error("cannot print the interval [{low}; {high}]: expected its lower end first")]
    ReversedInterval {
        /// The first end.
        low: f64,
        /// The second end.
        high: f64,
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

/// The decimals that a `f64` can mean.
pub const MAX_DIGITS: usize = 15;

/// The mark between whole and fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum DecimalMark {
    /// `12.400,5`: the comma of Turkish spelling, thousands grouped by dots.
    #[default]
    Comma,
    /// `12400.5`: the point, and no groups, whose mark would be one of the two.
    Point,
}

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
    /// use tezgah::report::numbers::{DecimalMark, Style};
    /// # fn main() -> Result<(), tezgah::report::numbers::Error> {
    /// let style = Style::default();
    /// assert_eq!(style.sayi(0.125, 2)?, "0,12"); // a tie goes to the even digit
    /// assert_eq!(style.sayi(2.675, 2)?, "2,68"); // 7 is odd
    /// assert_eq!(style.sayi(-12400.56, 1)?, "−12.400,6");
    /// assert_eq!(style.sayi(-0.001, 2)?, "0,00");
    /// assert_eq!(Style { decimal: DecimalMark::Point }.sayi(12400.56, 1)?, "12400.6");
    /// # Ok(())
    /// # }
    /// ```
    pub fn sayi(self, value: f64, digits: usize) -> Result<String, Error> {
        let rounded = Decimal::shown(value)?.rounded(checked_digits(value, digits)?);
        Ok(format!("{}{}", rounded.sign(), self.unsigned(&rounded, digits)))
    }

    /// A fraction of one in percent with `digits` decimals.
    ///
    /// # Errors
    /// As [`Style::sayi`].
    ///
    /// ```
    /// use tezgah::report::numbers::Style;
    /// # fn main() -> Result<(), tezgah::report::numbers::Error> {
    /// assert_eq!(Style::default().yuzde(0.441, 1)?, "%44,1");
    /// assert_eq!(Style::default().yuzde(-0.052, 1)?, "−%5,2");
    /// # Ok(())
    /// # }
    /// ```
    pub fn yuzde(self, fraction: f64, digits: usize) -> Result<String, Error> {
        let rounded = Decimal::shown(fraction)?.times_ten_to(2).rounded(checked_digits(fraction, digits)?);
        Ok(format!("{}%{}", rounded.sign(), self.unsigned(&rounded, digits)))
    }

    /// A count.
    ///
    /// ```
    /// use tezgah::report::numbers::Style;
    /// assert_eq!(Style::default().tamsayi(1_250_000), "1.250.000");
    /// assert_eq!(Style::default().tamsayi(640), "640");
    /// ```
    pub fn tamsayi(self, count: u64) -> String {
        self.unsigned(&Decimal::of_count(count), 0)
    }

    /// A duration in seconds, as exactly as a reader wants it; rounded first, then put into words.
    ///
    /// | from | printed |
    /// |---|---|
    /// | 0 | `0 saniye` |
    /// | above 0 | `1 milisaniyeden kısa` |
    /// | 1 ms | `420 milisaniye` |
    /// | 1 s | `3,4 saniye`, whole seconds without `,0` |
    /// | 10 s | `93 saniye` |
    /// | 2 min | `2 dk 30 sn` |
    /// | 1 h | `1 sa 12 dk` |
    /// | 1 day | `1 gün 3 sa` |
    ///
    /// A unit that stands alone is written out: `2 dakika`, `1 saat`, `3 gün`.
    ///
    /// # Errors
    /// [`Error::NotFinite`]; [`Error::OutOfRange`] for a negative duration or one of 10^12 s or more.
    ///
    /// ```
    /// use tezgah::report::numbers::Style;
    /// # fn main() -> Result<(), tezgah::report::numbers::Error> {
    /// assert_eq!(Style::default().sure(93.2)?, "93 saniye");
    /// assert_eq!(Style::default().sure(4325.0)?, "1 sa 12 dk");
    /// assert_eq!(Style::default().sure(0.42)?, "420 milisaniye");
    /// # Ok(())
    /// # }
    /// ```
    pub fn sure(self, seconds: f64) -> Result<String, Error> {
        let shown = Decimal::shown(seconds)?;
        if !(0.0..1e12).contains(&seconds) {
            let (quantity, expected) = ("a duration in seconds", "0 or more and below 10^12");
            return Err(Error::OutOfRange { value: seconds, quantity, expected });
        }
        if seconds == 0.0 {
            return Ok("0 saniye".to_owned());
        }
        let milliseconds = shown.times_ten_to(3).rounded(0).whole();
        if seconds < 0.001 {
            return Ok("1 milisaniyeden kısa".to_owned());
        }
        if milliseconds < 1000 {
            return Ok(format!("{milliseconds} milisaniye"));
        }
        let tenths = shown.times_ten_to(1).rounded(0).whole();
        if tenths < 100 && tenths % 10 != 0 {
            return Ok(format!("{} saniye", self.unsigned(&shown.rounded(1), 1)));
        }
        let whole = shown.rounded(0).whole();
        if whole < 120 {
            return Ok(format!("{whole} saniye"));
        }
        if whole < 3600 {
            return Ok(self.two_units(whole, 60, ["dakika", "dk", "sn"]));
        }
        // From the seconds themselves, not from `whole`: 3689,6 s is nearer to 61 min than to 62.
        let minutes = seconds_in(&shown, 60);
        if minutes < 24 * 60 {
            return Ok(self.two_units(minutes, 60, ["saat", "sa", "dk"]));
        }
        Ok(self.two_units(seconds_in(&shown, 3600), 24, ["gün", "gün", "sa"]))
    }

    /// A size with one decimal in decimal units: kB = 10^3, MB = 10^6, GB = 10^9, as model hubs and disks count,
    /// not 2^10.
    ///
    /// ```
    /// use tezgah::report::numbers::Style;
    /// assert_eq!(Style::default().boyut(9_912_345), "9,9 MB");
    /// assert_eq!(Style::default().boyut(2_471_645_608), "2,5 GB");
    /// assert_eq!(Style::default().boyut(640), "640 B");
    /// ```
    pub fn boyut(self, bytes: u64) -> String {
        if bytes < 1000 {
            return format!("{bytes} B");
        }
        let exact = Decimal::of_count(bytes);
        // The first unit in which the rounded size stays below 1000: 999 950 B is 1,0 MB and not 1000,0 kB.
        let units = [("kB", -3), ("MB", -6), ("GB", -9), ("TB", -12), ("PB", -15), ("EB", -18)];
        let scaled = units.map(|(unit, power)| (unit, exact.times_ten_to(power).rounded(1)));
        let fits = scaled.iter().find(|(_, size)| size.whole() < 1000).unwrap_or(&scaled[5]);
        format!("{} {}", self.unsigned(&fits.1, 1), fits.0)
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
    /// assert_eq!(Style::default().bilimsel(2e-4)?, "2 × 10⁻⁴");
    /// assert_eq!(Style::default().bilimsel(1.9608e-4)?, "1,96 × 10⁻⁴");
    /// # Ok(())
    /// # }
    /// ```
    pub fn bilimsel(self, value: f64) -> Result<String, Error> {
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
    /// assert_eq!(Style::default().p_degeri(0.0132)?, "0,013");
    /// assert_eq!(Style::default().p_degeri(0.0002)?, "<0,001");
    /// # Ok(())
    /// # }
    /// ```
    pub fn p_degeri(self, p: f64) -> Result<String, Error> {
        let shown = Decimal::shown(p)?;
        if !(0.0..=1.0).contains(&p) {
            return Err(Error::OutOfRange { value: p, quantity: "a p value", expected: "0 to 1" });
        }
        if p < 0.001 {
            return Ok(format!("<{}", self.sayi(0.001, 3)?));
        }
        Ok(self.unsigned(&shown.rounded(3), 3))
    }

    /// An interval with `digits` decimals; the semicolon because a comma is taken.
    ///
    /// # Errors
    /// As [`Style::sayi`]; [`Error::ReversedInterval`] if `low` is above `high`.
    ///
    /// ```
    /// use tezgah::report::numbers::Style;
    /// # fn main() -> Result<(), tezgah::report::numbers::Error> {
    /// assert_eq!(Style::default().aralik(0.6104, 0.67, 2)?, "[0,61; 0,67]");
    /// # Ok(())
    /// # }
    /// ```
    pub fn aralik(self, low: f64, high: f64, digits: usize) -> Result<String, Error> {
        let (printed_low, printed_high) = (self.sayi(low, digits)?, self.sayi(high, digits)?);
        if low > high {
            return Err(Error::ReversedInterval { low, high });
        }
        Ok(format!("[{printed_low}; {printed_high}]"))
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

    /// A duration in a large and a small unit, `size` of the small in a large; `[written out, large, small]`.
    fn two_units(self, small_units: u64, size: u64, [alone, large, small]: [&str; 3]) -> String {
        let count = self.tamsayi(small_units / size);
        match small_units % size {
            0 => format!("{count} {alone}"),
            rest => format!("{count} {large} {rest} {small}"),
        }
    }
}

/// The day of an RFC 3339 time, on the calendar of the time's own offset: `24 Ekim 2025`.
///
/// # Errors
/// [`Error::NotATime`].
///
/// ```
/// # fn main() -> Result<(), tezgah::report::numbers::Error> {
/// assert_eq!(tezgah::report::numbers::tarih("2025-10-24T23:30:00+03:00")?, "24 Ekim 2025");
/// # Ok(())
/// # }
/// ```
pub fn tarih(time: &str) -> Result<String, Error> {
    DateTime::parse_from_rfc3339(time)
        .map(|time| turkish::date(time.date_naive()))
        .map_err(|reason| Error::NotATime { text: time.to_owned(), reason })
}

fn checked_digits(value: f64, digits: usize) -> Result<usize, Error> {
    if digits > MAX_DIGITS { Err(Error::TooManyDigits { value, digits }) } else { Ok(digits) }
}

/// Seconds in units of `size` seconds (an even number), half to even.
fn seconds_in(seconds: &Decimal, size: u64) -> u64 {
    let (below, rest) = (seconds.whole() / size, seconds.whole() % size);
    let is_tie = 2 * rest == size && !seconds.has_fraction();
    below + u64::from(if is_tie { below % 2 == 1 } else { 2 * rest >= size })
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

/// A whole number in superscript digits.
fn superscript(power: i32) -> String {
    const SUPERSCRIPTS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    power
        .to_string()
        .bytes()
        .map(|b| if b == b'-' { '⁻' } else { SUPERSCRIPTS[usize::from(b - b'0')] })
        .collect()
}

//! Durations and sizes, in the unit in which a reader takes them in.

use super::decimal::Decimal;
use super::{Error, Style};

impl Style {
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
    /// assert_eq!(Style::default().duration(93.2)?, "93 saniye");
    /// assert_eq!(Style::default().duration(4325.0)?, "1 sa 12 dk");
    /// assert_eq!(Style::default().duration(0.42)?, "420 milisaniye");
    /// # Ok(())
    /// # }
    /// ```
    pub fn duration(self, seconds: f64) -> Result<String, Error> {
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
    /// assert_eq!(Style::default().size(9_912_345), "9,9 MB");
    /// assert_eq!(Style::default().size(2_471_645_608), "2,5 GB");
    /// assert_eq!(Style::default().size(640), "640 B");
    /// ```
    pub fn size(self, bytes: u64) -> String {
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

    /// A duration in a large and a small unit, `size` of the small in a large; `[written out, large, small]`.
    fn two_units(self, small_units: u64, size: u64, [alone, large, small]: [&str; 3]) -> String {
        let count = self.count(small_units / size);
        match small_units % size {
            0 => format!("{count} {alone}"),
            rest => format!("{count} {large} {rest} {small}"),
        }
    }
}

/// Seconds in units of `size` seconds (an even number), half to even.
fn seconds_in(seconds: &Decimal, size: u64) -> u64 {
    let (below, rest) = (seconds.whole() / size, seconds.whole() % size);
    let is_tie = 2 * rest == size && !seconds.has_fraction();
    below + u64::from(if is_tie { below % 2 == 1 } else { 2 * rest >= size })
}

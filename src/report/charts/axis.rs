//! A scale with its ticks: round steps of 1, 2 or 5 times a power of ten, and no more decimals than they need.

use crate::error::{Error, Result};
use crate::report::numbers::{self, Style};

/// Values at least this large, or all below [`SMALLEST_PLAIN`], are printed over a power of ten.
const LARGEST_PLAIN: f64 = 1e5;
const SMALLEST_PLAIN: f64 = 0.01;

/// Where an axis begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// At 0, as bars must.
    Zero,
    /// At a tick just below the data.
    Data,
}

/// One axis of a chart.
pub(super) struct Axis {
    /// What it shows, with its unit and the power of ten of its labels.
    pub(super) title: String,
    /// The ticks' values over the power of ten, and their labels.
    pub(super) ticks: Vec<(f64, String)>,
    low: f64,
    high: f64,
    exponent: i32,
}

impl Axis {
    /// An axis over measurements. `values` are finite and at least one; `unit` may be empty.
    ///
    /// # Errors
    /// `Error::Report` for a number that cannot be printed.
    pub(super) fn measured(
        quantity: &str,
        unit: &str,
        values: &[f64],
        origin: Origin,
        wanted_ticks: usize,
        style: Style,
    ) -> Result<Self> {
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let exponent = if largest >= LARGEST_PLAIN || (largest > 0.0 && largest < SMALLEST_PLAIN) {
            // Beyond 10^±300 the power itself would leave the range of f64.
            (largest.log10().floor() as i32).clamp(-300, 300)
        } else {
            0
        };
        let scaled = |value: f64| value / 10_f64.powi(exponent);
        let mut low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let mut high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        (low, high) = (scaled(low), scaled(high));
        if origin == Origin::Zero {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        let width = high.abs().max(low.abs());
        if width == 0.0 {
            high = 1.0;
        } else if high - low <= 1e-9 * width {
            // One value, or values that differ in their last bits only: a scale of some width around them.
            (low, high) = (low - width * 0.1, high + width * 0.1);
        }
        let (step, digits) = round_step((high - low) / wanted_ticks as f64);
        let (first, last) = ((low / step).floor() as i64, (high / step).ceil() as i64);
        let ticks = (first..=last)
            .map(|index| index as f64 * step)
            .map(|tick| Ok((tick, style.number(tick, digits)?)))
            .collect::<Result<Vec<_>>>()?;
        let mut axis = Axis {
            title: String::new(),
            ticks,
            low: first as f64 * step,
            high: last as f64 * step,
            exponent,
        };
        axis.title = axis.titled(quantity, unit);
        Ok(axis)
    }

    /// An axis over optimizer steps from 0 to `last`, which has a tick and ends the axis.
    pub(super) fn steps(title: &str, last: usize, style: Style) -> Self {
        let mut ticks = whole_ticks(0, last, 9);
        // The last step has its number; the tick before it goes where the two would touch.
        if let [.., before, end] = ticks[..]
            && end < last
            && (last - end) * 5 < (end - before) * 3
        {
            ticks.pop();
        }
        if ticks.last() != Some(&last) {
            ticks.push(last);
        }
        Axis::over(title, 0.0, last as f64, ticks, style)
    }

    /// An axis over whole numbers from `first` up to, and without, `end`, each in the middle of its place.
    pub(super) fn counted(title: &str, first: usize, end: usize, style: Style) -> Self {
        Axis::over(title, first as f64 - 0.5, end as f64 - 0.5, whole_ticks(first, end - 1, 10), style)
    }

    fn over(title: &str, low: f64, high: f64, ticks: Vec<usize>, style: Style) -> Self {
        let ticks = ticks.into_iter().map(|tick| (tick as f64, style.count(tick as u64))).collect();
        Axis { title: title.to_string(), ticks, low, high, exponent: 0 }
    }

    /// Where a value lies: 0 at the axis' low end, 1 at its high end.
    pub(super) fn position(&self, value: f64) -> f64 {
        self.share(value / 10_f64.powi(self.exponent))
    }

    /// Where a tick lies.
    pub(super) fn share(&self, tick: f64) -> f64 {
        (tick - self.low) / (self.high - self.low)
    }

    /// The values at the axis' two ends.
    pub(super) fn ends(&self) -> (f64, f64) {
        let power = 10_f64.powi(self.exponent);
        (self.low * power, self.high * power)
    }

    fn titled(&self, quantity: &str, unit: &str) -> String {
        let power = if self.exponent == 0 {
            String::new()
        } else {
            format!("× 10{}", numbers::superscript(self.exponent))
        };
        match [power.as_str(), unit].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>() {
            parts if parts.is_empty() => quantity.to_string(),
            parts => format!("{quantity} ({})", parts.join(" ")),
        }
    }
}

/// Round whole numbers from `first` to `last`.
fn whole_ticks(first: usize, last: usize, wanted: usize) -> Vec<usize> {
    let (step, _) = round_step((last - first).max(1) as f64 / wanted as f64);
    let step = (step as usize).max(1);
    (first.div_ceil(step)..=last / step).map(|index| index * step).collect()
}

/// The smallest of 1, 2, 5 times a power of ten that is no smaller than `step`, and its decimals.
fn round_step(step: f64) -> (f64, usize) {
    let mut power = step.log10().floor() as i32;
    // A hair of room: 0.2 computed as 0.20000000000000004 is still 0.2.
    let mantissa = step / 10_f64.powi(power) * (1.0 - 1e-9);
    let factor = [1.0, 2.0, 5.0].into_iter().find(|&factor| mantissa <= factor).unwrap_or(1.0);
    if mantissa > 5.0 {
        power += 1;
    }
    (factor * 10_f64.powi(power), usize::try_from(-power).unwrap_or(0).min(numbers::MAX_DIGITS))
}

/// A measurement as a label: with `digits` decimals, fewer from 100 on, and with its power of ten where that
/// would show nothing or too much.
///
/// # Errors
/// `Error::Report` where it is not finite.
pub(super) fn amount(value: f64, digits: usize, style: Style) -> Result<String> {
    let digits = match value.abs() {
        large if large >= 1000.0 => 0,
        large if large >= 100.0 => digits.min(1),
        _ => digits,
    };
    let is_lost = value != 0.0 && value.abs() < 0.5 * 10_f64.powi(-(digits as i32));
    if value.abs() >= LARGEST_PLAIN || is_lost {
        style.scientific(value)
    } else {
        style.number(value, digits)
    }
    .map_err(Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    fn measured(values: &[f64], origin: Origin) -> Axis {
        Axis::measured("Kayıp", "nat/belirteç", values, origin, 6, Style::default()).expect("finite values")
    }

    #[test]
    fn ticks_are_round_and_short() {
        let axis = measured(&[1.16, 2.47], Origin::Data);
        assert_eq!(labels(&axis), ["1,0", "1,5", "2,0", "2,5"]);
        assert_eq!(
            labels(&measured(&[0.012, 0.29], Origin::Zero)),
            ["0,00", "0,05", "0,10", "0,15", "0,20", "0,25", "0,30"]
        );
        assert_eq!(
            labels(&measured(&[0.0, 19_684.0], Origin::Zero)),
            ["0", "5.000", "10.000", "15.000", "20.000"]
        );
        assert_eq!(axis.position(1.0), 0.0);
        assert_eq!(axis.position(2.5), 1.0);
        assert_eq!(axis.title, "Kayıp (nat/belirteç)");
    }

    #[test]
    fn small_and_large_values_share_a_power_of_ten() {
        let axis = measured(&[2e-6, 2e-4], Origin::Zero);
        assert_eq!(axis.title, "Kayıp (× 10⁻⁴ nat/belirteç)");
        assert_eq!(labels(&axis), ["0,0", "0,5", "1,0", "1,5", "2,0"]);
        assert_eq!(axis.position(1e-4), 0.5);
        let axis = measured(&[f64::MIN_POSITIVE, f64::MAX], Origin::Data);
        assert!(axis.title.contains("10³⁰⁰"), "{}", axis.title);
        assert!(axis.ticks.iter().all(|(tick, _)| (0.0..=1.0).contains(&axis.share(*tick))));
    }

    #[test]
    fn one_value_gets_a_scale_around_it() {
        for value in [2.31, -4.0, 0.0, 1e12, 1e-9] {
            let axis = measured(&[value, value], Origin::Data);
            assert!((0.0..=1.0).contains(&axis.position(value)), "{value} at {}", axis.position(value));
            assert!((3..12).contains(&axis.ticks.len()), "{value}: {:?}", labels(&axis));
        }
        assert_eq!(labels(&measured(&[0.0], Origin::Data))[0], "0,0", "a loss is never negative");
    }

    #[test]
    fn the_last_step_has_its_number() {
        let steps =
            |last| Axis::steps("Adım", last, Style::default()).ticks.into_iter().map(|(_, label)| label);
        assert_eq!(steps(87).collect::<Vec<_>>().join(" "), "0 10 20 30 40 50 60 70 80 87");
        assert_eq!(steps(81).collect::<Vec<_>>().join(" "), "0 10 20 30 40 50 60 70 81");
        assert_eq!(steps(2).collect::<Vec<_>>().join(" "), "0 1 2");
        assert_eq!(steps(12_500).next_back().as_deref(), Some("12.500"));
    }
}

//! How many decimals a number needs to say what it must.

use super::Printed;
use crate::report::numbers::Style;

/// The most decimals to which a number is printed longer than asked, so that it shows what it must.
pub(super) const MOST_DECIMALS: usize = 6;

/// The number with `digits` decimals, or as many more as it needs not to print as zero: a change of 0,02 % is one.
pub(super) fn nonzero(value: f64, digits: usize, print: impl Fn(usize) -> Printed) -> Printed {
    let is_zero = |text: &str| !text.contains(|character: char| ('1'..='9').contains(&character));
    let printed = print(digits)?;
    if value == 0.0 || !is_zero(&printed) {
        return Ok(printed);
    }
    let mut longer = (digits + 1..=MOST_DECIMALS).map(print);
    longer.find(|text| text.as_ref().is_ok_and(|text| !is_zero(text))).unwrap_or(Ok(printed))
}

/// The `fewest` decimals, or more where two numbers that differ would print alike: a text that says "fell from 1,97 to
/// 1,97" says nothing.
pub(super) fn apart(value: f64, other: f64, fewest: usize, print: impl Fn(f64, usize) -> Printed) -> Printed {
    for digits in fewest..=MOST_DECIMALS {
        let text = print(value, digits)?;
        if value == other || text != print(other, digits)? {
            return Ok(text);
        }
    }
    print(value, fewest)
}

/// `1,24 milyar`, `90,2 milyon`, and below a million the count itself.
pub(super) fn in_words(style: Style, count: u64) -> Printed {
    let (unit, word) = match count {
        1_000_000_000.. => (1e9, "milyar"),
        1_000_000.. => (1e6, "milyon"),
        _ => return Ok(style.count(count)),
    };
    let scaled = count as f64 / unit;
    // Three digits in all: 1,24; 90,2; 135.
    let digits = if scaled < 9.995 { 2 } else { usize::from(scaled < 99.95) };
    Ok(format!("{} {word}", style.number(scaled, digits)?))
}

/// The number with the fewest decimals, up to `most`, that say as much as `most` do: 0,05 and not 0,0500.
pub(super) fn shortest(most: usize, print: impl Fn(usize) -> Printed) -> Printed {
    let longest = print(most)?;
    let zeros = longest.len() - longest.trim_end_matches('0').len();
    print(most - zeros.min(most))
}

/// Decimals that leave two significant digits of a percentage, none from 10 % on: 67; 5,4; 0,31.
pub(super) fn two_significant(fraction: f64) -> usize {
    let percent = (fraction * 100.0).abs();
    if percent == 0.0 || !percent.is_finite() {
        return 0;
    }
    (1 - percent.log10().floor() as i32).clamp(0, 6) as usize
}

//! Percentages and p values, in the forms that sentences and tables have them in.

use super::Printed;
use super::decimals::nonzero;
use crate::report::numbers::Style;

/// A percentage; see [`nonzero`].
pub(super) fn percent(style: Style, fraction: f64, digits: usize) -> Printed {
    nonzero(fraction, digits, |digits| style.percent(fraction, digits))
}

/// The number of a percentage.
pub(super) fn percent_without_sign(style: Style, fraction: f64, digits: usize) -> Printed {
    Ok(style.percent(fraction, digits)?.replace('%', ""))
}

/// `0,013`, or `< 0,001`.
pub(super) fn p_value(style: Style, p: f64) -> Printed {
    Ok(style.p_value(p)?.replacen('<', "< ", 1))
}

/// `= 0,013`, or `< 0,001`.
pub(super) fn p_relation(style: Style, p: f64) -> Printed {
    let p = p_value(style, p)?;
    Ok(if p.starts_with('<') { p } else { format!("= {p}") })
}

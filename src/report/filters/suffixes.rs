//! Filters that put a Turkish suffix on a printed number.

use super::{quantity_of, refused};
use crate::report::DecimalMark;
use crate::report::numbers::Style;
use crate::report::trace::{self, END};
use crate::report::turkish::{self, Case};
use minijinja::{Environment, Error, Value};

/// Adds `ek`, `iyelik` and `kacinda`.
pub(super) fn add(environment: &mut Environment<'_>, mark: DecimalMark) {
    let possessive = move |number: &str, case| turkish::possessive_suffix_with_mark(number, mark, case);
    environment.add_filter("ek", move |text: &str, case: &str| {
        suffixed(text, case, |number, case| turkish::suffix_with_mark(number, mark, case))
    });
    environment.add_filter("iyelik", move |text: &str, case: &str| suffixed(text, case, possessive));
    environment.add_filter("kacinda", move |part: Value, whole: Value| {
        let (part, whole) = (quantity_of(&part, "kacinda")?, quantity_of(&whole, "kacinda")?);
        if part.value == whole.value {
            return Ok(part.traced("tamamında"));
        }
        let style = Style { decimal: mark };
        let count = style.number(part.real(), 0).map_err(|error| refused(error.to_string()))?;
        suffixed(&part.traced(&count), "de", possessive)
    });
}

/// Puts a suffix on a printed number, behind its end mark where it carries one.
fn suffixed(
    text: &str,
    case: &str,
    suffix: impl Fn(&str, Case) -> Result<String, turkish::Error>,
) -> Result<String, Error> {
    let case: Case = case.parse().map_err(|error: turkish::Error| refused(error.to_string()))?;
    let number = trace::plain(text);
    let whole = suffix(&number, case).map_err(|error| refused(format!("ek: {error}")))?;
    match whole.strip_prefix(number.as_str()) {
        Some(suffix) => Ok(format!("{text}{suffix}")),
        // The stem changed (dakika 1 sa 12 dk never does; örnek -> örneği does): the trace cannot be kept inside.
        None if text.ends_with(END) => {
            let head = text.len() - END.len_utf8() - number.len();
            Ok(format!("{}{whole}{END}", &text[..head]))
        }
        None => Ok(whole),
    }
}

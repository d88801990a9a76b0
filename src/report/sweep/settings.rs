//! How a setting and its value are written: as they are typed, in code.

use crate::record::sweep::{Assignment, Contrast};
use crate::report::markdown;

/// `` `lora.rank=16`, `train.epochs=3.0` `` in a sentence; a dash where nothing varies.
pub(super) fn combination(settings: &[Assignment]) -> String {
    joined(settings, markdown::code)
}

/// The same in a cell of a table.
pub(super) fn cell(settings: &[Assignment]) -> String {
    joined(settings, markdown::cell_code)
}

/// The same in a chart.
pub(super) fn plain(settings: &[Assignment]) -> String {
    joined(settings, str::to_string)
}

fn joined(settings: &[Assignment], written: impl Fn(&str) -> String) -> String {
    let each = settings.iter().map(|of| written(&format!("{}={}", of.path, bare(&of.value))));
    let all: Vec<String> = each.collect();
    if all.is_empty() { "–".into() } else { all.join(", ") }
}

/// `` `lora.rank` (`16` → `128`) ``.
pub(super) fn contrast(contrast: &Contrast) -> String {
    pair(&contrast.path, [&contrast.values[0], &contrast.values[1]])
}

/// The same of any two values.
pub(super) fn pair(path: &str, [first, second]: [&str; 2]) -> String {
    format!("{} ({} → {})", markdown::code(path), value(first), value(second))
}

/// A value in code.
pub(super) fn value(value: &str) -> String {
    markdown::code(bare(value))
}

/// Text without the quotes that the recipe's JSON has around it.
fn bare(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

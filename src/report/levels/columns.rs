//! The levels' columns in the tables of `karsilastirma.md`: both losses before and after, and what the change is.

use crate::record::levels::{LevelEntry, LevelsRecord};
use crate::report::measures::{Mask, level_scores};
use crate::report::quantity::Quantity;
use minijinja::Value;

/// A column a level.
pub(super) fn columns(record: &LevelsRecord) -> Value {
    let [masked, full] = [Mask::Masked, Mask::Full].map(|mask| losses(record, mask));
    let column = |((entry, masked), full): ((&LevelEntry, Value), Value)| {
        let is_tested = record.holm.iter().any(|adjusted| adjusted.level == entry.level);
        Value::from_pairs([
            ("level", Value::from(entry.level.label())),
            ("tested", Value::from(is_tested && entry.statistics.is_some())),
            ("has_commit", Value::from(entry.git_commit.is_some())),
            ("masked", masked),
            ("full", full),
        ])
    };
    record.levels.iter().zip(masked).zip(full).map(column).collect()
}

/// What one loss does in each level's column, with as many digits in a row as its finest needs, and the adjusted p-value of
/// a level that was tested.
fn losses(record: &LevelsRecord, mask: Mask) -> Vec<Value> {
    let levels = record.levels.iter().enumerate();
    let all: Vec<_> = levels.map(|(index, entry)| in_a_column(index, entry, mask)).collect();
    let row = |place: usize| all.iter().filter_map(move |column| Some(column.get(place)?.1.clone()));
    let column = |(entry, own): (&LevelEntry, &Vec<(&'static str, Quantity)>)| {
        let place = record.holm.iter().position(|adjusted| adjusted.level == entry.level);
        let p = place.map(|place| {
            let p = mask.of(record.holm[place].masked, record.holm[place].full);
            ("p", Quantity::new(format!("holm[{place}].{}", mask.name()), p))
        });
        let own = own.iter().cloned().enumerate();
        let own = own.map(|(place, (name, quantity))| (name, quantity.beside(row(place))));
        Value::from_pairs(own.chain(p).map(|(name, quantity)| (name, Value::from(quantity))))
    };
    record.levels.iter().zip(&all).map(column).collect()
}

/// The rows of a level's column under one mask; those of the difference's bounds where it has an interval.
fn in_a_column(index: usize, entry: &LevelEntry, mask: Mask) -> Vec<(&'static str, Quantity)> {
    let both = level_scores(index, entry, mask);
    let difference = both.statistics.map(|statistics| statistics.difference);
    let bound = |field: &str, value: f64| {
        let path = format!("levels[{index}].statistics.{}.difference.{field}", mask.name());
        Quantity::new(path, value).within(difference.as_ref())
    };
    let bounds = difference.map(|of| [("low", bound("low", of.low)), ("high", bound("high", of.high))]);
    let rows = [
        ("before", both.baseline_loss()),
        ("after", both.fine_tuned_loss()),
        ("difference", both.gain()),
        ("change", both.signed_loss_change()),
        ("perplexity_before", both.baseline_perplexity()),
        ("perplexity_after", both.fine_tuned_perplexity()),
    ];
    rows.into_iter().chain(bounds.into_iter().flatten()).collect()
}

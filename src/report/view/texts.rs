//! The measures of the texts as a table has them.

use super::cell;
use crate::error::Result;
use crate::record::RunRecord;
use crate::record::texts::{Measure, System};
use crate::report::charts;
use crate::report::finding::name;
use crate::statistics::Interval;
use minijinja::Value;

/// The systems that have texts, in the order of the columns.
fn columns(record: &RunRecord) -> Vec<System> {
    let measures = || record.texts.iter().flat_map(|texts| &texts.measures);
    let is_present = |system: &System| measures().any(|measured| measured.system == *system);
    System::ALL.into_iter().filter(is_present).collect()
}

/// Their names in Turkish.
pub(super) fn systems(record: &RunRecord) -> Value {
    columns(record).into_iter().map(charts::title).collect()
}

/// A row a measure: its name, and a cell a system with the mean and its interval, or nothing.
///
/// # Errors
/// As [`super::whole`].
pub(super) fn measures(record: &RunRecord) -> Result<Value> {
    let columns = columns(record);
    let Some(texts) = &record.texts else { return Ok(Value::from(Vec::<Value>::new())) };
    rows(&Measure::ALL, &columns, |measure, system| {
        let place = texts.place(measure, *system)?;
        Some((format!("texts.measures[{place}].mean"), texts.measures[place].mean))
    })
}

/// Whether the measure is a part of one, which tables print in percent.
fn is_share(measure: Measure) -> bool {
    use Measure::{AboveLevel, CopiedWords, Distinct2, Repeated4grams, Stopped};
    matches!(measure, AboveLevel | Distinct2 | Repeated4grams | Stopped | CopiedWords)
}

/// A row for each of `measures`: its name, whether it is a share, and a cell a column with the mean and its interval where
/// `mean` has one, by its path.
///
/// # Errors
/// As [`super::whole`].
pub(in crate::report) fn rows<C>(
    measures: &[Measure],
    columns: &[C],
    mean: impl Fn(Measure, &C) -> Option<(String, Interval)>,
) -> Result<Value> {
    let row = |measure: &Measure| -> Result<Value> {
        let cells = columns.iter().map(|column| cell(mean(*measure, column)));
        let cells = cells.collect::<Result<Vec<_>>>()?;
        Ok(Value::from_pairs([
            ("measure", Value::from(name(*measure))),
            ("is_share", Value::from(is_share(*measure))),
            ("cells", Value::from(cells)),
        ]))
    };
    Ok(Value::from(measures.iter().map(row).collect::<Result<Vec<_>>>()?))
}

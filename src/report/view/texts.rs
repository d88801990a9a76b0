//! The measures of the texts as a table has them.

use super::cell;
use crate::error::Result;
use crate::record::RunRecord;
use crate::record::texts::{Measure, System};
use crate::report::charts;
use crate::report::finding::name;
use crate::report::quantity::Quantity;
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
    rows(&Measure::ALL, &columns, Digits::OfEach, |measure, system| {
        let place = texts.place(measure, *system)?;
        Some((format!("texts.measures[{place}].mean"), texts.measures[place].mean))
    })
}

/// Whether the measure is a part of one, which tables print in percent.
fn is_share(measure: Measure) -> bool {
    use Measure::{AboveLevel, CopiedWords, Distinct2, Repeated4grams, Stopped};
    matches!(measure, AboveLevel | Distinct2 | Repeated4grams | Stopped | CopiedWords)
}

/// How many digits the means of a row have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Digits {
    /// As many as its own interval supports, which stands beside it.
    OfEach,
    /// As many as the narrowest of the row's intervals supports, none of which is printed.
    OfTheRow,
}

/// A row for each of `measures`: its name, whether it is a share, and a cell a column with the mean and its interval where
/// `mean` has one, by its path.
///
/// # Errors
/// As [`super::whole`].
pub(in crate::report) fn rows<C>(
    measures: &[Measure],
    columns: &[C],
    digits: Digits,
    mean: impl Fn(Measure, &C) -> Option<(String, Interval)>,
) -> Result<Value> {
    let row = |measure: &Measure| -> Result<Value> {
        let means: Vec<_> = columns.iter().map(|column| mean(*measure, column)).collect();
        let cells = match digits {
            Digits::OfEach => means.into_iter().map(cell).collect::<Result<Vec<_>>>()?,
            Digits::OfTheRow => alike(&means),
        };
        Ok(Value::from_pairs([
            ("measure", Value::from(name(*measure))),
            ("is_share", Value::from(is_share(*measure))),
            ("cells", Value::from(cells)),
        ]))
    };
    Ok(Value::from(measures.iter().map(row).collect::<Result<Vec<_>>>()?))
}

/// Cells of the means alone, with the same digits.
fn alike(means: &[Option<(String, Interval)>]) -> Vec<Value> {
    let estimate = |(path, interval): &(String, Interval)| {
        Quantity::new(format!("{path}.estimate"), interval.estimate).within(Some(interval))
    };
    let row = || means.iter().flatten().map(estimate);
    let cell = |mean: &Option<(String, Interval)>| {
        let estimate = mean.as_ref().map(|mean| Value::from(estimate(mean).beside(row())));
        let mean = estimate.map(|estimate| ("mean", Value::from_pairs([("estimate", estimate)])));
        Value::from_pairs(mean)
    };
    means.iter().map(cell).collect()
}

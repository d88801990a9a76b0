//! The measures of the texts as a table has them.

use crate::error::{Error, Result};
use crate::record::RunRecord;
use crate::record::texts::{Measure, System};
use crate::report::charts;
use crate::report::finding::name;
use crate::report::quantity;
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
    let cell = |measure, system| -> Result<Value> {
        let Some(place) = texts.place(measure, system) else {
            return Ok(Value::from_pairs(Vec::<(&str, Value)>::new()));
        };
        let tree = serde_json::to_value(texts.measures[place].mean)
            .map_err(|error| Error::Report(format!("record: {error}")))?;
        let mean = quantity::view(&format!("texts.measures[{place}].mean"), &tree);
        Ok(Value::from_pairs([("mean", mean)]))
    };
    let row = |measure: Measure| -> Result<Value> {
        let cells = columns.iter().map(|system| cell(measure, *system)).collect::<Result<Vec<_>>>()?;
        Ok(Value::from_pairs([("measure", Value::from(name(measure))), ("cells", Value::from(cells))]))
    };
    Ok(Value::from(Measure::ALL.into_iter().map(row).collect::<Result<Vec<_>>>()?))
}

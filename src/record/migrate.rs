//! Records of older layouts, brought to the newest one on reading. The file on the disk stays as it is.
//!
//! | schema | layout |
//! |---|---|
//! | 0 | the drafts: no `smoke`, outputs without `dtype` and `merged_into`, no `evaluation.statistics` |
//! | 1 | those fields added |
//!
//! A step works on JSON, not on the types: the types know the newest layout only. A new layout adds a step at
//! the end of `STEPS`, a line to the table above and a file to `tests/records-schema/`.

use super::evaluation::{RowScores, statistics_of};
use super::run::SCHEMA;
use serde_json::Value;

/// One layout to the next.
type Step = fn(&mut Value) -> Result<(), String>;

/// Step i leads from schema i to i + 1. Its length is the newest schema, so a forgotten step does not compile.
const STEPS: [Step; SCHEMA as usize] = [from_drafts];

/// `record` in the newest layout; `schema` is its own, at most the newest.
///
/// # Errors
/// A field that a step needs is damaged: its path, expected and got.
pub(super) fn to_newest(mut record: Value, schema: u64) -> Result<Value, String> {
    for (number, step) in (0u64..).zip(STEPS).skip_while(|(number, _)| *number < schema) {
        step(&mut record)?;
        record["schema"] = Value::from(number + 1);
    }
    Ok(record)
}

/// 0 to 1. The drafts told a smoke run by its command line only. Their rows hold all that the statistics are made
/// of, so those are computed as a run of schema 1 would have: same rows, same seed. The type of the stored tensors
/// was not written down anywhere and stays absent.
fn from_drafts(record: &mut Value) -> Result<(), String> {
    if record.get("smoke").is_none() {
        let command = record.pointer("/environment/command").and_then(Value::as_array);
        let is_smoke = command.is_some_and(|words| words.iter().any(|word| word == "--smoke"));
        record["smoke"] = Value::from(is_smoke);
    }
    let seed = record.pointer("/recipe/data/split_seed").and_then(Value::as_u64);
    let (Some(seed), Some(evaluation)) = (seed, record.get_mut("evaluation").and_then(Value::as_object_mut))
    else {
        return Ok(());
    };
    let Some(rows) = evaluation.get("rows").filter(|_| !evaluation.contains_key("statistics")) else {
        return Ok(());
    };
    let rows: Vec<RowScores> =
        serde_json::from_value(rows.clone()).map_err(|error| format!("evaluation.rows: {error}"))?;
    if let Some(statistics) = statistics_of(&rows, seed) {
        let statistics = serde_json::to_value(statistics).map_err(|error| error.to_string())?;
        evaluation.insert("statistics".into(), statistics);
    }
    Ok(())
}

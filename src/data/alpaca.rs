//! Alpaca rows: read from JSON or JSONL, refused with file, row and field where they are wrong, and written
//! again.

use crate::error::{Error, Result};
use crate::sha256;
use serde::Serialize;
use serde_json::{Map, Value};
use std::path::Path;

/// One example: a task, what it is about, and the answer that the model shall learn.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Row {
    /// The task; holds more than white space.
    pub instruction: String,
    /// What the task is about; empty where the task says all.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub input: String,
    /// The answer; holds more than white space.
    pub output: String,
}

/// A file of rows, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFile {
    /// The file as the user named it, or `embedded:a1`.
    pub name: String,
    /// SHA-256 of the file's bytes, as they lie on the disk.
    pub sha256: String,
    /// The rows, in the order of the file.
    pub rows: Vec<Row>,
    /// What each row has besides its three fields: no text of a model, but something to group by.
    pub others: Vec<Map<String, Value>>,
}

/// Reads the rows of the file at `path`; see [`parse`].
///
/// # Errors
/// `Error::File` where it cannot be read, `Error::Data` as in [`parse`].
pub fn read(path: impl AsRef<Path>) -> Result<RowFile> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|source| Error::file(path, source))?;
    parse(&path.display().to_string(), &bytes)
}

/// The rows in `bytes`: a JSON array of objects, or JSONL (one object a line, blank lines allowed).
///
/// Which of the two it is follows from the content. A byte-order mark and CRLF line ends are accepted,
/// unknown fields are kept beside the rows, and an `input` of null counts as none (pandas and datasets write it so). Texts
/// are kept as they are, white space included. `name` goes into the messages and into the record.
///
/// # Errors
/// `Error::Data` with the file, the row from 1 and the field: invalid UTF-8 (with its byte), no JSON (with
/// line and column), no array, no row at all, a row that is no object, an instruction or output that is
/// missing, no string, empty or white space alone, an input that is no string.
pub fn parse(name: &str, bytes: &[u8]) -> Result<RowFile> {
    let refuse = |(row, message)| Error::Data { path: name.to_string(), row, message };
    let rows = values(Error::unless_text(name, bytes)?).map_err(refuse)?;
    if rows.is_empty() {
        return Err(refuse((None, "expected at least one row, got none".into())));
    }
    let rows = rows
        .into_iter()
        .enumerate()
        .map(|(index, value)| row(value).map_err(|message| refuse((Some(index + 1), message))));
    let (rows, others) = rows.collect::<Result<Vec<_>>>()?.into_iter().unzip();
    Ok(RowFile { name: name.to_string(), sha256: sha256::of(bytes), rows, others })
}

/// The rows as an Alpaca JSON array: two spaces of indentation, no `input` where it is empty, a line end at
/// the end. The same rows give the same bytes, and [`parse`] gives the rows back.
pub fn to_json(rows: &[Row]) -> String {
    serde_json::to_string_pretty(rows).expect("rows are strings alone") + "\n"
}

/// What is wrong, and in which row.
type Fault = (Option<usize>, String);

/// One JSON value a row.
fn values(text: &str) -> std::result::Result<Vec<Value>, Fault> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let whole = serde_json::from_str(text);
    let starts_with_a_row = || text.lines().find(|line| !line.trim().is_empty()).is_some_and(is_object);
    match whole {
        Ok(Value::Array(rows)) => Ok(rows),
        // JSONL of one row; any other object is a file of another kind, such as {"data": [...]}.
        Ok(Value::Object(fields)) if FIELDS.iter().any(|field| fields.contains_key(*field)) => {
            Ok(vec![Value::Object(fields)])
        }
        Ok(other) => {
            let expected = "expected a JSON array of rows, or JSONL with a row a line";
            Err((None, format!("{expected}, got {}", describe(&other))))
        }
        Err(_) if starts_with_a_row() => lines(text),
        Err(error) => Err((None, not_json(&error, error.line()))),
    }
}

fn is_object(line: &str) -> bool {
    matches!(serde_json::from_str(line), Ok(Value::Object(_)))
}

fn lines(text: &str) -> std::result::Result<Vec<Value>, Fault> {
    let filled = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows = filled.enumerate().map(|(row, (line, content))| {
        serde_json::from_str(content).map_err(|error| (Some(row + 1), not_json(&error, line + 1)))
    });
    rows.collect()
}

/// serde_json ends its messages with the position; in JSONL its line is always 1, so the position is ours.
fn not_json(error: &serde_json::Error, line: usize) -> String {
    let message = error.to_string();
    let reason = message.split(" at line ").next().unwrap_or(&message);
    format!("expected JSON, got a fault at line {line}, column {}: {reason}", error.column())
}

const FIELDS: [&str; 3] = ["instruction", "input", "output"];

/// A row, and what its object has besides.
fn row(value: Value) -> std::result::Result<(Row, Map<String, Value>), String> {
    let Value::Object(mut fields) = value else {
        return Err(format!("expected an object with instruction and output, got {}", describe(&value)));
    };
    let instruction = required(&mut fields, "instruction")?;
    let output = required(&mut fields, "output")?;
    let input = match fields.remove("input") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(other) => return Err(format!("field input: expected a string, got {}", describe(&other))),
    };
    FIELDS.iter().for_each(|field| drop(fields.remove(*field)));
    Ok((Row { instruction, input, output }, fields))
}

fn required(fields: &mut Map<String, Value>, name: &str) -> std::result::Result<String, String> {
    // A placeholder stays in the field's place, so that a later message can still list all of them.
    let got = match fields.get_mut(name).map(Value::take) {
        Some(Value::String(text)) if !text.trim().is_empty() => return Ok(text),
        Some(Value::String(text)) if text.is_empty() => "an empty one".into(),
        Some(Value::String(_)) => "white space alone".into(),
        Some(other) => describe(&other),
        None if fields.is_empty() => "an object without fields".into(),
        None => format!("only {}", fields.keys().take(8).cloned().collect::<Vec<_>>().join(", ")),
    };
    Err(format!("field {name}: expected a string with text in it, got {got}"))
}

/// A JSON value in a few words, for messages.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(_) => "a string".into(),
        Value::Array(_) => "an array".into(),
        Value::Object(_) => "an object".into(),
    }
}

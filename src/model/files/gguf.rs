//! The GGUF container: a table of metadata and of tensors, then the tensors' bytes.
//!
//! candle has a reader too; it divides by the file's own alignment (a file that says 0 panics) and keeps
//! 32 bytes for every byte of an array, so this one looks at the bytes itself and trusts none of them.
//! Layout: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3.

mod reader;
pub(super) mod llama;
pub(super) mod tokenizer;

use crate::error::{Error, Result};
use crate::model::files::Parsed;
use candle_core::quantized::GgmlDType;
use reader::{Reader, Value};
use std::collections::BTreeMap;
use std::ops::Range;

/// What a GGUF file says about itself; the bytes stay in the file.
#[derive(Debug)]
pub(super) struct Gguf {
    source_name: String,
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, GgufTensor>,
}

/// A tensor of the table.
#[derive(Debug)]
pub(super) struct GgufTensor {
    pub(super) dtype: GgmlDType,
    /// Rows first, as everywhere but in the file.
    pub(super) shape: Vec<usize>,
    /// Its bytes, inside the file.
    pub(super) range: Range<usize>,
}

impl Gguf {
    /// Reads the tables of a whole file.
    ///
    /// # Errors
    /// `Error::Model`: no GGUF, another version, a length or a tensor beyond the end of the file, a tensor
    /// type that candle does not have.
    pub(super) fn read(source_name: &str, bytes: &[u8]) -> Result<Self> {
        let wrong = |message: String| Error::model(source_name, format!("GGUF: {message}"));
        let (metadata, tensors) = read_tables(bytes).map_err(wrong)?;
        Ok(Gguf { source_name: source_name.to_string(), metadata, tensors })
    }

    /// All tensors by their GGUF names, sorted.
    pub(super) fn tensors(&self) -> impl Iterator<Item = (&str, &GgufTensor)> {
        self.tensors.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// One tensor by its GGUF name.
    pub(super) fn tensor(&self, name: &str) -> Option<&GgufTensor> {
        self.tensors.get(name)
    }

    /// A whole number that must not be negative.
    pub(super) fn count(&self, key: &str) -> Result<Option<usize>> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Integer(value)) => match usize::try_from(*value) {
                Ok(count) => Ok(Some(count)),
                Err(_) => Err(self.wrong(key, "a count", &value.to_string())),
            },
            Some(other) => Err(self.wrong(key, "a whole number", other.kind())),
        }
    }

    /// A whole number, which must be there.
    fn needed_count(&self, key: &str) -> Result<usize> {
        self.count(key)?.ok_or_else(|| self.wrong(key, "a whole number", "nothing"))
    }

    /// A number.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Float(value)) => Ok(Some(*value)),
            Some(Value::Integer(value)) => Ok(Some(*value as f64)),
            Some(other) => Err(self.wrong(key, "a number", other.kind())),
        }
    }

    /// True or false.
    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Flag(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(key, "true or false", other.kind())),
        }
    }

    /// A text.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a text", other.kind())),
        }
    }

    /// A list of texts, which must be there.
    pub(super) fn texts(&self, key: &str) -> Result<&[String]> {
        match self.metadata.get(key) {
            Some(Value::Texts(texts)) => Ok(texts),
            other => Err(self.wrong(key, "a list of texts", other.map_or("nothing", Value::kind))),
        }
    }

    /// A list of whole numbers, which must be there.
    pub(super) fn integers(&self, key: &str) -> Result<&[i64]> {
        match self.metadata.get(key) {
            Some(Value::Integers(integers)) => Ok(integers),
            other => Err(self.wrong(key, "a list of whole numbers", other.map_or("nothing", Value::kind))),
        }
    }

    /// The error of a key whose value is not what it must be.
    pub(super) fn wrong(&self, key: &str, expected: &str, got: &str) -> Error {
        Error::model(&self.source_name, format!("GGUF: {key}: expected {expected}, got {got}"))
    }
}

type Tables = (BTreeMap<String, Value>, BTreeMap<String, GgufTensor>);
fn read_tables(bytes: &[u8]) -> Parsed<Tables> {
    let mut reader = Reader::new(bytes);
    let magic = reader.take(4)?;
    if magic != b"GGUF" {
        return Err(format!("expected the file to begin with \"GGUF\", got {magic:?}"));
    }
    let version = reader.u32()?;
    if !(2..=3).contains(&version) {
        return Err(format!("expected version 2 or 3, got {version}"));
    }
    let tensor_count = reader.length(24)?; // name length, dimensions, type, offset
    let metadata_count = reader.length(13)?; // key length, type, one byte
    let mut metadata = BTreeMap::new();
    for _ in 0..metadata_count {
        let key = reader.text()?;
        let kind = reader.u32()?;
        let value = reader.value(kind, 0).map_err(|message| format!("{key}: {message}"))?;
        metadata.insert(key, value);
    }
    let mut table = Vec::new();
    for _ in 0..tensor_count {
        let name = reader.text()?;
        let entry = reader.tensor().map_err(|message| format!("tensor {name}: {message}"))?;
        table.push((name, entry));
    }
    let alignment = match metadata.get("general.alignment") {
        None => 32,
        Some(Value::Integer(alignment)) if (1..=1 << 20).contains(alignment) => *alignment as usize,
        Some(other) => {
            let got = if let Value::Integer(got) = other { got.to_string() } else { other.kind().into() };
            return Err(format!("general.alignment: expected 1 to {}, got {got}", 1 << 20));
        }
    };
    let data_start = reader.at().next_multiple_of(alignment);
    let mut tensors = BTreeMap::new();
    for (name, (dtype, shape, offset)) in table {
        let range = byte_range(dtype, &shape, offset, data_start, bytes.len())
            .map_err(|message| format!("tensor {name}: {message}"))?;
        if tensors.insert(name.clone(), GgufTensor { dtype, shape, range }).is_some() {
            return Err(format!("tensor {name}: expected once, got twice"));
        }
    }
    Ok((metadata, tensors))
}

/// The bytes of a tensor, which must lie inside the file.
fn byte_range(
    dtype: GgmlDType,
    shape: &[usize],
    offset: u64,
    data_start: usize,
    file_size: usize,
) -> Parsed<Range<usize>> {
    let row = shape.last().copied().unwrap_or(0);
    if shape.contains(&0) || !row.is_multiple_of(dtype.block_size()) {
        let block = dtype.block_size();
        return Err(format!("expected rows of a multiple of {block} values, got shape {shape:?}"));
    }
    let too_long =
        || format!("expected inside the file of {file_size} bytes, got shape {shape:?} at {offset}");
    let blocks = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
    let size = blocks.and_then(|count| (count / dtype.block_size()).checked_mul(dtype.type_size()));
    let start = usize::try_from(offset).ok().and_then(|offset| offset.checked_add(data_start));
    let (start, size) = start.zip(size).ok_or_else(too_long)?;
    match start.checked_add(size) {
        Some(end) if end <= file_size => Ok(start..end),
        _ => Err(format!("expected {size} bytes at {start}, got a file of {file_size} bytes; is it whole?")),
    }
}

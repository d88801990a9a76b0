//! The GGUF container: a table of metadata and of tensors, then the tensors' bytes.
//!
//! candle has a reader too; it divides by the file's own alignment (a file that says 0 panics) and keeps
//! 32 bytes for every byte of an array, so this one looks at the bytes itself and trusts none of them.
//! Every length is compared with what is left of the file before anything is allocated.
//! Layout: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>, versions 2 and 3.

use crate::error::{Error, Result};
use candle_core::quantized::GgmlDType;
use std::collections::BTreeMap;
use std::ops::Range;

/// Arrays of arrays of arrays: nobody writes them, and each level is a call on the stack.
const DEEPEST: usize = 4;
/// More dimensions than ggml has.
const MOST_DIMENSIONS: usize = 4;

/// What a GGUF file says about itself; the bytes stay in the file.
#[derive(Debug)]
pub(crate) struct Gguf {
    source_name: String,
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, TensorEntry>,
}

/// A tensor of the table.
#[derive(Debug)]
pub(crate) struct TensorEntry {
    pub(crate) dtype: GgmlDType,
    /// Rows first, as everywhere but in the file.
    pub(crate) shape: Vec<usize>,
    /// Its bytes, inside the file.
    pub(crate) range: Range<usize>,
}

#[derive(Debug)]
enum Value {
    Integer(i128),
    Float(f64),
    Flag(bool),
    Text(String),
    Integers(Vec<i64>),
    Texts(Vec<String>),
    /// Arrays of floats or arrays: part of no key that is asked for.
    Skipped,
}

impl Gguf {
    /// Reads the tables of a whole file.
    ///
    /// # Errors
    /// `Error::Model`: no GGUF, another version, a length or a tensor beyond the end of the file, a tensor
    /// type that candle does not have.
    pub(crate) fn read(source_name: &str, bytes: &[u8]) -> Result<Self> {
        let wrong = |message: String| Error::model(source_name, format!("GGUF: {message}"));
        let (metadata, tensors) = read_tables(bytes).map_err(wrong)?;
        Ok(Gguf { source_name: source_name.to_string(), metadata, tensors })
    }

    /// All tensors by their GGUF names, sorted.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (&str, &TensorEntry)> {
        self.tensors.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    /// One tensor by its GGUF name.
    pub(crate) fn tensor(&self, name: &str) -> Option<&TensorEntry> {
        self.tensors.get(name)
    }

    /// A whole number that must not be negative.
    pub(crate) fn count(&self, key: &str) -> Result<Option<usize>> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Integer(value)) => match usize::try_from(*value) {
                Ok(count) => Ok(Some(count)),
                Err(_) => Err(self.wrong(key, "a count", &value.to_string())),
            },
            Some(other) => Err(self.wrong(key, "a whole number", other.kind())),
        }
    }

    /// A number.
    pub(crate) fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Float(value)) => Ok(Some(*value)),
            Some(Value::Integer(value)) => Ok(Some(*value as f64)),
            Some(other) => Err(self.wrong(key, "a number", other.kind())),
        }
    }

    /// True or false.
    pub(crate) fn flag(&self, key: &str) -> Result<Option<bool>> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Flag(flag)) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(key, "true or false", other.kind())),
        }
    }

    /// A text.
    pub(crate) fn text(&self, key: &str) -> Result<Option<&str>> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a text", other.kind())),
        }
    }

    /// A list of texts, which must be there.
    pub(crate) fn texts(&self, key: &str) -> Result<&[String]> {
        match self.metadata.get(key) {
            Some(Value::Texts(texts)) => Ok(texts),
            other => Err(self.wrong(key, "a list of texts", other.map_or("nothing", Value::kind))),
        }
    }

    /// A list of whole numbers, which must be there.
    pub(crate) fn integers(&self, key: &str) -> Result<&[i64]> {
        match self.metadata.get(key) {
            Some(Value::Integers(integers)) => Ok(integers),
            other => Err(self.wrong(key, "a list of whole numbers", other.map_or("nothing", Value::kind))),
        }
    }

    /// The error of a key whose value is not what it must be.
    pub(crate) fn wrong(&self, key: &str, expected: &str, got: &str) -> Error {
        Error::model(&self.source_name, format!("GGUF: {key}: expected {expected}, got {got}"))
    }
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::Text(_) => "a text",
            Value::Integers(_) => "a list of whole numbers",
            Value::Texts(_) => "a list of texts",
            Value::Skipped => "another list",
        }
    }
}

type Tables = (BTreeMap<String, Value>, BTreeMap<String, TensorEntry>);
type Parsed<T> = std::result::Result<T, String>;

fn read_tables(bytes: &[u8]) -> Parsed<Tables> {
    let mut reader = Reader { bytes, at: 0 };
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
    let data_start = reader.at.next_multiple_of(alignment);
    let mut tensors = BTreeMap::new();
    for (name, (dtype, shape, offset)) in table {
        let range = place(dtype, &shape, offset, data_start, bytes.len())
            .map_err(|message| format!("tensor {name}: {message}"))?;
        if tensors.insert(name.clone(), TensorEntry { dtype, shape, range }).is_some() {
            return Err(format!("tensor {name}: expected once, got twice"));
        }
    }
    Ok((metadata, tensors))
}

/// The bytes of a tensor, which must lie inside the file.
fn place(
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

/// Reads little-endian values and never beyond the end.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Parsed<&'a [u8]> {
        let left = self.bytes.len() - self.at;
        if size > left {
            return Err(format!("expected {size} bytes at {}, got {left}; is the file whole?", self.at));
        }
        self.at += size;
        Ok(&self.bytes[self.at - size..self.at])
    }

    fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u32(&mut self) -> Parsed<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Parsed<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A count of things that take at least `least` bytes each.
    fn length(&mut self, least: usize) -> Parsed<usize> {
        let count = self.u64()?;
        let left = self.bytes.len() - self.at;
        match usize::try_from(count).ok().and_then(|count| count.checked_mul(least)) {
            Some(size) if size <= left => Ok(count as usize),
            _ => {
                Err(format!("expected {count} entries at {}, got {left} bytes; is the file whole?", self.at))
            }
        }
    }

    /// A text; a description that is not quite UTF-8 is no reason to refuse a model.
    fn text(&mut self) -> Parsed<String> {
        let size = self.length(1)?;
        Ok(String::from_utf8_lossy(self.take(size)?).into_owned())
    }

    fn value(&mut self, kind: u32, depth: usize) -> Parsed<Value> {
        Ok(match kind {
            6 => Value::Float(shortest(f32::from_le_bytes(self.array()?))),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            7 => Value::Flag(self.array::<1>()?[0] != 0),
            8 => Value::Text(self.text()?),
            9 => self.list(depth)?,
            _ => Value::Integer(self.integer(kind)?),
        })
    }

    fn integer(&mut self, kind: u32) -> Parsed<i128> {
        Ok(match kind {
            0 => u8::from_le_bytes(self.array()?).into(),
            1 => i8::from_le_bytes(self.array()?).into(),
            2 => u16::from_le_bytes(self.array()?).into(),
            3 => i16::from_le_bytes(self.array()?).into(),
            4 => self.u32()?.into(),
            5 => i32::from_le_bytes(self.array()?).into(),
            10 => self.u64()?.into(),
            11 => i64::from_le_bytes(self.array()?).into(),
            other => return Err(format!("expected a value type from 0 to 12, got {other}")),
        })
    }

    fn list(&mut self, depth: usize) -> Parsed<Value> {
        if depth >= DEEPEST {
            return Err(format!("expected lists at most {DEEPEST} deep"));
        }
        let kind = self.u32()?;
        match kind {
            8 => {
                let count = self.length(8)?;
                let mut texts = Vec::new();
                for _ in 0..count {
                    let size = self.length(1)?;
                    let text = std::str::from_utf8(self.take(size)?);
                    texts.push(text.map_err(|error| format!("entry {}: {error}", texts.len()))?.to_string());
                }
                Ok(Value::Texts(texts))
            }
            9 => {
                for _ in 0..self.length(12)? {
                    self.list(depth + 1)?;
                }
                Ok(Value::Skipped)
            }
            6 | 7 | 12 => {
                let size = match kind {
                    6 => 4,
                    7 => 1,
                    _ => 8,
                };
                let count = self.length(size)?;
                self.take(count * size)?;
                Ok(Value::Skipped)
            }
            _ => {
                let count = self.length(1)?;
                let mut integers = Vec::new();
                for _ in 0..count {
                    let integer = self.integer(kind)?;
                    integers
                        .push(integer.try_into().map_err(|_| format!("expected below 2^63, got {integer}"))?);
                }
                Ok(Value::Integers(integers))
            }
        }
    }

    fn tensor(&mut self) -> Parsed<(GgmlDType, Vec<usize>, u64)> {
        let dimensions = self.u32()? as usize;
        if !(1..=MOST_DIMENSIONS).contains(&dimensions) {
            return Err(format!("expected 1 to {MOST_DIMENSIONS} dimensions, got {dimensions}"));
        }
        let mut shape = Vec::new();
        for _ in 0..dimensions {
            let size = self.u64()?;
            shape.push(usize::try_from(size).map_err(|_| format!("expected a size, got {size}"))?);
        }
        shape.reverse();
        let dtype = ggml_dtype(self.u32()?)?;
        Ok((dtype, shape, self.u64()?))
    }
}

/// The decimal that was rounded to this f32: 1e-5, not 9.999999747378752e-6. GGUF writes f32 where
/// config.json has a decimal, and the model was trained with the decimal.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

/// ggml's numbers of the types that candle can dequantize.
fn ggml_dtype(number: u32) -> Parsed<GgmlDType> {
    Ok(match number {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        other => {
            return Err(format!(
                "expected F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 or Q2_K to Q6_K, got ggml type {other}"
            ));
        }
    })
}

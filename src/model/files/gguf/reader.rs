//! The values of a GGUF file, read from bytes that may be anything: never beyond the end, and every length is compared
//! with what is left of the file before anything is allocated.

use crate::model::files::Parsed;
use candle_core::quantized::GgmlDType;

/// Arrays of arrays of arrays: nobody writes them, and each level is a call on the stack.
const DEEPEST: usize = 4;
/// More dimensions than ggml has.
const MOST_DIMENSIONS: usize = 4;

/// A value of the metadata.
#[derive(Debug)]
pub(super) enum Value {
    /// Of any width.
    Integer(i128),
    /// Of either width.
    Float(f64),
    /// True or false.
    Flag(bool),
    /// One text.
    Text(String),
    /// A list of whole numbers.
    Integers(Vec<i64>),
    /// A list of texts.
    Texts(Vec<String>),
    /// Arrays of floats or arrays: part of no key that is asked for.
    Skipped,
}

impl Value {
    /// What it is, for a message.
    pub(super) fn kind(&self) -> &'static str {
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

/// Reads little-endian values and never beyond the end.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the beginning.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, at: 0 }
    }

    /// Bytes read so far.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next bytes.
    pub(super) fn take(&mut self, size: usize) -> Parsed<&'a [u8]> {
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

    /// A number of 4 bytes.
    pub(super) fn u32(&mut self) -> Parsed<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Parsed<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// A count of things that take at least `least` bytes each.
    pub(super) fn length(&mut self, least: usize) -> Parsed<usize> {
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
    pub(super) fn text(&mut self) -> Parsed<String> {
        let size = self.length(1)?;
        Ok(String::from_utf8_lossy(self.take(size)?).into_owned())
    }

    /// A value of the type `kind`, inside so many lists.
    pub(super) fn value(&mut self, kind: u32, depth: usize) -> Parsed<Value> {
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

    /// A tensor of the table: type, shape with the rows first, and offset.
    pub(super) fn tensor(&mut self) -> Parsed<(GgmlDType, Vec<usize>, u64)> {
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

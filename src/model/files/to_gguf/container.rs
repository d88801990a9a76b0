//! The GGUF container, version 3, written from its beginning to its end: tables first, then one tensor after the other, each
//! at a multiple of 32 bytes. Layout: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.

use crate::model::files::ggml;
use candle_core::quantized::GgmlDType;
use std::io::{Error, Result, Write};

/// `general.alignment` where a file does not say it.
const ALIGNMENT: usize = 32;

/// A value of the metadata.
pub(super) enum Meta {
    /// A u32.
    Count(u32),
    /// An f32.
    Float(f32),
    /// True or false.
    Flag(bool),
    /// A text.
    Text(String),
    /// A list of texts.
    Texts(Vec<String>),
    /// A list of i32.
    Integers(Vec<i32>),
}

/// A tensor of the table.
pub(super) struct Planned {
    pub(super) name: String,
    pub(super) dtype: GgmlDType,
    /// Rows first, as everywhere but in the file.
    pub(super) shape: Vec<usize>,
}

impl Planned {
    fn size(&self) -> usize {
        self.shape.iter().product::<usize>() / self.dtype.block_size() * self.dtype.type_size()
    }
}

/// Writes a whole file; `bytes` gives those of a tensor by its place in `tensors`, when its turn comes.
///
/// # Errors
/// As the writer and as `bytes`; a tensor that has another size than its plan.
pub(super) fn write(
    out: &mut impl Write,
    metadata: &[(&str, Meta)],
    tensors: &[&Planned],
    mut bytes: impl FnMut(usize) -> Result<Vec<u8>>,
) -> Result<()> {
    let head = head(metadata, tensors);
    out.write_all(&head)?;
    pad(out, head.len())?;
    for (index, tensor) in tensors.iter().enumerate() {
        let data = bytes(index)?;
        if data.len() != tensor.size() {
            let (name, expected, got) = (&tensor.name, tensor.size(), data.len());
            return Err(Error::other(format!("tensor {name}: expected {expected} bytes, got {got}")));
        }
        out.write_all(&data)?;
        pad(out, data.len())?;
    }
    out.flush()
}

/// Both tables.
fn head(metadata: &[(&str, Meta)], tensors: &[&Planned]) -> Vec<u8> {
    let mut head = b"GGUF".to_vec();
    head.extend(3_u32.to_le_bytes());
    length(&mut head, tensors.len());
    length(&mut head, metadata.len());
    for (key, value) in metadata {
        text(&mut head, key);
        meta(&mut head, value);
    }
    let mut offset = 0;
    for tensor in tensors {
        text(&mut head, &tensor.name);
        head.extend((tensor.shape.len() as u32).to_le_bytes());
        tensor.shape.iter().rev().for_each(|&size| length(&mut head, size));
        head.extend(ggml::number(tensor.dtype).to_le_bytes());
        length(&mut head, offset);
        offset += tensor.size().next_multiple_of(ALIGNMENT);
    }
    head
}

/// A value behind the number of its type.
fn meta(head: &mut Vec<u8>, value: &Meta) {
    let kind = |head: &mut Vec<u8>, number: u32| head.extend(number.to_le_bytes());
    match value {
        Meta::Count(count) => {
            kind(head, 4);
            head.extend(count.to_le_bytes());
        }
        Meta::Float(number) => {
            kind(head, 6);
            head.extend(number.to_le_bytes());
        }
        Meta::Flag(flag) => {
            kind(head, 7);
            head.push(u8::from(*flag));
        }
        Meta::Text(value) => {
            kind(head, 8);
            text(head, value);
        }
        Meta::Texts(texts) => {
            kind(head, 9);
            kind(head, 8);
            length(head, texts.len());
            texts.iter().for_each(|value| text(head, value));
        }
        Meta::Integers(integers) => {
            kind(head, 9);
            kind(head, 5);
            length(head, integers.len());
            integers.iter().for_each(|integer| head.extend(integer.to_le_bytes()));
        }
    }
}

fn length(head: &mut Vec<u8>, length: usize) {
    head.extend((length as u64).to_le_bytes());
}

fn text(head: &mut Vec<u8>, text: &str) {
    length(head, text.len());
    head.extend(text.as_bytes());
}

/// Zeros up to the next place where a tensor may begin.
fn pad(out: &mut impl Write, length: usize) -> Result<()> {
    out.write_all(&[0; ALIGNMENT][..length.next_multiple_of(ALIGNMENT) - length])
}

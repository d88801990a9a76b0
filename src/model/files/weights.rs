//! Base weights by their Hugging Face names, mapped from files or embedded, and read one at a time.
//!
//! A file is checked whole when it is opened (its table, every range, and against the model's shape), so
//! that a damaged one fails before a run has begun; the numbers themselves are read when asked for.

use crate::error::{Error, Result};
use crate::model::files::config::LlamaConfig;
use crate::model::files::gguf::Gguf;
use crate::model::files::gguf_llama;
use crate::sha256;
use candle_core::quantized::{GgmlDType, QTensor, ggml_file::qtensor_from_ggml};
use candle_core::{DType, Device, Tensor};
use safetensors::{Dtype, SafeTensors};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The tensors of a base model.
#[derive(Debug)]
pub struct Weights {
    source_name: String,
    files: Vec<Bytes>,
    tensors: BTreeMap<String, Stored>,
}

impl Weights {
    /// Opens safetensors files, one or the shards of one model.
    ///
    /// # Errors
    /// `Error::File` where one cannot be opened; `Error::Model` where one is truncated, is none, or
    /// holds a tensor that another holds too.
    pub fn from_safetensors(source_name: &str, paths: &[PathBuf]) -> Result<Self> {
        // Sorted, so that the identity does not depend on the order of a shard index.
        let mut paths = paths.to_vec();
        paths.sort();
        let mut weights = Weights::empty(source_name);
        for path in &paths {
            weights.add_safetensors(&path.display().to_string(), Bytes::map(path)?)?;
        }
        Ok(weights)
    }

    /// Takes a safetensors file that is part of the program.
    ///
    /// # Errors
    /// As [`Weights::from_safetensors`].
    pub fn from_embedded(source_name: &str, bytes: &'static [u8]) -> Result<Self> {
        let mut weights = Weights::empty(source_name);
        weights.add_safetensors("model.safetensors", Bytes::Embedded(bytes))?;
        Ok(weights)
    }

    /// Opens a GGUF file; the header comes with the weights, for the model's shape and tokenizer.
    ///
    /// # Errors
    /// `Error::File` where it cannot be opened; `Error::Model` where it is truncated, is none, or holds
    /// a tensor type or tensor that is unknown.
    pub(crate) fn from_gguf(source_name: &str, path: &Path) -> Result<(Self, Gguf)> {
        let bytes = Bytes::map(path)?;
        let gguf = Gguf::read(source_name, bytes.as_slice())?;
        let mut weights = Weights::empty(source_name);
        for (name, entry) in gguf.tensors() {
            let Some(place) = gguf_llama::place(source_name, &gguf, name)? else { continue };
            let stored = Stored {
                file: 0,
                range: entry.range.clone(),
                shape: entry.shape.clone(),
                format: Format::Ggml { dtype: entry.dtype, interleaved_heads: place.interleaved_heads },
            };
            weights.tensors.insert(place.name, stored);
        }
        weights.files.push(bytes);
        Ok((weights, gguf))
    }

    /// Refuses weights that lack a tensor of the model or have one in another shape.
    ///
    /// # Errors
    /// `Error::Model` with the tensor, the expected and the found shape or type.
    pub fn check(&self, config: &LlamaConfig) -> Result<()> {
        for (name, expected) in config.tensors() {
            let stored = self.stored(&name)?;
            if stored.shape != expected {
                return Err(self.wrong(&name, format!("expected shape {expected:?}, got {:?}", stored.shape)));
            }
            if let Format::Safetensors(dtype) = stored.format {
                self.readable(&name, dtype)?;
            }
        }
        Ok(())
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The shape of a tensor, rows first.
    ///
    /// # Errors
    /// `Error::Model` where there is no such tensor.
    pub fn shape(&self, name: &str) -> Result<&[usize]> {
        Ok(&self.stored(name)?.shape)
    }

    /// How the file stores a tensor: `F32`, `BF16`, `F16`, or a GGML type such as `Q4_1`.
    ///
    /// # Errors
    /// `Error::Model` where there is no such tensor.
    pub fn stored_type(&self, name: &str) -> Result<String> {
        Ok(match self.stored(name)?.format {
            Format::Safetensors(dtype) => dtype.to_string(),
            Format::Ggml { dtype, .. } => ggml_name(dtype).to_string(),
        })
    }

    /// A tensor in `dtype` on `device`, dequantized where it is quantized. Queries and keys of a GGUF
    /// come in the row order of Hugging Face, which turns a head's first half against its second.
    ///
    /// # Errors
    /// `Error::Model` where there is no such tensor or its type is not a float; `Error::Tensor` from the device.
    pub fn dense(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        let stored = self.stored(name)?;
        let tensor = match stored.format {
            Format::Safetensors(from) => {
                let from = self.readable(name, from)?;
                Tensor::from_raw_buffer(self.bytes(stored), from, &stored.shape, device)?
            }
            // On the CPU: not every device dequantizes every type.
            Format::Ggml { .. } => {
                self.ggml(name, stored, &Device::Cpu)?.dequantize(&Device::Cpu)?.to_device(device)?
            }
        };
        Ok(tensor.to_dtype(dtype)?)
    }

    /// A tensor as its GGUF file quantizes it, or `None` where it is stored as plain floats. The rows of
    /// queries and keys are put in Hugging Face's order; a row is whole blocks, so no value changes.
    ///
    /// # Errors
    /// `Error::Model` where there is no such tensor; `Error::Tensor` from the device.
    pub fn quantized(&self, name: &str, device: &Device) -> Result<Option<QTensor>> {
        let stored = self.stored(name)?;
        match stored.format {
            Format::Ggml { dtype, .. } if dtype.block_size() > 1 => self.ggml(name, stored, device).map(Some),
            _ => Ok(None),
        }
    }

    /// SHA-256 over the bytes of all weight files, in the order of their names, in hexadecimal.
    pub fn sha256(&self) -> String {
        sha256::of_parts(self.files.iter().map(Bytes::as_slice))
    }

    /// The weights as the user named them.
    pub(crate) fn source_name(&self) -> &str {
        &self.source_name
    }

    /// The bytes of a tensor as its file holds them.
    pub(crate) fn raw(&self, name: &str) -> Result<&[u8]> {
        Ok(self.bytes(self.stored(name)?))
    }

    /// A tensor whose bytes are GGML blocks of `dtype`, whatever the file calls them.
    pub(crate) fn ggml_from_raw(
        &self,
        name: &str,
        dtype: GgmlDType,
        shape: &[usize],
        device: &Device,
    ) -> Result<QTensor> {
        let aligned = Aligned::new(self.raw(name)?);
        Ok(qtensor_from_ggml(dtype, aligned.as_slice(), shape.to_vec(), device)?)
    }

    /// Lets the operating system take back the pages of the mapped files, which would otherwise count as this
    /// process's memory. What is read later is read from the files again.
    pub fn release_pages(&self) {
        for file in &self.files {
            file.release_pages();
        }
    }

    /// The whole file of a GGUF model.
    pub(crate) fn gguf_bytes(&self) -> &[u8] {
        self.files.first().map(Bytes::as_slice).unwrap_or_default()
    }

    fn empty(source_name: &str) -> Self {
        Weights { source_name: source_name.to_string(), files: Vec::new(), tensors: BTreeMap::new() }
    }

    fn add_safetensors(&mut self, file_name: &str, bytes: Bytes) -> Result<()> {
        let data = bytes.as_slice();
        if data.starts_with(b"version https://git-lfs") {
            let message = format!("{file_name}: expected weights, got a Git LFS pointer; run `git lfs pull`");
            return Err(Error::model(&self.source_name, message));
        }
        let (header, metadata) = SafeTensors::read_metadata(data).map_err(|error| {
            let size = data.len();
            let message =
                format!("{file_name}: expected a whole safetensors file, got {size} bytes: {error}");
            Error::model(&self.source_name, message)
        })?;
        let data_start = 8 + header; // after the header's length, a u64, and the header
        for name in metadata.offset_keys() {
            let Some(info) = metadata.info(&name) else { continue };
            let (start, end) = info.data_offsets;
            let stored = Stored {
                file: self.files.len(),
                range: data_start + start..data_start + end,
                shape: info.shape.clone(),
                format: Format::Safetensors(info.dtype),
            };
            if self.tensors.insert(name.clone(), stored).is_some() {
                return Err(
                    self.wrong(&name, format!("expected in one file only, got it in {file_name} again"))
                );
            }
        }
        self.files.push(bytes);
        Ok(())
    }

    fn stored(&self, name: &str) -> Result<&Stored> {
        self.tensors.get(name).ok_or_else(|| {
            self.wrong(
                name,
                format!("expected in the weights, got {} tensors without it", self.tensors.len()),
            )
        })
    }

    fn bytes(&self, stored: &Stored) -> &[u8] {
        // Both readers check every range against the file before they hand out its table.
        &self.files[stored.file].as_slice()[stored.range.clone()]
    }

    fn readable(&self, name: &str, dtype: Dtype) -> Result<DType> {
        match dtype {
            Dtype::F32 => Ok(DType::F32),
            Dtype::BF16 => Ok(DType::BF16),
            Dtype::F16 => Ok(DType::F16),
            other => Err(self.wrong(name, format!("expected F32, BF16 or F16, got {other}"))),
        }
    }

    fn ggml(&self, name: &str, stored: &Stored, device: &Device) -> Result<QTensor> {
        let Format::Ggml { dtype, interleaved_heads } = stored.format else {
            return Err(self.wrong(name, "expected a tensor of a GGUF file".to_string()));
        };
        let bytes = self.bytes(stored);
        let bytes = match interleaved_heads {
            None => Cow::Borrowed(bytes),
            Some(heads) => Cow::Owned(self.halves_apart(name, bytes, &stored.shape, heads)?),
        };
        let aligned = Aligned::new(&bytes);
        Ok(qtensor_from_ggml(dtype, aligned.as_slice(), stored.shape.clone(), device)?)
    }

    /// GGUF keeps the rows that rope turns against each other side by side (2j, 2j + 1); Hugging Face
    /// keeps them half a head apart (j, j + half). Moves whole rows of bytes.
    fn halves_apart(&self, name: &str, bytes: &[u8], shape: &[usize], heads: usize) -> Result<Vec<u8>> {
        let rows = shape.first().copied().unwrap_or(0);
        if heads == 0 || rows == 0 || !rows.is_multiple_of(heads * 2) {
            return Err(
                self.wrong(name, format!("expected an even number of rows for {heads} heads, got {rows}"))
            );
        }
        let (head_dim, row_bytes) = (rows / heads, bytes.len() / rows);
        let half = head_dim / 2;
        let mut apart = Vec::with_capacity(bytes.len());
        for row in 0..rows {
            let (head, within) = (row / head_dim, row % head_dim);
            let from = head * head_dim + 2 * (within % half) + within / half;
            apart.extend_from_slice(&bytes[from * row_bytes..(from + 1) * row_bytes]);
        }
        Ok(apart)
    }

    fn wrong(&self, tensor: &str, message: String) -> Error {
        Error::model(&self.source_name, format!("tensor {tensor}: {message}"))
    }
}

/// Where a tensor lies and how to read it.
#[derive(Debug)]
struct Stored {
    /// Index into the files.
    file: usize,
    /// Bytes of that file.
    range: Range<usize>,
    shape: Vec<usize>,
    format: Format,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Safetensors(Dtype),
    /// `interleaved_heads`: the number of heads of a tensor whose rotary pairs lie side by side.
    Ggml {
        dtype: GgmlDType,
        interleaved_heads: Option<usize>,
    },
}

/// The bytes of a weight file.
#[derive(Debug)]
enum Bytes {
    Mapped(memmap2::Mmap),
    Embedded(&'static [u8]),
}

impl Bytes {
    #[allow(unsafe_code, reason = "weights are mapped rather than read: a map is unsafe by nature")]
    fn map(path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|error| Error::file(path, error))?;
        // SAFETY: the map is private and read-only, and this program never writes to a weight file it
        // has open (outputs are written beside and renamed). Another process that changes or cuts the
        // file while it is mapped breaks the promise; that is the known price of mapping, paid by every
        // reader of safetensors.
        let map = unsafe { memmap2::Mmap::map(&file) }.map_err(|error| Error::file(path, error))?;
        Ok(Bytes::Mapped(map))
    }

    #[allow(
        unsafe_code,
        reason = "MADV_DONTNEED is unsafe by its use on private memory; a file's map reads again"
    )]
    fn release_pages(&self) {
        #[cfg(unix)]
        if let Bytes::Mapped(map) = self {
            // SAFETY: the map is read-only and backed by its file, so a dropped page is read again with the same
            // bytes; borrowed slices stay valid. A refusal changes nothing.
            let _ = unsafe { map.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        }
    }

    fn as_slice(&self) -> &[u8] {
        match self {
            Bytes::Mapped(map) => map,
            Bytes::Embedded(bytes) => bytes,
        }
    }
}

/// Bytes at an address that every GGML block type may be read from; candle casts them without looking.
struct Aligned<'a> {
    bytes: Cow<'a, [u8]>,
    start: usize,
    size: usize,
}

/// The strictest of the block types holds f32.
const ALIGNMENT: usize = 8;

impl<'a> Aligned<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let size = bytes.len();
        if bytes.as_ptr().align_offset(ALIGNMENT) == 0 {
            return Aligned { bytes: Cow::Borrowed(bytes), start: 0, size };
        }
        let mut copy = vec![0; size + ALIGNMENT];
        let start = copy.as_ptr().align_offset(ALIGNMENT);
        copy[start..start + size].copy_from_slice(bytes);
        Aligned { bytes: Cow::Owned(copy), start, size }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.size]
    }
}

/// The name that ggml gives a type.
fn ggml_name(dtype: GgmlDType) -> &'static str {
    match dtype {
        GgmlDType::F32 => "F32",
        GgmlDType::F16 => "F16",
        GgmlDType::BF16 => "BF16",
        GgmlDType::Q4_0 => "Q4_0",
        GgmlDType::Q4_1 => "Q4_1",
        GgmlDType::Q5_0 => "Q5_0",
        GgmlDType::Q5_1 => "Q5_1",
        GgmlDType::Q8_0 => "Q8_0",
        GgmlDType::Q8_1 => "Q8_1",
        GgmlDType::Q2K => "Q2_K",
        GgmlDType::Q3K => "Q3_K",
        GgmlDType::Q4K => "Q4_K",
        GgmlDType::Q5K => "Q5_K",
        GgmlDType::Q6K => "Q6_K",
        GgmlDType::Q8K => "Q8_K",
    }
}

//! Base weights by their Hugging Face names, mapped from files or embedded, and read one at a time.
//!
//! A file is checked whole when it is opened (its table, every range, and against the model's shape), so
//! that a damaged one fails before a run has begun; the numbers themselves are read when asked for.

use crate::error::{Error, Result};
use crate::model::files::config::LlamaConfig;
use crate::model::files::ggml;
use crate::model::files::gguf::{self, Gguf};
use crate::model::files::mapped::FileBytes;
use crate::sha256;
use candle_core::quantized::{GgmlDType, QTensor};
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
    files: Vec<FileBytes>,
    tensors: BTreeMap<String, MappedTensor>,
}

impl Weights {
    /// Opens safetensors files, one or the shards of one model.
    ///
    /// # Errors
    /// `Error::File` where one cannot be opened; `Error::Model` where one is truncated, is none, or
    /// holds a tensor that another holds too.
    pub(super) fn from_safetensors(source_name: &str, paths: &[PathBuf]) -> Result<Self> {
        // Sorted, so that the identity does not depend on the order of a shard index.
        let mut paths = paths.to_vec();
        paths.sort();
        let mut weights = Weights::empty(source_name);
        for path in &paths {
            weights.add_safetensors(&path.display().to_string(), FileBytes::map(path)?)?;
        }
        Ok(weights)
    }

    /// Takes a safetensors file that is part of the program.
    ///
    /// # Errors
    /// As [`Weights::from_safetensors`].
    pub(super) fn from_embedded(source_name: &str, bytes: &'static [u8]) -> Result<Self> {
        let mut weights = Weights::empty(source_name);
        weights.add_safetensors("model.safetensors", FileBytes::Embedded(bytes))?;
        Ok(weights)
    }

    /// Opens a GGUF file; the header comes with the weights, for the model's shape and tokenizer.
    ///
    /// # Errors
    /// `Error::File` where it cannot be opened; `Error::Model` where it is truncated, is none, or holds
    /// a tensor type or tensor that is unknown.
    pub(super) fn from_gguf(source_name: &str, path: &Path) -> Result<(Self, Gguf)> {
        let bytes = FileBytes::map(path)?;
        let gguf = Gguf::read(source_name, bytes.as_slice())?;
        let mut weights = Weights::empty(source_name);
        for (name, entry) in gguf.tensors() {
            let Some(counterpart) = gguf::llama::counterpart(&gguf, name)? else { continue };
            let stored = MappedTensor {
                file: 0,
                range: entry.range.clone(),
                shape: entry.shape.clone(),
                format: Format::Ggml { dtype: entry.dtype, interleaved_heads: counterpart.interleaved_heads },
            };
            weights.tensors.insert(counterpart.name, stored);
        }
        weights.files.push(bytes);
        Ok((weights, gguf))
    }

    /// Refuses weights that lack a tensor of the model or have one in another shape.
    ///
    /// # Errors
    /// `Error::Model` with the tensor, the expected and the found shape or type.
    pub(super) fn check(&self, config: &LlamaConfig) -> Result<()> {
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
            Format::Ggml { dtype, .. } => ggml::name(dtype).to_string(),
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
                let tensor = Tensor::from_raw_buffer(self.bytes(stored), from, &stored.shape, device)?;
                self.release(stored);
                tensor
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
    pub(super) fn sha256(&self) -> String {
        sha256::of_parts(self.files.iter().flat_map(FileBytes::parts))
    }

    /// The weights as the user named them.
    pub(super) fn source_name(&self) -> &str {
        &self.source_name
    }

    /// The bytes of a tensor as its file holds them.
    pub(crate) fn raw(&self, name: &str) -> Result<&[u8]> {
        Ok(self.bytes(self.stored(name)?))
    }

    /// The bytes of a tensor that its safetensors file stores as `dtype`.
    pub(crate) fn as_stored(&self, name: &str, dtype: Dtype) -> Option<&[u8]> {
        let stored = self.stored(name).ok()?;
        matches!(stored.format, Format::Safetensors(own) if own == dtype).then(|| self.bytes(stored))
    }

    /// Lets the operating system take back the pages of the mapped files, which would otherwise count as this
    /// process's memory. What is read later is read from the files again.
    pub(crate) fn release_pages(&self) {
        for file in &self.files {
            file.release(0..file.as_slice().len());
        }
    }

    /// A text of the metadata of a model that is one safetensors file.
    pub(super) fn metadata(&self, key: &str) -> Option<String> {
        let (_, metadata) = SafeTensors::read_metadata(self.files.first()?.as_slice()).ok()?;
        metadata.metadata().as_ref()?.get(key).cloned()
    }

    /// The whole file of a GGUF model.
    pub(super) fn gguf_bytes(&self) -> &[u8] {
        self.files.first().map(FileBytes::as_slice).unwrap_or_default()
    }

    fn empty(source_name: &str) -> Self {
        Weights { source_name: source_name.to_string(), files: Vec::new(), tensors: BTreeMap::new() }
    }

    fn add_safetensors(&mut self, file_name: &str, bytes: FileBytes) -> Result<()> {
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
            let stored = MappedTensor {
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

    fn stored(&self, name: &str) -> Result<&MappedTensor> {
        self.tensors.get(name).ok_or_else(|| {
            self.wrong(
                name,
                format!("expected in the weights, got {} tensors without it", self.tensors.len()),
            )
        })
    }

    fn bytes(&self, stored: &MappedTensor) -> &[u8] {
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

    fn ggml(&self, name: &str, stored: &MappedTensor, device: &Device) -> Result<QTensor> {
        let Format::Ggml { dtype, interleaved_heads } = stored.format else {
            return Err(self.wrong(name, "expected a tensor of a GGUF file".to_string()));
        };
        let bytes = self.bytes(stored);
        let bytes = match interleaved_heads {
            None => Cow::Borrowed(bytes),
            Some(heads) => {
                let rows = stored.shape.first().copied().unwrap_or(0);
                let apart = gguf::llama::halves_apart(bytes, rows, heads);
                Cow::Owned(apart.map_err(|message| self.wrong(name, message))?)
            }
        };
        let tensor = ggml::tensor(dtype, &bytes, &stored.shape, device)?;
        self.release(stored);
        Ok(tensor)
    }

    /// Gives back the pages of a tensor that was copied: so a file that is quantized never lies in memory whole.
    fn release(&self, stored: &MappedTensor) {
        self.files[stored.file].release(stored.range.clone());
    }

    fn wrong(&self, tensor: &str, message: String) -> Error {
        Error::model(&self.source_name, format!("tensor {tensor}: {message}"))
    }
}

/// Where a tensor lies and how to read it.
#[derive(Debug)]
struct MappedTensor {
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

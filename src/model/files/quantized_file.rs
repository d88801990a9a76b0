//! Quantized projections kept on disk: a large model is quantized once, and read in seconds after that.
//!
//! A safetensors file, named by the hash of the weights it was made from and by the scheme. GGML types keep
//! their blocks as they are; NF4 keeps codes and scales apart: `NAME.codes`, and `NAME.scales` (f32) or
//! `NAME.scale_codes`, `NAME.nested` and `NAME.offset`. Its metadata hold the SHA-256 of all of it: a flipped bit would be
//! another model without a word.

use crate::error::{Error, Result};
use crate::model::files::ggml;
use crate::model::files::nf4::{DoubleScales, Nf4, Scales};
use crate::model::files::packed::Packed;
use crate::model::files::weights::Weights;
use crate::recipe::Quantization;
use crate::record::store;
use crate::sha256;
use candle_core::Device;
use safetensors::tensor::{Dtype, TensorView};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Models below this are quantized faster than the file would be looked for and checked.
const SMALLEST: u64 = 100_000_000;

/// The layout's number: part of the file's name, so that a later layout never meets an older file.
const LAYOUT: u32 = 2;

/// The key of the hash in the file's metadata.
const SEAL: &str = "sha256";

/// An open file of quantized projections.
#[derive(Debug)]
pub struct QuantizedFile {
    weights: Weights,
    quantization: Quantization,
}

impl QuantizedFile {
    /// Where in `folder` the file is kept or found. None where there is nothing to keep: dense weights, a GGUF's own
    /// types, a small model.
    pub fn place(
        folder: &Path,
        sha256: &str,
        parameters: u64,
        quantization: Quantization,
    ) -> Option<PathBuf> {
        let is_made = !matches!(quantization, Quantization::None | Quantization::AsIs);
        let hash = sha256.get(..16).unwrap_or(sha256);
        let name = format!("{hash}.{}.v{LAYOUT}.safetensors", quantization.name());
        (is_made && parameters >= SMALLEST).then(|| folder.join(name))
    }

    /// Opens a file that an earlier run kept. One that is damaged is written again: nothing in it is not also in the
    /// weights.
    ///
    /// # Errors
    /// `Error::File` where there is none; `Error::Model` where it is not what was written.
    pub fn open(path: &Path, quantization: Quantization) -> Result<Self> {
        let weights = Weights::from_safetensors(&path.display().to_string(), &[path.to_path_buf()])?;
        let parts: Result<Vec<Part>> = weights
            .names()
            .map(|name| Ok((name, weights.stored_type(name)?, weights.shape(name)?, weights.raw(name)?)))
            .collect();
        let (sealed, found) = (weights.metadata(SEAL).unwrap_or_default(), seal(parts?));
        weights.release_pages();
        if sealed != found {
            let message = format!("damaged: expected the SHA-256 {sealed}, got {found}");
            return Err(Error::model(path.display().to_string(), message));
        }
        Ok(QuantizedFile { weights, quantization })
    }

    /// Writes quantized projections under their names, whole or not at all. On the CPU only: a GPU's copy is not read
    /// back.
    ///
    /// # Errors
    /// `Error::File` where it cannot be written.
    pub(crate) fn write<'a>(
        path: &Path,
        projections: impl Iterator<Item = (String, &'a Packed)>,
    ) -> Result<()> {
        let mut kept = Vec::new();
        for (name, packed) in projections {
            add_parts(&name, packed, &mut kept)?;
        }
        kept.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        let mut views = Vec::with_capacity(kept.len());
        for (name, dtype, bytes) in &kept {
            let shape = vec![bytes.len() / (dtype.bitsize() / 8)];
            let view = TensorView::new(*dtype, shape, bytes)
                .map_err(|error| Error::model(path.display().to_string(), error.to_string()))?;
            views.push((name.as_str(), view));
        }
        let parts =
            views.iter().map(|(name, view)| (*name, view.dtype().to_string(), view.shape(), view.data()));
        let metadata = HashMap::from([(SEAL.to_string(), seal(parts))]);
        store::write_path(path, |temporary| {
            safetensors::serialize_to_file(views, Some(metadata), temporary).map_err(std::io::Error::other)
        })
    }

    /// One projection, on `device`.
    ///
    /// # Errors
    /// `Error::Model` where the file lacks it or has another size: it is not what its name says.
    pub(crate) fn packed(&self, name: &str, shape: &[usize], device: &Device) -> Result<Packed> {
        let packed = self.copied(name, shape, device)?;
        self.weights.release_pages();
        Ok(packed)
    }

    fn copied(&self, name: &str, shape: &[usize], device: &Device) -> Result<Packed> {
        let wrong = |what: &str| {
            let message = format!("tensor {name}: expected {what} of shape {shape:?}; delete the file");
            Error::model(self.weights.source_name(), message)
        };
        let &[rows, columns] = shape else { return Err(wrong("a matrix")) };
        if let Some(dtype) = ggml::of_scheme(self.quantization) {
            let expected = rows * columns / dtype.block_size() * dtype.type_size();
            let blocks = self.weights.raw(name)?;
            if blocks.len() != expected {
                return Err(wrong("the blocks"));
            }
            return Ok(Packed::Ggml(ggml::tensor(dtype, blocks, shape, device)?));
        }
        let raw = |suffix: &str| self.weights.raw(&format!("{name}.{suffix}"));
        let scales = match self.quantization {
            Quantization::Nf4 => Scales::Plain(floats(raw("scales")?)),
            _ => Scales::Double(DoubleScales {
                codes: raw("scale_codes")?.to_vec(),
                nested: floats(raw("nested")?),
                offset: *floats(raw("offset")?).first().ok_or_else(|| wrong("the offset"))?,
            }),
        };
        let matrix = Nf4::from_parts(raw("codes")?.to_vec(), scales, (rows, columns));
        Packed::nf4(matrix.ok_or_else(|| wrong("codes and scales"))?, device)
    }
}

/// A tensor of the file as it is sealed: its name, its type, its shape, its bytes.
type Part<'a> = (&'a str, String, &'a [usize], &'a [u8]);

/// The hash of all `parts`, which come in the order of their names.
fn seal<'a>(parts: impl IntoIterator<Item = Part<'a>>) -> String {
    let parts: Vec<(String, &[u8])> = parts
        .into_iter()
        .map(|(name, dtype, shape, bytes)| (format!("{name} {dtype} {shape:?}\n"), bytes))
        .collect();
    sha256::of_parts(parts.iter().flat_map(|(head, bytes)| [head.as_bytes(), bytes]))
}

/// A tensor of the file: its name, its type, its bytes.
type Kept<'a> = (String, Dtype, Cow<'a, [u8]>);

/// Adds what is kept of a projection.
fn add_parts<'a>(name: &str, packed: &'a Packed, kept: &mut Vec<Kept<'a>>) -> Result<()> {
    let named = |suffix: &str| format!("{name}.{suffix}");
    match packed {
        Packed::Ggml(tensor) => kept.push((name.to_string(), Dtype::U8, tensor.data()?)),
        Packed::Nf4(matrix) => {
            kept.push((named("codes"), Dtype::U8, matrix.codes().into()));
            match matrix.scales() {
                Scales::Plain(scales) => kept.push((named("scales"), Dtype::F32, bytes(scales))),
                Scales::Double(DoubleScales { codes, nested, offset }) => kept.extend([
                    (named("scale_codes"), Dtype::U8, codes.into()),
                    (named("nested"), Dtype::F32, bytes(nested)),
                    (named("offset"), Dtype::F32, bytes(&[*offset])),
                ]),
            }
        }
        Packed::Dense(_) | Packed::Nf4OnDevice(_) => {}
    }
    Ok(())
}

fn bytes(values: &[f32]) -> Cow<'static, [u8]> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>().into()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

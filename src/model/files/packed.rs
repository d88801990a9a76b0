//! The weights of one projection as they are held in memory: dense, in GGML's blocks, or in NF4.

use super::ggml;
use super::nf4::Nf4;
use super::nf4::device::Nf4OnDevice;
use super::weights::Weights;
use crate::error::{Error, Result};
#[cfg(feature = "cuda")]
use crate::model::ops::cuda;
use crate::recipe::Quantization;
use candle_core::quantized::QTensor;
use candle_core::{DType, Device, Tensor};

/// One projection's weights.
pub(crate) enum Packed {
    /// In a type of its own.
    Dense(Tensor),
    /// GGML's blocks.
    Ggml(QTensor),
    /// Codes and scales on the host.
    Nf4(Nf4),
    /// The same as tensors of a device.
    Nf4OnDevice(Nf4OnDevice),
}

impl Packed {
    /// The weights called `name`, quantized as asked.
    ///
    /// # Errors
    /// A missing tensor, or a quantization whose block size does not divide the input size.
    pub(crate) fn of(
        weights: &Weights,
        quantization: Quantization,
        name: &str,
        device: &Device,
    ) -> Result<Self> {
        let ggml = match ggml::of_scheme(quantization) {
            Some(ggml) => ggml,
            None if quantization == Quantization::AsIs => {
                return weights.quantized(name, device)?.map(Packed::Ggml).ok_or_else(|| Error::Setting {
                    key: "model.quantization".into(),
                    message: "expected a .gguf model for as_is, got one whose weights are not quantized"
                        .into(),
                });
            }
            None => {
                let dense = weights.dense(name, DType::F32, &Device::Cpu)?;
                let values = dense.flatten_all()?.to_vec1::<f32>()?;
                let double = quantization == Quantization::Nf4Double;
                return Packed::nf4(Nf4::quantize(&values, dense.dims2()?, double), device);
            }
        };
        if let Some(tensor) = weights.quantized(name, device)?.filter(|tensor| tensor.dtype() == ggml) {
            return Ok(Packed::Ggml(tensor));
        }
        let dense = weights.dense(name, DType::F32, &Device::Cpu)?;
        let input = dense.dim(1)?;
        if !input.is_multiple_of(ggml.block_size()) {
            return Err(Error::Setting {
                key: "model.quantization".into(),
                message: format!(
                    "{ggml:?} needs input sizes divisible by {}, {name} has {input}; use q4_0 or q8_0",
                    ggml.block_size()
                ),
            });
        }
        Ok(Packed::Ggml(QTensor::quantize_onto(&dense, ggml, device)?))
    }

    /// Bytes held in memory.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Packed::Dense(tensor) => (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64,
            Packed::Ggml(tensor) => tensor.storage_size_in_bytes() as u64,
            Packed::Nf4(matrix) => matrix.bytes() as u64,
            Packed::Nf4OnDevice(matrix) => matrix.bytes() as u64,
        }
    }

    /// The tensor of a dense projection.
    pub(crate) fn into_dense(self) -> Option<Tensor> {
        match self {
            Packed::Dense(tensor) => Some(tensor),
            _ => None,
        }
    }

    /// Number of weights.
    pub(crate) fn elem_count(&self) -> usize {
        match self {
            Packed::Dense(tensor) => tensor.elem_count(),
            Packed::Ggml(tensor) => tensor.shape().elem_count(),
            Packed::Nf4(matrix) => matrix.elem_count(),
            Packed::Nf4OnDevice(matrix) => matrix.elem_count(),
        }
    }

    /// The weights in f32, written row after row to the host's `values`.
    pub(crate) fn write(&self, values: &mut [f32]) -> Result<()> {
        match self {
            Packed::Nf4(matrix) => matrix.write(values),
            Packed::Ggml(tensor) if ggml::dequantize(tensor.dtype(), &tensor.data()?, values) => {}
            other => values.copy_from_slice(&other.on_device()?.flatten_all()?.to_vec1::<f32>()?),
        }
        Ok(())
    }

    /// The weights in f32 (a dense part in its own type), on their device.
    pub(crate) fn on_device(&self) -> Result<Tensor> {
        Ok(match self {
            Packed::Dense(tensor) => tensor.clone(),
            Packed::Ggml(tensor) => tensor.dequantize(&tensor.device())?,
            Packed::Nf4(matrix) => matrix.dequantize()?,
            Packed::Nf4OnDevice(matrix) => matrix.dequantize()?,
        })
    }

    /// Writes the weights, in the type of `dense`, to that tensor of their card: nothing wide lies in between.
    ///
    /// # Errors
    /// A tensor of another shape.
    #[cfg(feature = "cuda")]
    pub(crate) fn write_on_card(&self, dense: &Tensor) -> Result<()> {
        match self {
            Packed::Nf4OnDevice(matrix) => matrix.write(dense)?,
            Packed::Ggml(tensor) if cuda::ggml::dequantize(tensor, dense)? => {}
            // A type of some GGUF file that has no kernel here.
            other => dense.slice_set(&other.on_device()?.to_dtype(dense.dtype())?, 0, 0)?,
        }
        Ok(())
    }

    /// An NF4 matrix where the device wants it.
    pub(super) fn nf4(matrix: Nf4, device: &Device) -> Result<Self> {
        Ok(match device {
            Device::Cpu => Packed::Nf4(matrix),
            device => Packed::Nf4OnDevice(Nf4OnDevice::new(&matrix, device)?),
        })
    }
}

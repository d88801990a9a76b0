//! A frozen weight as it is held in memory, and as it is used.

use crate::error::{Error, Result};
use crate::model::nf4::Nf4;
use crate::model::weights::Weights;
use crate::recipe::{Projection, Quantization};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};

/// The weights of projections that read the same input, one below the other: (sum of outputs, input).
pub struct Frozen {
    parts: Vec<Stored>,
    dtype: DType,
}

enum Stored {
    Dense(Tensor),
    Ggml(QTensor),
    /// Held on the host, whatever the device.
    Nf4(Nf4, Device),
}

impl Frozen {
    /// Takes the projections of one layer from a checkpoint, quantizing them as asked.
    ///
    /// # Errors
    /// A missing tensor, or a quantization whose block size does not divide the input size.
    pub fn load(
        weights: &Weights,
        layer: usize,
        projections: &[Projection],
        quantization: Quantization,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let name = |projection: Projection| format!("model.layers.{layer}.{}.weight", projection.path());
        if quantization == Quantization::None {
            let tensors: Result<Vec<Tensor>> = projections
                .iter()
                .map(|&projection| weights.dense(&name(projection), dtype, device))
                .collect();
            // One matrix, so that one product serves all of them.
            return Ok(Frozen { parts: vec![Stored::Dense(Tensor::cat(&tensors?, 0)?)], dtype });
        }
        let parts: Result<Vec<Stored>> = projections
            .iter()
            .map(|&projection| quantized(weights, &name(projection), quantization, device))
            .collect();
        Ok(Frozen { parts: parts?, dtype })
    }

    /// The weight in the model's dtype, (outputs, input). Quantized parts are dequantized at every call: that
    /// is what keeps the memory small.
    pub fn dense(&self) -> Result<Tensor> {
        let tensors: Result<Vec<Tensor>> = self
            .parts
            .iter()
            .map(|part| match part {
                Stored::Dense(tensor) => Ok(tensor.clone()),
                Stored::Ggml(tensor) => Ok(tensor.dequantize(&tensor.device())?.to_dtype(self.dtype)?),
                Stored::Nf4(matrix, device) => {
                    Ok(matrix.dequantize()?.to_device(device)?.to_dtype(self.dtype)?)
                }
            })
            .collect();
        let mut tensors = tensors?;
        if tensors.len() == 1 { Ok(tensors.remove(0)) } else { Ok(Tensor::cat(&tensors, 0)?) }
    }

    /// Bytes held in memory.
    pub fn bytes(&self) -> u64 {
        let bytes = |part: &Stored| match part {
            Stored::Dense(tensor) => (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64,
            Stored::Ggml(tensor) => tensor.storage_size_in_bytes() as u64,
            Stored::Nf4(matrix, _) => matrix.bytes() as u64,
        };
        self.parts.iter().map(bytes).sum()
    }

    /// Parameters that are held quantized.
    pub fn quantized_parameters(&self) -> u64 {
        let count = |part: &Stored| match part {
            Stored::Ggml(tensor) => tensor.shape().elem_count() as u64,
            Stored::Nf4(matrix, _) => matrix.elem_count() as u64,
            Stored::Dense(_) => 0,
        };
        self.parts.iter().map(count).sum()
    }
}

fn quantized(weights: &Weights, name: &str, quantization: Quantization, device: &Device) -> Result<Stored> {
    let stored = weights.quantized(name, device)?;
    let ggml = match quantization {
        Quantization::AsIs => {
            return stored.map(Stored::Ggml).ok_or_else(|| Error::Setting {
                key: "model.quantization".into(),
                message: "expected a .gguf model for as_is, got one whose weights are not quantized".into(),
            });
        }
        Quantization::Nf4 | Quantization::Nf4Double => {
            let dense = weights.dense(name, DType::F32, &Device::Cpu)?;
            let values = dense.flatten_all()?.to_vec1::<f32>()?;
            let double = quantization == Quantization::Nf4Double;
            return Ok(Stored::Nf4(Nf4::quantize(&values, dense.dims2()?, double), device.clone()));
        }
        Quantization::None => {
            return Ok(Stored::Dense(weights.dense(name, DType::F32, device)?));
        }
        Quantization::Q4_0 => GgmlDType::Q4_0,
        Quantization::Q4_1 => GgmlDType::Q4_1,
        Quantization::Q4K => GgmlDType::Q4K,
        Quantization::Q8_0 => GgmlDType::Q8_0,
    };
    if let Some(tensor) = stored.filter(|tensor| tensor.dtype() == ggml) {
        return Ok(Stored::Ggml(tensor));
    }
    let dense = weights.dense(name, DType::F32, &Device::Cpu)?;
    let input = dense.dim(1)?;
    if input % ggml.block_size() != 0 {
        return Err(Error::Setting {
            key: "model.quantization".into(),
            message: format!(
                "{ggml:?} needs input sizes divisible by {}, {name} has {input}; use q4_0 or q8_0",
                ggml.block_size()
            ),
        });
    }
    Ok(Stored::Ggml(QTensor::quantize_onto(&dense, ggml, device)?))
}

//! A frozen weight as it is held in memory, and as it is used.

use crate::error::{Error, Result};
use crate::model::ggml;
use crate::model::nf4::{self, Nf4};
use crate::model::quantized_file::QuantizedFile;
use crate::model::weights::Weights;
use crate::recipe::{Projection, Quantization};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{DType, Device, Tensor};

/// Where the frozen weights of a model are taken from, and what they become.
#[derive(Clone, Copy)]
pub struct FrozenSource<'a> {
    /// The checkpoint.
    pub weights: &'a Weights,
    /// How the projections are stored.
    pub quantization: Quantization,
    /// The projections as an earlier run quantized them.
    pub quantized: Option<&'a QuantizedFile>,
    /// Type of the dense tensors and of what a quantized one is turned into.
    pub dtype: DType,
    /// Where they live.
    pub device: &'a Device,
}

/// The weights of projections that read the same input, one below the other: (sum of outputs, input).
pub struct Frozen {
    parts: Vec<Stored>,
    shape: (usize, usize),
    dtype: DType,
    device: Device,
}

/// One projection's weights.
pub(super) enum Stored {
    Dense(Tensor),
    Ggml(QTensor),
    Nf4(Nf4),
    Nf4OnDevice(nf4::device::Nf4),
}

/// The name of a projection's weights in a checkpoint.
pub(super) fn weight_name(layer: usize, projection: Projection) -> String {
    format!("model.layers.{layer}.{}.weight", projection.path())
}

impl Frozen {
    /// Takes the projections of one layer from a checkpoint, quantizing them as asked.
    ///
    /// # Errors
    /// A missing tensor, or a quantization whose block size does not divide the input size.
    pub fn load(source: FrozenSource, layer: usize, projections: &[Projection]) -> Result<Self> {
        let FrozenSource { weights, quantization, dtype, device, .. } = source;
        let mut parts = Vec::with_capacity(projections.len());
        let mut shape = (0, 0);
        for &projection in projections {
            let name = weight_name(layer, projection);
            if let &[output, input] = weights.shape(&name)? {
                shape = (shape.0 + output, input);
            }
            parts.push(match quantization {
                Quantization::None => Stored::Dense(weights.dense(&name, dtype, device)?),
                _ => quantized(source, &name)?,
            });
        }
        if quantization == Quantization::None {
            let tensors: Vec<Tensor> = parts.into_iter().filter_map(Stored::into_dense).collect();
            // One matrix, so that one product serves all of them.
            parts = vec![Stored::Dense(Tensor::cat(&tensors, 0)?)];
        }
        Ok(Frozen { parts, shape, dtype, device: device.clone() })
    }

    /// The weight in the model's dtype, (outputs, input). Quantized parts are dequantized at every call: that
    /// is what keeps the memory small.
    pub fn dense(&self) -> Result<Tensor> {
        if let [Stored::Dense(tensor)] = self.parts.as_slice() {
            return Ok(tensor.clone());
        }
        if !self.device.is_cpu() {
            let parts: Result<Vec<Tensor>> = self.parts.iter().map(Stored::on_device).collect();
            return Ok(Tensor::cat(&parts?, 0)?.to_dtype(self.dtype)?);
        }
        let mut values = vec![0f32; self.shape.0 * self.shape.1];
        let mut rest = values.as_mut_slice();
        for part in &self.parts {
            let (own, others) = rest.split_at_mut(part.elem_count());
            part.write(own)?;
            rest = others;
        }
        Ok(Tensor::from_vec(values, self.shape, &self.device)?.to_dtype(self.dtype)?)
    }

    /// As [`Frozen::dense`], in memory of its own: what is added to it stays there.
    pub fn dense_copy(&self) -> Result<Tensor> {
        let dense = self.dense()?;
        match self.parts.as_slice() {
            [Stored::Dense(_)] => Ok(dense.copy()?),
            _ => Ok(dense),
        }
    }

    /// (outputs, input)
    pub fn shape(&self) -> (usize, usize) {
        self.shape
    }

    /// The projections one by one; a single one where they are dense.
    pub(super) fn parts(&self) -> &[Stored] {
        &self.parts
    }

    /// Bytes held in memory.
    pub fn bytes(&self) -> u64 {
        let bytes = |part: &Stored| match part {
            Stored::Dense(tensor) => (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64,
            Stored::Ggml(tensor) => tensor.storage_size_in_bytes() as u64,
            Stored::Nf4(matrix) => matrix.bytes() as u64,
            Stored::Nf4OnDevice(matrix) => matrix.bytes() as u64,
        };
        self.parts.iter().map(bytes).sum()
    }

    /// Parameters that are held quantized.
    pub fn quantized_parameters(&self) -> u64 {
        let count = |part: &Stored| match part {
            Stored::Dense(_) => 0,
            quantized => quantized.elem_count() as u64,
        };
        self.parts.iter().map(count).sum()
    }
}

impl Stored {
    fn into_dense(self) -> Option<Tensor> {
        match self {
            Stored::Dense(tensor) => Some(tensor),
            _ => None,
        }
    }

    fn elem_count(&self) -> usize {
        match self {
            Stored::Dense(tensor) => tensor.elem_count(),
            Stored::Ggml(tensor) => tensor.shape().elem_count(),
            Stored::Nf4(matrix) => matrix.elem_count(),
            Stored::Nf4OnDevice(matrix) => matrix.elem_count(),
        }
    }

    /// The weights in f32, written row after row to the host's `values`.
    fn write(&self, values: &mut [f32]) -> Result<()> {
        match self {
            Stored::Nf4(matrix) => matrix.write(values),
            Stored::Ggml(tensor) if ggml::dequantize(tensor.dtype(), &tensor.data()?, values) => {}
            other => values.copy_from_slice(&other.on_device()?.flatten_all()?.to_vec1::<f32>()?),
        }
        Ok(())
    }

    /// The weights in f32 (a dense part in its own type), on their device.
    fn on_device(&self) -> Result<Tensor> {
        Ok(match self {
            Stored::Dense(tensor) => tensor.clone(),
            Stored::Ggml(tensor) => tensor.dequantize(&tensor.device())?,
            Stored::Nf4(matrix) => matrix.dequantize()?,
            Stored::Nf4OnDevice(matrix) => matrix.dequantize()?,
        })
    }

    /// An NF4 matrix where the device wants it.
    pub(super) fn nf4(matrix: Nf4, device: &Device) -> Result<Self> {
        Ok(match device {
            Device::Cpu => Stored::Nf4(matrix),
            device => Stored::Nf4OnDevice(nf4::device::Nf4::new(&matrix, device)?),
        })
    }
}

fn quantized(source: FrozenSource, name: &str) -> Result<Stored> {
    let FrozenSource { weights, quantization, quantized, device, .. } = source;
    if let Some(file) = quantized {
        return file.stored(name, weights.shape(name)?, device);
    }
    let ggml = match ggml_dtype(quantization) {
        Some(ggml) => ggml,
        None if quantization == Quantization::AsIs => {
            return weights.quantized(name, device)?.map(Stored::Ggml).ok_or_else(|| Error::Setting {
                key: "model.quantization".into(),
                message: "expected a .gguf model for as_is, got one whose weights are not quantized".into(),
            });
        }
        None => {
            let dense = weights.dense(name, DType::F32, &Device::Cpu)?;
            let values = dense.flatten_all()?.to_vec1::<f32>()?;
            let double = quantization == Quantization::Nf4Double;
            return Stored::nf4(Nf4::quantize(&values, dense.dims2()?, double), device);
        }
    };
    if let Some(tensor) = weights.quantized(name, device)?.filter(|tensor| tensor.dtype() == ggml) {
        return Ok(Stored::Ggml(tensor));
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
    Ok(Stored::Ggml(QTensor::quantize_onto(&dense, ggml, device)?))
}

/// The GGML type of a scheme; none for those that are no single one.
pub(super) fn ggml_dtype(quantization: Quantization) -> Option<GgmlDType> {
    match quantization {
        Quantization::Q4_0 => Some(GgmlDType::Q4_0),
        Quantization::Q4_1 => Some(GgmlDType::Q4_1),
        Quantization::Q4K => Some(GgmlDType::Q4K),
        Quantization::Q8_0 => Some(GgmlDType::Q8_0),
        Quantization::None | Quantization::AsIs | Quantization::Nf4 | Quantization::Nf4Double => None,
    }
}

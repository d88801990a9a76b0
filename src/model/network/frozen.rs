//! A frozen weight as it is held in memory, and as it is used.

use crate::error::Result;
use crate::model::files::config::weight_name;
use crate::model::files::packed::Packed;
use crate::model::files::quantized_file::QuantizedFile;
use crate::model::files::weights::Weights;
use crate::model::ops;
use crate::recipe::{Projection, Quantization};
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

impl FrozenSource<'_> {
    /// A tensor that is not quantized.
    ///
    /// # Errors
    /// As [`Weights::dense`].
    pub(super) fn dense(&self, name: &str) -> Result<Tensor> {
        self.weights.dense(name, self.dtype, self.device)
    }
}

/// The weights of projections that read the same input, one below the other: (sum of outputs, input).
pub struct Frozen {
    parts: Vec<Packed>,
    /// What [`Frozen::dense`] gives, while it is held.
    held: Option<Tensor>,
    shape: (usize, usize),
    dtype: DType,
    device: Device,
}

impl Frozen {
    /// Takes the projections of one layer from a checkpoint, quantizing them as asked.
    ///
    /// # Errors
    /// A missing tensor, or a quantization whose block size does not divide the input size.
    pub(super) fn load(source: FrozenSource, layer: usize, projections: &[Projection]) -> Result<Self> {
        let FrozenSource { weights, quantization, dtype, device, .. } = source;
        let mut parts = Vec::with_capacity(projections.len());
        let mut shape = (0, 0);
        for &projection in projections {
            let name = weight_name(layer, projection);
            if let &[output, input] = weights.shape(&name)? {
                shape = (shape.0 + output, input);
            }
            parts.push(match quantization {
                Quantization::None => Packed::Dense(weights.dense(&name, dtype, device)?),
                _ => match source.quantized {
                    Some(file) => file.packed(&name, weights.shape(&name)?, device)?,
                    None => Packed::of(weights, quantization, &name, device)?,
                },
            });
        }
        if quantization == Quantization::None {
            let tensors: Vec<Tensor> = parts.into_iter().filter_map(Packed::into_dense).collect();
            // One matrix, so that one product serves all of them.
            parts = vec![Packed::Dense(Tensor::cat(&tensors, 0)?)];
        }
        Ok(Frozen { parts, held: None, shape, dtype, device: device.clone() })
    }

    /// The weight, (outputs, input), in the model's dtype; on the CPU in f32 where it was dequantized for a bf16 model.
    /// Quantized parts are dequantized at every call, unless they are held: that is what keeps the memory small.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub fn dense(&self) -> Result<Tensor> {
        if let ([Packed::Dense(tensor)], _) | (_, Some(tensor)) = (self.parts.as_slice(), &self.held) {
            return Ok(tensor.clone());
        }
        if !self.device.is_cpu() {
            return self.dense_on_device();
        }
        let mut values = ops::zeros(self.shape.0 * self.shape.1);
        let mut rest = values.as_mut_slice();
        for part in &self.parts {
            let (own, others) = rest.split_at_mut(part.elem_count());
            part.write(own)?;
            rest = others;
        }
        let wide = Tensor::from_vec(values, self.shape, &self.device)?;
        // The products of a bf16 model round it on its way in.
        Ok(if ops::is_fast(&wide) && self.dtype == DType::BF16 { wide } else { wide.to_dtype(self.dtype)? })
    }

    /// [`Frozen::dense`] of quantized parts on a device: on CUDA each is written where it belongs, elsewhere they are put
    /// together.
    fn dense_on_device(&self) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if let Some(dense) = ops::cuda::weights::unwritten(self.shape, self.dtype, &self.device)? {
            let mut first = 0;
            for part in &self.parts {
                let rows = part.elem_count() / self.shape.1;
                part.write_on_card(&dense.narrow(0, first, rows)?)?;
                first += rows;
            }
            return Ok(dense);
        }
        // Each part becomes narrow by itself: only one of them is wide at a time.
        let narrow = |part: &Packed| Ok(part.on_device()?.to_dtype(self.dtype)?);
        let parts: Result<Vec<Tensor>> = self.parts.iter().map(narrow).collect();
        Ok(Tensor::cat(&parts?, 0)?)
    }

    /// Dequantizes the weight once for many uses, where it takes at most `free` bytes; returns what is left of them.
    ///
    /// # Errors
    /// As [`Frozen::dense`].
    pub(super) fn hold(&mut self, free: u64) -> Result<u64> {
        let bytes = (self.shape.0 * self.shape.1 * self.dtype.size_in_bytes()) as u64;
        if self.held.is_some() || self.quantized_parameters() == 0 || bytes > free {
            return Ok(free);
        }
        self.held = Some(self.dense()?.to_dtype(self.dtype)?);
        Ok(free - bytes)
    }

    /// Gives up what is held.
    pub(super) fn release(&mut self) {
        self.held = None;
    }

    /// As [`Frozen::dense`], in memory of its own: what is added to it stays there.
    pub(super) fn dense_copy(&self) -> Result<Tensor> {
        let dense = self.dense()?;
        let is_shared = self.held.is_some() || matches!(self.parts.as_slice(), [Packed::Dense(_)]);
        if is_shared { Ok(dense.copy()?) } else { Ok(dense) }
    }

    /// (outputs, input)
    pub(super) fn shape(&self) -> (usize, usize) {
        self.shape
    }

    /// The projections one by one; a single one where they are dense.
    pub(crate) fn parts(&self) -> &[Packed] {
        &self.parts
    }

    /// Bytes held in memory.
    pub(crate) fn bytes(&self) -> u64 {
        self.parts.iter().map(Packed::bytes).sum()
    }

    /// Parameters that are held quantized.
    pub(crate) fn quantized_parameters(&self) -> u64 {
        let count = |part: &Packed| match part {
            Packed::Dense(_) => 0,
            quantized => quantized.elem_count() as u64,
        };
        self.parts.iter().map(count).sum()
    }
}

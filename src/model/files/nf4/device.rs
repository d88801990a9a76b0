//! The same matrix on any device: dequantized by a kernel on CUDA, elsewhere by candle operations.

use super::{BLOCK, DYNAMIC_MAP, Nf4, PAIRS, SCALE_BLOCK, Scales, ZERO};
#[cfg(feature = "cuda")]
use crate::model::ops::cuda;
use candle_core::{DType, Device, Result, Tensor};

/// Codes and scales as tensors of the device, 4.5 or 4.127 bits a weight as on the host.
pub struct Nf4OnDevice {
    /// (bytes)
    codes: Tensor,
    /// (256, 2): the two weights of a byte, before their scale.
    pairs: Tensor,
    scales: ScaleTensors,
    shape: (usize, usize),
}

enum ScaleTensors {
    /// (blocks, 1)
    Plain(Tensor),
    Double {
        /// (scale blocks x 256), the last filled up.
        codes: Tensor,
        /// (256)
        map: Tensor,
        /// (scale blocks, 1)
        nested: Tensor,
        offset: f64,
    },
}

/// Widened first: candle takes the largest value of an index type for "no index" and gives 0.
fn look_up(table: &Tensor, codes: &Tensor) -> Result<Tensor> {
    table.index_select(&codes.to_dtype(DType::U32)?, 0)
}

impl Nf4OnDevice {
    /// Copies a matrix to `device`.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub fn new(matrix: &Nf4, device: &Device) -> Result<Self> {
        // The last block may be short: filled up, so that one reshape divides them.
        let mut bytes = matrix.codes.clone();
        bytes.resize(matrix.elem_count().div_ceil(BLOCK) * BLOCK / 2, (ZERO << 4) | ZERO);
        let scales = match &matrix.scales {
            Scales::Plain(scales) => {
                ScaleTensors::Plain(Tensor::from_slice(scales, (scales.len(), 1), device)?)
            }
            Scales::Double(scales) => {
                let mut codes = scales.codes.clone();
                codes.resize(scales.nested.len() * SCALE_BLOCK, 0);
                ScaleTensors::Double {
                    codes: Tensor::from_slice(&codes, codes.len(), device)?,
                    map: Tensor::from_slice(&DYNAMIC_MAP, DYNAMIC_MAP.len(), device)?,
                    nested: Tensor::from_slice(&scales.nested, (scales.nested.len(), 1), device)?,
                    offset: scales.offset as f64,
                }
            }
        };
        Ok(Nf4OnDevice {
            codes: Tensor::from_slice(&bytes, bytes.len(), device)?,
            pairs: Tensor::from_slice(PAIRS.as_flattened(), (PAIRS.len(), 2), device)?,
            scales,
            shape: matrix.shape,
        })
    }

    /// The matrix in f32, on its device.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub fn dequantize(&self) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if let Some(dense) = cuda::weights::unwritten(self.shape, DType::F32, self.codes.device())? {
            self.write(&dense)?;
            return Ok(dense);
        }
        let blocks = 2 * self.codes.elem_count() / BLOCK;
        let scales = match &self.scales {
            ScaleTensors::Plain(scales) => scales.clone(),
            ScaleTensors::Double { codes, map, nested, offset } => {
                let of_block = look_up(map, codes)?.reshape((nested.dim(0)?, SCALE_BLOCK))?;
                let scales = (of_block.broadcast_mul(nested)? + *offset)?;
                scales.flatten_all()?.narrow(0, 0, blocks)?.reshape((blocks, 1))?
            }
        };
        let values = look_up(&self.pairs, &self.codes)?.reshape((blocks, BLOCK))?;
        let flat = values.broadcast_mul(&scales)?.flatten_all()?;
        flat.narrow(0, 0, self.shape.0 * self.shape.1)?.reshape(self.shape)
    }

    /// Writes the matrix, in the type of `dense`, to that tensor of the same card.
    ///
    /// # Errors
    /// A tensor of another size.
    #[cfg(feature = "cuda")]
    pub(in crate::model::files) fn write(&self, dense: &Tensor) -> Result<()> {
        use cuda::nf4::{Matrix, Scales};
        let scales = match &self.scales {
            ScaleTensors::Plain(scales) => Scales::Plain(scales),
            ScaleTensors::Double { codes, map, nested, offset } => {
                Scales::Double { codes, map, nested, offset: *offset as f32 } // as it was stored
            }
        };
        cuda::nf4::dequantize(&Matrix { codes: &self.codes, pairs: &self.pairs, scales }, dense)
    }

    /// Weights.
    pub(in crate::model::files) fn elem_count(&self) -> usize {
        self.shape.0 * self.shape.1
    }

    /// Bytes held, without the two tables.
    pub(in crate::model::files) fn bytes(&self) -> usize {
        self.codes.elem_count()
            + match &self.scales {
                ScaleTensors::Plain(scales) => 4 * scales.elem_count(),
                ScaleTensors::Double { codes, nested, .. } => codes.elem_count() + 4 * nested.elem_count(),
            }
    }
}

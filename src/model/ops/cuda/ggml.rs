//! `ggml.cu`: GGML's blocks, as candle holds them on a card, to the dense matrix in one launch.

use super::weights::{Kernel, write};
use super::{Argument, ptx};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Result, Tensor, bail};

/// Fills `dense`, a contiguous matrix of f32 or bf16; false where the stored type has no kernel here, and nothing was
/// written.
///
/// # Errors
/// A matrix of another size, or of another device; a card that refuses the launch.
pub(crate) fn dequantize(blocks: &QTensor, dense: &Tensor) -> Result<bool> {
    let stored = match blocks.dtype() {
        GgmlDType::Q4_0 => "q4_0",
        GgmlDType::Q4_1 => "q4_1",
        GgmlDType::Q8_0 => "q8_0",
        GgmlDType::Q4K => "q4_k",
        _ => return Ok(false),
    };
    if blocks.shape() != dense.shape() {
        bail!("blocks of {:?} weights for {:?}", blocks.shape(), dense.shape())
    }
    let kernel = Kernel { module: "tezgah_ggml", ptx: ptx::GGML, stored };
    write(kernel, &[Argument::Address(blocks.device_ptr()? as u64)], dense)?;
    Ok(true)
}

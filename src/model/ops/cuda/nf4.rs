//! `nf4.cu`: codes and scales to the dense matrix in one launch.

use super::weights::{Kernel, write};
use super::{Argument, address, ptx};
use candle_core::{Result, Tensor, bail};

/// Codes that a block of weights takes; what `codes` is filled up to.
const BLOCK_BYTES: usize = 32;
/// Scales that share a scale.
const SCALE_BLOCK: usize = 256;

/// A matrix as `files/nf4/device.rs` holds it.
pub(crate) struct Matrix<'a> {
    /// u8, two codes each, whole blocks.
    pub(crate) codes: &'a Tensor,
    /// f32 (256, 2): the two weights of each byte.
    pub(crate) pairs: &'a Tensor,
    /// Of its blocks.
    pub(crate) scales: Scales<'a>,
}

/// The blocks' scales.
pub(crate) enum Scales<'a> {
    /// f32, one a block.
    Plain(&'a Tensor),
    /// Quantized again.
    Double {
        /// u8, one a block of weights, whole blocks of scales.
        codes: &'a Tensor,
        /// f32 (256): what a code stands for.
        map: &'a Tensor,
        /// f32, one a block of scales.
        nested: &'a Tensor,
        /// What was taken off the scales.
        offset: f32,
    },
}

/// Fills `dense`, a contiguous matrix of f32 or bf16.
///
/// # Errors
/// A matrix of another size; a card that refuses the launch.
pub(crate) fn dequantize(matrix: &Matrix, dense: &Tensor) -> Result<()> {
    let Matrix { codes, pairs, scales } = matrix;
    let blocks = dense.elem_count().div_ceil(2 * BLOCK_BYTES);
    let has_scales = match scales {
        Scales::Plain(scales) => scales.elem_count() == blocks,
        Scales::Double { codes, map, nested, .. } => {
            let scale_blocks = blocks.div_ceil(SCALE_BLOCK);
            let sizes = [codes, map, nested].map(|tensor| tensor.elem_count());
            sizes == [scale_blocks * SCALE_BLOCK, 256, scale_blocks]
        }
    };
    if codes.elem_count() != blocks * BLOCK_BYTES || pairs.elem_count() != 512 || !has_scales {
        bail!("codes and scales are not those of {:?} weights", dense.shape())
    }
    let mut stored = vec![Argument::Address(address(codes)?), Argument::Address(address(pairs)?)];
    let name = match scales {
        Scales::Plain(scales) => {
            stored.push(Argument::Address(address(scales)?));
            "nf4"
        }
        Scales::Double { codes, map, nested, offset } => {
            for tensor in [codes, map, nested] {
                stored.push(Argument::Address(address(tensor)?));
            }
            stored.push(Argument::Number(*offset));
            "nf4_double"
        }
    };
    write(Kernel { module: "tezgah_nf4", ptx: ptx::NF4, stored: name }, &stored, dense)
}

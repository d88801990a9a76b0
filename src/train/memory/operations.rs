//! What a pass takes on a GPU: of candle operations, as on Metal, each of which writes a tensor of its own, or of the kernels of
//! `model::ops::cuda`, which write into what is there.
//!
//! The peak of a step is what is kept of all layers and the widest of four moments. The counts of buffers were read from
//! the operations' sources; `.ci/gpu-host` compares the sum with the software GPU's peak.

use super::pass::{WIDE, widest};
use super::{Largest, Need, Place};
use crate::model::network::llama::{Activations, LOGITS_ROWS};
use crate::recipe::Quantization;
use candle_core::DType;

/// Whether kernels of ours compute, and not candle's operations.
fn has_kernels(need: Need) -> bool {
    need.place == Place::Cuda
}

/// Bytes of activations and of logits, by which one chunk of them exceeds the other moments. The last layer counts as a whole
/// one: against the software GPU's peak the estimate is then nearer, and never far below.
pub(super) fn activations(need: Need, activations: Activations) -> (u64, u64) {
    let tokens = need.largest.tokens;
    let need = Need { largest: Largest { targets: tokens, ..need.largest }, ..need };
    let working = swiglu(need).max(projections(need)).max(attention(need));
    (widest(need, activations, |_| working), logits(need).saturating_sub(working))
}

/// What a value of `dtype` costs beside its widened copy: nothing where it is wide already.
fn narrow(dtype: DType) -> u64 {
    if dtype.size_in_bytes() as u64 == WIDE { 0 } else { dtype.size_in_bytes() as u64 }
}

/// The gradient of gate and up: gate, up, sigma, silu, two of the slope, and the incoming gradient where it is widened, else
/// the two results before they are one tensor.
fn swiglu(need: Need) -> u64 {
    let (hidden, mlp) = (need.config.hidden_size as u64, need.config.intermediate_size as u64);
    // A kernel writes the gradient into gate and up, beside what the product before them gave, and what it came from.
    let wide = if has_kernels(need) { need.width() } else { 7 * WIDE };
    let a_token = mlp * (wide + need.width()) + hidden * need.width();
    need.largest.tokens as u64 * a_token
}

/// The backward pass of gate and up at the moment when their weights become dense: two matrices of one size.
fn projections(need: Need) -> u64 {
    let (hidden, mlp, width) =
        (need.config.hidden_size as u64, need.config.intermediate_size as u64, need.width());
    let dense = match need.quantization {
        Quantization::None => 0,
        // A kernel writes each into its rows of the joint matrix.
        _ if has_kernels(need) => 2 * width,
        // The first is there; the second as it is looked up, scaled and narrowed. Then both, and both in one.
        Quantization::Nf4 | Quantization::Nf4Double => (width + 2 * WIDE).max(4 * width),
        _ => (width + WIDE + narrow(need.dtype)).max(4 * width),
    };
    need.largest.tokens as u64 * 2 * (hidden + mlp) * width + hidden * mlp * dense
}

/// The backward pass of attention: the probabilities of one block and what leads to them, and padded rows. Gate and up, which
/// the layer had saved, are gone by then.
fn attention(need: Need) -> u64 {
    let Need { config, dtype, largest: Largest { tokens, padded, scores, .. }, .. } = need;
    let heads = config.num_attention_heads as u64;
    // By kernels the probabilities and the gradient of the scores, one of which is made of scores in f32.
    let a_score = if has_kernels(need) { 2 * WIDE } else { 4 * WIDE + 2 * narrow(dtype) };
    let a_token = (2 * need.packed() + need.attended()) * need.width();
    let gone = 2 * config.intermediate_size as u64 * need.width();
    (heads * scores as u64 * a_score + padded as u64 * a_token).saturating_sub(tokens as u64 * gone)
}

/// One chunk of logits: as they come, widened, shifted, their exponentials, and the logarithms of the probabilities.
fn logits(need: Need) -> u64 {
    // A kernel writes the gradient into them.
    let each = if has_kernels(need) { need.width() } else { 4 * WIDE + narrow(need.dtype) };
    (LOGITS_ROWS * need.config.vocab_size) as u64 * each
}

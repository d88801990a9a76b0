//! What a training pass holds of its activations at its widest moment, and what that is where the CPU's kernels run.

use super::Need;
use crate::model::network::llama::{Activations, LOGITS_ROWS};
use candle_core::DType;

/// Bytes of what a sum is kept in.
pub(super) const WIDE: u64 = 4;

/// Bytes of activations and logits where the CPU's kernels run, which write in place.
pub(super) fn kernels(need: Need, activations: Activations) -> (u64, u64) {
    // The widest moment of a backward pass is that of the MLP: down_proj's input, and what its update sees of that; in bf16,
    // where these are half as wide, a product's operands besides, as they are packed. Then the gradient of the layer's output
    // and a norm.
    let (mlp, hidden) = (need.config.intermediate_size as u64, need.config.hidden_size as u64);
    let working = |computed: u64| computed * (mlp * (need.width() + 2 * WIDE) + hidden * 2 * WIDE);
    // f32 in bf16 too, and then their gradient is there once more, packed for a product.
    let width = if need.dtype == DType::BF16 { 6 } else { need.width() };
    let logits = (LOGITS_ROWS * need.config.vocab_size) as u64 * width;
    (widest(need, activations, working), logits)
}

/// Bytes that a pass holds of its activations when it holds the most. `working` is what the backward pass of a layer takes
/// besides, which computes the output of so many tokens: the last layer computes that of tokens with a target alone.
pub(super) fn widest(need: Need, activations: Activations, working: impl Fn(u64) -> u64) -> u64 {
    let [tokens, targets] = [need.largest.tokens, need.largest.targets].map(|count| count as u64);
    let [hidden, packed, saved] = [need.config.hidden_size as u64, need.packed(), need.saved()];
    let kept = need.kept(activations);
    let (of_last, computed_again) = match activations {
        Activations::Keep => (kept, 0),
        Activations::Recompute => (saved, saved),
    };
    let last = tokens * (hidden + packed) + targets * (of_last - packed);
    let others = (need.config.num_hidden_layers as u64).saturating_sub(1) * tokens * (hidden + kept);
    let in_the_last = last * need.width() + working(targets);
    let below_it = tokens * computed_again * need.width() + working(tokens);
    others * need.width() + in_the_last.max(below_it)
}

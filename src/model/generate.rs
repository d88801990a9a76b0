//! Text from a prompt, token by token, with keys and values kept between tokens.

use crate::error::Result;
use crate::model::network::layer::Layer;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::Llama;
use crate::model::ops::attention::{self, Heads};
use crate::model::ops::matmul::{add, matmul};
use crate::model::ops::rms_norm::rms_norm;
use crate::model::ops::rope::{Angles, Direction, rope};
use crate::model::ops::swiglu::swiglu;
use candle_core::{DType, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling};

/// A continuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// Token ids after the prompt, without the end-of-sequence token.
    pub ids: Vec<u32>,
    /// Cut at the limit rather than ended by the model.
    pub capped: bool,
}

/// Greedy continuation of `prompt` by at most `max_new_tokens` tokens; `lora_scale` none is the base model.
pub fn greedy(
    model: &Llama,
    prompt: &[u32],
    eos: u32,
    max_new_tokens: usize,
    lora_scale: Option<f64>,
) -> Result<Generated> {
    let lora = lora_scale.map_or(LoraUse::Ignored, |scale| LoraUse::Applied { scale, dropout: None });
    let mut processor = LogitsProcessor::from_sampling(0, Sampling::ArgMax);
    let mut caches: Vec<Option<Tensor>> = vec![None; model.layers.len()];
    let (mut ids, mut fresh, mut seen) = (Vec::new(), prompt.to_vec(), 0);
    while ids.len() < max_new_tokens {
        let logits = next_logits(model, &fresh, seen, &mut caches, lora)?;
        seen += fresh.len();
        let next = processor.sample(&logits)?;
        if next == eos {
            return Ok(Generated { ids, capped: false });
        }
        ids.push(next);
        fresh = vec![next];
    }
    Ok(Generated { ids, capped: true })
}

/// Logits after the last of `fresh`, tokens that follow `seen` earlier ones, (V).
fn next_logits(
    model: &Llama,
    fresh: &[u32],
    seen: usize,
    caches: &mut [Option<Tensor>],
    lora: LoraUse,
) -> Result<Tensor> {
    let positions: Vec<usize> = (seen..seen + fresh.len()).collect();
    let angles = Angles::new(&positions, model.inverse_frequencies(), model.dtype, &model.device)?;
    let mut x = model.embed_ids(fresh)?;
    for (layer, cache) in model.layers.iter().zip(caches) {
        x = continue_layer(layer, &x, &angles, model.heads(), model.config.rms_norm_eps, lora, cache)?;
    }
    let last = x.narrow(0, fresh.len() - 1, 1)?.contiguous()?;
    Ok(model.logits(&last)?.squeeze(0)?.to_dtype(DType::F32)?)
}

/// A layer's forward pass over new tokens only; `cache` is (tokens so far, keys and values).
fn continue_layer(
    layer: &Layer,
    x: &Tensor,
    angles: &Angles,
    heads: Heads,
    eps: f64,
    lora: LoraUse,
    cache: &mut Option<Tensor>,
) -> Result<Tensor> {
    let normed = rms_norm(x, &layer.input_norm, eps)?;
    let qkv = layer.qkv.forward(layer.index, &normed, lora)?;
    let qkv = rope(qkv, angles, heads.query + heads.key_value, Direction::Forward)?;
    let (queries, pairs) = (heads.query * heads.width, 2 * heads.key_value * heads.width);
    let fresh = qkv.narrow(1, queries, pairs)?.contiguous()?;
    let all = match cache.take() {
        None => fresh,
        Some(earlier) => Tensor::cat(&[earlier, fresh], 0)?,
    };
    let attended = attention::device::continued(&qkv.narrow(1, 0, queries)?.contiguous()?, &all, heads)?;
    *cache = Some(all);
    let middle = add(layer.output.forward(layer.index, &attended, lora)?, x)?;
    let normed = rms_norm(&middle, &layer.post_attention_norm, eps)?;
    let hidden = swiglu(&layer.gate_up.forward(layer.index, &normed, lora)?)?;
    Ok(add(layer.down.forward(layer.index, &hidden, lora)?, &middle)?)
}

impl Llama {
    /// The head's product for some rows of the last layer's output, (N, H) -> (N, V).
    fn logits(&self, x: &Tensor) -> Result<Tensor> {
        let normed = rms_norm(x, self.norm(), self.config.rms_norm_eps)?;
        Ok(matmul(&normed, &self.head().t()?)?)
    }
}

//! Text from a prompt, token by token, with keys and values kept between tokens.

use crate::error::Result;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::Llama;
use crate::model::ops::attention::{self, Heads};
use candle_core::{DType, Tensor};
use candle_transformers::generation::{LogitsProcessor, Sampling};

/// A continuation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Generated {
    /// Token ids after the prompt, without the end-of-sequence token.
    pub(crate) ids: Vec<u32>,
    /// Cut at the limit rather than ended by the model.
    pub(crate) capped: bool,
}

/// Greedy continuation of `prompt` by at most `max_new_tokens` tokens.
///
/// # Errors
/// A token id outside the vocabulary; a device that has no memory left.
pub(crate) fn greedy(
    model: &Llama,
    prompt: &[u32],
    eos: u32,
    max_new_tokens: usize,
    lora: LoraUse,
) -> Result<Generated> {
    let mut processor = LogitsProcessor::from_sampling(0, Sampling::ArgMax);
    let mut cache = Cache::default();
    let (mut ids, mut fresh) = (Vec::new(), prompt.to_vec());
    while ids.len() < max_new_tokens {
        let next = processor.sample(&next_logits(model, &fresh, &mut cache, lora)?)?;
        if next == eos {
            return Ok(Generated { ids, capped: false });
        }
        ids.push(next);
        fresh = vec![next];
    }
    Ok(Generated { ids, capped: true })
}

/// Logits after the last of `fresh`, tokens that follow those of the cache, (V).
fn next_logits(model: &Llama, fresh: &[u32], cache: &mut Cache, lora: LoraUse) -> Result<Tensor> {
    let positions: Vec<usize> = (cache.tokens..cache.tokens + fresh.len()).collect();
    let pass = model.pass(&positions, lora)?;
    let attend = |layer, qkv: &Tensor| cache.attend(layer, qkv, pass.heads);
    let x = model.forward(fresh, &pass, attend, |_, _| ())?;
    cache.tokens += fresh.len();
    let last = x.narrow(0, fresh.len() - 1, 1)?.contiguous()?;
    Ok(model.logits(&model.normed(&last)?)?.squeeze(0)?.to_dtype(DType::F32)?)
}

/// What the next token attends to: the keys and values of all tokens before it.
#[derive(Default)]
struct Cache {
    /// Tokens that every layer has seen.
    tokens: usize,
    /// A layer's keys and values side by side, (tokens, 2 key_value heads x D).
    layers: Vec<Tensor>,
}

impl Cache {
    /// Attention of the fresh tokens, whose keys and values are kept.
    ///
    /// # Shapes
    /// (N, packed) -> (N, query heads x D)
    fn attend(&mut self, layer: usize, qkv: &Tensor, heads: Heads) -> candle_core::Result<Tensor> {
        let (queries, pairs) = (heads.query * heads.width, 2 * heads.key_value * heads.width);
        let fresh = qkv.narrow(1, queries, pairs)?.contiguous()?;
        match self.layers.get_mut(layer) {
            None => self.layers.push(fresh),
            Some(seen) => *seen = Tensor::cat(&[&*seen, &fresh], 0)?,
        }
        let queries = qkv.narrow(1, 0, queries)?.contiguous()?;
        attention::device::continued(&queries, &self.layers[layer], heads)
    }
}

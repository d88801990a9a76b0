//! Tensors that a model's files hold beyond its config.json: left out, they would be another model without a word.

use crate::error::{Error, Result};
use crate::model::files::config::LlamaConfig;
use crate::model::files::weights::Weights;
use std::collections::BTreeSet;

/// Checkpoints of older libraries keep the rotary frequencies, which follow from config.json.
const ROTARY: &str = "rotary_emb.inv_freq";
const HEAD: &str = "lm_head.weight";
const EMBEDDING: &str = "model.embed_tokens.weight";

/// Refuses weights with a tensor that the model of `config` does not have: a further layer, a bias, a norm of queries, the
/// gate of experts. Rotary frequencies may be there, and under tied embeddings a head that is the embedding.
///
/// # Errors
/// `Error::Model` with the tensor.
pub(super) fn check(weights: &Weights, config: &LlamaConfig) -> Result<()> {
    let expected: BTreeSet<String> = config.tensors().into_iter().map(|(name, _)| name).collect();
    for name in weights.names().filter(|&name| !expected.contains(name) && !is_rotary(name)) {
        let message = if name == HEAD {
            if is_same(weights, HEAD, EMBEDDING)? {
                continue;
            }
            "expected the embedding, as tie_word_embeddings is true in config.json, got another head"
                .to_string()
        } else {
            format!(
                "expected the tensors of a Llama of {} layers, as config.json has it, got one that it does not have",
                config.num_hidden_layers
            )
        };
        return Err(Error::model(weights.source_name(), format!("tensor {name}: {message}")));
    }
    Ok(())
}

fn is_rotary(name: &str) -> bool {
    name.strip_suffix(ROTARY).is_some_and(|rest| rest.ends_with('.'))
}

fn is_same(weights: &Weights, one: &str, other: &str) -> Result<bool> {
    let is_alike = weights.shape(one)? == weights.shape(other)?
        && weights.stored_type(one)? == weights.stored_type(other)?;
    Ok(is_alike && weights.raw(one)? == weights.raw(other)?)
}

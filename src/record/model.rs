//! The base model of a run, and what was attached to it.

use crate::recipe::Quantization;
use serde::{Deserialize, Serialize};

/// The base model, and what was attached to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// Short name: `Llama-3.2-1B-Instruct`.
    pub name: String,
    /// As the user named it: `demo`, a path, `org/name@revision`.
    pub source: String,
    /// The commit that the hub's revision stood for; absent where the model is no repository of the hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// SHA-256 over the weight files.
    pub sha256: String,
    /// The embedded demonstration model: its results are no thesis results.
    pub demonstration: bool,
    /// Parameters of the base model (a tied head counted once).
    pub parameters: u64,
    /// Parameters of all A and B.
    pub trainable_parameters: u64,
    /// Storage of the projections, as used.
    pub quantization: Quantization,
    /// Type of activations and of unquantized weights, as used: `f32` or `bf16`.
    pub dtype: String,
    /// Parameters that are stored quantized.
    pub quantized_parameters: u64,
    /// Bits a weight of the quantized parameters, scales included; equals the dtype's bits where none is.
    pub bits_per_weight: f64,
    /// Bytes of the frozen weights as held in memory.
    pub weight_bytes: u64,
    /// Bytes that the same weights take in the model's dtype, nothing quantized.
    pub dense_weight_bytes: u64,
    /// Shape of the network.
    pub architecture: Architecture,
}

/// Shape of a Llama network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Architecture {
    /// Transformer layers.
    pub layers: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the MLP.
    pub intermediate_size: usize,
    /// Query heads.
    pub attention_heads: usize,
    /// Key and value heads.
    pub key_value_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Tokens of the vocabulary.
    pub vocab_size: usize,
    /// Whether the output head is the embedding.
    pub tied_embeddings: bool,
}

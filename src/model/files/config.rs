//! The shape of a Llama, and what follows from it: its tensors, its rotary frequencies.

mod json;

use crate::error::{Error, Result};
use crate::model::files::Parsed;
use crate::recipe::Projection;

/// No width or count of a Llama comes near; keeps every product of a damaged file inside a u64.
const WIDEST: usize = 1 << 20;
/// Likewise for layers.
const DEEPEST: usize = 1 << 12;
/// Likewise for the vocabulary and the positions.
const LONGEST: usize = 1 << 26;

/// Sizes and constants of a Llama.
#[derive(Debug, Clone, PartialEq)]
pub struct LlamaConfig {
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width inside the MLP.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Query heads.
    pub num_attention_heads: usize,
    /// Key and value heads; each serves `num_attention_heads / num_key_value_heads` query heads.
    pub num_key_value_heads: usize,
    /// Width of a head; even, because rope turns pairs.
    pub head_dim: usize,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Added to the mean square before its root.
    pub rms_norm_eps: f64,
    /// Base of the rotary frequencies.
    pub rope_theta: f64,
    /// Llama 3's stretching of the low frequencies, where the model has it.
    pub rope_scaling: Option<Llama3RopeScaling>,
    /// Whether the head is the embedding.
    pub tie_word_embeddings: bool,
    /// Longest sequence the model was made for, in tokens.
    pub max_position_embeddings: usize,
    /// Beginning-of-sequence token.
    pub bos_token_id: Option<u32>,
    /// End-of-sequence token; the first where the file lists several.
    pub eos_token_id: Option<u32>,
}

/// Parameters of rope_type `llama3`.
#[derive(Debug, Clone, PartialEq)]
pub struct Llama3RopeScaling {
    /// Divisor of the frequencies whose wavelength is above `original / low_freq_factor`.
    pub factor: f64,
    /// Sets the wavelength above which a frequency is divided whole.
    pub low_freq_factor: f64,
    /// Sets the wavelength below which a frequency is left alone.
    pub high_freq_factor: f64,
    /// Context length before the stretching, in tokens.
    pub original_max_position_embeddings: usize,
}

impl LlamaConfig {
    /// Reads `config.json`; `source_name` is how the user named the model.
    ///
    /// # Errors
    /// `Error::Model`: no JSON object, no Llama, a missing or impossible size, or something that this
    /// program does not compute, each with the field, what was expected and what was found.
    pub fn from_json(source_name: &str, text: &str) -> Result<Self> {
        let parsed = json::parse(text).and_then(|config| config.check().map(|()| config));
        parsed.map_err(|message| Error::model(source_name, format!("config.json: {message}")))
    }

    /// Writes a `config.json` that transformers 4.43 and later read, for models that come without one.
    pub fn to_json(&self) -> String {
        json::text(self)
    }

    /// Rows and columns of a projection's weight: (output, input).
    pub fn projection_shape(&self, projection: Projection) -> (usize, usize) {
        let queries = self.num_attention_heads * self.head_dim;
        let keys = self.num_key_value_heads * self.head_dim;
        match projection {
            Projection::QProj => (queries, self.hidden_size),
            Projection::KProj | Projection::VProj => (keys, self.hidden_size),
            Projection::OProj => (self.hidden_size, queries),
            Projection::GateProj | Projection::UpProj => (self.intermediate_size, self.hidden_size),
            Projection::DownProj => (self.hidden_size, self.intermediate_size),
        }
    }

    /// The rotary angles per position, (head_dim / 2): theta^(-2i / head_dim), with Llama 3's scaling.
    ///
    /// A frequency whose wavelength 2 pi / f is below original / high_freq_factor stays, one above
    /// original / low_freq_factor is divided by `factor`, and between them the two are blended
    /// linearly in original / wavelength: transformers' `_compute_llama3_parameters`, in f64 where
    /// that has f32.
    pub fn inverse_frequencies(&self) -> Vec<f64> {
        let exponent = |pair: usize| -2.0 * pair as f64 / self.head_dim as f64;
        let plain = (0..self.head_dim / 2).map(|pair| self.rope_theta.powf(exponent(pair)));
        match &self.rope_scaling {
            None => plain.collect(),
            Some(scaling) => plain.map(|frequency| scaling.apply(frequency)).collect(),
        }
    }

    /// Every tensor of the checkpoint with its shape, in the order of the computation.
    pub fn tensors(&self) -> Vec<(String, Vec<usize>)> {
        use Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj};
        let hidden = self.hidden_size;
        let mut tensors = vec![("model.embed_tokens.weight".to_string(), vec![self.vocab_size, hidden])];
        for layer in 0..self.num_hidden_layers {
            let norm = |name: &str| (format!("model.layers.{layer}.{name}.weight"), vec![hidden]);
            let projection = |projection: Projection| {
                let (output, input) = self.projection_shape(projection);
                (weight_name(layer, projection), vec![output, input])
            };
            tensors.push(norm("input_layernorm"));
            tensors.extend([QProj, KProj, VProj, OProj].map(projection));
            tensors.push(norm("post_attention_layernorm"));
            tensors.extend([GateProj, UpProj, DownProj].map(projection));
        }
        tensors.push(("model.norm.weight".to_string(), vec![hidden]));
        if !self.tie_word_embeddings {
            tensors.push(("lm_head.weight".to_string(), vec![self.vocab_size, hidden]));
        }
        tensors
    }

    /// Weights of the base model; a tied head counts once.
    pub fn parameters(&self) -> u64 {
        self.tensors().iter().map(|(_, shape)| shape.iter().map(|&size| size as u64).product::<u64>()).sum()
    }

    fn check(&self) -> Parsed<()> {
        let sizes = [
            ("hidden_size", self.hidden_size, WIDEST),
            ("intermediate_size", self.intermediate_size, WIDEST),
            ("num_attention_heads", self.num_attention_heads, WIDEST),
            ("num_key_value_heads", self.num_key_value_heads, WIDEST),
            ("head_dim", self.head_dim, WIDEST),
            ("num_hidden_layers", self.num_hidden_layers, DEEPEST),
            ("vocab_size", self.vocab_size, LONGEST),
            ("max_position_embeddings", self.max_position_embeddings, LONGEST),
        ];
        if let Some((key, got, most)) = sizes.into_iter().find(|&(_, got, most)| got == 0 || got > most) {
            return Err(format!("{key}: expected 1 to {most}, got {got}"));
        }
        let width = self.num_attention_heads * self.head_dim;
        if width > WIDEST {
            return Err(format!("num_attention_heads x head_dim: expected at most {WIDEST}, got {width}"));
        }
        if !self.num_attention_heads.is_multiple_of(self.num_key_value_heads) {
            return Err(format!(
                "num_key_value_heads: expected a divisor of num_attention_heads {}, got {}",
                self.num_attention_heads, self.num_key_value_heads
            ));
        }
        if !self.head_dim.is_multiple_of(2) {
            return Err(format!("head_dim: expected an even number, got {}", self.head_dim));
        }
        if !(self.rms_norm_eps > 0.0 && self.rms_norm_eps < 1.0) {
            return Err(format!("rms_norm_eps: expected between 0 and 1, got {}", self.rms_norm_eps));
        }
        if !(self.rope_theta > 1.0 && self.rope_theta.is_finite()) {
            return Err(format!("rope_theta: expected more than 1, got {}", self.rope_theta));
        }
        for (key, id) in [("bos_token_id", self.bos_token_id), ("eos_token_id", self.eos_token_id)] {
            if let Some(id) = id.filter(|&id| id as usize >= self.vocab_size) {
                return Err(format!("{key}: expected below vocab_size {}, got {id}", self.vocab_size));
            }
        }
        self.rope_scaling.as_ref().map_or(Ok(()), Llama3RopeScaling::check)
    }
}

impl Llama3RopeScaling {
    /// The scaled frequency; see [`LlamaConfig::inverse_frequencies`].
    fn apply(&self, frequency: f64) -> f64 {
        let original = self.original_max_position_embeddings as f64;
        let wavelength = 2.0 * std::f64::consts::PI / frequency;
        if wavelength < original / self.high_freq_factor {
            return frequency;
        }
        if wavelength > original / self.low_freq_factor {
            return frequency / self.factor;
        }
        let span = self.high_freq_factor - self.low_freq_factor;
        let smooth = (original / wavelength - self.low_freq_factor) / span;
        (1.0 - smooth) * frequency / self.factor + smooth * frequency
    }

    fn check(&self) -> Parsed<()> {
        if !(self.factor >= 1.0 && self.factor.is_finite()) {
            return Err(format!("rope factor: expected at least 1, got {}", self.factor));
        }
        if !(self.low_freq_factor > 0.0 && self.high_freq_factor > self.low_freq_factor) {
            return Err(format!(
                "rope low_freq_factor and high_freq_factor: expected 0 < low < high, got {} and {}",
                self.low_freq_factor, self.high_freq_factor
            ));
        }
        if self.original_max_position_embeddings == 0 {
            return Err("rope original_max_position_embeddings: expected at least 1, got 0".into());
        }
        Ok(())
    }
}

/// The name of a projection's weights in a checkpoint.
pub(crate) fn weight_name(layer: usize, projection: Projection) -> String {
    format!("model.layers.{layer}.{}.weight", projection.path())
}

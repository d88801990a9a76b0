//! The shape of a Llama: `config.json` in both of transformers' dialects.
//!
//! Up to transformers 4 a file has `rope_theta`, `rope_scaling` and `torch_dtype`; from 5 on it has
//! `rope_parameters` and `dtype`. Whatever this program does not compute (biases, another activation,
//! another rope) is refused by name: a model that is silently a different model trains without complaint.

use crate::error::{Error, Result};
use crate::recipe::Projection;
use serde_json::{Map, Value, json};

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
        let wrong = |message: String| Error::model(source_name, format!("config.json: {message}"));
        let tree: Value = serde_json::from_str(text).map_err(|error| wrong(format!("not JSON: {error}")))?;
        let object = tree.as_object().ok_or_else(|| wrong("expected a JSON object".into()))?;
        let config = parse(&Fields(object)).map_err(wrong)?;
        config.check().map_err(wrong)?;
        Ok(config)
    }

    /// Writes a `config.json` that transformers 4.43 and later read, for models that come without one.
    pub fn to_json(&self) -> String {
        let rope_scaling = self.rope_scaling.as_ref().map(|scaling| {
            json!({
                "rope_type": "llama3",
                "factor": scaling.factor,
                "low_freq_factor": scaling.low_freq_factor,
                "high_freq_factor": scaling.high_freq_factor,
                "original_max_position_embeddings": scaling.original_max_position_embeddings,
            })
        });
        let tree = json!({
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_act": "silu",
            "hidden_size": self.hidden_size,
            "intermediate_size": self.intermediate_size,
            "num_hidden_layers": self.num_hidden_layers,
            "num_attention_heads": self.num_attention_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "head_dim": self.head_dim,
            "vocab_size": self.vocab_size,
            "max_position_embeddings": self.max_position_embeddings,
            "rms_norm_eps": self.rms_norm_eps,
            "rope_theta": self.rope_theta,
            "rope_scaling": rope_scaling,
            "tie_word_embeddings": self.tie_word_embeddings,
            "attention_bias": false,
            "mlp_bias": false,
            "bos_token_id": self.bos_token_id,
            "eos_token_id": self.eos_token_id,
            "torch_dtype": "float32",
        });
        format!("{tree:#}\n")
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
        let hidden = self.hidden_size;
        let queries = self.num_attention_heads * self.head_dim;
        let keys = self.num_key_value_heads * self.head_dim;
        let mut tensors = vec![("model.embed_tokens.weight".to_string(), vec![self.vocab_size, hidden])];
        for layer in 0..self.num_hidden_layers {
            let of_layer = [
                ("input_layernorm", vec![hidden]),
                ("self_attn.q_proj", vec![queries, hidden]),
                ("self_attn.k_proj", vec![keys, hidden]),
                ("self_attn.v_proj", vec![keys, hidden]),
                ("self_attn.o_proj", vec![hidden, queries]),
                ("post_attention_layernorm", vec![hidden]),
                ("mlp.gate_proj", vec![self.intermediate_size, hidden]),
                ("mlp.up_proj", vec![self.intermediate_size, hidden]),
                ("mlp.down_proj", vec![hidden, self.intermediate_size]),
            ];
            tensors
                .extend(of_layer.map(|(path, shape)| (format!("model.layers.{layer}.{path}.weight"), shape)));
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

    fn check(&self) -> std::result::Result<(), String> {
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

    fn check(&self) -> std::result::Result<(), String> {
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

fn parse(fields: &Fields) -> std::result::Result<LlamaConfig, String> {
    refuse_what_is_not_computed(fields)?;
    let hidden_size = fields.needed("hidden_size")?;
    let num_attention_heads = fields.needed("num_attention_heads")?;
    let head_dim = match fields.count("head_dim")? {
        Some(head_dim) => head_dim,
        None if num_attention_heads > 0 && hidden_size.is_multiple_of(num_attention_heads) => {
            hidden_size / num_attention_heads
        }
        None => {
            return Err(format!(
                "hidden_size: expected a multiple of num_attention_heads {num_attention_heads}, got {hidden_size}"
            ));
        }
    };
    // Where a field is missing, LlamaConfig's default of transformers holds: files leave out what equals it.
    let max_position_embeddings = fields.count("max_position_embeddings")?.unwrap_or(2048);
    let (rope_theta, rope_scaling) = parse_rope(fields, max_position_embeddings)?;
    Ok(LlamaConfig {
        hidden_size,
        intermediate_size: fields.needed("intermediate_size")?,
        num_hidden_layers: fields.needed("num_hidden_layers")?,
        num_attention_heads,
        num_key_value_heads: fields.count("num_key_value_heads")?.unwrap_or(num_attention_heads),
        head_dim,
        vocab_size: fields.needed("vocab_size")?,
        rms_norm_eps: fields.number("rms_norm_eps")?.unwrap_or(1e-6),
        rope_theta,
        rope_scaling,
        tie_word_embeddings: fields.flag("tie_word_embeddings")?,
        max_position_embeddings,
        bos_token_id: fields.token("bos_token_id")?,
        eos_token_id: fields.token("eos_token_id")?,
    })
}

fn refuse_what_is_not_computed(fields: &Fields) -> std::result::Result<(), String> {
    let architectures = fields.get("architectures");
    if let Some(value) = architectures {
        let names = value.as_array().map(Vec::as_slice).unwrap_or_default();
        if !names.iter().any(|name| name == "LlamaForCausalLM") {
            return Err(format!("architectures: expected LlamaForCausalLM, got {value}"));
        }
    }
    match fields.get("model_type") {
        Some(name) if name == "llama" => {}
        None if architectures.is_some() => {}
        other => return Err(format!("model_type: expected \"llama\", got {}", shown(other))),
    }
    if let Some(name) = fields.get("hidden_act").filter(|&name| name != "silu") {
        return Err(format!("hidden_act: expected \"silu\", got {name}"));
    }
    for key in ["attention_bias", "mlp_bias"] {
        if fields.flag(key)? {
            return Err(format!("{key}: expected false, got true (biases are not computed)"));
        }
    }
    if let Some(quantized) = fields.get("quantization_config") {
        return Err(format!(
            "quantization_config: expected unquantized weights, got {}; take the 16-bit model and \
             --set model.quantization",
            shown(quantized.get("quant_method"))
        ));
    }
    Ok(())
}

/// Theta and scaling from `rope_parameters`, or from the older `rope_scaling` beside `rope_theta`.
fn parse_rope(
    fields: &Fields,
    max_position_embeddings: usize,
) -> std::result::Result<(f64, Option<Llama3RopeScaling>), String> {
    // transformers 5 lets rope_scaling win where both are there.
    let (key, value) = match (fields.get("rope_scaling"), fields.get("rope_parameters")) {
        (Some(value), _) => ("rope_scaling", Some(value)),
        (None, value) => ("rope_parameters", value),
    };
    let no_fields = Map::new();
    let rope = match value {
        None => Fields(&no_fields),
        Some(Value::Object(object)) => Fields(object),
        Some(other) => return Err(format!("{key}: expected an object, got {other}")),
    };
    let inside = |message: String| format!("{key}.{message}");
    let theta = match rope.number("rope_theta").map_err(inside)? {
        Some(theta) => theta,
        None => fields.number("rope_theta")?.unwrap_or(10_000.0),
    };
    let partial = match rope.number("partial_rotary_factor").map_err(inside)? {
        Some(factor) => Some(factor),
        None => fields.number("partial_rotary_factor")?,
    };
    if let Some(factor) = partial.filter(|&factor| factor != 1.0) {
        return Err(format!("partial_rotary_factor: expected 1, got {factor}"));
    }
    // Before 4.43 the key was `type`.
    match rope.get("rope_type").or_else(|| rope.get("type")) {
        None => Ok((theta, None)),
        Some(name) if name == "default" => Ok((theta, None)),
        Some(name) if name == "llama3" => {
            let needed = |name: &str| {
                rope.number(name).and_then(|got| got.ok_or(format!("{name}: expected a number, got nothing")))
            };
            let original = rope.count("original_max_position_embeddings").map_err(inside)?;
            let scaling = Llama3RopeScaling {
                factor: needed("factor").map_err(inside)?,
                low_freq_factor: needed("low_freq_factor").map_err(inside)?,
                high_freq_factor: needed("high_freq_factor").map_err(inside)?,
                original_max_position_embeddings: original.unwrap_or(max_position_embeddings),
            };
            Ok((theta, Some(scaling)))
        }
        Some(other) => Err(format!("{key}.rope_type: expected \"default\" or \"llama3\", got {other}")),
    }
}

/// A JSON object whose fields are asked for by type; null is as good as absent.
struct Fields<'a>(&'a Map<String, Value>);

impl Fields<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn needed(&self, key: &str) -> std::result::Result<usize, String> {
        self.count(key)?.ok_or_else(|| format!("{key}: expected a whole number, got nothing"))
    }

    fn count(&self, key: &str) -> std::result::Result<Option<usize>, String> {
        let whole = |value: &Value| {
            let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
            count.ok_or_else(|| format!("{key}: expected a whole number, got {value}"))
        };
        self.get(key).map(whole).transpose()
    }

    fn number(&self, key: &str) -> std::result::Result<Option<f64>, String> {
        let number =
            |value: &Value| value.as_f64().ok_or_else(|| format!("{key}: expected a number, got {value}"));
        self.get(key).map(number).transpose()
    }

    fn flag(&self, key: &str) -> std::result::Result<bool, String> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(format!("{key}: expected true or false, got {other}")),
        }
    }

    fn token(&self, key: &str) -> std::result::Result<Option<u32>, String> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let first = value.as_array().map_or(Some(value), |list| list.first());
        let id = first.and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        id.map(Some).ok_or_else(|| format!("{key}: expected a token id or a list of them, got {value}"))
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".to_string(), Value::to_string)
}

/// The name of a projection's weights in a checkpoint.
pub(crate) fn weight_name(layer: usize, projection: Projection) -> String {
    format!("model.layers.{layer}.{}.weight", projection.path())
}

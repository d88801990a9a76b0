//! `config.json` in both of transformers' dialects.
//!
//! Up to transformers 4 a file has `rope_theta`, `rope_scaling` and `torch_dtype`; from 5 on it has
//! `rope_parameters` and `dtype`. Whatever this program does not compute (biases, another activation,
//! another rope) is refused by name: a model that is silently a different model trains without complaint.

use super::{Llama3RopeScaling, LlamaConfig};
use crate::model::files::Parsed;
use serde_json::{Map, Value, json};

/// Reads a `config.json`; sizes that no Llama has are not looked for here.
///
/// # Errors
/// The field, what was expected and what was found.
pub(super) fn parse(text: &str) -> Parsed<LlamaConfig> {
    let tree: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let fields = &Fields(tree.as_object().ok_or("expected a JSON object")?);
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

fn refuse_what_is_not_computed(fields: &Fields) -> Parsed<()> {
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
fn parse_rope(fields: &Fields, max_position_embeddings: usize) -> Parsed<(f64, Option<Llama3RopeScaling>)> {
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

    fn needed(&self, key: &str) -> Parsed<usize> {
        self.count(key)?.ok_or_else(|| format!("{key}: expected a whole number, got nothing"))
    }

    fn count(&self, key: &str) -> Parsed<Option<usize>> {
        let whole = |value: &Value| {
            let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
            count.ok_or_else(|| format!("{key}: expected a whole number, got {value}"))
        };
        self.get(key).map(whole).transpose()
    }

    fn number(&self, key: &str) -> Parsed<Option<f64>> {
        let number =
            |value: &Value| value.as_f64().ok_or_else(|| format!("{key}: expected a number, got {value}"));
        self.get(key).map(number).transpose()
    }

    fn flag(&self, key: &str) -> Parsed<bool> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(format!("{key}: expected true or false, got {other}")),
        }
    }

    fn token(&self, key: &str) -> Parsed<Option<u32>> {
        let Some(value) = self.get(key) else { return Ok(None) };
        let first = value.as_array().map_or(Some(value), |list| list.first());
        let id = first.and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
        id.map(Some).ok_or_else(|| format!("{key}: expected a token id or a list of them, got {value}"))
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or("nothing".to_string(), Value::to_string)
}

/// A `config.json` that transformers 4.43 and later read.
pub(super) fn text(config: &LlamaConfig) -> String {
    let rope_scaling = config.rope_scaling.as_ref().map(|scaling| {
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
        "hidden_size": config.hidden_size,
        "intermediate_size": config.intermediate_size,
        "num_hidden_layers": config.num_hidden_layers,
        "num_attention_heads": config.num_attention_heads,
        "num_key_value_heads": config.num_key_value_heads,
        "head_dim": config.head_dim,
        "vocab_size": config.vocab_size,
        "max_position_embeddings": config.max_position_embeddings,
        "rms_norm_eps": config.rms_norm_eps,
        "rope_theta": config.rope_theta,
        "rope_scaling": rope_scaling,
        "tie_word_embeddings": config.tie_word_embeddings,
        "attention_bias": false,
        "mlp_bias": false,
        "bos_token_id": config.bos_token_id,
        "eos_token_id": config.eos_token_id,
        "torch_dtype": "float32",
    });
    format!("{tree:#}\n")
}

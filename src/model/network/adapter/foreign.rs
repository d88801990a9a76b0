//! An adapter folder that may come from anywhere: what its settings say, and whether its tensors are what they say.
//!
//! PEFT has many kinds of LoRA whose files look alike. Whatever this program does not compute is refused by name: an
//! update that is silently another update trains without complaint.

use super::{CONFIG, TENSORS, peft_name};
use crate::error::{Error, Result};
use crate::model::files::config::LlamaConfig;
use crate::recipe::{LoraRecipe, Projection};
use crate::record::{InitAdapter, seal};
use candle_core::{DType, Device, Tensor};
use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What the settings of a PEFT adapter folder say of its update.
pub struct Settings {
    /// `r`.
    pub rank: usize,
    /// `lora_alpha`.
    pub alpha: f64,
    /// `target_modules`.
    pub targets: Vec<Projection>,
    /// `base_model_name_or_path`, where it is there.
    base_model: Option<String>,
}

/// Settings of PEFT's LoraConfig that must be off (absent, null, false, 0 or empty): with each of them the update, or what
/// it is added to, is another.
const OFF: [&str; 19] = [
    "modules_to_save",
    "alpha_pattern",
    "rank_pattern",
    "fan_in_fan_out",
    "use_rslora",
    "use_dora",
    "use_qalora",
    "use_bdlora",
    "lora_bias",
    "layers_to_transform",
    "layers_pattern",
    "layer_replication",
    "exclude_modules",
    "target_parameters",
    "trainable_token_indices",
    "alora_invocation_tokens",
    "arrow_config",
    "kasa_config",
    "velora_config",
];

/// Ways to begin that leave the base model's weights alone; `pissa`, `olora` and the others take their A and B out of them.
const BEGINNINGS: [&str; 3] = ["gaussian", "orthogonal", "eva"];

/// Reads the settings of a PEFT adapter folder.
///
/// # Errors
/// `Error::File` where there are none; `Error::Adapter` where they are of an update that this program does not compute.
pub fn settings(folder: &Path) -> Result<Settings> {
    let path = folder.join(CONFIG);
    let text = std::fs::read_to_string(&path).map_err(|source| Error::file(&path, source))?;
    parse(&text).map_err(|message| Error::adapter(&path, message))
}

fn parse(text: &str) -> std::result::Result<Settings, String> {
    let tree: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    let field = |name: &str| tree.get(name).unwrap_or(&Value::Null);
    let wrong = |name: &str, expected: &str| Err(format!("{name}: expected {expected}, got {}", field(name)));
    if field("peft_type") != "LORA" {
        return wrong("peft_type", "\"LORA\"");
    }
    if !field("task_type").is_null() && field("task_type") != "CAUSAL_LM" {
        return wrong("task_type", "\"CAUSAL_LM\"");
    }
    if !is_off(field("bias")) && field("bias") != "none" {
        return wrong("bias", "\"none\" (biases are not computed)");
    }
    if let Some(name) = OFF.into_iter().find(|name| !is_off(field(name))) {
        return wrong(name, "nothing (it is not computed)");
    }
    let begun = field("init_lora_weights");
    if !(begun.is_null() || begun.is_boolean() || BEGINNINGS.iter().any(|name| begun == name)) {
        return wrong("init_lora_weights", "true, false or a way that leaves the base weights as they are");
    }
    let Some(rank) = field("r").as_u64().filter(|&rank| rank > 0) else {
        return wrong("r", "a whole number from 1 on");
    };
    let Some(alpha) = field("lora_alpha").as_f64() else { return wrong("lora_alpha", "a number") };
    let Ok(names) = serde_json::from_value::<Vec<String>>(field("target_modules").clone()) else {
        return wrong("target_modules", "a list of names");
    };
    if let Some(unknown) = names.iter().find(|name| !Projection::ALL.iter().any(|p| p.name() == **name)) {
        return Err(format!("target_modules: {unknown} is none of the seven projections"));
    }
    let targets = Projection::ALL.into_iter().filter(|p| names.iter().any(|name| name == p.name()));
    Ok(Settings {
        rank: usize::try_from(rank).unwrap_or(usize::MAX),
        alpha,
        targets: targets.collect(),
        base_model: field("base_model_name_or_path").as_str().map(str::to_string),
    })
}

fn is_off(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Checks, before a run begins, that an adapter folder holds the update of `lora` for a model of `config`, and that it can
/// be trained on. Gives a line where it was made for a base model of another name than `base`.
///
/// # Errors
/// `Error::File` where a file is missing; `Error::Adapter` where a tensor is missing, left over, of another shape or no float;
/// `Error::Adapter` with a tensor whose values are not finite, or with an A of zeros.
pub fn check(folder: &Path, base: &str, config: &LlamaConfig, lora: &LoraRecipe) -> Result<Option<String>> {
    let values = tensors(folder)?;
    let expected = expected(config, lora);
    let names: Vec<String> = expected.iter().map(|(name, _)| name.clone()).collect();
    for (name, value) in names.iter().zip(matched(folder, values, expected.into_iter())?) {
        let wrong = |expected: &str| {
            Err(Error::adapter(folder.join(TENSORS), format!("{name}: expected {expected}")))
        };
        let numbers = value.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
        if numbers.iter().any(|number| !number.is_finite()) {
            return wrong("finite values, got others");
        }
        if name.contains(".lora_A.") && numbers.iter().all(|&number| number == 0.0) {
            return wrong("values, got zeros alone: nothing is learned from there; is the file whole?");
        }
    }
    let last = |name: &str| name.trim_end_matches('/').rsplit('/').next().unwrap_or(name).to_string();
    let made_for = settings(folder)?.base_model.filter(|name| last(name) != last(base));
    Ok(made_for.map(|name| format!("the adapter was made for {name}, the base model here is {base}")))
}

/// Which adapter it is, for the record.
///
/// # Errors
/// `Error::File` where its tensors cannot be read.
pub(crate) fn identity(folder: &Path) -> Result<InitAdapter> {
    Ok(InitAdapter { source: folder.display().to_string(), sha256: seal::hash(&folder.join(TENSORS))? })
}

/// The tensors of an adapter folder by their names.
///
/// # Errors
/// `Error::File` where there are none; `Error::Adapter` where the file is damaged or holds other than floats.
pub(super) fn tensors(folder: &Path) -> Result<BTreeMap<String, Tensor>> {
    let path = folder.join(TENSORS);
    let bytes = std::fs::read(&path).map_err(|source| Error::file(&path, source))?;
    let wrong = |message: String| Error::adapter(&path, message);
    let file =
        SafeTensors::deserialize(&bytes).map_err(|error| wrong(format!("no safetensors file: {error}")))?;
    let mut values = BTreeMap::new();
    for (name, view) in file.tensors() {
        use safetensors::Dtype::{BF16, F16, F32, F64};
        if !matches!(view.dtype(), F16 | BF16 | F32 | F64) {
            return Err(wrong(format!("{name}: expected floats, got {}", view.dtype())));
        }
        let tensor = candle_core::safetensors::Load::load(&view, &Device::Cpu)
            .map_err(|error| wrong(format!("{name}: {error}")))?;
        values.insert(name, tensor);
    }
    Ok(values)
}

/// The values of the `expected` names and shapes, in their order.
///
/// # Errors
/// `Error::Adapter` where one is missing, has another shape, or where one is left over.
pub(super) fn matched(
    folder: &Path,
    mut values: BTreeMap<String, Tensor>,
    expected: impl Iterator<Item = (String, Vec<usize>)>,
) -> Result<Vec<Tensor>> {
    let wrong = |message: String| Error::adapter(folder.join(TENSORS), message);
    let mut found = Vec::new();
    for (name, shape) in expected {
        let value = values.remove(&name).ok_or_else(|| wrong(format!("{name} is missing")))?;
        if value.dims() != shape {
            let rank_axis = usize::from(!name.contains(".lora_A."));
            let is_rank = value.rank() == 2 && value.dims()[1 - rank_axis] == shape[1 - rank_axis];
            let question = match is_rank {
                true => format!("are lora.rank and the r of {CONFIG} the file's?"),
                false => "is it the adapter of another base model?".to_string(),
            };
            return Err(wrong(format!(
                "{name}: expected shape {shape:?}, got {:?}; {question}",
                value.dims()
            )));
        }
        found.push(value);
    }
    match values.pop_first() {
        Some((name, _)) => {
            Err(wrong(format!("{name} has no place in the model; are lora.target_modules the adapter's?")))
        }
        None => Ok(found),
    }
}

/// Names and shapes of the update of `lora` in a model of `config`.
fn expected(config: &LlamaConfig, lora: &LoraRecipe) -> Vec<(String, Vec<usize>)> {
    let mut expected = Vec::new();
    for layer in 0..config.num_hidden_layers {
        for &projection in &lora.target_modules {
            let (output, input) = config.projection_shape(projection);
            expected.push((peft_name(layer, projection, "A"), vec![lora.rank, input]));
            expected.push((peft_name(layer, projection, "B"), vec![output, lora.rank]));
        }
    }
    expected
}

//! LoRA beside the base: attached with seeded initial values, read and written in PEFT's layout.

mod foreign;

pub(crate) use foreign::identity;
pub use foreign::{Settings, check, settings};

use crate::error::Result;
use crate::model::network::linear::{LinearGroup, Lora, Member, Parameter};
use crate::model::network::llama::Llama;
use crate::random;
use crate::recipe::{LoraRecipe, Projection};
use crate::record::store;
use candle_core::{DType, Device, Tensor};
use serde_json::json;
use std::path::Path;

/// File of the tensors inside an adapter folder.
pub const TENSORS: &str = "adapter_model.safetensors";
/// File of the settings inside an adapter folder.
pub(crate) const CONFIG: &str = "adapter_config.json";
/// All files of an adapter folder.
pub(crate) const FILES: [&str; 2] = [TENSORS, CONFIG];

/// A trained tensor's name in PEFT's files.
fn peft_name(layer: usize, projection: Projection, matrix: &str) -> String {
    format!("base_model.model.model.layers.{layer}.{}.lora_{matrix}.weight", projection.path())
}

/// Attaches an update to every target projection: A ~ U(-1/sqrt(input), 1/sqrt(input)) (PEFT's kaiming with
/// a = sqrt 5), B = 0, so that the attached model computes what the base model does.
///
/// Every matrix has a stream of its own, named by its place: another set of targets leaves the others' values.
///
/// # Errors
/// A device that has no memory left.
pub fn attach(model: &mut Llama, recipe: &LoraRecipe, seed: u64) -> Result<()> {
    let (device, dtype) = (model.device.clone(), trained_dtype(model.dtype));
    let config = model.config.clone();
    for group in model.groups_mut() {
        for member in &mut group.members {
            let projection = member.projection;
            if !recipe.target_modules.contains(&projection) {
                continue;
            }
            let (output, input) = config.projection_shape(projection);
            let mut stream = random::stream(seed, &format!("init/{}/{}", group.layer, projection.name()));
            let bound = 1.0 / (input as f64).sqrt();
            let values: Vec<f64> =
                (0..recipe.rank * input).map(|_| (2.0 * random::unit(&mut stream) - 1.0) * bound).collect();
            let a = Tensor::from_vec(values, (recipe.rank, input), &Device::Cpu)?.to_dtype(dtype)?;
            let b = Tensor::zeros((output, recipe.rank), dtype, &device)?;
            let (a, b) = (Parameter::new(a.to_device(&device)?)?, Parameter::new(b)?);
            member.lora = Some(Lora { a, b, scale: recipe.scale() });
        }
    }
    Ok(())
}

/// A and B are trained in f32 whatever the model's dtype; an f64 model, which only tests have, trains in f64.
fn trained_dtype(model: DType) -> DType {
    if model == DType::F64 { DType::F64 } else { DType::F32 }
}

/// The updates with their layers and projections, in the declared order.
pub(super) fn updates(model: &Llama) -> impl Iterator<Item = (usize, Projection, &Lora)> {
    model.groups().flat_map(|group| {
        let members = group.members.iter();
        members.filter_map(|member| Some((group.layer, member.projection, member.lora.as_ref()?)))
    })
}

/// The trained tensors with their PEFT names, in the declared order: layer, projection, A before B.
pub fn parameters(model: &Llama) -> impl Iterator<Item = (String, &Parameter)> {
    updates(model).flat_map(|(layer, projection, lora)| {
        [(peft_name(layer, projection, "A"), &lora.a), (peft_name(layer, projection, "B"), &lora.b)]
    })
}

/// The same, to be changed.
pub fn parameters_mut(model: &mut Llama) -> impl Iterator<Item = (String, &mut Parameter)> {
    model.groups_mut().flat_map(|LinearGroup { layer, members, .. }| {
        members.iter_mut().flat_map(|Member { projection, lora, .. }| {
            lora.iter_mut().flat_map(|lora| {
                [
                    (peft_name(*layer, *projection, "A"), &mut lora.a),
                    (peft_name(*layer, *projection, "B"), &mut lora.b),
                ]
            })
        })
    })
}

/// Replaces the attached values by those of a PEFT adapter folder.
///
/// # Errors
/// A folder that is no LoRA adapter, or one whose rank, targets or sizes are not the attached ones; the
/// model is unchanged then.
pub fn load(model: &mut Llama, folder: &Path) -> Result<()> {
    let values = foreign::tensors(folder)?;
    let attached = parameters(model).map(|(name, parameter)| (name, parameter.value.dims().to_vec()));
    let values = foreign::matched(folder, values, attached)?;
    let device = model.device.clone();
    // One after the other, so that no two sets of values and gradients are held.
    for ((_, parameter), value) in parameters_mut(model).zip(values) {
        *parameter = Parameter::new(value.to_dtype(parameter.value.dtype())?.to_device(&device)?)?;
    }
    Ok(())
}

/// Writes the attached values and their settings to `folder`, as PEFT does.
///
/// # Errors
/// `Error::File` where a file cannot be written.
pub(crate) fn write(model: &Llama, recipe: &LoraRecipe, base_model: &str, folder: &Path) -> Result<()> {
    write_as(model, recipe, base_model, trained_dtype(model.dtype), folder)
}

/// The same, the values rounded to `dtype`.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_as(
    model: &Llama,
    recipe: &LoraRecipe,
    base_model: &str,
    dtype: DType,
    folder: &Path,
) -> Result<()> {
    let tensors: Result<Vec<(String, Tensor)>> = parameters(model)
        .map(|(name, parameter)| Ok((name, parameter.value.to_device(&Device::Cpu)?.to_dtype(dtype)?)))
        .collect();
    write_tensors(&folder.join(TENSORS), tensors?)?;
    store::write_file(&folder.join(CONFIG), config_json(recipe, base_model).as_bytes())
}

/// Writes named tensors as a safetensors file with the metadata that PEFT writes; the file is never in memory whole.
///
/// # Errors
/// `Error::File` where it cannot be written.
pub(crate) fn write_tensors(path: &Path, tensors: Vec<(String, Tensor)>) -> Result<()> {
    let metadata = [("format".to_string(), "pt".to_string())].into_iter().collect();
    store::write_path(path, |temporary| {
        safetensors::serialize_to_file(tensors, Some(metadata), temporary).map_err(std::io::Error::other)
    })
}

fn config_json(recipe: &LoraRecipe, base_model: &str) -> String {
    let targets: Vec<&str> = recipe.target_modules.iter().map(|projection| projection.name()).collect();
    let config = json!({
        "alpha_pattern": {},
        "auto_mapping": null,
        "base_model_name_or_path": base_model,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "init_lora_weights": true,
        "layers_pattern": null,
        "layers_to_transform": null,
        "lora_alpha": recipe.alpha,
        "lora_dropout": recipe.dropout,
        "modules_to_save": null,
        "peft_type": "LORA",
        "r": recipe.rank,
        "rank_pattern": {},
        "revision": null,
        "target_modules": targets,
        "task_type": "CAUSAL_LM",
        "use_dora": false,
        "use_rslora": false,
    });
    let mut text = serde_json::to_string_pretty(&config).expect("plain names and numbers");
    text.push('\n');
    text
}

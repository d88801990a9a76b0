//! The update folded into the base: W + (alpha / r) B A, computed in f32 and cast, as a folder in Hugging Face layout, with the
//! form that it was trained in as its chat template.
//!
//! The best weights at hand are merged into, not the quantized ones of the training: what a checkpoint file
//! stores. A GGUF's are dequantized and written as f16.

use crate::error::{Error, Result};
use crate::model::files::companions;
use crate::model::files::config::weight_name;
use crate::model::files::source::BaseModel;
use crate::model::network::adapter;
use crate::model::network::linear::Lora;
use crate::model::network::llama::Llama;
use crate::record::store;
use candle_core::{DType, Device, Tensor, WithDType};
use half::{bf16, f16};
use safetensors::tensor::{Dtype, View};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

/// Writes config.json, tokenizer files, generation_config.json and model.safetensors to `folder`; returns the stored type and the
/// type of the file merged into, `F16` and `Q4_1`.
///
/// One tensor at a time is in memory.
///
/// # Errors
/// `Error::File` where something cannot be written; `Error::Model` where a file of the base is damaged.
pub(crate) fn write(model: &Llama, base: &BaseModel, folder: &Path) -> Result<(String, String)> {
    let source_type = base.weights.stored_type("model.layers.0.mlp.down_proj.weight")?;
    let (dtype, stored, torch) = match source_type.as_str() {
        "F32" => (DType::F32, Dtype::F32, "float32"),
        "BF16" => (DType::BF16, Dtype::BF16, "bfloat16"),
        _ => (DType::F16, Dtype::F16, "float16"),
    };
    let updates: BTreeMap<String, &Lora> = adapter::updates(model)
        .map(|(layer, projection, lora)| (weight_name(layer, projection), lora))
        .collect();
    let tensors: Vec<(String, Merged)> = base
        .config
        .tensors()
        .into_iter()
        .map(|(name, shape)| {
            let update = updates.get(&name).copied();
            (name.clone(), Merged { base, name, shape, dtype, stored, update })
        })
        .collect();
    let path = folder.join("model.safetensors");
    let metadata = [("format".to_string(), "pt".to_string())].into_iter().collect();
    store::write_path(&path, |temporary| {
        safetensors::serialize_to_file(tensors, Some(metadata), temporary).map_err(std::io::Error::other)
    })?;
    base.weights.release_pages();
    store::write_file(&folder.join("config.json"), config(base, torch)?.as_bytes())?;
    store::write_file(&folder.join("tokenizer.json"), base.tokenizer_json.as_bytes())?;
    for (name, text) in companions::texts(base)? {
        let path = folder.join(name);
        match text {
            Some(text) => store::write_file(&path, text.as_bytes())?,
            // Another base may have had it.
            None => store::remove(&path)?,
        }
    }
    Ok((format!("{stored:?}"), source_type))
}

/// The base's config.json with the type that is written.
fn config(base: &BaseModel, torch_dtype: &str) -> Result<String> {
    let mut config: Value = serde_json::from_str(&base.config_json)
        .map_err(|error| Error::model(&base.source, format!("config.json: {error}")))?;
    if let Some(fields) = config.as_object_mut() {
        // transformers 5 writes `dtype`, earlier ones `torch_dtype`; each reads its own.
        let name = if fields.contains_key("dtype") { "dtype" } else { "torch_dtype" };
        fields.insert(name.into(), torch_dtype.into());
    }
    let mut text = serde_json::to_string_pretty(&config).expect("it was JSON");
    text.push('\n');
    Ok(text)
}

/// A tensor that is merged when the file is written.
struct Merged<'a> {
    base: &'a BaseModel,
    name: String,
    shape: Vec<usize>,
    dtype: DType,
    stored: Dtype,
    update: Option<&'a Lora>,
}

impl Merged<'_> {
    fn tensor(&self) -> Result<Tensor> {
        let weight = self.base.weights.dense(&self.name, DType::F32, &Device::Cpu)?;
        let Some(Lora { a, b, scale }) = self.update else { return Ok(weight.to_dtype(self.dtype)?) };
        let host = |tensor: &Tensor| tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32);
        let product = host(&b.value)?.matmul(&host(&a.value)?)?;
        Ok((weight + (product * *scale)?)?.to_dtype(self.dtype)?)
    }
}

impl View for Merged<'_> {
    fn dtype(&self) -> Dtype {
        self.stored
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        // What is neither changed nor converted is written from the file, as it lies there.
        let weights = &self.base.weights;
        if let Some(bytes) = weights.as_stored(&self.name, self.stored).filter(|_| self.update.is_none()) {
            return Cow::Borrowed(bytes);
        }
        // The names, shapes and types were checked when the model was opened and loaded.
        let tensor = self.tensor().expect("a tensor of the base model that was read before");
        Cow::Owned(match self.dtype {
            DType::F32 => values::<f32>(tensor).into_iter().flat_map(f32::to_le_bytes).collect(),
            DType::BF16 => values::<bf16>(tensor).into_iter().flat_map(bf16::to_le_bytes).collect(),
            _ => values::<f16>(tensor).into_iter().flat_map(f16::to_le_bytes).collect(),
        })
    }

    fn data_len(&self) -> usize {
        self.shape.iter().product::<usize>() * self.dtype.size_in_bytes()
    }
}

/// The values of a tensor, which is gone before they are turned into bytes.
fn values<T: WithDType>(tensor: Tensor) -> Vec<T> {
    tensor.flatten_all().and_then(|flat| flat.to_vec1()).expect("the dtype asked for")
}

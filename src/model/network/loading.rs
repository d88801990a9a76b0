//! The base model in memory: quantized once, and read from the file that was kept after that.

use crate::error::Result;
use crate::model::files::quantized_file::QuantizedFile;
use crate::model::files::source::BaseModel;
use crate::model::network::frozen::FrozenSource;
use crate::model::network::llama::Llama;
use crate::recipe::Quantization;
use candle_core::{DType, Device};
use std::path::Path;

/// Loads a model, quantizing it only where no earlier run has: what is quantized is kept in `folder`. `say` gets a line
/// where that is done.
///
/// # Errors
/// As [`Llama::load`]. A file that cannot be written costs the next run its time and this one a line.
pub fn load(
    base: &BaseModel,
    quantization: Quantization,
    dtype: DType,
    device: &Device,
    folder: &Path,
    say: &dyn Fn(&str),
) -> Result<Llama> {
    let BaseModel { config, weights, .. } = base;
    let load = |quantized: Option<&QuantizedFile>, device: &Device| -> Result<Llama> {
        let model = Llama::load(config, FrozenSource { weights, quantization, quantized, dtype, device })?;
        weights.release_pages();
        Ok(model)
    };
    let Some(path) = QuantizedFile::place(folder, &base.sha256, config.parameters(), quantization) else {
        return load(None, device);
    };
    match QuantizedFile::open(&path, quantization) {
        Ok(file) => return load(Some(&file), device),
        Err(error) if path.exists() => say(&format!("warning: it is written again: {error}")),
        Err(_) => {}
    }
    say(&format!("quantizing the base weights once, for {}", path.display()));
    // On the host even for a GPU, whose copy could not be written.
    let model = load(None, &Device::Cpu)?;
    if let Err(error) = keep(&path, &model) {
        say(&format!("warning: the quantized weights are not kept: {error}"));
    }
    if device.is_cpu() {
        return Ok(model);
    }
    load(QuantizedFile::open(&path, quantization).ok().as_ref(), device)
}

/// Writes the quantized projections of a loaded model, whole or not at all.
///
/// # Errors
/// `Error::File` where it cannot be written.
pub fn keep(path: &Path, model: &Llama) -> Result<()> {
    QuantizedFile::write(path, model.packed())
}

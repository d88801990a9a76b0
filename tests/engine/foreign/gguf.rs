//! GGUF files: their tables, and tensors beyond the layers that these name.

use super::{Spoilt, cases, damaged_head, read_calmly};
use crate::sources::converter::GgufParts;
use candle_core::quantized::GgmlDType;
use candle_core::{DType, Device};
use proptest::prelude::*;
use std::path::Path;
use std::sync::LazyLock;
use tezgah::error::Result;
use tezgah::model::files::source::{BaseModel, ModelSource, open};

fn gguf(path: &Path) -> Result<BaseModel> {
    open(&ModelSource::Gguf(path.to_path_buf()))
}

fn sound() -> Vec<u8> {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let file = tempfile::NamedTempFile::new().unwrap();
        GgufParts::of_reference(|_| GgmlDType::F32).write(file.path());
        std::fs::read(file.path()).unwrap()
    });
    BYTES.clone()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn spoilt_tables_are_read_or_refused(Spoilt { bytes, .. } in prop_oneof![
        damaged_head(sound(), 200),
        damaged_head(sound(), 20_000),
    ]) {
        let file = tempfile::Builder::new().suffix(".gguf").tempfile().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        if let Some(model) = read_calmly(bytes.len(), || gguf(file.path())) {
            for name in model.weights.names() {
                read_calmly(bytes.len(), || model.weights.dense(name, DType::F32, &Device::Cpu));
            }
        }
    }
}

#[test]
fn a_layer_beyond_the_models_is_refused_by_its_name() {
    let mut parts = GgufParts::of_reference(|_| GgmlDType::F32);
    let first = std::sync::Arc::new(parts.tensors.remove("blk.0.ffn_norm.weight").unwrap());
    let again = first.dequantize(&Device::Cpu).unwrap();
    for name in ["blk.0.ffn_norm.weight", "blk.3.ffn_norm.weight"] {
        let tensor = candle_core::quantized::QTensor::quantize(&again, GgmlDType::F32).unwrap();
        parts.tensors.insert(name.into(), tensor);
    }
    let file = tempfile::Builder::new().suffix(".gguf").tempfile().unwrap();
    parts.write(file.path());
    let message = gguf(file.path()).unwrap_err().to_string();
    assert!(message.contains("model.layers.3.post_attention_layernorm.weight"), "{message}");
}

//! Quantized weights that a card made dense: the CPU's bits, in f32 and rounded once to bf16.

use super::card;
use crate::tensors::values;
use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;
use std::path::Path;
use tezgah::model::files::nf4::{Nf4, device::Nf4OnDevice};
use tezgah::model::files::source::{BaseModel, ModelSource, open};
use tezgah::model::network::frozen::FrozenSource;
use tezgah::model::network::llama::Llama;
use tezgah::recipe::Quantization;

/// Counts that end in the middle of a byte, of a thread's eight, of a block of weights and of a block of scales.
#[test]
fn nf4_of_odd_sizes() {
    for (rows, columns) in [(1, 1), (3, 37), (64, 65), (130, 513), (64, 576)] {
        let numbers: Vec<f32> =
            (0..rows * columns).map(|i| ((i * 7919) % 1013) as f32 / 300.0 - 1.6).collect();
        for double in [false, true] {
            let host = Nf4::quantize(&numbers, (rows, columns), double);
            let on_card = Nf4OnDevice::new(&host, &card()).and_then(|matrix| matrix.dequantize());
            let same =
                values(&on_card.expect("on the card")) == values(&host.dequantize().expect("on the host"));
            assert!(same, "{rows} x {columns}, double {double}");
        }
    }
}

/// The demonstration model, its MLP as wide as Q4_K asks for.
fn widened(folder: &Path) -> BaseModel {
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/demo");
    let tensors = candle_core::safetensors::load(demo.join("model.safetensors"), &Device::Cpu).expect("demo");
    let wider = |(name, tensor): (String, Tensor)| {
        let along = match name.rsplit('.').nth(1) {
            Some("gate_proj" | "up_proj") => 0,
            Some("down_proj") => 1,
            _ => return (name, tensor),
        };
        let more = tensor.narrow(along, 0, 768 - 704).expect("a part");
        (name, Tensor::cat(&[tensor, more], along).expect("wider"))
    };
    let tensors: HashMap<String, Tensor> = tensors.into_iter().map(wider).collect();
    candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).expect("written");
    let config = std::fs::read_to_string(demo.join("config.json")).expect("config");
    std::fs::write(folder.join("config.json"), config.replace("704", "768")).expect("written");
    std::fs::copy(demo.join("tokenizer.json"), folder.join("tokenizer.json")).expect("copied");
    open(&ModelSource::Folder(folder.to_path_buf())).expect("the wider model")
}

/// Query, key and value, gate and up come to lie in one matrix each.
#[test]
fn every_scheme_gives_the_weights_of_the_cpu() {
    let folder = tempfile::tempdir().expect("a folder");
    let BaseModel { config, weights, .. } = &widened(folder.path());
    for quantization in [
        Quantization::Nf4,
        Quantization::Nf4Double,
        Quantization::Q4_0,
        Quantization::Q4_1,
        Quantization::Q8_0,
        Quantization::Q4K,
    ] {
        for dtype in [DType::F32, DType::BF16] {
            let [ours, theirs] = [card(), Device::Cpu].map(|device| {
                let source = FrozenSource { weights, quantization, quantized: None, dtype, device: &device };
                Llama::load(config, source).expect("model")
            });
            for (ours, theirs) in ours.groups().zip(theirs.groups()) {
                let ours = ours.frozen.dense().expect("on the card");
                assert_eq!(ours.dtype(), dtype);
                // A bf16 model's weights are wide on the CPU.
                let theirs =
                    theirs.frozen.dense().and_then(|dense| Ok(dense.to_dtype(dtype)?)).expect("narrowed");
                assert_eq!(ours.dims(), theirs.dims());
                assert!(values(&ours) == values(&theirs), "{quantization:?} {dtype:?}");
            }
        }
    }
}

//! A whole run against transformers + PEFT + TRL on a small random Llama: losses, norms, sums, tensors.
//!
//! The expected numbers were made by `make_reference.py` (transformers 5.23, PEFT 0.21, TRL 1.16); nothing is
//! random at comparison time. The tokens and masks are compared in `engine/data`.

use super::Reference;
use crate::tensors::values;
use candle_core::{DType, Device};
use tezgah::model::network::adapter;
use tezgah::model::network::linear::LoraUse;
use tezgah::model::network::llama::{Activations, Llama};
use tezgah::recipe::Quantization;

/// Largest difference over the largest value, over all tensors.
fn adapter_difference(model: &Llama, reference: &Reference) -> f64 {
    let path = reference.folder.join("adapter_final").join(adapter::TENSORS);
    let theirs = candle_core::safetensors::load(path, &Device::Cpu).expect("adapter_final");
    let (mut largest, mut difference, mut count) = (0f64, 0f64, 0);
    for (name, parameter) in adapter::parameters(model) {
        for (ours, theirs) in values(&parameter.value).iter().zip(values(&theirs[&name])) {
            largest = largest.max(theirs.abs());
            difference = difference.max((ours - theirs).abs());
        }
        count += 1;
    }
    assert_eq!(count, theirs.len(), "tensors of the adapter");
    difference / largest
}

#[test]
fn base_and_initial_adapter_have_the_reference_sums() {
    let reference = Reference::tiny();
    let model = reference.model(Quantization::None, DType::F32);
    reference.check_sums("base", &reference.sums(&model, LoraUse::Ignored), 1e-4);
    reference.check_sums("adapter_init", &reference.sums(&model, LoraUse::Applied), 1e-4);
}

fn follow(dtype: DType, activations: Activations) {
    let reference = Reference::tiny();
    let mut model = reference.model(Quantization::None, dtype);
    let course = reference.train(&mut model, activations);
    reference.check_course(&course, 1e-4, 1e-3);
    reference.check_sums("adapter_final", &reference.sums(&model, LoraUse::Applied), 1e-4);
    let off = adapter_difference(&model, &reference);
    assert!(off < 1e-3, "final adapter off by {off:.1e} of its largest value");
}

#[test]
fn training_with_kept_activations_follows_the_reference() {
    follow(DType::F32, Activations::Keep);
}

#[test]
fn training_with_recomputed_activations_follows_the_reference() {
    follow(DType::F32, Activations::Recompute);
}

/// In f64 every operation takes its candle form, the one that a GPU runs.
#[test]
fn the_device_operations_follow_the_reference_too() {
    follow(DType::F64, Activations::Recompute);
}

/// The GPU's mixture, on the CPU: activations and base in bf16, update and moments in f32. bf16 keeps 8 bits, so an
/// operation is 0.4 % off; the losses average that away, the gradient norms less.
#[test]
fn bf16_activations_stay_near_the_reference() {
    let reference = Reference::tiny();
    let mut model = reference.model(Quantization::None, DType::BF16);
    let course = reference.train(&mut model, Activations::Recompute);
    reference.check_course(&course, 5e-3, 5e-2);
    assert!(adapter::parameters(&model).all(|(_, parameter)| parameter.value.dtype() == DType::F32));
}

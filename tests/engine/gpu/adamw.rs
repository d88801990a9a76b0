//! AdamW's kernels: the CPU's parameters from the same gradients, the gradients gone, the norm the same in every run.

use super::{Demonstration, card};
use crate::support::close;
use crate::tensors::values;
use candle_core::{DType, Device, Tensor};
use tezgah::model::network::adapter;
use tezgah::model::network::llama::Llama;
use tezgah::recipe::Quantization;
use tezgah::train::optimizer::AdamW;

/// Three steps from made-up gradients: their norms, and the parameters behind each other.
fn trained(device: &Device, max_grad_norm: f64) -> (Vec<f64>, Vec<f64>) {
    let mut model = Demonstration::new().model(device, Quantization::None, DType::F32);
    let mut optimizer = AdamW::new(&model, 0.01, max_grad_norm).expect("optimizer");
    let norms = (0..3).map(|step| {
        fill_gradients(&mut model, step);
        let norm = optimizer.step(&mut model, 1e-3).expect("a step");
        let mut left = adapter::parameters(&model).flat_map(|(_, parameter)| values(&parameter.gradient));
        assert!(left.all(|gradient| gradient == 0.0), "step {step} left a gradient");
        norm
    });
    let norms = norms.collect();
    (norms, adapter::parameters(&model).flat_map(|(_, parameter)| values(&parameter.value)).collect())
}

fn fill_gradients(model: &mut Llama, step: usize) {
    for (place, (_, parameter)) in adapter::parameters_mut(model).enumerate() {
        let shape = parameter.gradient.shape().clone();
        let number = |i: usize| ((i * 7919 + place * 31 + step * 17) % 1013) as f32 / 506.0 - 1.0;
        let numbers = (0..shape.elem_count()).map(number).collect();
        let gradient = Tensor::from_vec(numbers, shape, &Device::Cpu).expect("gradient");
        parameter.gradient = gradient.to_device(parameter.value.device()).expect("moved");
    }
}

/// Without clipping nothing depends on the order in which the norm was summed.
#[test]
fn an_update_has_the_bits_of_the_cpu() {
    let ((norms, ours), (host_norms, theirs)) = (trained(&card(), 1e9), trained(&Device::Cpu, 1e9));
    for (ours, theirs) in norms.into_iter().zip(host_norms) {
        close("norm", ours, theirs, 1e-6);
    }
    assert!(ours == theirs);
}

#[test]
fn a_clipped_update_is_the_same_in_every_run() {
    let (ours, again, theirs) = (trained(&card(), 0.5), trained(&card(), 0.5), trained(&Device::Cpu, 0.5));
    assert!(ours == again);
    for (ours, theirs) in ours.1.into_iter().zip(theirs.1) {
        assert!((ours - theirs).abs() <= 1e-6 * theirs.abs().max(1e-2), "{ours} {theirs}");
    }
}

/// A gradient that is no number changes nothing.
#[test]
fn a_gradient_that_is_no_number_changes_nothing() {
    let mut model = Demonstration::new().model(&card(), Quantization::None, DType::F32);
    let mut optimizer = AdamW::new(&model, 0.01, 1.0).expect("optimizer");
    fill_gradients(&mut model, 0);
    if let Some((_, parameter)) = adapter::parameters_mut(&mut model).last() {
        parameter.gradient = parameter.gradient.affine(f64::NAN, 0.0).expect("no number");
    }
    let before: Vec<_> = adapter::parameters(&model).flat_map(|(_, it)| values(&it.value)).collect();
    assert!(optimizer.step(&mut model, 1e-3).expect("a step").is_nan());
    let after: Vec<_> = adapter::parameters(&model).flat_map(|(_, it)| values(&it.value)).collect();
    assert!(before == after);
}

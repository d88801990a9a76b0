//! A whole run against transformers + PEFT + TRL on a small random Llama: tokens, losses, norms, sums, tensors.
//!
//! The expected numbers were made by `make_reference.py` beside them; nothing is random at comparison time.

mod support;

use candle_core::{DType, Device, Tensor};
use support::{Reference, close, number, reference_folder};
use tezgah::data::batches::Targets;
use tezgah::evaluate::nll::{self, RowSums};
use tezgah::model::adapter;
use tezgah::model::llama::{Activations, Llama};
use tezgah::recipe::Quantization;
use tezgah::train::checkpoint::Checkpoints;
use tezgah::train::optimizer::AdamW;
use tezgah::train::run::{self, Course, Rows};

fn tiny() -> Reference {
    Reference::read("tiny", &reference_folder().join("tiny/model"))
}

fn model_of(reference: &Reference, dtype: DType) -> Llama {
    let base = &reference.base;
    let mut model =
        Llama::load(&base.config, &base.weights, Quantization::None, dtype, &Device::Cpu).expect("model");
    adapter::attach(&mut model, &reference.recipe.lora, 1).expect("attach");
    adapter::load(&mut model, &reference.folder.join("adapter_init")).expect("adapter_init");
    model
}

fn sums(model: &Llama, reference: &Reference, lora_scale: Option<f64>) -> Vec<RowSums> {
    nll::rows(model, &reference.evaluation, 4, Targets::All, lora_scale, |_| ()).expect("evaluation")
}

fn check_sums(place: &str, sums: &[RowSums], reference: &Reference) {
    let rows = reference.expected["rows"][place].as_array().expect("rows");
    assert_eq!(sums.len(), rows.len());
    for (index, (ours, theirs)) in sums.iter().zip(rows).enumerate() {
        assert_eq!(ours.masked_tokens as f64, number(&theirs["masked_tokens"]), "{place} row {index}");
        assert_eq!(ours.full_tokens as f64, number(&theirs["full_tokens"]), "{place} row {index}");
        close(&format!("{place} row {index} masked"), ours.nll.masked, number(&theirs["masked_nll"]), 1e-4);
        close(&format!("{place} row {index} full"), ours.nll.full, number(&theirs["full_nll"]), 1e-4);
    }
}

fn train(model: &mut Llama, reference: &Reference, activations: Activations) -> Course {
    let folder = tempfile::tempdir().expect("folder");
    let train = &reference.recipe.train;
    let mut optimizer = AdamW::new(model, train.weight_decay, train.max_grad_norm).expect("optimizer");
    let mut checkpoints = Checkpoints::new(folder.path(), train.save_total_limit, "tiny");
    let mut course = Course::default();
    let rows = Rows { train: &reference.train, evaluation: &reference.evaluation };
    run::run(
        model,
        &mut optimizer,
        rows,
        &reference.recipe,
        activations,
        &mut checkpoints,
        &mut course,
        &mut |_| (),
    )
    .expect("training");
    course
}

fn check_course(course: &Course, reference: &Reference, loss: f64, norm: f64) {
    let history = reference.expected["log_history"].as_array().expect("log_history");
    let steps: Vec<_> = history.iter().filter(|entry| entry.get("loss").is_some()).collect();
    let evals: Vec<_> = history.iter().filter(|entry| entry.get("eval_loss").is_some()).collect();
    assert_eq!(course.steps.len(), steps.len());
    assert_eq!(course.evals.len(), evals.len());
    for (ours, theirs) in course.steps.iter().zip(steps) {
        let place = format!("step {}", ours.step);
        assert_eq!(ours.step as f64, number(&theirs["step"]));
        close(&format!("{place} epoch"), ours.epoch, number(&theirs["epoch"]), 1e-4);
        close(&format!("{place} loss"), ours.loss, number(&theirs["loss"]), loss);
        close(&format!("{place} learning_rate"), ours.learning_rate, number(&theirs["learning_rate"]), 1e-4);
        close(&format!("{place} grad_norm"), ours.grad_norm, number(&theirs["grad_norm"]), norm);
    }
    for (ours, theirs) in course.evals.iter().zip(evals) {
        assert_eq!(ours.step as f64, number(&theirs["step"]));
        close(&format!("eval {}", ours.step), ours.trainer_eval_loss, number(&theirs["eval_loss"]), loss);
    }
}

/// Largest difference over the largest value, over all tensors.
fn adapter_difference(model: &Llama, reference: &Reference) -> f64 {
    let path = reference.folder.join("adapter_final").join(adapter::TENSORS);
    let theirs = candle_core::safetensors::load(path, &Device::Cpu).expect("adapter_final");
    let flat = |tensor: &Tensor| -> Vec<f64> {
        tensor.to_dtype(DType::F64).and_then(|t| t.flatten_all()?.to_vec1()).expect("values")
    };
    let (mut largest, mut difference, mut count) = (0f64, 0f64, 0);
    for (name, parameter) in adapter::parameters(model) {
        for (ours, theirs) in flat(&parameter.value).iter().zip(flat(&theirs[&name])) {
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
    let reference = tiny();
    let model = model_of(&reference, DType::F32);
    check_sums("base", &sums(&model, &reference, None), &reference);
    check_sums("adapter_init", &sums(&model, &reference, Some(reference.lora_scale())), &reference);
}

#[test]
fn training_follows_the_reference_step_by_step() {
    let reference = tiny();
    for activations in [Activations::Keep, Activations::Recompute] {
        let mut model = model_of(&reference, DType::F32);
        let course = train(&mut model, &reference, activations);
        check_course(&course, &reference, 1e-4, 1e-3);
        check_sums("adapter_final", &sums(&model, &reference, Some(reference.lora_scale())), &reference);
        let off = adapter_difference(&model, &reference);
        assert!(off < 1e-3, "final adapter off by {off:.1e} of its largest value");
    }
}

/// In f64 every operation takes its candle form, the one that a GPU runs.
#[test]
fn the_device_operations_follow_the_reference_too() {
    let reference = tiny();
    let mut model = model_of(&reference, DType::F64);
    check_sums("base", &sums(&model, &reference, None), &reference);
    let course = train(&mut model, &reference, Activations::Recompute);
    check_course(&course, &reference, 1e-4, 1e-3);
    let off = adapter_difference(&model, &reference);
    assert!(off < 1e-3, "final adapter off by {off:.1e} of its largest value");
}

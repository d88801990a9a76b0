//! Gradients of every LoRA tensor: against candle's autograd on an independent f64 model, and against finite
//! differences where dropout takes part.

use crate::reference::Reference;
use crate::support::close;
use crate::tensors::values;
use candle_core::{D, DType, Device, Result, Tensor, Var};
use std::collections::BTreeMap;
use tezgah::data::batches::{Batch, Targets};
use tezgah::model::files::config::LlamaConfig;
use tezgah::model::network::adapter;
use tezgah::model::network::llama::{Activations, Llama};
use tezgah::model::ops::dropout::DropoutStream;
use tezgah::recipe::{Projection, Quantization};

const NO_DROPOUT: DropoutStream = DropoutStream { rate: 0.0, seed: 0, micro_batch: 0 };

/// A Llama as one would write it with autograd at hand: row by row, no packing, nothing fused.
struct Witness<'a> {
    reference: &'a Reference,
    lora: BTreeMap<String, Var>,
}

impl<'a> Witness<'a> {
    fn new(reference: &'a Reference) -> Self {
        let path = reference.folder.join("adapter_init").join(adapter::TENSORS);
        let lora = candle_core::safetensors::load(path, &Device::Cpu).expect("adapter_init");
        let var = |tensor: Tensor| Var::from_tensor(&tensor.to_dtype(DType::F64)?);
        let lora = lora.into_iter().map(|(name, tensor)| (name, var(tensor).expect("var"))).collect();
        Witness { reference, lora }
    }

    fn config(&self) -> &LlamaConfig {
        &self.reference.base.config
    }

    fn weight(&self, name: &str) -> Tensor {
        self.reference.base.weights.dense(name, DType::F64, &Device::Cpu).expect("weight")
    }

    fn linear(&self, layer: usize, projection: Projection, x: &Tensor) -> Result<Tensor> {
        let path = format!("model.layers.{layer}.{}", projection.path());
        let [a, b] =
            ["A", "B"].map(|m| self.lora[&format!("base_model.model.{path}.lora_{m}.weight")].as_tensor());
        let update = x.matmul(&a.t()?)?.matmul(&b.t()?)?;
        x.matmul(&self.weight(&format!("{path}.weight")).t()?)? + (update * self.reference.lora_scale())?
    }

    fn norm(&self, x: &Tensor, name: &str) -> Result<Tensor> {
        let variance = x.sqr()?.mean_keepdim(D::Minus1)?;
        x.broadcast_div(&(variance + self.config().rms_norm_eps)?.sqrt()?)?.broadcast_mul(&self.weight(name))
    }

    fn rope(&self, x: &Tensor) -> Result<Tensor> {
        let (_, length, width) = x.dims3()?;
        let frequencies = self.config().inverse_frequencies();
        let angles: Vec<f64> = (0..length)
            .flat_map(|position| frequencies.iter().chain(&frequencies).map(move |f| position as f64 * f))
            .collect();
        let angles = Tensor::from_vec(angles, (1, length, width), &Device::Cpu)?;
        let rotated =
            Tensor::cat(&[x.narrow(2, width / 2, width / 2)?.neg()?, x.narrow(2, 0, width / 2)?], 2)?;
        x.broadcast_mul(&angles.cos()?)? + rotated.broadcast_mul(&angles.sin()?)?
    }

    /// Sum of -ln p over the response tokens of one row.
    fn nll(&self, ids: &[u32], prompt_len: usize) -> Result<Tensor> {
        let config = self.config();
        let (length, d) = (ids.len(), config.head_dim);
        let mut x =
            self.weight("model.embed_tokens.weight").index_select(&Tensor::new(ids, &Device::Cpu)?, 0)?;
        let mask: Vec<f64> = (0..length * length)
            .map(|i| if i % length > i / length { f64::NEG_INFINITY } else { 0.0 })
            .collect();
        let mask = Tensor::from_vec(mask, (1, length, length), &Device::Cpu)?;
        for layer in 0..config.num_hidden_layers {
            let normed = self.norm(&x, &format!("model.layers.{layer}.input_layernorm.weight"))?;
            let heads = |projection, count: usize| {
                self.linear(layer, projection, &normed)?
                    .reshape((length, count, d))?
                    .transpose(0, 1)?
                    .contiguous()
            };
            let q = self.rope(&heads(Projection::QProj, config.num_attention_heads)?)?;
            let k = self.rope(&heads(Projection::KProj, config.num_key_value_heads)?)?;
            let v = heads(Projection::VProj, config.num_key_value_heads)?;
            let group = config.num_attention_heads / config.num_key_value_heads;
            let repeat = |t: Tensor| {
                t.unsqueeze(1)?
                    .broadcast_as((config.num_key_value_heads, group, length, d))?
                    .contiguous()?
                    .reshape((config.num_attention_heads, length, d))
            };
            let scores = (q.matmul(&repeat(k)?.t()?)? / (d as f64).sqrt())?.broadcast_add(&mask)?;
            let attended = candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&repeat(v)?)?;
            let attended = attended.transpose(0, 1)?.reshape((length, config.num_attention_heads * d))?;
            x = (x + self.linear(layer, Projection::OProj, &attended)?)?;
            let normed = self.norm(&x, &format!("model.layers.{layer}.post_attention_layernorm.weight"))?;
            let gate = self.linear(layer, Projection::GateProj, &normed)?.silu()?;
            let hidden = (gate * self.linear(layer, Projection::UpProj, &normed)?)?;
            x = (x + self.linear(layer, Projection::DownProj, &hidden)?)?;
        }
        let logits =
            self.norm(&x, "model.norm.weight")?.matmul(&self.weight("model.embed_tokens.weight").t()?)?;
        let log_p = candle_nn::ops::log_softmax(&logits, D::Minus1)?;
        let targets = Tensor::new(&ids[prompt_len..], &Device::Cpu)?.unsqueeze(1)?;
        log_p.narrow(0, prompt_len - 1, length - prompt_len)?.gather(&targets, 1)?.sum_all()?.neg()
    }
}

/// Relative L2 distance, tensor by tensor; the worst with its name.
fn worst_distance(model: &Llama, theirs: &BTreeMap<String, Vec<f64>>) -> (f64, String) {
    let mut worst = (0f64, String::new());
    let mut compared = 0;
    for (name, parameter) in adapter::parameters(model) {
        let (ours, theirs) = (values(&parameter.gradient), &theirs[&name]);
        let distance: f64 = ours.iter().zip(theirs).map(|(a, b)| (a - b).powi(2)).sum();
        let length: f64 = theirs.iter().map(|b| b * b).sum();
        assert!(length > 0.0, "{name} has no gradient in the witness");
        let relative = (distance / length).sqrt();
        if relative > worst.0 {
            worst = (relative, name);
        }
        compared += 1;
    }
    assert_eq!(compared, theirs.len());
    worst
}

#[test]
fn every_lora_gradient_equals_the_autograd_of_an_independent_model() {
    let reference = Reference::tiny();
    let rows: Vec<_> = reference.train.iter().take(5).collect();
    let witness = Witness::new(&reference);
    let losses = rows.iter().map(|row| witness.nll(&row.ids, row.prompt_len).expect("nll"));
    let total = losses.reduce(|a, b| (a + b).expect("sum")).expect("rows");
    let gradients = total.backward().expect("backward");
    let theirs: BTreeMap<String, Vec<f64>> = witness
        .lora
        .iter()
        .map(|(name, var)| (name.clone(), values(gradients.get(var).expect("a gradient for every tensor"))))
        .collect();

    let batch = Batch::new(&rows, Targets::Response);
    for (dtype, allowed) in [(DType::F32, 2e-4), (DType::F64, 1e-9)] {
        for activations in [Activations::Keep, Activations::Recompute] {
            let mut model = reference.model(Quantization::None, dtype);
            let nll = model
                .accumulate_gradients(&batch, activations, 1.0, NO_DROPOUT)
                .expect("gradients")
                .sum()
                .expect("losses");
            close("summed nll", nll, total.to_scalar::<f64>().expect("scalar"), allowed);
            let (worst, name) = worst_distance(&model, &theirs);
            assert!(worst < allowed, "{dtype:?} {activations:?}: {name} is off by {worst:.1e}");
        }
    }
}

/// With dropout there is no other implementation of our masks: the loss itself is differenced, in f64, along
/// the direction of each tensor's gradient.
#[test]
fn gradients_under_dropout_equal_finite_differences() {
    let reference = Reference::tiny();
    let rows: Vec<_> = reference.train.iter().take(1).collect();
    let batch = Batch::new(&rows, Targets::Response);
    let dropout = DropoutStream { rate: 0.3, seed: 7, micro_batch: 5 };
    let mut model = reference.model(Quantization::None, DType::F64);
    model
        .accumulate_gradients(&batch, Activations::Recompute, 1.0, dropout)
        .expect("gradients")
        .sum()
        .expect("losses");
    let gradients: Vec<(String, Tensor)> =
        adapter::parameters(&model).map(|(name, p)| (name, p.gradient.clone())).collect();
    for (index, (name, gradient)) in gradients.iter().enumerate() {
        let length = gradient.sqr().and_then(|g| g.sum_all()?.to_scalar::<f64>()).expect("norm").sqrt();
        let direction = (gradient / length).expect("direction");
        let mut moved = |step: f64| -> f64 {
            let shift = |model: &mut Llama, by: f64| {
                let (_, parameter) = adapter::parameters_mut(model).nth(index).expect("parameter");
                parameter.value = (&parameter.value + (&direction * by).expect("step")).expect("moved");
            };
            shift(&mut model, step);
            let nll = model
                .accumulate_gradients(&batch, Activations::Keep, 1.0, dropout)
                .expect("nll")
                .sum()
                .expect("losses");
            shift(&mut model, -step);
            nll
        };
        let step = 1e-5;
        let slope = (moved(step) - moved(-step)) / (2.0 * step);
        close(name, length, slope, 1e-5);
    }
}

/// The f32 kernels draw the same masks as the f64 form, and replay them when a layer is computed again.
#[test]
fn dropout_is_the_same_in_every_form() {
    let reference = Reference::tiny();
    let rows: Vec<_> = reference.train.iter().take(4).collect();
    let batch = Batch::new(&rows, Targets::Response);
    let dropout = DropoutStream { rate: 0.2, seed: 3407, micro_batch: 2 };
    let run = |dtype, activations| {
        let mut model = reference.model(Quantization::None, dtype);
        model
            .accumulate_gradients(&batch, activations, 1.0, dropout)
            .expect("gradients")
            .sum()
            .expect("losses");
        model
    };
    let exact = run(DType::F64, Activations::Keep);
    let theirs: BTreeMap<String, Vec<f64>> =
        adapter::parameters(&exact).map(|(name, p)| (name, values(&p.gradient))).collect();
    for activations in [Activations::Keep, Activations::Recompute] {
        let (worst, name) = worst_distance(&run(DType::F32, activations), &theirs);
        assert!(worst < 2e-4, "{activations:?}: {name} is off by {worst:.1e}");
    }
}

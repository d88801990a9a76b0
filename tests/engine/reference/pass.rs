//! One pass over rows of the reference, in any type and on any device, and how far two passes are apart.

use super::Reference;
use crate::support::{close, number};
use crate::tensors::values;
use candle_core::{DType, Device};
use tezgah::data::batches::{Batch, Targets};
use tezgah::data::encode::EncodedRow;
use tezgah::evaluate::nll;
use tezgah::model::network::adapter;
use tezgah::model::network::linear::LoraUse;
use tezgah::model::network::llama::Activations;
use tezgah::model::ops::dropout::DropoutStream;
use tezgah::recipe::Quantization;

/// The rows of a comparison.
pub(crate) struct Chosen {
    evaluated: Vec<EncodedRow>,
    /// Rows of a batch each.
    train: Vec<[usize; 2]>,
}

impl Chosen {
    /// Of the shortest: the software GPU's time goes by the square of their length.
    #[cfg(feature = "cuda")]
    pub(crate) fn few(reference: &Reference) -> Self {
        let evaluated = [0, 3].map(|row| reference.evaluation[row].clone());
        Chosen { evaluated: evaluated.to_vec(), train: vec![[4, 8]] }
    }

    /// All, the training rows in pairs.
    fn all(reference: &Reference) -> Self {
        let pairs = (0..reference.train.len()).step_by(2).map(|first| [first, first + 1]);
        let evaluated = reference.evaluation.iter().chain(&reference.train).cloned();
        Chosen { evaluated: evaluated.collect(), train: pairs.collect() }
    }
}

/// What a pass is made with.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) quantization: Quantization,
    pub(crate) dtype: DType,
    pub(crate) activations: Activations,
    pub(crate) dropout: f64,
}

impl Way {
    pub(crate) const PLAIN: Way = Way {
        quantization: Quantization::None,
        dtype: DType::F32,
        activations: Activations::Recompute,
        dropout: 0.0,
    };

    /// What a model with the initial adapter says of few of the reference's rows, see [`Way::measured_on`].
    #[cfg(feature = "cuda")]
    pub(crate) fn measured(self, reference: &Reference, device: &Device) -> [Vec<f64>; 2] {
        self.measured_on(&Chosen::few(reference), reference, device)
    }

    /// Both sums of the evaluated rows; and of each batch the gradient of its mean loss, one after the other.
    fn measured_on(self, chosen: &Chosen, reference: &Reference, device: &Device) -> [Vec<f64>; 2] {
        let fresh = || reference.model_on(device, self.quantization, self.dtype);
        let sums = nll::rows(&fresh(), &chosen.evaluated, 2, Targets::All, LoraUse::Applied, |_| Ok(()))
            .expect("sums");
        let mut gradients = Vec::new();
        for pair in &chosen.train {
            let mut model = fresh();
            let batch = Batch::new(&pair.map(|row| &reference.train[row]), Targets::Response);
            let dropout = DropoutStream { rate: self.dropout, seed: 1, micro_batch: 0 };
            let scale = 1.0 / batch.targets.len() as f64;
            model
                .accumulate_gradients(&batch, self.activations, scale, dropout)
                .expect("gradient")
                .sum()
                .expect("losses");
            for (_, parameter) in adapter::parameters(&model) {
                gradients.extend(values(&parameter.gradient));
            }
        }
        [sums.iter().flat_map(|row| [row.nll.masked, row.nll.full]).collect(), gradients]
    }
}

fn length(values: &[f64]) -> f64 {
    values.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// |ours - theirs| / |theirs|
pub(crate) fn apart(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let difference: Vec<f64> = ours.iter().zip(theirs).map(|(ours, theirs)| ours - theirs).collect();
    length(&difference) / length(theirs)
}

/// bf16 is at most `factor` times as far from f64 as PyTorch's own bf16 is on the same rows: `make_bf16.py` measured that,
/// by the same two distances.
pub(crate) fn bf16_is_near(chosen: &Chosen, place: &[&str], device: &Device, factor: f64) {
    let reference = Reference::tiny();
    let text = std::fs::read_to_string(reference.folder.join("bf16.json")).expect("bf16.json");
    let pytorch: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let theirs = place.iter().fold(&pytorch, |value, name| &value[name]);
    let exact = Way { dtype: DType::F64, ..Way::PLAIN }.measured_on(chosen, &reference, &Device::Cpu);
    let ours = Way { dtype: DType::BF16, ..Way::PLAIN }.measured_on(chosen, &reference, device);
    if place.is_empty() {
        close("|g64|", length(&exact[1]), number(&pytorch["gradient_norm_f64"]), 1e-6);
    }
    for (name, (ours, exact)) in ["sums", "gradient"].into_iter().zip(ours.iter().zip(&exact)) {
        let (ours, theirs) = (apart(ours, exact), number(&theirs[name]));
        println!("bf16 {name}: {ours:.2e} from f64, PyTorch {theirs:.2e}");
        assert!(ours > 0.0 && ours <= factor * theirs, "{name}: {ours:.2e} from f64, PyTorch {theirs:.2e}");
    }
}

/// The kernels of the CPU: sums in f32, one rounding an operation. Over all rows: of two, the distance is chance by a tenth.
#[test]
fn bf16_is_as_near_to_f64_as_pytorch_is() {
    let reference = Reference::tiny();
    bf16_is_near(&Chosen::all(&reference), &["all"], &Device::Cpu, 1.0);
}

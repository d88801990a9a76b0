//! What a run leaves for other programs: the form it was trained in, a GGUF file, an adapter of half the size.

use crate::program::*;
use crate::support::{close, reference_folder};
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tezgah::data::alpaca;
use tezgah::data::batches::Targets;
use tezgah::data::encode::{EncodedRow, RowEncoder};
use tezgah::evaluate::nll;
use tezgah::model::files::source::{BaseModel, ModelSource, open};
use tezgah::model::network::adapter::{self, TENSORS};
use tezgah::model::network::frozen::FrozenSource;
use tezgah::model::network::linear::LoraUse;
use tezgah::model::network::llama::Llama;
use tezgah::recipe::{Bias, LoraRecipe, Quantization};

/// The tiny run of two steps, said aloud.
fn tiny(out: &Path, settings: &[&str]) -> String {
    let arguments: Vec<String> =
        tiny_arguments().into_iter().filter(|argument| argument != "--quiet").collect();
    let short = ["train.max_steps=2"];
    let settings: Vec<&str> = short.iter().chain(settings).flat_map(|setting| ["--set", setting]).collect();
    said("a1", &with_out(&arguments, &text(out.to_path_buf()), &settings))
}

fn opened(path: PathBuf) -> BaseModel {
    let source: ModelSource = text(path).parse().expect("a source");
    open(&source).expect("a model")
}

fn loaded(BaseModel { config, weights, .. }: &BaseModel) -> Llama {
    let (quantization, dtype, device) = (Quantization::None, DType::F32, &Device::Cpu);
    let source = FrozenSource { weights, quantization, quantized: None, dtype, device };
    Llama::load(config, source).expect("a network")
}

fn full_loss(model: &Llama, rows: &[EncodedRow], lora: LoraUse) -> f64 {
    let sums = nll::rows(model, rows, 4, Targets::All, lora, |_| Ok(())).expect("an evaluation");
    let tokens: usize = sums.iter().map(|row| row.full_tokens).sum();
    sums.iter().map(|row| row.nll.full).sum::<f64>() / tokens as f64
}

fn tensors(folder: &Path) -> Vec<(String, Tensor)> {
    let tensors = candle_core::safetensors::load(folder.join(TENSORS), &Device::Cpu).expect("an adapter");
    let mut tensors: Vec<_> = tensors.into_iter().collect();
    tensors.sort_by(|(one, _), (other, _)| one.cmp(other));
    tensors
}

fn bits(tensor: &Tensor) -> Vec<u16> {
    let flat = tensor.to_dtype(DType::BF16).and_then(|tensor| tensor.flatten_all()?.to_vec1::<half::bf16>());
    flat.expect("values").iter().map(|value| value.to_bits()).collect()
}

/// What the record says of an output: its path and the type of its tensors.
fn output<'a>(record: &'a Value, kind: &str) -> Option<(&'a str, Option<&'a str>)> {
    let output = record["outputs"].as_array()?.iter().find(|output| output["kind"] == kind)?;
    Some((output["path"].as_str()?, output["dtype"].as_str()))
}

#[test]
fn the_exported_model_is_the_trained_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path();
    tiny(out, &["export.gguf=q8_0", "export.adapter_dtype=bf16"]);
    let record = record(out);
    assert_eq!(output(&record, "gguf"), Some(("merged.gguf", Some("Q8_0"))));
    assert_eq!(output(&record, "modelfile"), Some(("Modelfile", None)));
    assert_eq!(output(&record, "adapter"), Some(("adapter", Some("F32"))));
    assert_eq!(output(&record, "adapter_bf16"), Some(("adapter-bf16", Some("BF16"))));

    let tiny = reference_folder().join("tiny");
    let base = opened(tiny.join("model"));
    let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, 2048).expect("an encoder");
    let rows = alpaca::read(tiny.join("eval.json")).expect("rows").rows;
    let merged = opened(out.join("merged"));
    let file = opened(out.join("merged.gguf"));

    // The template's tokens are those of the rows, in the folder and in the file.
    for model in [&merged, &file] {
        assert_eq!(model.eos_token_id, base.eos_token_id);
        let template = model.chat_template().expect("a template").expect("one");
        let mut with_input = rows[0].clone();
        with_input.input = "It's 'quoted', \\n and {{ braced }}.".into();
        for row in rows.iter().chain([&with_input]) {
            let input =
                if row.input.is_empty() { String::new() } else { format!("\n\n### Input:\n{}", row.input) };
            let rendered = template.render(&format!("{}{input}", row.instruction)).expect("a prompt");
            let ids = encoder.encode_text(&rendered).expect("ids");
            assert_eq!(ids, encoder.encode_prompt(row).expect("ids"), "{rendered}");
        }
    }
    let generation = json(&out.join("merged/generation_config.json"));
    assert_eq!(generation, json!({"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}));
    let modelfile = read(&out.join("Modelfile"));
    assert!(
        modelfile.contains("FROM ./merged.gguf\n") && modelfile.contains("stop \"<|end_of_text|>\""),
        "{modelfile}"
    );

    // Three forms of one model.
    let encoded: Vec<EncodedRow> = rows.iter().map(|row| encoder.encode(row).expect("a row")).collect();
    let whole = full_loss(&loaded(&merged), &encoded, LoraUse::Ignored);
    let of_file = full_loss(&loaded(&file), &encoded, LoraUse::Ignored);
    close("merged.gguf", of_file, whole, 1e-3 / whole);
    let smaller = out.join("adapter-bf16");
    let adapted = with_adapter(&base, &smaller);
    close("adapter-bf16", full_loss(&adapted, &encoded, LoraUse::Applied), whole, 1e-3 / whole);
    let (large, small) = (tensors(&out.join("adapter")), tensors(&smaller));
    assert_eq!(large.len(), small.len());
    for ((name, large), (same_name, small)) in large.iter().zip(&small) {
        assert_eq!((name, large.dtype(), small.dtype()), (same_name, DType::F32, DType::BF16));
        assert!(bits(large) == bits(small), "{name}");
    }
}

/// The base with the update of a folder.
fn with_adapter(base: &BaseModel, folder: &Path) -> Llama {
    let settings = adapter::settings(folder).expect("settings");
    let lora = LoraRecipe {
        rank: settings.rank,
        alpha: settings.alpha,
        dropout: 0.0,
        bias: Bias::None,
        target_modules: settings.targets,
    };
    let mut model = loaded(base);
    adapter::attach(&mut model, &lora, 1).expect("attached");
    adapter::load(&mut model, folder).expect("loaded");
    model
}

/// What was asked for and no longer is does not stay beside another model; nothing but the export is computed for it.
#[test]
fn an_export_that_is_no_longer_asked_for_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path();
    tiny(out, &["export.gguf=f16", "export.adapter_dtype=bf16"]);
    let adapter = std::fs::read(out.join("adapter").join(TENSORS)).expect("an adapter");
    let stale = [
        "merged.gguf",
        "Modelfile",
        "adapter-bf16/adapter_config.json",
        "adapter-bf16/adapter_model.safetensors",
    ];
    assert!(stale.iter().all(|name| out.join(name).exists()));
    let again = tiny(out, &[]);
    assert!(again.contains("fine_tuned: as computed ") && !again.contains("export: as computed "), "{again}");
    assert!(!stale.iter().any(|name| out.join(name).exists()));
    let record = record(out);
    assert!(["gguf", "modelfile", "adapter_bf16"].iter().all(|kind| output(&record, kind).is_none()));
    assert!(std::fs::read(out.join("adapter").join(TENSORS)).expect("an adapter") == adapter);
    assert!(tiny(out, &[]).contains("export: as computed "));
}

/// The base's own files and template are taken over, beside the trained form.
#[test]
fn a_base_keeps_its_template_and_its_tokens() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("model");
    std::fs::create_dir(&model).expect("a folder");
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(reference_folder().join("tiny/model").join(name), model.join(name)).expect("copied");
    }
    let write =
        |name: &str, value: &Value| std::fs::write(model.join(name), value.to_string()).expect("written");
    let own = "{% for message in messages %}{{ message['content'] }}{% endfor %}";
    write(
        "tokenizer_config.json",
        &json!({"eos_token": {"content": "<|end_of_text|>", "lstrip": false}, "chat_template": own}),
    );
    write("generation_config.json", &json!({"eos_token_id": [7, 8], "temperature": 0.6, "do_sample": true}));
    write("special_tokens_map.json", &json!({"eos_token": "<|end_of_text|>"}));
    let (out, model) = (folder.path().join("out"), text(model));
    tiny_of(&model, &out);
    let merged = out.join("merged");
    let settings = json(&merged.join("tokenizer_config.json"));
    assert_eq!(settings["eos_token"], json!({"content": "<|end_of_text|>", "lstrip": false}));
    assert_eq!(settings["bos_token"], "<|begin_of_text|>");
    let templates = settings["chat_template"].as_array().expect("two templates");
    assert_eq!(templates[1], json!({"name": "base", "template": own}));
    assert!(
        templates[0]["name"] == "default"
            && templates[0]["template"].to_string().contains("### Instruction:")
    );
    // The end that was trained is one of the ends; how the base was sampled is not how this model was measured.
    let generation = json(&merged.join("generation_config.json"));
    assert_eq!(generation, json!({"bos_token_id": 0, "eos_token_id": [1, 7, 8], "pad_token_id": 1}));
    assert_eq!(json(&merged.join("special_tokens_map.json")), json!({"eos_token": "<|end_of_text|>"}));
    assert!(!merged.join("added_tokens.json").exists());

    // Another base of the same weights that has no such file.
    std::fs::remove_file(Path::new(&model).join("special_tokens_map.json")).expect("removed");
    let said = tiny_of(&model, &out);
    assert!(said.contains("training: as computed ") && !said.contains("export: as computed "), "{said}");
    assert!(!merged.join("special_tokens_map.json").exists());
}

/// The tiny run over another base.
fn tiny_of(model: &str, out: &Path) -> String {
    let mut arguments: Vec<String> =
        tiny_arguments().into_iter().filter(|argument| argument != "--quiet").collect();
    arguments[1] = model.to_string();
    said("a1", &with_out(&arguments, &text(out.to_path_buf()), &["--set", "train.max_steps=2"]))
}

#[test]
fn what_gguf_cannot_say_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("model");
    std::fs::create_dir(&model).expect("a folder");
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(reference_folder().join("tiny/model").join(name), model.join(name)).expect("copied");
    }
    let path = model.join("tokenizer.json");
    let mut tokenizer = json(&path);
    tokenizer["normalizer"] = json!({"type": "NFC"});
    std::fs::write(&path, tokenizer.to_string()).expect("written");
    let (out, model) = (folder.path().join("out"), text(model));
    let mut arguments = tiny_arguments();
    arguments[1] = model;
    let (line, code) =
        refused("a1", &with_out(&arguments, &text(out.clone()), &["--set", "export.gguf=q8_0"]));
    assert_eq!(code, Some(2), "{line}");
    assert!(line.contains("setting export.gguf: expected none") && line.contains("normalizer"), "{line}");
    assert!(!out.join("record.json").exists());
}

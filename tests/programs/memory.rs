//! What a run says of its memory before it begins, and what the system counted until its end: the base read from a folder
//! and quantized, read from what was kept of that, dense, and read from a GGUF file; documents and merged model included.

use crate::program::*;
use crate::support::reference_folder;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// A shape of 76 million parameters, whose file is three times as large as what a quantized run takes of it.
fn model(folder: &Path) -> String {
    let mut config: serde_json::Value =
        serde_json::from_str(include_str!("../../benches/llama_3_2_1b.json")).expect("JSON");
    for (field, value) in [
        ("hidden_size", json!(768)),
        ("intermediate_size", json!(2048)),
        ("num_hidden_layers", json!(8)),
        ("num_attention_heads", json!(12)),
        ("num_key_value_heads", json!(4)),
        ("head_dim", json!(64)),
        ("vocab_size", json!(32_768)),
    ] {
        config[field] = value;
    }
    let shape = folder.join("shape.json");
    std::fs::write(&shape, config.to_string()).expect("written");
    let model = text(folder.join("model"));
    let output = run("random_model", &[&model, &text(shape)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    model
}

/// Megabytes that a line such as `about 1019 MB: weights 123` promises.
fn promised(arguments: &[&str]) -> f64 {
    let output = run("a1", &[arguments, &["--dry-run"]].concat());
    let said = String::from_utf8_lossy(&output.stdout);
    let (_, rest) = said.split_once("about ").unwrap_or_else(|| panic!("no estimate in {said}"));
    let (megabytes, _) = rest.split_once(" MB").unwrap_or_else(|| panic!("no estimate in {said}"));
    megabytes.parse().expect("a number")
}

/// Megabytes that were resident at most, as the kernel keeps them.
fn counted(arguments: &[&str]) -> f64 {
    let mut child = program("a1").args(arguments).arg("--quiet").spawn().expect("started");
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    let ended = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        peak = kilobytes.map_or(peak, |kilobytes| kilobytes * 1024.0 / 1e6);
        if let Some(ended) = child.try_wait().expect("waited for") {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(ended.success(), "{arguments:?}");
    peak
}

#[test]
fn a_run_takes_the_memory_that_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let model = model(folder.path());
    let rows = |name: &str| text(reference_folder().join("tiny").join(name));
    let (train, eval) = (rows("train.json"), rows("eval.json"));
    let reports = folder.path().join("reports");
    let file = text(reports.join("dense/merged.gguf"));
    for (name, model, quantization, recomputed, gguf) in [
        ("first", &model, "q4_0", "true", "none"),
        ("kept", &model, "q4_0", "true", "none"),
        ("dense", &model, "none", "false", "q8_0"),
        ("gguf", &file, "as_is", "true", "none"),
    ] {
        let out = text(reports.join(name));
        let settings = [
            format!("model.quantization={quantization}"),
            format!("train.gradient_checkpointing={recomputed}"),
            format!("export.gguf={gguf}"),
            "model.dtype=f32".into(),
            "train.max_steps=1".into(),
            "train.accumulation_steps=1".into(),
        ];
        let mut arguments = vec!["--model", model, "--train-file", &train, "--eval-file", &eval];
        arguments.extend(["--samples", "0", "--out", &out]);
        arguments.extend(settings.iter().flat_map(|setting| ["--set", setting.as_str()]));
        let (promised, counted) = (promised(&arguments), counted(&arguments));
        let ratio = counted / promised;
        println!("{name}: {promised} MB said, {counted:.0} MB taken");
        assert!((0.9..=1.1).contains(&ratio), "{name}: {promised} MB said, {counted:.0} MB taken");
    }
}

//! Models, adapters and sizes that come from anywhere: each refusal is one line before anything is computed.

use crate::program::{record, refused, run, said, text, tiny_arguments, with_out};
use crate::support::reference_folder;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The one line of a refusal before a run began; warnings are none.
fn refusal(arguments: &[&str]) -> String {
    let (text, code) = refused("a1", arguments);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("warning")).collect();
    assert_eq!((lines.len(), code), (1, Some(2)), "{arguments:?}:\n{text}");
    assert!(lines[0].starts_with("error: "), "{text}");
    lines[0].to_string()
}

/// Sizes that no run would live to see the end of, and a dry run that ends.
#[test]
fn sizes_are_refused_with_their_bound_and_its_reason() {
    for (setting, words) in [
        (
            "lora.rank=100000",
            "expected 1 to 16384 (the width of the largest Llama, more adds nothing), got 100000",
        ),
        ("lora.rank=9223372036854775807", "got 9223372036854775807"),
        (
            "train.max_steps=1000000000000",
            "expected 0 to 1000000 (each is an entry of the record), got 1000000000000",
        ),
        ("train.epochs=1e9", "at most 1000"),
        ("train.batch_size=18446744073709551615", "expected 1 to 65536"),
        ("train.accumulation_steps=100000", "expected 1 to 65536"),
        ("lora.target_modules=q_proj,k_proj,q_proj", "expected each projection once, got q_proj twice"),
        ("samples.max_new_tokens=100000", "the model has 2048 positions"),
    ] {
        let line = refusal(&["--dry-run", "--set", setting]);
        assert!(line.contains(words), "{setting}: {line}");
    }
    // The largest that is let through: ended, and counted.
    for setting in ["train.max_steps=1000000", "train.epochs=1000"] {
        let output = run("a1", &["--smoke", "--dry-run", "--set", setting]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A prompt that is cut is no prompt: the next whole one is taken, and none of any length is generated from.
#[test]
fn texts_come_from_whole_prompts() {
    let folder = tempfile::tempdir().expect("folder");
    let (out, rows) = (folder.path().join("out"), folder.path().join("eval.json"));
    let long = "word ".repeat(8_000);
    let row = |instruction: &str| json!({ "instruction": instruction, "output": "Yes." });
    std::fs::write(&rows, json!([row(&long), row("Is it a cat?")]).to_string()).expect("written");
    let mut arguments = tiny_arguments();
    arguments[5] = text(rows);
    let samples = arguments.iter().position(|argument| argument == "--samples").expect("a flag");
    arguments[samples + 1] = "2".into();
    let more = ["--set", "train.max_steps=1", "--set", "samples.max_new_tokens=4"];
    said("a1", &with_out(&arguments, &text(out.clone()), &more));
    let samples = record(&out)["samples"].as_array().expect("samples").clone();
    assert_eq!(samples.len(), 1);
    assert_eq!((&samples[0]["row"], &samples[0]["instruction"]), (&json!(1), &json!("Is it a cat?")));
}

#[test]
fn rows_beyond_the_models_positions_are_told() {
    let folder = tempfile::tempdir().expect("folder");
    let rows = folder.path().join("rows.json");
    let row = |words: usize| json!({ "instruction": "Write.", "output": "word ".repeat(words) });
    std::fs::write(&rows, json!([row(3), row(4), row(5), row(4_000)]).to_string()).expect("written");
    let output = run("a1", &["--dry-run", "--data", &text(rows), "--set", "data.max_seq_len=8192"]);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(
        said.contains("1 of 4 rows are longer than the positions that the base model was made for"),
        "{said}"
    );
}

/// The reference's adapter with some settings changed.
fn adapter_with(folder: &Path, changes: Value) -> PathBuf {
    let from = reference_folder().join("tiny/adapter_init");
    std::fs::create_dir_all(folder).expect("a folder");
    let name = "adapter_model.safetensors";
    std::fs::copy(from.join(name), folder.join(name)).expect("copied");
    let text = std::fs::read_to_string(from.join("adapter_config.json")).expect("settings");
    let mut config: Value = serde_json::from_str(&text).expect("JSON");
    for (key, value) in changes.as_object().expect("fields") {
        config[key] = value.clone();
    }
    std::fs::write(folder.join("adapter_config.json"), config.to_string()).expect("written");
    folder.to_path_buf()
}

#[test]
fn a_run_that_began_with_an_adapter_says_so_and_what_is_not_the_adapters() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("out");
    let adapter =
        adapter_with(&folder.path().join("adapter"), json!({ "base_model_name_or_path": "org/other-1B" }));
    let mut arguments = tiny_arguments();
    arguments[7] = text(adapter.clone());
    arguments.retain(|argument| argument != "--quiet");
    let more = ["--set", "train.max_steps=1", "--set", "lora.alpha=32"];
    let lines = said("a1", &with_out(&arguments, &text(out.clone()), &more));
    for words in [
        "warning: lora.alpha is 32, the adapter's is 16: its update counts 2 times as much",
        "warning: the adapter was made for org/other-1B",
    ] {
        assert!(lines.contains(words), "'{words}' is not in:\n{lines}");
    }
    let begun = &record(&out)["training"]["init_adapter"];
    assert_eq!(begun["source"], json!(text(adapter.clone())));
    let bytes = std::fs::read(adapter.join("adapter_model.safetensors")).expect("the adapter");
    assert_eq!(begun["sha256"], json!(tezgah::sha256::of(&bytes)));
    let method = std::fs::read_to_string(out.join("yontem.md")).expect("the method section");
    assert!(method.contains("daha önce eğitilmiş bir adaptörün değerleriyle başlatıldığından"));
    assert!(!method.contains("$A$ matrisi rastgele değerlerle"));

    let mut fresh = tiny_arguments();
    fresh.drain(6..8);
    let other = folder.path().join("fresh");
    let more = ["--set", "train.max_steps=1", "--set", "lora.rank=4"];
    said("a1", &with_out(&fresh, &text(other.clone()), &more));
    assert_eq!(record(&other)["training"].get("init_adapter"), None);
}

#[test]
fn an_adapter_that_does_not_fit_is_refused_before_the_base_is_measured() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().join("out"));
    let rank = adapter_with(&folder.path().join("rank"), json!({ "r": 8 }));
    let kind = adapter_with(&folder.path().join("kind"), json!({ "modules_to_save": ["lm_head"] }));
    for (adapter, words) in
        [(&rank, "are lora.rank and the r of"), (&kind, "modules_to_save: expected nothing")]
    {
        let mut arguments = tiny_arguments();
        arguments[7] = text(adapter.clone());
        let line = refusal(&with_out(&arguments, &out, &[]));
        assert!(line.contains(words), "{line}");
        assert!(!Path::new(&out).exists());
    }
}

/// No path is so long that its line lacks its beginning.
#[test]
fn a_path_that_is_too_long_is_an_error_like_any_other() {
    let long = format!("/tmp/{}", "a".repeat(5_000));
    for flag in ["--out", "--data", "--model", "--init-adapter", "--profile"] {
        let mut arguments = vec![flag, &long];
        if flag != "--out" {
            arguments.extend(["--out", "/tmp/never-written"]);
        }
        let (text, code) = refused("a1", &arguments);
        let lines = text.lines().count();
        assert!(text.starts_with("error: ") && lines == 1 && code == Some(2), "{flag}: {text}");
    }
}

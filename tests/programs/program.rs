//! An experiment's program, started as a user starts it, and what it left.

use crate::support::reference_folder;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program itself, which `cargo test` builds beside the tests.
pub(crate) fn program(name: &str) -> Command {
    let mut path = std::env::current_exe().expect("the test's own path");
    path.pop();
    if path.ends_with("deps") {
        path.pop();
    }
    Command::new(path.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

pub(crate) fn run(name: &str, arguments: &[&str]) -> Output {
    program(name).args(arguments).output().expect("the examples are built by `cargo test`")
}

/// What a successful program said.
pub(crate) fn said(name: &str, arguments: &[&str]) -> String {
    let output = run(name, arguments);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{name} {arguments:?}: {text}");
    text
}

/// What a failed program said, and its exit code.
pub(crate) fn refused(name: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let output = run(name, arguments);
    assert!(!output.status.success(), "{name} {arguments:?} succeeded");
    (String::from_utf8(output.stderr).expect("UTF-8"), output.status.code())
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_str(&read(path)).expect("JSON")
}

pub(crate) fn record(out: &Path) -> Value {
    json(&out.join("record.json"))
}

pub(crate) fn text(path: PathBuf) -> String {
    path.to_str().expect("UTF-8 path").to_string()
}

/// The flags of the tiny reference run, without `--out`.
pub(crate) fn tiny_arguments() -> Vec<String> {
    let tiny = reference_folder().join("tiny");
    let mut arguments: Vec<String> = Vec::new();
    for (flag, path) in [
        ("--model", "model"),
        ("--train-file", "train.json"),
        ("--eval-file", "eval.json"),
        ("--init-adapter", "adapter_init"),
    ] {
        arguments.extend([flag.to_string(), text(tiny.join(path))]);
    }
    for setting in [
        "model.quantization=none",
        "model.dtype=f32",
        "lora.dropout=0",
        "train.shuffle=false",
        "train.batch_size=4",
        "train.eval_batch_size=4",
        "train.accumulation_steps=3",
        "train.epochs=2",
        "train.learning_rate=0.002",
        "train.warmup_steps=3",
        "train.eval_steps=3",
        "train.save_steps=3",
    ] {
        arguments.extend(["--set".to_string(), setting.to_string()]);
    }
    arguments.extend(["--samples".to_string(), "0".to_string(), "--quiet".to_string()]);
    arguments
}

pub(crate) fn with_out<'a>(arguments: &'a [String], out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    arguments.iter().map(String::as_str).chain(["--out", out]).chain(more.iter().copied()).collect()
}

//! An experiment's program, started as a user starts it, and what it left.

use serde_json::Value;
use std::path::Path;
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

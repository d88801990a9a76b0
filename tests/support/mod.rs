//! What the engine's tests and the programs' tests both need: the reference runs' folder, and how near is near.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// Runs of the Python stack, with their inputs: in the repository that the test runs in, which need not be the one where
/// it was built (`.ci/gpu-check`).
pub(crate) fn reference_folder() -> PathBuf {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|_| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&root).join("tests/reference")
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("expected a number, got {value}"))
}

/// |a / b - 1| <= tolerance, with the place in the message.
#[track_caller]
pub(crate) fn close(place: &str, ours: f64, theirs: f64, tolerance: f64) {
    let off = if theirs == 0.0 { ours.abs() } else { (ours / theirs - 1.0).abs() };
    assert!(
        off <= tolerance,
        "{place}: {ours}, the reference has {theirs} (off by {off:.1e}, allowed {tolerance:.0e})"
    );
}

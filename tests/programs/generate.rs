//! A finished run asked for one text.

use crate::program::*;
use crate::support::reference_folder;
use std::path::Path;

/// Standard output of a program that must succeed.
fn printed(arguments: &[&str]) -> String {
    let output = run("generate", arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn finished(out: &Path) -> String {
    let out = text(out.to_path_buf());
    let settings = ["samples.count=1", "samples.max_new_tokens=12", "train.max_steps=2"];
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    said("a1", &with_out(&tiny_arguments(), &out, &settings));
    out
}

/// The text of a held-out task is the one that the run itself wrote, with and without the update.
#[test]
fn a_finished_run_writes_what_its_record_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = finished(folder.path());
    let record = record(folder.path());
    let rows = json(&reference_folder().join("tiny/eval.json"));
    let field = |name: &str| rows[0][name].as_str().unwrap_or_default().to_string();
    let (task, input) = (field("instruction"), field("input"));
    for (flags, system) in [(&[][..], "fine_tuned"), (&["--base"], "baseline")] {
        let rows = record["texts"]["rows"].as_array().expect("texts");
        let expected = rows.iter().find(|text| text["system"] == system && text["row"] == 0).expect("a text");
        let expected = expected["text"].as_str().expect("a text");
        let said = printed(&[&["--run", &out, &task, "--input", &input], flags].concat());
        let lines = expected.lines().count();
        let (written, measures) = said.split_at(said.find("\n\n").unwrap_or(expected.len()));
        assert!(said.starts_with(expected), "{system}: {said}\nexpected {lines} lines: {expected}");
        assert!(!written.contains('\x1b'), "colour where nobody sees it: {written}");
        for word in ["words in", "above A1", "Flesch-Kincaid", "copied from training answers"] {
            assert!(measures.contains(word), "'{word}' is not in {measures}");
        }
    }
}

#[test]
fn what_a_run_cannot_write_with_is_said_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = finished(folder.path());
    let task = "Write about a dog.";
    let one_line = |arguments: &[&str], words: &str| {
        let (said, code) = refused("generate", arguments);
        assert_eq!((said.lines().count(), code), (1, Some(2)), "{arguments:?}: {said}");
        assert!(said.contains(words), "'{words}' is not in {said}");
    };
    one_line(&["--run", &out, task, "--model", "demo"], "expected the base model of");
    one_line(&["--run", &out, task, "--set", "train.epochs=3"], "expected samples.KEY=VALUE");
    one_line(&["--run", &text(folder.path().join("nowhere")), task], "nowhere");
    std::fs::remove_dir_all(folder.path().join("adapter")).expect("removed");
    one_line(&["--run", &out, task], "expected a run with its adapter");
    printed(&["--run", &out, task, "--base"]);
}

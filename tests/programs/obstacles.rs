//! What stands in the way of a run on its way: a full disk, a path that is taken, a folder that goes, a reader that has
//! left. It is said in one line, the record says failed, and the same command ends well when the way is free again.

use crate::cells::copy;
use crate::program::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub(crate) fn arguments() -> Vec<String> {
    let mut arguments = tiny_arguments();
    for setting in ["samples.count=1", "samples.max_new_tokens=4"] {
        arguments.extend(["--set".to_string(), setting.to_string()]);
    }
    arguments
}

/// What a run is for: the adapter, the losses, and whether it came to its end.
pub(crate) fn outcome(out: &Path) -> (Vec<u8>, serde_json::Value, serde_json::Value) {
    let mut record = record(out);
    let adapter = fs::read(out.join("adapter/adapter_model.safetensors")).expect("an adapter");
    (adapter, record["evaluation"].take(), record["status"].take())
}

fn at_once(folder: &Path) -> (Vec<u8>, serde_json::Value, serde_json::Value) {
    let out = folder.join("at_once");
    said("a1", &with_out(&arguments(), &text(out.clone()), &[]));
    outcome(&out)
}

/// Names of files that were being written, below a folder.
pub(crate) fn temporaries(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(temporaries(&path));
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            found.push(path);
        }
    }
    found
}

/// A file that may not grow beyond a limit is what a full disk is: the write fails in its middle.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_at_any_moment_is_said_and_loses_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let whole = at_once(folder.path());
    let out = text(folder.path().join("run"));
    let mut failures = 0;
    // In blocks of 512 bytes: from the first small file to the largest.
    for blocks in [2, 6, 12, 24, 48, 96, 192, 4096] {
        let limited = "trap '' XFSZ; ulimit -f $LIMIT; exec \"$0\" \"$@\"";
        let output = Command::new("sh")
            .args(["-c", limited])
            .arg(program("a1").get_program())
            .args(with_out(&arguments(), &out, &[]))
            .env("LIMIT", blocks.to_string())
            .output()
            .expect("sh");
        let line = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(temporaries(Path::new(&out)), Vec::<PathBuf>::new(), "{blocks}");
        if output.status.success() {
            continue;
        }
        failures += 1;
        assert_eq!(output.status.code(), Some(1), "{blocks}: {line}");
        let last = line.lines().last().unwrap_or_default();
        assert!(last.starts_with("error: ") && last.contains(&out), "{blocks}: {line}");
        if let Ok(text) = fs::read(Path::new(&out).join("record.json")) {
            let record: serde_json::Value = serde_json::from_slice(&text).expect("a whole record");
            assert_eq!(record["status"], "failed", "{blocks}");
        }
    }
    assert!(failures >= 4, "only {failures} limits were met");
    said("a1", &with_out(&arguments(), &out, &[]));
    assert!(outcome(Path::new(&out)) == whole);
}

#[test]
fn a_path_that_is_taken_is_said_and_the_run_goes_on_when_it_is_free() {
    let folder = tempfile::tempdir().expect("folder");
    let whole = at_once(folder.path());
    for taken in ["split", "cells", "checkpoints", "adapter", "merged", "charts"] {
        let out = folder.path().join(taken);
        fs::create_dir(&out).expect("a folder");
        fs::write(out.join(taken), b"mine").expect("written");
        let out = text(out);
        let (line, code) = refused("a1", &with_out(&arguments(), &out, &[]));
        assert_eq!((line.lines().count(), code), (1, Some(1)), "{taken}: {line}");
        assert!(line.starts_with("error: ") && line.contains(taken), "{line}");
        let out = Path::new(&out);
        assert_eq!(record(out)["status"], "failed", "{taken}");
        assert_eq!(fs::read(out.join(taken)).expect("still there"), b"mine");
        fs::remove_file(out.join(taken)).expect("removed");
        said("a1", &with_out(&arguments(), &text(out.to_path_buf()), &[]));
        assert!(outcome(out) == whole, "{taken}");
    }
}

/// A run of `command` that is on its way: it has its first checkpoint.
pub(crate) fn trains(mut command: Command, arguments: &[String], out: &Path) -> Child {
    command.args(with_out(arguments, &text(out.to_path_buf()), &[])).stderr(Stdio::piped());
    let child = command.spawn().expect("a1");
    while !out.join("checkpoints/checkpoint-3/seal.json").exists() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child
}

#[test]
fn a_folder_that_is_removed_on_the_way_is_no_success() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("run");
    let mut arguments = arguments();
    arguments.extend(["--set".to_string(), "train.max_steps=400".to_string()]);
    let child = trains(program("a1"), &arguments, &out);
    // It may write into the folder while that is emptied.
    while out.join("run.lock").exists() {
        let _ = fs::remove_dir_all(&out);
    }
    let output = child.wait_with_output().expect("ended");
    let line = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.contains("removed while the run went on") || line.contains(&text(out)), "{line}");
}

#[test]
fn a_reader_that_has_left_ends_no_training() {
    let folder = tempfile::tempdir().expect("folder");
    let mut child = program("a1")
        .args(["--smoke", "--out", &text(folder.path().join("run"))])
        .stderr(Stdio::piped())
        .spawn()
        .expect("a1");
    drop(child.stderr.take());
    assert!(child.wait().expect("ended").success());
    assert_eq!(record(&folder.path().join("run"))["status"], "completed");
}

#[test]
fn what_a_run_is_going_to_write_is_not_what_it_reads() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().join("run"));
    said("a1", &["--smoke", "--quiet", "--out", &out]);
    let before = fs::read(Path::new(&out).join("record.json")).expect("a record");
    for (flag, path) in [
        ("model", "merged"),
        ("data", "split/training_data_a1_train.json"),
        ("init-adapter", "checkpoints/checkpoint-2"),
    ] {
        let path = format!("{out}/{path}");
        let (line, code) = refused("a1", &["--smoke", &format!("--{flag}"), &path, "--out", &out]);
        assert_eq!(code, Some(2), "{line}");
        let words = format!("setting {flag}: expected a path that this run does not write to, got ");
        assert!(line.contains(&words) && line.contains("another --out"), "{line}");
        let elsewhere = text(folder.path().join("elsewhere"));
        said("a1", &["--smoke", "--quiet", &format!("--{flag}"), &path, "--out", &elsewhere]);
    }
    assert_eq!(fs::read(Path::new(&out).join("record.json")).expect("a record"), before);
}

#[test]
fn events_that_were_lost_are_written_again_and_said() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("run");
    let arguments: Vec<String> = arguments().into_iter().filter(|flag| flag != "--quiet").collect();
    let again = || said("a1", &with_out(&arguments, &text(out.clone()), &[]));
    let told = || -> Vec<String> {
        let lines = read(&out.join("events.jsonl"));
        lines.lines().filter(|line| !line.contains("\"checkpoint\"")).map(str::to_string).collect()
    };
    again();
    let whole = told();
    for (damage, is_said) in [("", true), ("one\ntwo\n", true), ("cut", true), ("as it was", false)] {
        fs::remove_dir_all(out.join("cells/training")).expect("removed");
        let text = read(&out.join("events.jsonl"));
        match damage {
            "" => fs::remove_file(out.join("events.jsonl")).expect("removed"),
            "cut" => fs::write(out.join("events.jsonl"), &text[..text.len() / 2]).expect("written"),
            "as it was" => {}
            other => fs::write(out.join("events.jsonl"), other).expect("written"),
        }
        let said = again();
        assert_eq!(said.contains("events.jsonl did not tell"), is_said, "{damage}: {said}");
        assert_eq!(told(), whole, "{damage}");
    }
}

/// Paths are bytes.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_may_have_any_name() {
    use std::os::unix::ffi::OsStringExt;
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join(std::ffi::OsString::from_vec(b"tez\xff".to_vec()));
    let output = program("a1").args(["--smoke", "--quiet", "--out"]).arg(&out).output().expect("a1");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(record(&out)["status"], "completed");
}

/// The tiny base model in a folder of its own, and the run's arguments with it.
fn own_model(folder: &Path) -> (PathBuf, Vec<String>) {
    let mut arguments = arguments();
    let theirs = PathBuf::from(&arguments[1]);
    let model = folder.join("model");
    copy(&theirs, &model);
    arguments[1] = text(model.clone());
    (model, arguments)
}

#[test]
fn a_base_model_that_changes_on_the_way_is_not_merged_into() {
    let folder = tempfile::tempdir().expect("folder");
    let (model, mut arguments) = own_model(folder.path());
    arguments.extend(["--set".to_string(), "train.max_steps=60".to_string()]);
    let out = folder.path().join("run");
    let child = trains(program("a1"), &arguments, &out);
    let path = model.join("model.safetensors");
    let now = std::time::SystemTime::now();
    fs::File::options().write(true).open(path).and_then(|file| file.set_modified(now)).expect("touched");
    let output = child.wait_with_output().expect("ended");
    let line = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.contains("was changed or removed while the run went on"), "{line}");
    assert_eq!(record(&out)["status"], "failed");
    assert!(!out.join("merged").exists());
}

/// A mapped file that loses its end gives its reader no error: the system sends a signal. Cut between the hashing of the
/// weights and their loading, while two thousand rows are encoded.
#[cfg(target_os = "linux")]
#[test]
fn a_base_model_that_is_cut_while_it_is_mapped_ends_the_program_with_a_line() {
    let folder = tempfile::tempdir().expect("folder");
    let (model, out) = (folder.path().join("model"), folder.path().join("run"));
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/demo"), &model);
    let mut command = program("a1");
    command.args(["--quiet", "--model", &text(model.clone()), "--out", &text(out.clone())]);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("a1");
    let maps = format!("/proc/{}/maps", child.id());
    while !fs::read_to_string(&maps).is_ok_and(|maps| maps.contains("model.safetensors")) {
        assert!(child.try_wait().expect("the child").is_none(), "ended before it mapped the weights");
    }
    let weights = fs::File::options().write(true).open(model.join("model.safetensors"));
    weights.and_then(|file| file.set_len(4096)).expect("cut");
    let output = child.wait_with_output().expect("ended");
    let line = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!((line.lines().count(), output.status.code()), (1, Some(1)), "{line}");
    assert!(line.starts_with("error: a model file was shortened, or its disk failed, "), "{line}");
    assert!(!out.exists() || temporaries(&out).is_empty(), "something is half written");
}

#[test]
fn what_a_killed_process_was_writing_is_swept_and_no_temporary_folder_is_needed() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("run");
    let again = || {
        let output = program("a1")
            .args(["--smoke", "--quiet", "--out", &text(out.clone())])
            .env("TMPDIR", "/nowhere")
            .output()
            .expect("a1");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        record(&out)["outputs"].clone()
    };
    let outputs = again();
    for place in ["", "merged", "cells/rows", "charts", "seed-7"] {
        fs::create_dir_all(out.join(place)).expect("a folder");
        fs::write(out.join(place).join(".tezgah-abc"), b"half").expect("written");
    }
    assert_eq!(again(), outputs);
    // Another seed's run may be writing just now.
    assert_eq!(temporaries(&out), [out.join("seed-7/.tezgah-abc")]);
}

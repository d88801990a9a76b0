//! Runs that are killed, interrupted, damaged or met by another: what was computed is kept, and nothing else comes out.

use crate::program::{program, record, refused, said, text, tiny_arguments, with_out};
use rand_chacha::rand_core::Rng;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tezgah::record::folder::RunFolder;
use tezgah::{random, record::store};

/// The tiny run with dropout and shuffling, a checkpoint each step.
fn arguments() -> Vec<String> {
    let settings = ["lora.dropout=0.1", "train.shuffle=true", "train.save_steps=1", "samples.count=1"];
    let more = settings.into_iter().flat_map(|setting| ["--set".to_string(), setting.to_string()]);
    tiny_arguments().into_iter().chain(more).collect()
}

/// What must be the same: the adapter, the merged model, the losses and the texts.
fn outcome(out: &Path) -> (Vec<u8>, Vec<u8>, Value) {
    let bytes = |path: &str| std::fs::read(out.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut record = record(out);
    assert_eq!(record["status"], "completed");
    for step in record["training"]["steps"].as_array_mut().expect("steps") {
        step.as_object_mut().expect("a step").remove("seconds");
    }
    let parts = ["steps", "evals", "best"].map(|part| record["training"][part].clone());
    let measured = Value::from(vec![
        Value::from(parts.to_vec()),
        record["evaluation"].clone(),
        record["samples"].clone(),
    ]);
    (bytes("adapter/adapter_model.safetensors"), bytes("merged/model.safetensors"), measured)
}

fn uninterrupted(folder: &Path) -> (Vec<u8>, Vec<u8>, Value) {
    let out = text(folder.join("whole"));
    said("a1", &with_out(&arguments(), &out, &[]));
    outcome(Path::new(&out))
}

fn start(out: &str) -> std::process::Child {
    let arguments = arguments();
    let mut command = program("a1");
    command.args(with_out(&arguments, out, &[])).stderr(Stdio::piped());
    command.spawn().expect("the examples are built by `cargo test`")
}

/// Thirty kills at random moments of the run, each time begun again without a flag.
#[test]
fn a_run_killed_at_any_moment_ends_with_the_bytes_of_one_that_was_not() {
    let folder = tempfile::tempdir().expect("folder");
    let whole = uninterrupted(folder.path());
    let mut moments = random::stream(11, "kills");
    let (mut kills, mut series) = (0, 0);
    while kills < 30 {
        series += 1;
        let out = text(folder.path().join(format!("killed-{series}")));
        let mut longest = 300;
        loop {
            let mut child = start(&out);
            std::thread::sleep(Duration::from_millis(moments.next_u64() % longest));
            // Longer and longer, so that every series comes to its end.
            longest += 200;
            if let Some(status) = child.try_wait().expect("the child") {
                let output = child.wait_with_output().expect("what it said");
                assert!(status.success(), "{series}: {status}: {}", String::from_utf8_lossy(&output.stderr));
                break;
            }
            child.kill().expect("killed");
            child.wait().expect("ended");
            kills += 1;
            if let Ok(record) = RunFolder::new(&out).read() {
                store::to_json(&record).expect("a record that is whole");
            }
        }
        assert!(outcome(Path::new(&out)) == whole, "series {series}, after {kills} kills");
    }
}

/// Killed among its texts, with some batches kept and others not: the second call trains nothing, writes the rest, and the
/// texts are those of a run that was left alone.
#[test]
fn a_run_killed_among_its_texts_goes_on_after_the_batches_that_are_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let settings =
        ["samples.count=8", "samples.batch_size=1", "samples.max_new_tokens=64", "train.max_steps=2"];
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    let texts = |out: &str| record(Path::new(out))["texts"]["rows"].clone();
    let whole = text(folder.path().join("whole"));
    said("a1", &with_out(&tiny_arguments(), &whole, &settings));

    let out = text(folder.path().join("killed"));
    let mut child = program("a1");
    let child = child.args(with_out(&tiny_arguments(), &out, &settings)).stderr(Stdio::null());
    let mut child = child.spawn().expect("the examples are built by `cargo test`");
    let kept = RunFolder::new(&out).path().join("cells/texts/baseline-2");
    while !kept.join("seal.json").exists() {
        assert!(child.try_wait().expect("the child").is_none(), "ended before its third text");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("killed");
    child.wait().expect("ended");
    let arguments: Vec<String> = tiny_arguments().into_iter().filter(|flag| flag != "--quiet").collect();
    let said = said("a1", &with_out(&arguments, &out, &settings));
    assert!(said.contains("training: as computed"), "{said}");
    assert_eq!(texts(&out), texts(&whole));
    assert!(!kept.exists(), "what is in the cell need not lie there twice");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_what_it_has_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().expect("folder");
    let whole = uninterrupted(folder.path());
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let out = text(folder.path().join(signal));
        let mut child = start(&out);
        while !Path::new(&out).join("checkpoints").exists() {
            assert!(child.try_wait().expect("the child").is_none(), "ended before its first checkpoint");
            std::thread::sleep(Duration::from_millis(2));
        }
        Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
        assert_eq!(child.wait().expect("ended").code(), Some(code));
        let record = record(Path::new(&out));
        assert_eq!(record["status"], "interrupted");
        assert!(Path::new(&out).join("A1_FINE_TUNING_RESULTS.md").exists(), "the document says so too");
        said("a1", &with_out(&arguments(), &out, &["--resume"]));
        assert!(outcome(Path::new(&out)) == whole, "{signal}");
    }
}

/// Ctrl-C ends a series at the level that it meets: the next level is not begun, and the exit code says why.
#[cfg(unix)]
#[test]
fn an_interrupted_series_of_levels_ends_with_the_level() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().to_path_buf());
    let mut levels = program("levels");
    levels.args(["a1", "a2", "--smoke", "--samples", "0", "--out", &out]).stderr(Stdio::null());
    levels.args(["--set", "train.max_steps=500", "--set", "train.save_steps=1"]);
    let mut child = levels.spawn().expect("the examples are built by `cargo test`");
    while !folder.path().join("a1/checkpoints").exists() {
        assert!(child.try_wait().expect("the child").is_none(), "ended before its first checkpoint");
        std::thread::sleep(Duration::from_millis(2));
    }
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert_eq!(child.wait().expect("ended").code(), Some(130));
    assert_eq!(record(&folder.path().join("a1"))["status"], "interrupted");
    assert!(!folder.path().join("a2").exists(), "another level was begun");
}

/// The folder's newest checkpoint.
fn newest(out: &str) -> PathBuf {
    let step = |path: &PathBuf| {
        path.to_string_lossy().rsplit('-').next().and_then(|step| step.parse::<usize>().ok())
    };
    let entries = std::fs::read_dir(Path::new(out).join("checkpoints")).expect("checkpoints");
    entries.map(|entry| entry.expect("an entry").path()).max_by_key(step).expect("a checkpoint")
}

#[test]
fn a_damaged_checkpoint_is_named_and_the_one_before_it_taken() {
    let folder = tempfile::tempdir().expect("folder");
    let whole = uninterrupted(folder.path());
    let out = text(folder.path().join("whole"));
    for file in ["adapter_model.safetensors", "optimizer.safetensors", "course.json", "seal.json"] {
        let path = newest(&out).join(file);
        let mut bytes = std::fs::read(&path).expect("a file of the checkpoint");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).expect("written");
        // As if the run had been ended before its training was a finished cell.
        std::fs::remove_dir_all(Path::new(&out).join("cells/training")).expect("removed");
        let arguments: Vec<String> = arguments().into_iter().filter(|flag| flag != "--quiet").collect();
        let text = said("a1", &with_out(&arguments, &out, &[]));
        // A bit of the seal itself accuses the file whose hash it was in.
        let is_named = text.contains(file) || (file == "seal.json" && text.contains("checkpoint-8/"));
        assert!(text.contains("a checkpoint cannot be used") && is_named, "{file}: {text}");
        assert!(text.contains("resuming after step"), "{file}: {text}");
        assert!(outcome(Path::new(&out)) == whole, "{file}");
    }
}

#[test]
fn a_folder_in_use_is_refused_with_its_holder() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("run");
    std::fs::create_dir(&out).expect("folder");
    let lock = std::fs::File::create(out.join("run.lock")).expect("a lock");
    std::fs::write(
        out.join("run.lock"),
        r#"{"pid": 7, "host": "atölye", "since": "2026-11-24T10:00:00+03:00"}"#,
    )
    .expect("written");
    lock.lock().expect("held");
    let path = text(out.clone());
    let (line, code) = refused("a1", &with_out(&tiny_arguments(), &path, &[]));
    assert!(line.contains("in use by process 7 on atölye since 2026-11-24T10:00:00+03:00"), "{line}");
    assert_eq!(code, Some(2));
    assert!(!out.join("record.json").exists());
    drop(lock);
    said("a1", &with_out(&tiny_arguments(), &path, &[]));
}

#[test]
fn a_fresh_run_moves_the_old_one_aside_whole() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().join("run"));
    let (line, code) = refused("a1", &with_out(&arguments(), &out, &["--resume"]));
    assert!(line.contains("expected a checkpoint of this run, got none"), "{line}");
    assert_eq!(code, Some(2));
    said("a1", &with_out(&arguments(), &out, &[]));
    let first = outcome(Path::new(&out));
    said("a1", &with_out(&arguments(), &out, &["--fresh"]));
    assert!(outcome(Path::new(&out)) == first, "the same seed gives the same bytes");
    let earlier: Vec<PathBuf> = std::fs::read_dir(Path::new(&out).join("earlier"))
        .expect("earlier runs")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("checkpoints").exists() && path.join("adapter").exists())
        .collect();
    assert_eq!(earlier.len(), 1, "{earlier:?}");
    assert!(outcome(&earlier[0]) == first, "the old run is whole where it lies now");
}

//! Rows in three parts, and a training that ends early: what the programs make of these settings.

use crate::program::{json, read, record, refused, run, said, text, tiny_arguments, with_out};
use crate::support::{close, number, reference_folder};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// The tiny run over other rows than its two files.
fn over(rows: &[&str]) -> Vec<String> {
    let mut arguments = tiny_arguments();
    let is_rows = |argument: &String| argument == "--train-file" || argument == "--eval-file";
    while let Some(at) = arguments.iter().position(is_rows) {
        arguments.drain(at..at + 2);
    }
    arguments.extend(rows.iter().map(|argument| (*argument).to_string()));
    arguments
}

fn set(arguments: Vec<String>, settings: &[&str]) -> Vec<String> {
    let settings = settings.iter().flat_map(|setting| ["--set".to_string(), (*setting).to_string()]);
    arguments.into_iter().chain(settings).collect()
}

fn split_files(out: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(out.join("split")).expect("split");
    entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect()
}

/// The training meets the validation as if it were the evaluation part, the two models meet the test as if it were.
#[test]
fn three_parts_are_two_runs_of_two_parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("three");
    let rows = text(reference_folder().join("tiny/train.json"));
    let all = over(&["--data", &rows]);
    let divided = set(all.clone(), &["data.test_fraction=0.2", "data.eval_fraction=0.3"]);
    let path = text(out.clone());
    let dry = run("a1", &with_out(&divided, &path, &["--dry-run"]));
    let dry = String::from_utf8(dry.stdout).expect("UTF-8");
    said("a1", &with_out(&divided, &path, &[]));
    let three = record(&out);
    let dataset = &three["dataset"];
    let counts = ["/rows", "/train_rows", "/validation/rows", "/eval_rows"]
        .map(|path| dataset.pointer(path).and_then(Value::as_u64).expect("a count"));
    assert_eq!(counts[0], counts[1] + counts[2] + counts[3]);
    let line = format!(
        "rows       {} = {} train + {} validation + {} test",
        counts[0], counts[1], counts[2], counts[3]
    );
    assert!(dry.contains(&line), "{dry}");
    let file = |part: &str| format!("training_data_a1_{part}.json");
    assert_eq!(split_files(&out), ["train", "validation", "test"].map(&file).into());
    let kinds: Vec<&str> = three["outputs"]
        .as_array()
        .expect("outputs")
        .iter()
        .filter_map(|output| output["kind"].as_str())
        .collect();
    assert_eq!(kinds[..3], ["train_split", "validation_split", "test_split"]);
    assert!(read(&out.join("yontem.md")).contains("doğrulama kümesi"));

    let part = |part: &str| text(out.join("split").join(file(part)));
    for (held_out, name) in [("validation", "chosen"), ("test", "tested")] {
        let two = folder.path().join(name);
        let arguments = over(&["--train-file", &part("train"), "--eval-file", &part(held_out)]);
        said("a1", &with_out(&arguments, &text(two.clone()), &[]));
        let two = record(&two);
        let without_time = |record: &Value| -> Vec<Value> {
            let steps = record["training"]["steps"].as_array().expect("steps").iter();
            steps.map(|step| step["loss"].clone()).collect()
        };
        assert_eq!(without_time(&two), without_time(&three));
        let is_alike = [&two, &three].map(|record| record["training"]["evals"].clone());
        match held_out {
            "validation" => assert_eq!(is_alike[0], is_alike[1]),
            _ => {
                assert_ne!(is_alike[0], is_alike[1]);
                assert_eq!(two["evaluation"]["baseline"], three["evaluation"]["baseline"]);
                assert_eq!(two["dataset"]["eval_sha256"], three["dataset"]["eval_sha256"]);
            }
        }
    }
    // Two parts again: no file is left that holds other rows.
    said("a1", &with_out(&all, &path, &[]));
    assert_eq!(split_files(&out), ["train", "eval"].map(file).into());
}

/// Every adapter is measured on the rows that report each level's result.
#[test]
fn the_matrix_is_of_the_rows_that_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = text(folder.path().to_path_buf());
    said("levels", &["a1", "a2", "--smoke", "--quiet", "--set", "data.test_fraction=0.2", "--out", &out]);
    let cross = &json(&folder.path().join("karsilastirma/karsilastirma.json"))["cross"];
    for (index, level) in ["a1", "a2"].iter().enumerate() {
        let record = record(&folder.path().join(level));
        assert_eq!(record["dataset"]["eval_rows"], 8);
        close(
            level,
            number(&cross["base_loss"][index]),
            number(&record["evaluation"]["baseline"]["masked"]["loss"]),
            1e-6,
        );
    }
}

#[test]
fn a_part_without_rows_and_a_split_of_ones_own_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = text(folder.path().join("run"));
    for (setting, expected) in [
        (
            "data.test_fraction=0.9",
            "setting data.test_fraction: expected at least 0, and less than 1 together",
        ),
        (
            "data.test_fraction=0.1",
            "setting data.test_fraction: expected 0 where the split is your own (two files), got 0.1",
        ),
        (
            "data.group_by=topic",
            "setting data.group_by: expected none, near_duplicates or field:NAME, got 'topic'",
        ),
    ] {
        let (line, code) = refused("a1", &with_out(&set(tiny_arguments(), &[setting]), &out, &[]));
        assert!(line.contains(expected) && line.lines().count() == 1, "{line}");
        assert_eq!(code, Some(2));
    }
    assert!(!Path::new(&out).join("record.json").exists());
}

/// Stopped early, a run ends with the same bytes wherever it was cut off before.
#[test]
fn a_training_that_ends_early_goes_on_to_the_same_end() {
    let settings = [
        "train.early_stopping_patience=2",
        "train.eval_steps=1",
        "train.save_steps=1",
        "train.save_total_limit=50",
        "train.learning_rate=0.05",
        "train.epochs=8",
        "lora.dropout=0.1",
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let out = text(folder.path().join("run"));
    let arguments = set(tiny_arguments(), &settings);
    let outcome = || {
        let mut record = record(Path::new(&out));
        for step in record["training"]["steps"].as_array_mut().expect("steps") {
            step["seconds"] = Value::Null;
        }
        let training = ["steps", "evals", "best", "early_stop"].map(|part| record["training"][part].clone());
        let adapter =
            std::fs::read(Path::new(&out).join("adapter/adapter_model.safetensors")).expect("an adapter");
        assert_eq!(record["status"], "completed");
        (training, record["evaluation"].clone(), adapter)
    };
    said("a1", &with_out(&arguments, &out, &[]));
    let whole = outcome();
    let stop = whole.0[3]["step"].as_u64().expect("stopped early");
    assert_eq!(whole.0[3]["evaluations"], 2);
    assert!(read(&Path::new(&out).join("sonuclar.md")).contains(&format!("{stop}. adımda durdurulmuştur")));
    for last in (1..=stop).rev() {
        // As if the run had been ended after this step's checkpoint, before its training was a finished cell.
        std::fs::remove_dir_all(Path::new(&out).join("cells/training")).expect("removed");
        for step in last + 1..=stop {
            let path = Path::new(&out).join(format!("checkpoints/checkpoint-{step}"));
            std::fs::remove_dir_all(path).expect("a checkpoint of each step");
        }
        said("a1", &with_out(&arguments, &out, &[]));
        assert!(outcome() == whole, "after step {last}");
    }
}

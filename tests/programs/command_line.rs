//! The experiments as a user runs them: the reference from the command line, bad input, resume, determinism.

use crate::program::{json, program, read, record, refused, run, said, text, tiny_arguments, with_out};
use crate::support::{close, number, reference_folder};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn succeed(arguments: &[&str]) {
    said("a1", arguments);
}

/// The one line of a refusal; warnings are none.
fn refusal(arguments: &[&str]) -> String {
    let (text, _) = refused("a1", arguments);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("warning")).collect();
    assert_eq!(lines.len(), 1, "one line expected, got:\n{text}");
    lines[0].to_string()
}

#[test]
fn the_reference_is_reproduced_from_the_command_line() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().join("run"));
    succeed(&with_out(&tiny_arguments(), &out, &[]));
    let ours = record(Path::new(&out));
    let expected = json(&reference_folder().join("tiny/expected.json"));

    assert_eq!(ours["status"], "completed");
    let history = expected["log_history"].as_array().expect("history");
    let steps: Vec<&Value> = history.iter().filter(|entry| entry.get("loss").is_some()).collect();
    let recorded = ours["training"]["steps"].as_array().expect("steps");
    assert_eq!(recorded.len(), steps.len());
    for (ours, theirs) in recorded.iter().zip(steps) {
        close("loss", number(&ours["loss"]), number(&theirs["loss"]), 1e-4);
        close("learning_rate", number(&ours["learning_rate"]), number(&theirs["learning_rate"]), 1e-4);
        close("grad_norm", number(&ours["grad_norm"]), number(&theirs["grad_norm"]), 1e-3);
    }
    // The reference's best is its last here, so the adapter that was evaluated is the same.
    assert_eq!(ours["training"]["best"]["step"], ours["training"]["total_steps"]);
    for (place, name) in [("baseline", "base"), ("fine_tuned", "adapter_final")] {
        for kind in ["masked", "full"] {
            let (ours, theirs) = (&ours["evaluation"][place][kind], &expected["totals"][name]);
            close("nll", number(&ours["nll"]), number(&theirs[format!("{kind}_nll")]), 1e-4);
            close(
                "perplexity",
                number(&ours["perplexity"]),
                number(&theirs[format!("{kind}_perplexity")]),
                1e-3,
            );
            assert_eq!(number(&ours["tokens"]), number(&theirs[format!("{kind}_tokens")]));
        }
    }
}

/// A run that stopped at step 3 and went on ends with the bytes of one that never stopped.
#[test]
fn a_resumed_run_gives_the_bytes_of_an_uninterrupted_one() {
    let folder = tempfile::tempdir().expect("folder");
    let [whole, halved] = ["whole", "halved"].map(|name| text(folder.path().join(name)));
    let mut arguments = tiny_arguments();
    for setting in ["lora.dropout=0.1", "train.shuffle=true"] {
        arguments.extend(["--set".to_string(), setting.to_string()]);
    }
    succeed(&with_out(&arguments, &whole, &[]));
    succeed(&with_out(&arguments, &halved, &[]));
    // What a crash after the first checkpoint leaves.
    let checkpoints = Path::new(&halved).join("checkpoints");
    for entry in std::fs::read_dir(&checkpoints).expect("checkpoints") {
        let path = entry.expect("entry").path();
        if !path.ends_with("checkpoint-3") {
            std::fs::remove_dir_all(path).expect("removed");
        }
    }
    std::fs::remove_dir_all(Path::new(&halved).join("adapter")).expect("removed");
    succeed(&with_out(&arguments, &halved, &["--resume"]));

    let adapter =
        |out: &str| std::fs::read(Path::new(out).join("adapter/adapter_model.safetensors")).expect("adapter");
    assert!(adapter(&whole) == adapter(&halved), "the adapters differ");
    let measured = |out: &str| {
        let record = record(Path::new(out));
        let steps = record["training"]["steps"].as_array().expect("steps").clone();
        let losses: Vec<Value> = steps.iter().map(|step| step["loss"].clone()).collect();
        (losses, record["training"]["evals"].clone(), record["evaluation"].clone())
    };
    assert_eq!(measured(&whole), measured(&halved));

    // What the interrupted run wrote after its checkpoint is not told twice.
    let events = |out: &str| -> Vec<String> {
        let text = read(&Path::new(out).join("events.jsonl"));
        let event = |line: &str| -> String {
            let mut event: Value = serde_json::from_str(line).expect("a line of JSON");
            event["step"].as_object_mut().map(|step| step.remove("seconds"));
            event.to_string()
        };
        text.lines().map(event).collect()
    };
    assert!(events(&whole).len() > 10);
    assert_eq!(events(&whole), events(&halved));

    // A checkpoint of another recipe is no place to go on from.
    let line = refusal(&with_out(&arguments, &halved, &["--resume", "--set", "train.learning_rate=0.001"]));
    assert!(line.contains("cannot be resumed: its train.learning_rate is 0.002, here 0.001"), "{line}");
}

/// A finished run that another replaces leaves its record: nothing that was measured is lost.
#[test]
fn the_record_of_a_replaced_run_is_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().join("run"));
    let mut arguments = tiny_arguments();
    arguments.extend(["--set".to_string(), "train.max_steps=1".to_string()]);
    succeed(&with_out(&arguments, &out, &[]));
    let first = std::fs::read(Path::new(&out).join("record.json")).expect("record.json");
    succeed(&with_out(&arguments, &out, &["--set", "train.max_steps=2"]));
    let kept = || -> Vec<PathBuf> {
        let folder =
            std::fs::read_dir(Path::new(&out).join("earlier")).expect("the folder of earlier records");
        let mut paths: Vec<PathBuf> = folder.map(|entry| entry.expect("entry").path()).collect();
        paths.sort();
        paths
    };
    assert_eq!(kept().len(), 1);
    assert!(std::fs::read(&kept()[0]).expect("the earlier record") == first);

    // A newer program's record cannot be read, and is kept as it is.
    let newer = r#"{"schema": 99}"#;
    std::fs::write(Path::new(&out).join("record.json"), newer).expect("written");
    succeed(&with_out(&arguments, &out, &[]));
    assert_eq!(kept().len(), 2);
    assert_eq!(read(&kept()[1]), newer);
}

#[test]
fn bad_input_is_refused_in_one_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().join("out"));
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        text(path)
    };
    let missing_field =
        file("missing.json", br#"[{"instruction": "Write.", "output": "Yes."}, {"instruction": "Write."}]"#);
    let no_json = file("none.json", b"[{\"instruction\": ");
    let garbage = file("garbage.gguf", &[0x47, 0x47, 0x55, 0x46, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]);
    let profile = file("bad.toml", b"name = 3\n");
    let rows_csv = file("rows.csv", b"instruction,output\na,b\n");
    let one_row = file("one.json", br#"{"instruction": "Write.", "output": "Yes."}"#);
    let cases: [(&[&str], &[&str]); 18] = [
        (&["--data", &rows_csv], &["rows.csv", "expected JSON", "line 1"]),
        (&["--data", &one_row], &["one.json", "at least 2 rows", "got 1"]),
        (&["--set", "lora.rank"], &["lora.rank", "expected KEY=VALUE"]),
        (&["--set", "lora.target_modules=q_proj,foo"], &["lora.target_modules", "one of `q_proj`", "foo"]),
        (&["--seeds", "7"], &["seeds", "at least two", "7"]),
        (&["--init-adapter", "/nowhere"], &["/nowhere/adapter_config.json"]),
        (&["--profile", "nope"], &["nope", "varsayilan"]),
        (&["--data", &missing_field], &["missing.json", "row 2", "output"]),
        (&["--data", &no_json], &["none.json", "line 1"]),
        (&["--data", "/nowhere/rows.json"], &["/nowhere/rows.json"]),
        (&["--model", &garbage], &["garbage.gguf"]),
        (&["--model", "no-such-model"], &["no-such-model", ".gguf"]),
        (&["--set", "lora.rnk=4"], &["lora.rnk", "lora.rank"]),
        (&["--set", "lora.rank=four"], &["lora.rank", "four"]),
        (&["--set", "lora.dropout=1.5"], &["lora.dropout", "1.5"]),
        (&["--device", "cuda:x"], &["cuda:x"]),
        (&["--profile", &profile], &["bad.toml"]),
        (&["--render-only"], &["record.json"]),
    ];
    let mut lines = Vec::new();
    for (arguments, words) in cases {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--out", &out]).collect();
        let line = refusal(&arguments);
        for word in words {
            assert!(line.contains(word), "{arguments:?}: '{word}' is not in: {line}");
        }
        assert!(!Path::new(&out).exists(), "{arguments:?} wrote something");
        lines.push(line.replace(&text(folder.path().to_path_buf()), "FOLDER"));
    }
    insta::assert_snapshot!("messages", lines.join("\n"));
    // A file in the way is found before the model is loaded.
    let below = text(Path::new(&one_row).join("out"));
    let line = refusal(&["--out", &below]);
    assert!(
        line.starts_with(&format!(
            "error: setting out: expected a folder that can be written to, got {below}"
        )),
        "{line}"
    );
}

/// A learning rate of 1e6 blows the weights up: the run fails, and its record and document say so.
#[test]
fn a_diverged_run_leaves_a_record_and_a_document_that_say_so() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().join("run"));
    let mut arguments = tiny_arguments();
    for setting in ["train.learning_rate=1e30", "train.warmup_steps=0"] {
        arguments.extend(["--set".to_string(), setting.to_string()]);
    }
    let line = refusal(&with_out(&arguments, &out, &[]));
    assert!(line.contains("diverged at step"), "{line}");
    let record = record(Path::new(&out));
    assert_eq!(record["status"], "failed");
    assert!(number(&record["failure"]["step"]) >= 1.0);
    assert!(!record.to_string().contains("null"), "a null in the record");
    assert!(Path::new(&out).join("A1_FINE_TUNING_RESULTS.md").exists());
}

#[test]
fn a_dry_run_prints_the_arithmetic_and_writes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().join("run"));
    let output = run("a1", &["--dry-run", "--out", &out]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for words in
        ["ceil(1800 / 16) = 113", "29 steps an epoch; 87 in all", "warmup 100 steps", "### Response:"]
    {
        assert!(text.contains(words), "'{words}' is not in:\n{text}");
    }
    assert!(!Path::new(&out).exists());
}

/// The same seed gives the same bytes, whatever the number of threads changes in the last digits.
#[test]
fn reruns_are_byte_identical_and_thread_counts_agree() {
    let folder = tempfile::tempdir().expect("folder");
    let run_with = |name: &str, threads: &str| {
        let out = text(folder.path().join(name));
        let output = program("a1")
            .args(["--smoke", "--quiet", "--out", &out])
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .expect("a1");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let adapter =
            std::fs::read(Path::new(&out).join("adapter/adapter_model.safetensors")).expect("adapter");
        let mut record = record(Path::new(&out));
        for step in record["training"]["steps"].as_array_mut().expect("steps") {
            step.as_object_mut().expect("step").remove("seconds");
        }
        let training = ["steps", "evals", "best"].map(|part| record["training"][part].clone());
        (adapter, training, record["evaluation"].clone())
    };
    let (first, second) = (run_with("first", "2"), run_with("second", "2"));
    assert!(first.0 == second.0, "the adapters differ");
    assert_eq!((&first.1, &first.2), (&second.1, &second.2));
    let alone = run_with("alone", "1");
    for kind in ["masked", "full"] {
        let nll = |run: &(Vec<u8>, [Value; 3], Value)| number(&run.2["fine_tuned"][kind]["nll"]);
        close(kind, nll(&alone), nll(&first), 1e-5);
    }
}

/// From a record alone: no model, no data, and the same bytes again.
#[test]
fn a_record_is_rendered_without_model_and_data() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path();
    std::fs::write(out.join("record.json"), include_str!("../records/iyi.json")).expect("a record");
    let render = || {
        succeed(&["--quiet", "--render-only", "--model", "/no/model", "--out", &text(out.to_path_buf())]);
        let files = ["A1_FINE_TUNING_RESULTS.md", "A1_FINE_TUNING_RESULTS.html", "yontem.md", "sonuclar.md"];
        let charts = ["charts/egitim_kaybi.svg", "charts/egitim_kaybi.png"];
        let mut bytes = Vec::new();
        for file in files.into_iter().chain(charts).chain(["tartisma.md", "record.json"]) {
            bytes.push((file, std::fs::read(out.join(file)).expect(file)));
        }
        bytes
    };
    let first = render();
    assert!(first == render(), "rendered again, the files differ");
    assert_eq!(
        first.last().map(|(_, bytes)| bytes.as_slice()),
        Some(include_str!("../records/iyi.json").as_bytes())
    );
}

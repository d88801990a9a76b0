//! A sweep as a user makes it: planned, run in turn and side by side, grown, pruned, collected.

use crate::program::{json, program, read, record, refused};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A call of the program over `threads` threads; how many there are decides the last digits of a loss.
fn call(threads: &str, arguments: &[&str]) -> Output {
    let mut command = program("sweep");
    command.env("RAYON_NUM_THREADS", threads).args(arguments);
    command.output().expect("the examples are built by `cargo test`")
}

/// What the program said; it must come to its end.
fn sweep(threads: &str, out: &Path, more: &[&str]) -> String {
    let fixed = ["--smoke", "--samples", "0", "--out", out.to_str().expect("UTF-8 path")];
    let output = call(threads, &[&fixed[..], more].concat());
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success(), "{more:?}: {text}");
    text
}

/// The list without a run of it: the job array is written and not submitted.
fn plan(out: &Path, more: &[&str]) -> Vec<Value> {
    sweep("1", out, &[&["--engine", "slurm"], more].concat());
    runs(out)
}

fn runs(out: &Path) -> Vec<Value> {
    json(&out.join("manifest.json"))["runs"].as_array().expect("runs").clone()
}

fn names(runs: &[Value]) -> Vec<&str> {
    runs.iter().map(|run| run["name"].as_str().expect("a name")).collect()
}

/// The last line of a refusal; nothing was begun.
fn refusal(arguments: &[&str]) -> String {
    let (text, code) = refused("sweep", arguments);
    assert_eq!(code, Some(2), "{arguments:?}: {text}");
    text.lines().last().unwrap_or_default().to_string()
}

/// What two runs have in common that are the same: the adapter's bytes, every loss, every evaluated row.
fn outcome(folder: &Path) -> (Vec<u8>, Value, Value) {
    let adapter = std::fs::read(folder.join("adapter/adapter_model.safetensors")).expect("an adapter");
    let mut record = record(folder);
    assert_eq!(record["status"], "completed", "{}", folder.display());
    for step in record["training"]["steps"].as_array_mut().expect("steps") {
        step.as_object_mut().expect("a step").remove("seconds");
    }
    (adapter, record["training"]["steps"].clone(), record["evaluation"].clone())
}

/// As many rows as a smoke run takes, each with a text of its own.
fn write_rows(path: &Path, verb: &str) {
    let row = |index: usize| format!(r#"{{"instruction": "{verb} {index}.", "output": "It is {index}."}}"#);
    std::fs::write(path, (0..40).map(row).collect::<Vec<_>>().join("\n")).expect("written");
}

#[test]
fn the_list_has_every_combination_by_its_name_and_grows_at_its_end() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("sweep");
    let asked = ["--levels", "b1,a1", "--vary", "lora.rank=4,16"];
    let first = plan(&out, &[&asked[..], &["--seeds", "3407,1"]].concat());
    assert_eq!(
        names(&first),
        [
            "a1-lora.rank-4-seed-3407",
            "a1-lora.rank-4-seed-1",
            "a1-lora.rank-16-seed-3407",
            "a1-lora.rank-16-seed-1",
            "b1-lora.rank-4-seed-3407",
            "b1-lora.rank-4-seed-1",
            "b1-lora.rank-16-seed-3407",
            "b1-lora.rank-16-seed-1",
        ]
    );
    for (place, run) in first.iter().enumerate() {
        assert_eq!(run["index"], place);
        let sha256 = run["sha256"].as_str().expect("a hash");
        assert!(first[..place].iter().all(|other| other["sha256"] != sha256), "{run}");
    }
    let of_level = |level: &str| -> Vec<&Value> {
        first.iter().filter(|run| run["level"] == level).map(|run| &run["rows_sha256"]).collect()
    };
    assert!(of_level("A1").iter().all(|hash| *hash == of_level("A1")[0]));
    assert_ne!(of_level("A1")[0], of_level("B1")[0]);

    // One more value, in another order: the new run is the ninth, the old ones keep their places.
    let grown = plan(&out, &["--levels", "a1", "--seeds", "1", "--vary", "lora.rank=64,16"]);
    assert_eq!(grown[..8], first[..]);
    assert_eq!(names(&grown[8..]), ["a1-lora.rank-64-seed-1"]);
    // Under another axis, the run with the recipe's own value is the old one.
    let regrown = plan(
        &out,
        &["--levels", "a1", "--seeds", "1", "--vary", "lora.rank=4", "--vary", "train.weight_decay=0.01,0.1"],
    );
    assert_eq!(names(&regrown[9..]), ["a1-lora.rank-4-train.weight_decay-0.1-seed-1"]);
    assert_eq!(names(&regrown[..9]), names(&grown));

    // The same names for other runs.
    let path = out.to_str().expect("UTF-8 path");
    let line =
        refusal(&["--engine", "slurm", "--levels", "a1", "--vary", "lora.rank=4", "--smoke", "--out", path]);
    assert!(line.contains("a1-lora.rank-4-seed-3407 is planned in ") && line.contains("--out"), "{line}");
    assert_eq!(runs(&out), regrown);
}

#[test]
fn what_no_sweep_has_is_refused_in_one_line_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("sweep");
    let path = out.to_str().expect("UTF-8 path");
    let cases: [(&[&str], &str); 14] = [
        (&["--vary", "lora.rank"], "setting vary: expected PATH=VALUE,VALUE, got 'lora.rank'"),
        (
            &["--vary", "lora.rank=4,,8"],
            "setting vary: expected values with text in them, got 'lora.rank=4,,8'",
        ),
        (&["--vary", "lora.rank=4,8,4"], "setting vary: expected each value of lora.rank once, got 4 twice"),
        (
            &["--vary", "lora.rank=4", "--vary", "lora.rank=8"],
            "setting vary: expected each setting once, got lora.rank twice",
        ),
        (&["--vary", "lora.rnk=4"], "setting lora.rnk: unknown; the known settings are "),
        (&["--vary", "lora.rank=4,four"], "setting lora.rank: expected a whole number from 0 on, got 'four'"),
        (&["--vary", "train.seed=1,2"], "expected another setting than train.seed: give --seeds 1,2"),
        (
            &["--vary", "train.learning_rate=1e-4,0.0001"],
            "got a1-train.learning_rate-1e-4-seed-3407 and a1-train.learning_rate-0.0001-seed-3407",
        ),
        (&["--seeds", "1,2,1"], "setting seeds: expected each once, got 1 twice"),
        (&["--fresh"], "setting fresh: expected none with a sweep"),
        (&["--submit"], "setting submit: expected --engine slurm with it"),
        (&["--engine", "slurm", "--jobs", "2"], "setting jobs: expected none with --engine slurm"),
        (&["--model", "no such model"], "model no such model: expected demo, a folder"),
        (&["--data", "no_such_rows.json"], "no_such_rows.json"),
    ];
    for (more, expected) in cases {
        let line = refusal(&[&["--levels", "a1", "--smoke", "--out", path], more].concat());
        assert!(line.starts_with("error: ") && line.contains(expected), "{more:?}: {line}");
        assert!(!out.exists(), "{more:?}");
    }
    for command in ["status", "collect"] {
        let line = refusal(&[command, path]);
        assert!(line.contains("manifest.json: expected the list of a sweep, got none"), "{line}");
    }
}

/// A run of a sweep is the one that its arguments make, in turn or side by side; what is done is done.
#[test]
fn a_run_of_a_sweep_is_the_one_made_directly_and_is_made_once() {
    let folder = tempfile::tempdir().expect("folder");
    let [in_turn, beside, direct] = ["in_turn", "beside", "direct"].map(|name| folder.path().join(name));
    let asked = ["--levels", "a1", "--vary", "lora.rank=4,8", "--seeds", "3407,1"];
    let said = sweep("1", &in_turn, &asked);
    assert!(
        said.contains("4 runs, 0 of them done") && said.contains("4 of 4: a1-lora.rank-8-seed-1"),
        "{said}"
    );
    let planned = runs(&in_turn);
    let folders =
        |out: &Path| -> Vec<PathBuf> { names(&planned).iter().map(|name| out.join(name)).collect() };

    let arguments: Vec<&str> =
        planned[3]["arguments"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let mut command = program("a1");
    command.env("RAYON_NUM_THREADS", "1").args(arguments).arg("--out").arg(&direct);
    assert!(command.output().expect("a1").status.success());
    assert!(outcome(&folders(&in_turn)[3]) == outcome(&direct), "another run than the one made directly");

    // Two at a time share the two threads.
    let said = sweep("2", &beside, &[&asked[..], &["--jobs", "2"]].concat());
    assert!(said.contains("4 of 4: "), "{said}");
    for (one, other) in folders(&in_turn).iter().zip(folders(&beside)) {
        assert!(outcome(one) == outcome(&other), "{} and {}", one.display(), other.display());
    }
    assert!(read(&beside.join("logs/a1-lora.rank-8-seed-1.log")).contains("step 2/2"));

    // Collected: the first seed's record of each combination has the summary, and the runs are as done as before.
    let path = in_turn.to_str().expect("UTF-8 path");
    let output = call("1", &["collect", path, "--documents"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (first, second) in [(0, 1), (2, 3)] {
        let [first, second] = [first, second].map(|place: usize| folders(&in_turn)[place].clone());
        let summary = json(&first.join("replicates.json"));
        assert_eq!(record(&first)["replicates"], summary);
        let seeds: Vec<&Value> =
            summary["runs"].as_array().expect("runs").iter().map(|run| &run["seed"]).collect();
        assert_eq!(seeds, [3407, 1]);
        assert!(record(&second).get("replicates").is_none());
        assert!(read(&first.join("sonuclar.md")).contains("ayrı tohum değeriyle"));
    }
    assert!(in_turn.join("tarama.json").exists() && in_turn.join("tarama.md").exists());

    // The next call makes nothing, and removes what need not be kept.
    let before: Vec<Vec<u8>> = folders(&in_turn).iter().map(|run| bytes(&run.join("record.json"))).collect();
    assert!(folders(&in_turn)[0].join("checkpoints").exists());
    let said = sweep("1", &in_turn, &[&asked[..], &["--keep", "best"]].concat());
    assert!(said.contains("4 runs, 4 of them done") && !said.contains("step 1/2"), "{said}");
    for (run, before) in folders(&in_turn).iter().zip(before) {
        assert!(bytes(&run.join("record.json")) == before, "{}", run.display());
        assert!(
            !run.join("checkpoints").exists() && !run.join("merged").exists() && !run.join("cells").exists()
        );
        assert!(run.join("adapter/adapter_model.safetensors").exists());
    }
    let said = sweep("1", &in_turn, &asked);
    assert!(said.contains("4 runs, 4 of them done"), "{said}");
}

fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows lie elsewhere than in the list: a task looks before it makes another run than the one that was planned.
#[test]
fn a_task_makes_no_run_over_other_rows_than_those_of_the_plan() {
    let folder = tempfile::tempdir().expect("folder");
    let (out, rows) = (folder.path().join("sweep"), folder.path().join("rows.jsonl"));
    let [path, data] = [&out, &rows].map(|path| path.to_str().expect("UTF-8 path"));
    write_rows(&rows, "Say");
    let planned = plan(&out, &["--levels", "a1", "--data", data]);
    write_rows(&rows, "Tell");

    let line = refusal(&["task", path, "0"]);
    let expected = planned[0]["rows_sha256"].as_str().expect("a hash");
    assert!(line.starts_with(&format!("error: {data}: expected the rows that a1-seed-3407")), "{line}");
    assert!(line.contains(expected), "{line}");
    assert!(!out.join("a1-seed-3407").exists());
    let line = refusal(&["task", path, "1"]);
    assert!(line.contains("setting index: expected one of the 1 runs, from 0, got 1"), "{line}");

    // Nor is the list changed under its name.
    let line = refusal(&["--levels", "a1", "--data", data, "--smoke", "--samples", "0", "--out", path]);
    assert!(line.contains("a1-seed-3407 is planned in ") && line.contains("with other rows"), "{line}");
    write_rows(&rows, "Say");
    let output = call("1", &["task", path, "0"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let output = call("1", &["task", path, "0"]);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(output.status.success() && said == "a1-seed-3407: done already\n", "{said}");
}

#[test]
fn a_failed_run_is_named_and_does_not_stop_the_others() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("sweep");
    let path = out.to_str().expect("UTF-8 path");
    let fixed = ["--levels", "a1", "--smoke", "--samples", "0", "--quiet", "--out", path];
    let varied = ["--vary", "train.learning_rate=1e30,1e-4", "--set", "train.warmup_steps=0"];
    let output = call("1", &[&fixed[..], &varied[..]].concat());
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{said}");
    let line = said.lines().last().unwrap_or_default();
    assert!(line.starts_with("error: 1 of 2 runs failed: a1-train.learning_rate-1e30-seed-3407: "), "{line}");
    assert!(line.contains("diverged at step"), "{line}");
    assert_eq!(record(&out.join("a1-train.learning_rate-1e30-seed-3407"))["status"], "failed");
    assert_eq!(record(&out.join("a1-train.learning_rate-1e-4-seed-3407"))["status"], "completed");

    let output = call("1", &["collect", path]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let collected = json(&out.join("tarama.json"));
    let statuses: Vec<&Value> =
        collected["runs"].as_array().expect("runs").iter().map(|run| &run["status"]).collect();
    assert_eq!(statuses, ["failed", "completed"]);
    assert!(read(&out.join("tarama.md")).contains("a1-train.learning_rate-1e30-seed-3407"));
}

/// Who ends the sweep ends every run of it, and each has kept what it had.
#[cfg(unix)]
#[test]
fn an_interrupted_sweep_leaves_no_run_behind() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("sweep");
    let mut command = program("sweep");
    command.args(["--smoke", "--samples", "0", "--quiet", "--levels", "a1", "--seeds", "1,2", "--jobs", "2"]);
    command.args(["--set", "train.max_steps=100000", "--set", "train.eval_steps=100000", "--out"]).arg(&out);
    command.env("RAYON_NUM_THREADS", "2");
    let mut child = command.spawn().expect("the examples are built by `cargo test`");
    let folders = ["a1-seed-1", "a1-seed-2"].map(|name| out.join(name));
    let has_step = |folder: &PathBuf| {
        std::fs::read_to_string(folder.join("events.jsonl")).is_ok_and(|text| text.contains("\"step\""))
    };
    while !folders.iter().all(has_step) {
        assert!(child.try_wait().expect("the child").is_none(), "ended before the first steps");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let sent = std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(sent.expect("kill").success());
    assert_eq!(child.wait().expect("ended").code(), Some(143));
    for folder in &folders {
        assert_eq!(record(folder)["status"], "interrupted", "{}", folder.display());
    }
}

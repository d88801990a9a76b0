//! Several runs as a user makes them: one repeated with other seeds, two compared, five levels side by side.

use crate::program::{json, read, refused, run, said};
use crate::support::{close, number};
use serde_json::Value;
use std::path::Path;

fn smoke(name: &str, out: &Path, more: &[&str]) -> String {
    let fixed = ["--smoke", "--samples", "0", "--out", out.to_str().expect("UTF-8 path")];
    said(name, &[&fixed[..], more].concat())
}

/// The last line of a failed program, and its exit code.
fn refusal(name: &str, arguments: &[&str]) -> (String, Option<i32>) {
    let (text, code) = refused(name, arguments);
    (text.lines().last().unwrap_or_default().to_string(), code)
}

/// Exit code and standard output of `diff`.
fn diff(arguments: &[&str]) -> (Option<i32>, String) {
    let output = run("diff", arguments);
    (output.status.code(), String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn seeds_are_run_summarized_spoken_of_and_a_yardstick() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("a1");
    smoke("a1", &out, &["--quiet", "--seeds", "3407,1,2"]);

    let folders = [out.clone(), out.join("seed-1"), out.join("seed-2")];
    let records: Vec<Value> = folders.iter().map(|folder| json(&folder.join("record.json"))).collect();
    let seeds: Vec<&Value> = records.iter().map(|record| &record["recipe"]["train"]["seed"]).collect();
    assert_eq!(seeds, [3407, 1, 2]);
    let adapter =
        |folder: &Path| std::fs::read(folder.join("adapter/adapter_model.safetensors")).expect("adapter");
    assert!(adapter(&folders[0]) != adapter(&folders[1]), "the seed changed nothing");

    // Mean and standard deviation (n - 1), from the records' own losses.
    let summary = json(&out.join("replicates.json"));
    assert_eq!(summary, records[0]["replicates"]);
    for mask in ["masked", "full"] {
        let losses: Vec<f64> =
            records.iter().map(|record| number(&record["evaluation"]["fine_tuned"][mask]["loss"])).collect();
        let mean = losses.iter().sum::<f64>() / 3.0;
        let deviation = (losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
        let of = &summary[mask]["fine_tuned"];
        assert_eq!(of["n"], 3);
        close("mean", number(&of["mean"]), mean, 1e-12);
        close("deviation", number(&of["standard_deviation"]), deviation, 1e-6);
        assert_eq!(number(&of["min"]), losses.iter().copied().fold(f64::INFINITY, f64::min));
        assert_eq!(number(&of["max"]), losses.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    }
    let results = read(&out.join("sonuclar.md"));
    for words in ["3 ayrı tohum değeriyle", "ortalama", "standart sapma", "en düşük", "en yüksek"] {
        assert!(results.contains(words), "'{words}' is not in sonuclar.md");
    }
    assert!(!read(&out.join("seed-1/sonuclar.md")).contains("ayrı tohum değeriyle"));

    // Two of the seeds lie within the noise of the three.
    let [main, other] = [&folders[0], &folders[1]].map(|folder| folder.to_str().expect("UTF-8 path"));
    let (code, text) = diff(&[main, other, "--json"]);
    assert_eq!(code, Some(1), "the text says which seeds were run");
    let difference: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(difference["verdict"], "changed");
    let metrics = difference["metrics"].as_array().expect("metrics");
    for name in ["training.steps[0].loss", "evaluation.fine_tuned.full.loss"] {
        let metric = metrics.iter().find(|metric| metric["name"] == name).expect("a metric");
        assert_eq!(metric["verdict"], "within_noise", "{metric}");
        assert!(metric["reason"].as_str().expect("a reason").contains("over 3 seeds"), "{metric}");
    }

    let third = folders[2].to_str().expect("UTF-8 path");
    let (_, text) = diff(&[other, third]);
    assert!(text.contains("over 3 seeds"), "two replicates do not know their noise");

    // Interrupted and resumed, it runs only what is not done.
    let before = read(&out.join("seed-1/record.json"));
    smoke("a1", &out, &["--quiet", "--seeds", "3407,1,2", "--resume"]);
    assert_eq!(read(&out.join("seed-1/record.json")), before);
    assert_eq!(json(&out.join("replicates.json")), summary);

    for (seeds, words) in
        [("7", "expected at least two, got 7 alone"), ("1,2,1", "expected each once, got 1 twice")]
    {
        let elsewhere = folder.path().join("refused");
        let path = elsewhere.to_str().expect("UTF-8 path");
        let (line, code) = refusal("a1", &["--smoke", "--seeds", seeds, "--out", path]);
        assert!(line.contains(words) && code == Some(2), "{line}");
        assert!(!elsewhere.exists());
    }
}

/// The time is the only thing that a second run may change in what is pasted into a thesis.
#[test]
fn a_rerun_is_the_same_but_for_the_sentence_of_the_training_time() {
    let folder = tempfile::tempdir().expect("folder");
    let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
    for out in [&old, &new] {
        smoke("a1", out, &["--quiet"]);
    }
    for section in ["yontem.md", "sonuclar.md", "tartisma.md"] {
        let [before, after] = [&old, &new].map(|out| read(&out.join(section)));
        assert_eq!(before.lines().count(), after.lines().count(), "{section}");
        for (before, after) in before.lines().zip(after.lines()) {
            let is_time =
                section == "sonuclar.md" && before.starts_with("Eğitim ") && before.ends_with(" sürmüştür.");
            assert!(before == after || is_time, "{section}:\n{before}\n{after}");
        }
    }
    let [old, new] = [&old, &new].map(|out| out.to_str().expect("UTF-8 path"));
    let (code, text) = diff(&[old, new, "--json"]);
    let difference: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &difference["verdict"]), (Some(0), &Value::from("same")), "{text}");
    assert_eq!(difference["sections"], Value::Array(Vec::new()));
    let allowed = difference["allowed"].as_array().expect("a list");
    assert!(allowed.iter().all(|sentence| sentence["group"] == "training_time"), "{text}");
    // Two runs of some hundred milliseconds may take the same printed time.
    assert!(allowed.len() <= 1 && allowed.iter().all(|sentence| sentence["file_name"] == "sonuclar.md"));
}

#[test]
fn diff_answers_by_its_exit_code() {
    let folder = tempfile::tempdir().expect("folder");
    let [a1, other, a2] = ["a1", "other", "a2"].map(|name| folder.path().join(name));
    smoke("a1", &a1, &["--quiet"]);
    smoke("a1", &other, &["--quiet", "--set", "lora.rank=4"]);
    smoke("a2", &a2, &["--quiet"]);
    let [a1, other, a2] = [&a1, &other, &a2].map(|out| out.to_str().expect("UTF-8 path"));

    // A record does as well as its folder; to a file, the standard output stays empty, and no colour goes there.
    let page = folder.path().join("page.md");
    let record = format!("{a1}/record.json");
    assert_eq!(diff(&[a1, &record, "--out", page.to_str().expect("UTF-8 path")]), (Some(0), String::new()));
    assert!(read(&page).contains("**Verdict: same**") && !read(&page).contains('\u{1b}'));

    let (code, text) = diff(&[a1, other]);
    assert_eq!(code, Some(1));
    assert!(
        text.contains("**Verdict: changed**") && text.contains("| recipe | `recipe.lora.rank` | 8 | 4 |"),
        "{text}"
    );

    let (code, text) = diff(&[a1, a2]);
    assert_eq!(code, Some(2));
    assert!(text.contains("**Verdict: incomparable**") && text.contains("`level`"), "{text}");

    for arguments in [
        vec![a1, "/nowhere"],
        vec![a1],
        vec![a1, other, "--replicates", a1],
        vec![a1, other, "--profile", "x"],
    ] {
        let output = run("diff", &arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn levels_are_run_once_compared_and_run_again_where_something_changed() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("reports");
    let two = |more: &[&str]| smoke("levels", &out, &[&["a1", "b1"], more].concat());
    let record = |level: &str| json(&out.join(level).join("record.json"));

    two(&[]);
    let (a1, b1) = (record("a1"), record("b1"));
    let comparison = out.join("karsilastirma");
    let text = read(&comparison.join("karsilastirma.md"));
    assert!(text.contains("**Karşılaştırılan düzeyler:** A1 ve B1\n"), "{text}");
    assert!(text.contains("**Eksik düzeyler:** A2, B2 ve C1\n"), "{text}");
    assert!(read(&comparison.join("karsilastirma.html")).contains("karsilastirma.json"));
    for chart in ["duzey_kayiplari", "duzey_matrisi"] {
        assert!(comparison.join("charts").join(format!("{chart}.svg")).exists(), "{chart}");
    }
    // Each adapter on its own level is the run's own result.
    let matrix = json(&comparison.join("karsilastirma.json"))["cross"].clone();
    for (place, run) in [&a1, &b1].into_iter().enumerate() {
        let own = number(&run["evaluation"]["fine_tuned"]["masked"]["loss"]);
        close("own level", number(&matrix["loss"][place][place]), own, 1e-6);
        let beyond = number(&matrix["loss"][1 - place][place]) - own;
        close("advantage", number(&matrix["advantage"][place]["difference"]["estimate"]), beyond, 1e-6);
    }

    // Nothing changed: nothing is computed, and the same comparison comes out.
    let again = two(&[]);
    assert_eq!(again.matches(": as computed").count(), 12, "{again}");
    assert!(!again.contains("adapter on"), "{again}");
    assert_eq!((record("a1"), record("b1")), (a1, b1));
    assert_eq!(read(&comparison.join("karsilastirma.md")), text);

    // Another recipe, other seeds, other rows: said, and run.
    let changed = two(&["--set", "lora.rank=4"]);
    assert_eq!(changed.matches("its lora.rank is 8, here 4").count(), 2, "{changed}");
    assert_eq!(record("b1")["recipe"]["lora"]["rank"], 4);
    let rows = folder.path().join("rows");
    std::fs::create_dir(&rows).expect("folder");
    let row = |index: usize| format!(r#"{{"instruction": "Say {index}.", "output": "It is {index}."}}"#);
    let file: Vec<String> = (0..40).map(row).collect();
    std::fs::write(rows.join("a1.jsonl"), file.join("\n")).expect("written");
    let path = rows.to_str().expect("UTF-8 path");
    let arguments = ["a1", "b1", "--smoke", "--data", path, "--out", out.to_str().expect("UTF-8 path")];
    let (line, _) = refusal("levels", &arguments);
    assert!(
        line.contains("expected b1.json or training_data_b1.json (or .jsonl) for B1, got neither"),
        "{line}"
    );
    std::fs::write(rows.join("training_data_b1.json"), format!("[{}]", file.join(","))).expect("written");
    let changed = two(&["--set", "lora.rank=4", "--data", path]);
    assert_eq!(changed.matches("its rows are embedded:").count(), 2, "{changed}");
    assert_eq!(record("a1")["dataset"]["synthetic"], false);

    // Rendered again from the records alone; a level without one is said to have none.
    std::fs::remove_file(comparison.join("karsilastirma.md")).expect("removed");
    let rendered = said("levels", &["--render-only", "--out", out.to_str().expect("UTF-8 path")]);
    assert_eq!(rendered.matches("no record in").count(), 3, "{rendered}");
    assert!(read(&comparison.join("karsilastirma.md")).contains("duzey_matrisi"));
}

/// One level that fails costs neither the others nor the comparison; the program says so at its end.
#[test]
fn a_failed_level_is_named_and_does_not_stop_the_others() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("reports");
    let path = out.to_str().expect("UTF-8 path");
    smoke("levels", &out, &["--quiet", "a1", "a2"]);
    // A file where B1's adapter should go.
    std::fs::create_dir_all(out.join("b1")).expect("folder");
    std::fs::write(out.join("b1/adapter"), "in the way").expect("written");
    let (line, code) = refusal("levels", &["a1", "a2", "b1", "--smoke", "--samples", "0", "--out", path]);
    assert_eq!(code, Some(1));
    assert!(line.starts_with("error: 1 of 3 levels failed: B1: ") && line.contains("adapter"), "{line}");
    let text = read(&out.join("karsilastirma/karsilastirma.md"));
    assert!(text.contains("**Karşılaştırılan düzeyler:** A1 ve A2\n"), "{text}");
    assert!(text.contains("**Karşılaştırma dışı koşular:** B1 (hatayla durdu)"), "{text}");
}

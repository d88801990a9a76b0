//! What a second call uses again of the first, and what it computes: a changed setting makes anew what follows from it and
//! nothing else, and the end is that of a run that was made at once.

use crate::program::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use tezgah::recipe::{Cell, cells};

/// The cells that a program says it used again.
fn reused(said: &str) -> Vec<&str> {
    said.lines().filter_map(|line| Some(line.split_once(": as computed ")?.0)).collect()
}

const ALL: [&str; 8] =
    ["rows", "base_model", "baseline", "training", "fine_tuned", "texts", "measures", "export"];

/// The tiny run with a text in it, said aloud.
fn tiny(out: &Path, more: &[&str]) -> String {
    let arguments: Vec<String> =
        tiny_arguments().into_iter().filter(|argument| argument != "--quiet").collect();
    let out = text(out.to_path_buf());
    let short =
        ["--set", "samples.count=1", "--set", "samples.max_new_tokens=4", "--set", "train.max_steps=2"];
    said("a1", &with_out(&arguments, &out, &[&short, more].concat()))
}

/// All of a record that a computation gave.
fn measured(out: &Path) -> (Vec<u8>, Value, Value, [Value; 2]) {
    let mut record = record(out);
    for step in record["training"]["steps"].as_array_mut().expect("steps") {
        step["seconds"] = Value::Null;
    }
    record["texts"]["tokens_per_second"] = Value::Null;
    let adapter = std::fs::read(out.join("adapter/adapter_model.safetensors")).expect("an adapter");
    let training = serde_json::json!([record["training"]["steps"], record["training"]["evals"]]);
    (adapter, training, record["evaluation"].take(), [record["texts"].take(), record["samples"].take()])
}

#[test]
fn a_second_call_computes_nothing_and_changes_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path();
    assert_eq!(reused(&tiny(out, &[])), Vec::<&str>::new());
    // The page says which cells this call has computed, and the lock who held the folder last. After that there is nothing
    // new to say.
    for changing in [&["defter.html", "run.lock"][..], &["run.lock"]] {
        let before = bytes_below(out);
        assert_eq!(reused(&tiny(out, &[])), ALL);
        let after = bytes_below(out);
        let changed = after.iter().filter(|file| !before.contains(file)).map(|(path, _)| path.clone());
        let expected: Vec<PathBuf> = changing.iter().map(|name| out.join(name)).collect();
        assert_eq!(BTreeSet::from_iter(changed), BTreeSet::from_iter(expected));
        assert_eq!(before.len(), after.len());
    }
    // Not even another profile needs the weights: bytes that no reader could bear are not met.
    let model = folder.path().join("model");
    std::fs::create_dir(&model).expect("a folder");
    for (path, bytes) in bytes_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("data/demo")) {
        std::fs::write(model.join(path.file_name().expect("a name")), bytes).expect("written");
    }
    let (out, model) = (text(out.join("of_a_folder")), text(model));
    let smoke = ["--smoke", "--model", &model, "--out", &out];
    said("a1", &smoke);
    let weights = format!("{model}/model.safetensors");
    let (len, modified) = {
        let metadata = std::fs::metadata(&weights).expect("weights");
        (metadata.len() as usize, metadata.modified().expect("a time"))
    };
    std::fs::write(&weights, vec![0xff; len]).expect("written");
    File::options().write(true).open(&weights).and_then(|file| file.set_modified(modified)).expect("a time");
    assert_eq!(reused(&said("a1", &[&smoke[..], &["--profile", "apa7"]].concat())), ALL);
    assert!(read(&Path::new(&out).join("sonuclar.md")).contains("Tablo"));
}

#[test]
fn a_changed_setting_computes_what_follows_from_it_and_ends_like_a_run_at_once() {
    let cases: [(&str, &[&str]); 5] = [
        ("samples.max_new_tokens=5", &["rows", "base_model", "baseline", "training", "fine_tuned", "export"]),
        ("train.eval_batch_size=3", &["rows", "base_model", "training", "texts", "measures", "export"]),
        ("train.learning_rate=0.001", &["rows", "base_model", "baseline"]),
        ("data.max_seq_len=40", &["base_model"]),
        (
            "export.gguf=f16",
            &["rows", "base_model", "baseline", "training", "fine_tuned", "texts", "measures"],
        ),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole");
    tiny(&whole, &[]);
    for (setting, expected) in cases {
        let (again, at_once) = (folder.path().join(setting), folder.path().join("at_once").join(setting));
        copy(&whole, &again);
        let said = tiny(&again, &["--set", setting]);
        assert_eq!(reused(&said), expected, "{setting}: {said}");
        tiny(&at_once, &["--set", setting]);
        assert_eq!(measured(&again), measured(&at_once), "{setting}");
        assert!(again.join("earlier").is_dir(), "the record of the first run is kept");
    }
}

#[test]
fn what_was_damaged_is_named_and_computed_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = folder.path().join("whole");
    tiny(&whole, &[]);
    let expected = measured(&whole);
    let cases = [
        ("adapter/adapter_model.safetensors", "training", "is not what was written"),
        ("cells/baseline/cell.json", "baseline", "damaged"),
        ("cells/texts/cell.json", "texts", "damaged"),
        ("merged/model.safetensors", "export", "is not what was written"),
        ("split/training_data_a1_eval.json", "rows", "is not what was written"),
    ];
    for (file, cell, fault) in cases {
        let out = folder.path().join(cell);
        copy(&whole, &out);
        let mut bytes = std::fs::read(out.join(file)).expect(file);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(out.join(file), bytes).expect("written");
        let said = tiny(&out, &[]);
        let line =
            said.lines().find(|line| line.starts_with(&format!("{cell}: computed again"))).expect(&said);
        assert!(line.contains(fault) && line.contains(file), "{line}");
        // What follows from a result that is the same again is not computed.
        let others: Vec<&str> = ALL.into_iter().filter(|name| *name != cell).collect();
        assert_eq!(reused(&said), others, "{said}");
        assert_eq!(measured(&out), expected, "{file}");
    }
}

/// A word list is read by the measures alone, and named by its hash.
#[test]
fn another_word_list_measures_the_same_texts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, list) = (folder.path().join("out"), folder.path().join("list.csv"));
    tiny(&out, &[]);
    std::fs::write(&list, "headword,CEFR\nthe,A1\nand,C2\n").expect("written");
    let list = text(list);
    let others: Vec<&str> = ALL.into_iter().filter(|name| *name != "measures").collect();
    assert_eq!(reused(&tiny(&out, &["--word-list", &list])), others);
    let lists = &record(&out)["texts"]["word_lists"];
    assert_eq!((&lists[0]["headwords"], &lists[1]), (&Value::from(2), &Value::Null));
    assert_eq!(reused(&tiny(&out, &["--word-list", &list])), ALL);
}

#[test]
fn a_folder_with_documents_and_no_cells_runs_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    tiny(folder.path(), &[]);
    std::fs::remove_dir_all(folder.path().join("cells")).expect("removed");
    std::fs::remove_dir_all(folder.path().join("checkpoints")).expect("removed");
    assert_eq!(reused(&tiny(folder.path(), &[])), Vec::<&str>::new());
}

/// The README's table is what the program decides by.
#[test]
fn the_readme_says_which_setting_makes_which_cell_anew() {
    let table = cells::table(&tezgah::thesis::recipe().paths());
    let readme = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    assert!(readme.contains(&table), "README.md should hold\n{table}");
    assert_eq!(Cell::ALL.map(Cell::name), ALL);
}

/// Every file below a folder with its bytes.
pub(crate) fn bytes_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files.extend(bytes_below(&path)),
            false => files.push((path.clone(), std::fs::read(&path).expect("a file"))),
        }
    }
    files
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for (path, bytes) in bytes_below(from) {
        let target = to.join(path.strip_prefix(from).expect("below"));
        std::fs::create_dir_all(target.parent().expect("a folder")).expect("made");
        std::fs::write(target, bytes).expect("written");
    }
}

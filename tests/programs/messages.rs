//! What a person at the terminal reads of a run: whole, again, changed, begun anew, interrupted, damaged, refused. A line that
//! is worded anew, or is said no more, is seen here.

use crate::obstacles::trains;
use crate::program::{program, refused, said, text, with_out};
use std::path::Path;
use std::process::Command;

/// The flags of a run that says the same on every machine but for what it measures, without `--out`.
fn arguments() -> Vec<String> {
    let flags = ["--smoke", "--device", "cpu", "--set", "model.dtype=f32", "--set", "train.save_steps=1"];
    flags.map(str::to_string).to_vec()
}

#[track_caller]
fn check(name: &str, said: &str, folder: &Path) {
    insta::assert_snapshot!(name, redacted(said, folder));
}

/// Without what another machine or moment measures. Of the lines of steps, whose number depends on when a run was
/// interrupted, the first stands for all; pandoc need not be there.
fn redacted(said: &str, folder: &Path) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in said.replace(&text(folder.to_path_buf()), "FOLDER").lines() {
        let line = without_measures(line);
        let is_step = line.starts_with("  step ") && lines.contains(&line);
        if !is_step && !line.starts_with("pandoc ") {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// The line with `N` for what follows from the machine, and for hashes and moments.
fn without_measures(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let written = words.iter().enumerate().map(|(index, word)| {
        let (before, after) = (index.checked_sub(1).map(|before| words[before]), words.get(index + 1));
        let is_measure = before.is_some_and(|word| {
            ["loss", "lr", "grad_norm", "step", "computed", "SHA-256", "got"].contains(&word)
        }) || after.is_some_and(|word| ["tok/s", "left"].contains(word))
            || words[0] == "memory:";
        match word.split_once("/earlier/") {
            Some((folder, _)) => format!("{folder}/earlier/N"),
            None if is_measure && word.contains(|letter: char| letter.is_ascii_digit()) => {
                // What closes a word belongs to the sentence.
                "N".to_string() + if word.ends_with(',') { "," } else { "" }
            }
            None => word.to_string(),
        }
    });
    written.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_run_and_what_is_used_again_of_it() {
    let folder = tempfile::tempdir().expect("folder");
    let out = text(folder.path().join("run"));
    let say = |more: &[&str]| said("a1", &with_out(&arguments(), &out, more));
    check("whole", &say(&[]), folder.path());
    check("again", &say(&[]), folder.path());
    check("other_learning_rate", &say(&["--set", "train.learning_rate=0.001"]), folder.path());
    check("fresh", &say(&["--fresh"]), folder.path());
}

#[test]
fn a_checkpoint_that_was_damaged() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("run");
    let say = || said("a1", &with_out(&arguments(), &text(out.clone()), &[]));
    say();
    let path = out.join("checkpoints/checkpoint-2/optimizer.safetensors");
    let mut bytes = std::fs::read(&path).expect("a file of the checkpoint");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    std::fs::remove_dir_all(out.join("cells/training")).expect("removed");
    check("damaged_checkpoint", &say(), folder.path());
}

#[cfg(unix)]
#[test]
fn a_run_that_is_interrupted_and_goes_on() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("run");
    let mut arguments = arguments();
    for setting in ["train.max_steps=60", "train.eval_steps=60", "train.batch_size=1"] {
        arguments.extend(["--set".to_string(), setting.to_string()]);
    }
    let child = trains(program("a1"), &arguments, &out);
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    let output = child.wait_with_output().expect("ended");
    check("interrupted", &String::from_utf8(output.stderr).expect("UTF-8"), folder.path());
    check("resumed", &said("a1", &with_out(&arguments, &text(out), &[])), folder.path());
}

#[test]
fn a_folder_that_is_in_use() {
    let folder = tempfile::tempdir().expect("folder");
    let holder = r#"{"pid": 7, "host": "atölye", "since": "2026-11-24T10:00:00+03:00"}"#;
    let path = folder.path().join("run.lock");
    std::fs::write(&path, holder).expect("written");
    let lock = std::fs::File::options().write(true).open(path).expect("a lock");
    lock.lock().expect("held");
    let (line, _) = refused("a1", &with_out(&arguments(), &text(folder.path().to_path_buf()), &[]));
    check("in_use", &line, folder.path());
}

#[test]
fn what_the_help_says_of_exit_codes() {
    let output = program("a1").arg("--help").output().expect("a1");
    let help = String::from_utf8(output.stdout).expect("UTF-8");
    let at = help.find("Exit code:").expect("a part on exit codes");
    check("exit_codes", &help[at..], Path::new("/nowhere"));
}

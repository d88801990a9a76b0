//! Folders that may not be written to: from the start, and from a moment of the run on. It is said in one line, nothing that
//! lay there changes, and the same command ends well when the permission is back.

use crate::cells::bytes_below;
use crate::obstacles::{arguments, outcome, temporaries, trains};
use crate::program::{program, record, said, text, with_out};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The program as someone runs it whom permissions bind. Root passes by them, in a container too: for it the program is run
/// without the capabilities that let it.
fn bound() -> Command {
    let is_root = fs::metadata("/proc/self").expect("this process").uid() == 0;
    if !is_root {
        return program("a1");
    }
    let without = "-dac_override,-dac_read_search,-fowner";
    let mut command = Command::new("setpriv");
    command.args([format!("--bounding-set={without}"), format!("--inh-caps={without}")]);
    command.arg(program("a1").get_program());
    command
}

/// The line with which a run of `arguments` failed, and its exit code.
fn refused(arguments: &[String], out: &Path) -> (String, Option<i32>) {
    let out = text(out.to_path_buf());
    let output = bound().args(with_out(arguments, &out, &[])).output().expect("a1, or setpriv of util-linux");
    let line = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.starts_with("error: ") && line.contains(&out), "{line}");
    (line, output.status.code())
}

/// Gives `folder` and then all folders below it the permissions `mode`.
fn set_mode(folder: &Path, mode: u32) {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).expect("a mode");
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            set_mode(&path, mode);
        }
    }
}

/// What lies in a folder. Events are appended to files that are open already, and what was being written has no name yet.
fn kept(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let is_open = |path: &Path| path.ends_with("events.jsonl") || path.to_string_lossy().contains("tfevents");
    let temporary = temporaries(folder);
    let mut files = bytes_below(folder);
    files.retain(|(path, _)| !is_open(path) && !temporary.contains(path));
    files.sort();
    files
}

#[test]
fn a_folder_that_may_not_be_written_to_is_refused_before_anything_is_begun() {
    let folder = tempfile::tempdir().expect("folder");
    let out = folder.path().join("run");
    fs::create_dir(&out).expect("a folder");
    fs::write(out.join("mine"), b"as it is").expect("written");
    set_mode(&out, 0o555);
    for out in [out.clone(), out.join("below")] {
        let (line, code) = refused(&arguments(), &out);
        assert!(line.contains("setting out: expected a folder that can be written to"), "{line}");
        assert_eq!(code, Some(2), "nothing was begun");
    }
    assert_eq!(kept(&out), [(out.join("mine"), b"as it is".to_vec())]);
    set_mode(&out, 0o755);
}

#[test]
fn a_stage_whose_folder_may_not_be_written_to_fails_and_goes_on_when_it_may() {
    let folder = tempfile::tempdir().expect("folder");
    let whole = folder.path().join("whole");
    said("a1", &with_out(&arguments(), &text(whole.clone()), &[]));
    for stage in ["split", "cells", "checkpoints", "adapter", "merged", "charts"] {
        let out = folder.path().join(format!("run-{stage}"));
        let taken = out.join(stage);
        fs::create_dir_all(&taken).expect("a folder");
        fs::write(taken.join("mine"), b"as it is").expect("written");
        set_mode(&taken, 0o555);
        let (line, code) = refused(&arguments(), &out);
        assert!(line.contains(&text(taken.clone())) && code == Some(1), "{line}");
        assert_eq!(record(&out)["status"], "failed", "{stage}");
        assert_eq!(kept(&taken), [(taken.join("mine"), b"as it is".to_vec())], "{stage}");
        set_mode(&taken, 0o755);
        fs::remove_file(taken.join("mine")).expect("removed");
        said("a1", &with_out(&arguments(), &text(out.clone()), &[]));
        assert!(outcome(&out) == outcome(&whole), "{stage}");
    }
}

#[test]
fn a_folder_that_becomes_read_only_on_the_way_keeps_what_it_has() {
    let folder = tempfile::tempdir().expect("folder");
    let mut arguments = arguments();
    arguments.extend(["--set".to_string(), "train.max_steps=60".to_string()]);
    let whole = folder.path().join("whole");
    said("a1", &with_out(&arguments, &text(whole.clone()), &[]));
    // Where the record itself cannot be written, it stays as it was.
    for (shut, status) in [("", "running"), ("checkpoints", "failed")] {
        let out = folder.path().join(status);
        let child = trains(bound(), &arguments, &out);
        let shut = out.join(shut);
        set_mode(&shut, 0o555);
        let before = kept(&shut);
        let output = child.wait_with_output().expect("ended");
        let line = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((line.lines().count(), output.status.code()), (1, Some(1)), "{line}");
        assert!(line.starts_with("error: ") && line.contains(&text(shut.clone())), "{line}");
        assert!(kept(&shut) == before, "{status}: what lay there has changed");
        assert_eq!(record(&out)["status"], status);
        set_mode(&shut, 0o755);
        said("a1", &with_out(&arguments, &text(out.clone()), &[]));
        assert!(outcome(&out) == outcome(&whole), "{status}");
    }
}

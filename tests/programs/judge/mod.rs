//! A judge model behind a server on loopback: what is asked and kept, how a session goes on, and in which words it ends.

mod asked;
mod faults;
mod keeping;

use crate::judge_server::JudgeServer;
use crate::program::*;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;

/// Four compared items and a ceiling item in two orders.
const ITEMS: [&str; 2] = ["--items", "4"];
const ANSWERS: usize = 10;

/// A session of so many repeats over these items.
fn repeats(count: &str) -> Vec<&str> {
    ITEMS.into_iter().chain(["--repeats", count]).collect()
}

/// A finished run with texts.
struct Rated {
    _folder: TempDir,
    path: PathBuf,
}

impl Rated {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run");
        let settings = ["samples.count=10", "samples.max_new_tokens=12", "train.max_steps=2"];
        let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
        said("a1", &with_out(&tiny_arguments(), &text(path.clone()), &settings));
        Rated { _folder: folder, path }
    }

    /// The program with these flags, in an environment without a key.
    fn command(&self, endpoint: &str, flags: &[&str]) -> Command {
        let mut command = program("judge");
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
            command.env_remove(name);
        }
        command.env_remove("TEZGAH_JUDGE_KEY").env_remove("OPENAI_API_KEY");
        command.args(["--run", &text(self.path.clone()), "--endpoint", endpoint, "--model", "org/Judge 1"]);
        command.args(["--wait", "1"]).args(flags);
        if !flags.contains(&"--timeout") {
            command.args(["--timeout", "2"]);
        }
        command
    }

    /// What a session of one repeat said, and its exit code.
    fn once(&self, server: &JudgeServer) -> (String, Option<i32>) {
        ended(&mut self.command(&server.endpoint(), &repeats("1")))
    }

    fn panel(&self) -> Value {
        json(&self.path.join("ratings.json"))["panels"][0].clone()
    }

    /// The file of the only session.
    fn transcript(&self) -> PathBuf {
        let mut entries = std::fs::read_dir(self.path.join("judge")).expect("a folder");
        let path = entries.next().expect("a file").expect("an entry").path();
        assert!(entries.next().is_none(), "more than one session in {}", self.path.display());
        path
    }

    fn calls(&self) -> Vec<Value> {
        read(&self.transcript()).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// Begins anew.
    fn forget(&self) {
        std::fs::remove_dir_all(self.path.join("judge")).expect("removed");
        let _ = std::fs::remove_file(self.path.join("ratings.json"));
    }
}

fn ended(command: &mut Command) -> (String, Option<i32>) {
    let output = command.output().expect("the examples are built by `cargo test`");
    assert!(output.stdout.is_empty());
    (String::from_utf8(output.stderr).expect("UTF-8"), output.status.code())
}

/// A number that was counted.
fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("expected a number, got {value}"))
}

/// The one line of a session that failed, and nothing else is an error.
#[track_caller]
fn fault(said: &str) -> &str {
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(errors.len() == 1 && said.trim_end().ends_with(errors[0]), "{said}");
    errors[0]
}

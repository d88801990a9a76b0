//! A model of the hub from the command line: what the environment says is heeded, and no token is in what is left.

use crate::hub_server::{COMMIT, Fault, HubServer};
use crate::program::{program, record, text, tiny_arguments};
use crate::support::reference_folder;
use std::path::Path;
use std::process::{Command, Output};

const TOKEN: &str = "hf_aSecretThatNobodyReads";

/// One step on the tiny rows with `org/tiny` as base.
fn command(home: &Path, endpoint: &str, out: &Path) -> Command {
    let mut arguments = tiny_arguments();
    arguments[1] = "org/tiny".into();
    arguments.retain(|argument| argument != "--quiet");
    let mut command = program("a1");
    command.args(arguments).args(["--set", "train.max_steps=1", "--out", &text(out.to_path_buf())]);
    with_hub(command, home, endpoint)
}

/// In an environment that says of the hub what is given here and nothing else.
fn with_hub(mut command: Command, home: &Path, endpoint: &str) -> Command {
    for name in
        ["HF_TOKEN", "HF_HUB_OFFLINE", "HF_ENDPOINT", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]
    {
        command.env_remove(name);
    }
    command.env("HF_HOME", home).env("HF_ENDPOINT", endpoint).env("HF_HUB_DOWNLOAD_TIMEOUT", "1");
    command
}

fn said(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert!(output.status.success(), "{text}");
    text
}

/// Every file below `folder` that has `word` in it.
fn having(folder: &Path, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(having(&path, word));
        } else if std::fs::read(&path)
            .expect("a file")
            .windows(word.len())
            .any(|part| part == word.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn a_model_of_the_hub_leaves_its_commit_and_no_token() {
    let folder = tempfile::tempdir().expect("folder");
    let server = HubServer::new(&reference_folder().join("tiny/model"), Fault::None);
    let (home, out) = (folder.path().join("home"), folder.path().join("out"));
    let output = command(&home, &server.endpoint(), &out).env("HF_TOKEN", TOKEN).output().expect("a1");
    let text = said(&output);
    assert!(text.contains("fetching model.safetensors (0.6 MB)"), "{text}");
    assert!(server.requests().iter().any(|r| r.authorization.as_deref() == Some(&format!("Bearer {TOKEN}"))));
    let model = &record(&out)["model"];
    assert_eq!((model["commit"].as_str(), model["source"].as_str()), (Some(COMMIT), Some("org/tiny")));
    assert_eq!(having(folder.path(), TOKEN), Vec::<String>::new());
    assert!(!text.contains(TOKEN) && !String::from_utf8_lossy(&output.stdout).contains(TOKEN));
    assert!(!having(folder.path(), COMMIT).is_empty(), "the search finds nothing at all");

    // What `hf auth login` leaves is a token too; the cache needs none, and no network.
    let asked = server.requests().len();
    let again = folder.path().join("again");
    let offline =
        command(&home, "http://127.0.0.1:9", &again).env("HF_HUB_OFFLINE", "1").output().expect("a1");
    assert!(!said(&offline).contains("fetching"));
    assert_eq!(server.requests().len(), asked);
    assert_eq!(record(&again)["model"], record(&out)["model"]);
}

#[test]
fn a_login_is_found_and_a_refusal_says_what_to_do_and_not_the_token() {
    let folder = tempfile::tempdir().expect("folder");
    let home = folder.path().join("home");
    std::fs::create_dir_all(&home).expect("a folder");
    std::fs::write(home.join("token"), format!("{TOKEN}\n")).expect("written");
    let server = HubServer::new(&reference_folder().join("tiny/model"), Fault::Status(403, "GatedRepo"));
    let out = folder.path().join("out");
    let refused = |endpoint: &str, variables: &[(&str, &str)]| {
        let output = command(&home, endpoint, &out).envs(variables.iter().copied()).output().expect("a1");
        let text = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!((output.status.code(), text.lines().count()), (Some(2), 1), "{text}");
        assert!(text.starts_with("error: model org/tiny: ") && !text.contains(TOKEN), "{text}");
        assert!(!out.exists());
        text
    };
    assert!(refused(&server.endpoint(), &[]).contains("ask for access"));
    let bearer = format!("Bearer {TOKEN}");
    assert!(server.requests().iter().all(|request| request.authorization.as_deref() == Some(&bearer)));
    assert!(refused("http://127.0.0.1:9", &[]).contains("no connection to the hub"));
    assert!(refused(&server.endpoint(), &[("HF_HUB_OFFLINE", "1")]).contains("HF_HUB_OFFLINE is set"));
    assert!(refused(&server.endpoint(), &[("HF_HUB_DOWNLOAD_TIMEOUT", "soon")]).contains("expected seconds"));
    assert!(refused("nowhere", &[]).contains("HF_ENDPOINT"));
    // An address with a password in it is not shown either.
    let secret = format!("http://user:{TOKEN}@127.0.0.1:9");
    assert!(refused(&secret, &[]).contains("org/tiny"));
    // A token that is no header.
    assert!(refused(&server.endpoint(), &[("HF_TOKEN", &format!("{TOKEN}\u{7f}"))]).contains("token"));
}

#[test]
fn what_was_prefetched_needs_no_network_with_the_lines_that_it_prints() {
    let folder = tempfile::tempdir().expect("folder");
    let (home, out) = (folder.path().join("a home"), folder.path().join("out"));
    let server = HubServer::new(&reference_folder().join("tiny/model"), Fault::None);
    let mut prefetch = with_hub(program("sweep"), &home, &server.endpoint());
    prefetch.args(["prefetch", "--levels", "a1,b1", "--model", "org/tiny"]);
    let output = prefetch.output().expect("sweep");
    assert!(said(&output).contains("fetching model.safetensors"));
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    for told in ["# rows of A1: ", "# rows of B1: ", &format!("commit {COMMIT}")] {
        assert!(lines.contains(told), "expected '{told}' in {lines}");
    }

    // The lines are a shell's: a job begins with them, on a node that reaches nobody.
    let run = command(&folder.path().join("elsewhere"), "http://127.0.0.1:9", &out);
    let mut job = with_hub(Command::new("bash"), &folder.path().join("elsewhere"), "http://127.0.0.1:9");
    job.args(["-c", &format!("{lines}exec \"$@\""), "job"]).arg(run.get_program()).args(run.get_args());
    let asked = server.requests().len();
    assert!(!said(&job.output().expect("bash")).contains("fetching"));
    assert_eq!(server.requests().len(), asked);
    assert_eq!(record(&out)["model"]["commit"].as_str(), Some(COMMIT));
}

//! The hub's client against a hub on loopback: what it fetches, how it goes on, and in which words it fails.
#![allow(clippy::unwrap_used, reason = "a test may stop where a fixture is not what it must be")]

use crate::hub_server::{COMMIT, Fault, HubServer};
use crate::support::reference_folder;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tezgah::error::{Error, Result};
use tezgah::model::files::hub::{Download, Hub};
use tezgah::model::files::source::{BaseModel, open_from};

/// A client of `server` with a cache in `folder`.
fn client(server: &HubServer, folder: &TempDir) -> Hub {
    Hub {
        endpoint: server.endpoint(),
        cache: folder.path().join("hub"),
        token: None,
        offline: false,
        patience: Duration::from_millis(200),
    }
}

fn model() -> PathBuf {
    reference_folder().join("tiny/model")
}

/// Opens `org/tiny`; with the lines that were said.
fn open(hub: &Hub) -> (Result<BaseModel>, Vec<String>) {
    let mut lines = Vec::new();
    let opened = open_from(hub, "org/tiny", "main", &mut |event| {
        if let Download::Note(line) = event {
            lines.push(line.to_string());
        }
        Ok(())
    });
    (opened, lines)
}

/// The one line of a refusal.
fn refusal(hub: &Hub) -> String {
    let message = open(hub).0.expect_err("refused").to_string();
    assert!(message.starts_with("model org/tiny: ") && !message.contains('\n'), "{message}");
    message
}

/// SHA-256 of the reference's weights, as sha256sum has it.
const WEIGHTS: &str = "b8492f2f4d96efd95fe980f4e5105884a95606e6e9c7128484c1746720b8b8f3";

#[test]
fn a_fetched_model_is_the_folders_and_needs_no_network_again() {
    let (folder, server) = (tempfile::tempdir().unwrap(), HubServer::new(&model(), Fault::None));
    let hub = client(&server, &folder);
    let fetched = open(&hub).0.unwrap();
    assert_eq!((fetched.commit.as_deref(), fetched.sha256.as_str()), (Some(COMMIT), WEIGHTS));
    assert_eq!((fetched.name.as_str(), fetched.source.as_str()), ("tiny", "org/tiny"));

    // The layout of huggingface_hub: a branch's commit, files by their hash, and what the repository does not have.
    let repo = hub.cache.join("models--org--tiny");
    assert_eq!(std::fs::read_to_string(repo.join("refs/main")).unwrap(), COMMIT);
    let weights = repo.join("snapshots").join(COMMIT).join("model.safetensors");
    assert_eq!(std::fs::canonicalize(&weights).unwrap().file_name().unwrap().to_str(), Some(WEIGHTS));
    assert!(std::fs::read_link(&weights).is_ok_and(|path| path.is_relative()));
    assert!(repo.join(".no_exist").join(COMMIT).join("tokenizer_config.json").exists());

    let asked = server.requests().len();
    assert_eq!(open(&hub).0.unwrap().sha256, WEIGHTS);
    assert_eq!(server.requests().len(), asked, "the cache holds everything, and the hub was asked");
    drop(server);
    let offline = Hub { offline: true, ..hub };
    assert_eq!(open(&offline).0.unwrap().commit.as_deref(), Some(COMMIT));
    let by_commit = open_from(&offline, "org/tiny", COMMIT, &mut |_| Ok(())).unwrap();
    assert_eq!(by_commit.commit.as_deref(), Some(COMMIT));
}

#[test]
fn what_comes_is_told() {
    let (folder, server) = (tempfile::tempdir().unwrap(), HubServer::new(&model(), Fault::None));
    let mut told = Vec::new();
    let mut last = 0;
    open_from(&client(&server, &folder), "org/tiny", "main", &mut |event| {
        match event {
            Download::Begin { file, bytes } => told.push(format!("{file} {bytes}")),
            Download::At(at) => last = at,
            Download::End => told.push(format!("whole at {last}")),
            Download::Note(line) => told.push(line.to_string()),
        }
        Ok(())
    })
    .unwrap();
    let size = |name: &str| std::fs::metadata(model().join(name)).unwrap().len();
    let expected = ["config.json", "tokenizer.json", "model.safetensors"].map(|name| (name, size(name)));
    let expected: Vec<String> = expected
        .iter()
        .flat_map(|(name, size)| [format!("{name} {size}"), format!("whole at {size}")])
        .collect();
    assert_eq!(told, expected);

    // What watches may end it.
    let other = tempfile::tempdir().unwrap();
    let stopped = open_from(&client(&server, &other), "org/tiny", "main", &mut |event| match event {
        Download::At(_) => Err(Error::Interrupted { signal: 2 }),
        _ => Ok(()),
    });
    assert_eq!(stopped.expect_err("stopped").exit_code(), 130);
}

/// The places at which the store was asked for the weights.
fn ranges(server: &HubServer) -> Vec<String> {
    let requests = server.requests().into_iter();
    requests.filter(|request| request.line.contains("/store/")).filter_map(|request| request.range).collect()
}

#[test]
fn a_broken_connection_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let server = HubServer::new(&model(), Fault::Breaks { after: 100_000, times: 3 });
    let (opened, lines) = open(&client(&server, &folder));
    assert_eq!(opened.unwrap().sha256, WEIGHTS);
    assert_eq!(ranges(&server), ["bytes=0-", "bytes=100000-", "bytes=200000-", "bytes=300000-"]);
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[1].starts_with("model.safetensors: ") && lines[1].ends_with("trying again (2 of 3)"),
        "{lines:?}"
    );
}

#[test]
fn one_that_breaks_for_ever_is_refused_and_the_next_call_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = HubServer::new(&model(), Fault::Breaks { after: 100_000, times: 4 });
    let hub = client(&server, &folder);
    let message = refusal(&hub);
    assert!(
        message.contains("broke again and again") && message.contains("the same command goes on"),
        "{message}"
    );
    assert_eq!(open(&hub).0.unwrap().sha256, WEIGHTS);
    assert_eq!(ranges(&server)[3..], ["bytes=300000-", "bytes=400000-"]);
}

#[test]
fn a_stalled_connection_ends() {
    let folder = tempfile::tempdir().unwrap();
    let server = HubServer::new(&model(), Fault::Stalls { after: 100_000 });
    let message = refusal(&client(&server, &folder));
    assert!(message.contains("broke again and again") && message.contains("timeout"), "{message}");
    assert_eq!(ranges(&server).len(), 4);
}

#[test]
fn each_refusal_has_its_own_sentence_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (status, code, token, words) in [
        (401, "RepoNotFound", None, ["without a token (401)", "HF_TOKEN"]),
        (401, "", Some("hf_old"), ["does not accept the token (401)", "settings/tokens"]),
        (403, "GatedRepo", Some("hf_old"), ["may not read", "https://huggingface.co/org/tiny"]),
        (404, "RepoNotFound", None, ["no such repository", "check the name"]),
        (404, "RevisionNotFound", None, ["no such revision", "after the @"]),
        (503, "", None, ["the hub answered 503", "later"]),
    ] {
        let server = HubServer::new(&model(), Fault::Status(status, code));
        let message = refusal(&Hub { token: token.map(str::to_string), ..client(&server, &folder) });
        for word in words {
            assert!(message.contains(word), "{status} {code}: '{word}' is not in: {message}");
        }
        assert!(!message.contains("hf_old"), "{message}");
    }
    // A port that nobody listens at.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = HubServer::new(&model(), Fault::None);
    let hub = Hub { endpoint: format!("http://127.0.0.1:{port}"), ..client(&server, &folder) };
    let message = refusal(&hub);
    assert!(
        message.contains("no connection to the hub") && message.contains("check the network"),
        "{message}"
    );
    let message = refusal(&Hub { offline: true, ..hub });
    assert!(message.contains("HF_HUB_OFFLINE") && message.contains("commit"), "{message}");
}

/// A redirect leads to a store that is no part of the hub.
#[test]
fn a_token_is_shown_to_the_hub_alone() {
    let (folder, server) = (tempfile::tempdir().unwrap(), HubServer::new(&model(), Fault::None));
    let hub = Hub { token: Some("hf_secret".into()), ..client(&server, &folder) };
    open(&hub).0.unwrap();
    let requests = server.requests();
    let (stored, asked): (Vec<_>, Vec<_>) = requests.iter().partition(|r| r.host.starts_with("localhost"));
    assert!(!stored.is_empty() && stored.iter().all(|request| request.authorization.is_none()), "{stored:?}");
    let own = |line: &str| {
        asked.iter().any(|r| r.line.contains(line) && r.authorization.as_deref() == Some("Bearer hf_secret"))
    };
    assert!(own("/api/models/") && own("/resolve/"), "{asked:?}");
}

/// A hub is foreign too: its words become names of files.
#[test]
fn nothing_that_a_hub_says_leads_out_of_the_cache() {
    for fault in [
        Fault::Commit("../../../../escaped"),
        Fault::Commit(""),
        Fault::Etag("../../../escaped"),
        Fault::Etag("/tmp/escaped"),
        Fault::Etag(""),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let server = HubServer::new(&model(), fault.clone());
        let message = refusal(&client(&server, &folder));
        assert!(message.contains("the hub gave"), "{fault:?}: {message}");
        let outside: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(outside.iter().all(|path| path.ends_with("hub")), "{outside:?}");
        assert!(!Path::new("/tmp/escaped").exists());
    }
    let (folder, server) = (tempfile::tempdir().unwrap(), HubServer::new(&model(), Fault::None));
    for revision in ["../../x", "a/../../x", "", "/x", "a?b"] {
        let opened = open_from(&client(&server, &folder), "org/tiny", revision, &mut |_| Ok(()));
        let message = opened.expect_err("refused").to_string();
        assert!(message.contains("expected a branch, tag or commit"), "{revision}: {message}");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn weights_that_are_not_their_hash_are_refused_and_not_kept() {
    let (folder, server) = (tempfile::tempdir().unwrap(), HubServer::new(&model(), Fault::Noise));
    let hub = client(&server, &folder);
    for _ in 0..2 {
        let message = refusal(&hub);
        assert!(message.contains("SHA-256") && message.contains(WEIGHTS), "{message}");
    }
    assert_eq!(ranges(&server), ["bytes=0-", "bytes=0-"]);
}

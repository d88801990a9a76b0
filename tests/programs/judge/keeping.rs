//! What is kept of a session, and what is in nothing that is kept.

use super::{ANSWERS, ITEMS, Rated, ended, fault, repeats};
use crate::judge_server::{JudgeServer, Reaction};
use crate::program::*;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

const KEY: &str = "sk-aSecretThatNobodyReads";

#[test]
fn what_is_kept_is_not_asked_again() {
    let rated = Rated::new();
    let server = JudgeServer::new(&[Reaction::Well]);
    assert_eq!(rated.once(&server).1, Some(0));
    let (kept, endpoint) = (read(&rated.path.join("ratings.json")), server.endpoint());
    let lines = read(&rated.transcript());
    drop(server);

    // Nobody answers any more.
    std::fs::remove_file(rated.path.join("ratings.json")).expect("removed");
    let (said, code) = ended(&mut rated.command(&endpoint, &repeats("1")));
    assert!(code == Some(0) && said.contains("all 10 answers of org/Judge 1 are kept in"), "{said}");
    assert_eq!(read(&rated.path.join("ratings.json")), kept);
    assert_eq!(read(&rated.transcript()), lines);

    // More repeats are those that are not kept.
    let server = JudgeServer::new(&[Reaction::Well]);
    let (said, code) = ended(&mut rated.command(&server.endpoint(), &repeats("3")));
    assert!(code == Some(0) && said.contains("going on: 10 of 30 answers"), "{said}");
    assert_eq!((server.asked().len(), rated.calls().len()), (2 * ANSWERS, 3 * ANSWERS));
    assert!(read(&rated.transcript()).starts_with(&lines));
    assert!(server.asked().iter().all(|asked| asked.body["seed"] != 3407));

    // Another question is another session.
    let other = [&ITEMS[..], &["--repeats", "1", "--temperature", "0.5"]].concat();
    assert_eq!(ended(&mut rated.command(&server.endpoint(), &other)).1, Some(0));
    assert_eq!(
        (server.asked().len(), std::fs::read_dir(rated.path.join("judge")).expect("a folder").count()),
        (3 * ANSWERS, 2)
    );
}

#[test]
fn a_killed_session_goes_on_where_it_was() {
    let rated = Rated::new();
    let server = JudgeServer::new(&[Reaction::Well, Reaction::Well, Reaction::Well, Reaction::Hangs]);
    let flags = [&ITEMS[..], &["--repeats", "1", "--timeout", "600"]].concat();
    let mut command = rated.command(&server.endpoint(), &flags);
    let mut child = command.stderr(Stdio::null()).spawn().expect("started");
    let started = Instant::now();
    while server.asked().len() < 4 {
        assert!(started.elapsed() < Duration::from_secs(120), "{} requests", server.asked().len());
        std::thread::sleep(Duration::from_millis(10));
    }
    // A second session would write into the same file.
    let (said, code) = rated.once(&server);
    assert!(code == Some(2) && fault(&said).contains("in use by another session"), "{said}");
    child.kill().and_then(|()| child.wait()).expect("killed");
    assert_eq!(rated.calls().len(), 3);

    let server = JudgeServer::new(&[Reaction::Well]);
    let (said, code) = rated.once(&server);
    assert!(code == Some(0) && said.contains("going on: 3 of 10 answers"), "{said}");
    assert_eq!((server.asked().len(), rated.calls().len()), (ANSWERS - 3, ANSWERS));

    // Killed in the middle of a line.
    let (path, whole) = (rated.transcript(), read(&rated.transcript()));
    std::fs::write(&path, &whole[..whole.len() - 10]).expect("written");
    let (said, code) = rated.once(&server);
    assert!(code == Some(0) && said.contains("the last line was not whole and is cut off"), "{said}");
    assert_eq!((server.asked().len(), rated.calls().len()), (ANSWERS - 3 + 1, ANSWERS));

    // What no kill does is refused, and changes nothing.
    let kept = read(&rated.path.join("ratings.json"));
    let (first, rest) = whole.split_once('\n').expect("lines");
    for (line, words) in [
        ("{}", "row 1: expected a call"),
        (first.replace("examiner", "teacher").as_str(), "the file was changed"),
    ] {
        std::fs::write(&path, format!("{line}\n{rest}")).expect("written");
        let (said, code) = rated.once(&server);
        assert!(code == Some(2) && fault(&said).contains(words), "{said}");
    }
    assert_eq!((read(&rated.path.join("ratings.json")), server.asked().len()), (kept, ANSWERS - 3 + 1));
}

/// Every file below `folder` that has `word` in it.
fn holding(folder: &Path, word: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    let has = |path: &PathBuf| {
        let bytes = std::fs::read(path).expect("a file");
        bytes.windows(word.len()).any(|part| part == word.as_bytes())
    };
    let below = folders.iter().flat_map(|folder| holding(folder, word));
    files.iter().filter(|path| has(path)).cloned().chain(below).collect()
}

#[test]
fn the_key_is_sent_and_nowhere_else() {
    let rated = Rated::new();
    let spelt: String = KEY.chars().map(|letter| format!("\\u{:04x}", letter as u32)).collect();
    let quoted = spelt.replace('\\', "\\\\");
    let once = repeats("1");
    let clean = |said: &str| {
        for word in [KEY, &spelt, &quoted] {
            assert!(!said.contains(word), "{said}");
            assert_eq!(holding(&rated.path, word), Vec::<PathBuf>::new());
        }
    };
    for (variable, status) in [("TEZGAH_JUDGE_KEY", 500), ("OPENAI_API_KEY", 200), ("TEZGAH_JUDGE_KEY", 401)]
    {
        let server = JudgeServer::new(&[Reaction::Echoes(status), Reaction::Well]);
        let (said, code) = ended(rated.command(&server.endpoint(), &once).env(variable, KEY));
        let bearer = format!("Bearer {KEY}");
        assert!(server.asked().iter().all(|asked| asked.authorization.as_deref() == Some(&bearer)));
        clean(&said);
        assert!(!holding(&rated.path, "[hidden]").is_empty(), "the server's words are not kept at all");
        match status {
            401 => assert!(
                code == Some(2) && fault(&said).contains("the key of TEZGAH_JUDGE_KEY (401)"),
                "{said}"
            ),
            _ => assert_eq!(code, Some(0), "{said}"),
        }
        rated.forget();
    }

    // The project's own variable counts first; what is in an address is not shown either.
    let server = JudgeServer::new(&[Reaction::Well]);
    let endpoint = format!("http://me:{KEY}@{}/v1/?user={KEY}", server.host());
    let (said, code) = ended(
        rated
            .command(&endpoint, &once)
            .env("OPENAI_API_KEY", "anotherKey")
            .env("TEZGAH_JUDGE_KEY", "theFirstKey"),
    );
    assert_eq!(code, Some(0), "{said}");
    let asked = server.asked();
    assert!(asked.iter().all(|asked| asked.authorization.as_deref() == Some("Bearer theFirstKey")));
    assert_eq!(asked[0].line, format!("POST /v1/chat/completions?user={KEY} HTTP/1.1"));
    clean(&said);
    assert_eq!(rated.panel()["who"]["judge"]["endpoint"], server.endpoint());
    rated.forget();
    let (said, code) =
        ended(rated.command(&server.endpoint(), &once).env("TEZGAH_JUDGE_KEY", format!("{KEY}\u{e9}")));
    assert!(code == Some(2) && fault(&said).contains("setting TEZGAH_JUDGE_KEY: expected a key"), "{said}");
    assert!(!said.contains(KEY));
}

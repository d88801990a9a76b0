//! What goes wrong with a server and its answers, and what becomes of the session.

use super::{ANSWERS, Rated, count, ended, fault, repeats};
use crate::judge_server::{JudgeServer, Reaction};
use std::time::Duration;

#[test]
fn a_malformed_answer_is_asked_once_more_and_then_counts_as_none() {
    let rated = Rated::new();
    let server = JudgeServer::new(&[Reaction::Sentence, Reaction::Well]);
    assert_eq!((rated.once(&server).1, server.asked().len()), (Some(0), ANSWERS + 1));
    let user = |index: usize| {
        server.asked()[index].body["messages"][1]["content"].as_str().expect("a text").to_string()
    };
    let added = user(1).strip_prefix(&user(0)).expect("the same question").to_string();
    assert!(added.contains("expected a JSON object, got 'Both texts are very nice.'"), "{added}");
    let judge = |name: &str| rated.panel()["who"]["judge"][name].as_u64();
    assert_eq!((judge("requests"), judge("malformed")), (Some(11), Some(0)));

    rated.forget();
    let server = JudgeServer::new(&[Reaction::Sentence, Reaction::Sentence, Reaction::Well]);
    assert_eq!((rated.once(&server).1, server.asked().len()), (Some(0), ANSWERS + 1));
    assert_eq!((judge("requests"), judge("malformed")), (Some(11), Some(1)));
    let panel = rated.panel();
    let rater = &panel["raters"][0];
    assert_eq!((count(&rater["answered"]), count(&rater["asked"])), (4, 5));
    assert_eq!(panel["answers"].as_array().expect("answers").len(), ANSWERS - 1);

    rated.forget();
    let server = JudgeServer::new(&[Reaction::Sentence]);
    let (said, code) = rated.once(&server);
    assert_eq!((code, server.asked().len()), (Some(1), 2 * ANSWERS), "{said}");
    assert!(
        fault(&said).contains("none of its 10 answers can be used")
            && !rated.path.join("ratings.json").exists()
    );
}

#[test]
fn what_may_pass_is_asked_again_and_nothing_is_lost() {
    use Reaction::{Cuts, Floods, Hangs, Status, Well};
    let rated = Rated::new();
    let server = JudgeServer::new(&[Status(429, 1), Status(500, 0), Status(500, 0), Cuts, Hangs, Well]);
    let (said, code) = rated.once(&server);
    assert_eq!((code, server.asked().len()), (Some(0), ANSWERS + 5), "{said}");
    let again: Vec<&str> = said.lines().filter(|line| line.contains("trying again in")).collect();
    assert_eq!(again.len(), 5, "{said}");
    assert!(
        again[0].contains(
            "ab-1, item 1: the server answered 429: \"said the server\"; trying again in 1s (1 of 5)"
        ),
        "{said}"
    );
    assert!(again[4].contains("no answer within 2s"), "{said}");
    let asked = server.asked();
    assert!(asked[1].at - asked[0].at >= Duration::from_secs(1), "Retry-After was not heeded");
    let (calls, panel) = (rated.calls(), rated.panel());
    assert_eq!(calls.iter().filter(|call| call.get("fault").is_some()).count(), 5);
    assert_eq!((calls.len(), panel["answers"].as_array().expect("answers").len()), (ANSWERS + 5, ANSWERS));
    assert_eq!((calls[0]["status"].as_u64(), calls[3].get("status")), (Some(429), None));

    rated.forget();
    let server = JudgeServer::new(&[Floods, Well]);
    let (said, code) = rated.once(&server);
    assert!(code == Some(0) && said.contains("an answer of more than 1048576 bytes; trying again"), "{said}");
    assert!(std::fs::metadata(rated.transcript()).expect("a file").len() < 1 << 20);
}

#[test]
fn a_server_that_stays_away_ends_the_session_and_not_what_it_has() {
    let rated = Rated::new();
    let server = JudgeServer::new(&[Reaction::Well, Reaction::Well, Reaction::Status(503, 0)]);
    let (said, code) = rated.once(&server);
    assert_eq!((code, server.asked().len()), (Some(1), 2 + 6), "{said}");
    assert!(
        fault(&said).contains("the server answered 503") && fault(&said).contains("goes on from there"),
        "{said}"
    );
    assert!(!rated.path.join("ratings.json").exists());
    drop(server);
    let (said, code) = ended(&mut rated.command("http://127.0.0.1:9", &repeats("1")));
    assert!(code == Some(1) && fault(&said).contains("no answer ("), "{said}");
    let server = JudgeServer::new(&[Reaction::Well]);
    let (said, code) = rated.once(&server);
    assert!(code == Some(0) && said.contains("going on: 2 of 10 answers"), "{said}");
    assert_eq!(server.asked().len(), ANSWERS - 2);
}

#[test]
fn a_refusal_ends_the_session_at_once_and_says_what_to_do() {
    let rated = Rated::new();
    for (reaction, words) in [
        (Reaction::Status(401, 0), "wants a key (401): set TEZGAH_JUDGE_KEY: \"said the server\""),
        (Reaction::Status(403, 0), "ask for access"),
        (Reaction::Status(404, 0), "expected --endpoint as http://127.0.0.1:5000/v1"),
        (Reaction::Status(418, 0), "refuses the request (418)"),
        (Reaction::Redirects, "leads elsewhere (307)"),
    ] {
        let server = JudgeServer::new(&[reaction]);
        let (said, code) = rated.once(&server);
        assert_eq!((code, server.asked().len()), (Some(2), 1), "{reaction:?}: {said}");
        assert!(
            fault(&said).starts_with("error: model org/Judge 1: ") && fault(&said).contains(words),
            "{said}"
        );
    }
    // Where something was answered, a session was begun.
    let server = JudgeServer::new(&[Reaction::Well, Reaction::Status(401, 0)]);
    assert_eq!((rated.once(&server).1, server.asked().len()), (Some(1), 2));
}

//! What is asked, of whom, and what becomes of the answers.

use super::{ANSWERS, ITEMS, Rated, count, ended, fault, repeats};
use crate::judge_server::{JudgeServer, Reaction, score};
use crate::program::*;
use crate::support::reference_folder;
use serde_json::Value;
use std::cmp::Ordering;

#[test]
fn both_orders_are_asked_and_the_places_are_turned_back_into_systems() {
    let rated = Rated::new();
    let server = JudgeServer::new(&[Reaction::Well]);
    let (said, code) = ended(&mut rated.command(&server.endpoint(), &repeats("2")));
    assert_eq!((code, server.asked().len()), (Some(0), 2 * ANSWERS), "{said}");
    assert!(said.contains("20 of 20 answered, 0 s left"), "{said}");

    let (record, panel) = (record(&rated.path), rated.panel());
    let rows = json(&reference_folder().join("tiny/eval.json"));
    let written = |row: &Value, system: &Value| {
        if system == "reference" {
            return rows[row.as_u64().expect("a row") as usize]["output"]
                .as_str()
                .expect("a text")
                .to_string();
        }
        let texts = record["texts"]["rows"].as_array().expect("texts");
        let found = texts.iter().find(|text| text["row"] == *row && text["system"] == *system);
        found.expect("a text")["text"].as_str().expect("a text").to_string()
    };
    let names: Vec<&str> =
        panel["raters"].as_array().expect("raters").iter().filter_map(|r| r["name"].as_str()).collect();
    assert_eq!(names, ["ab-1", "ba-1", "ab-2", "ba-2"]);
    let answers = panel["answers"].as_array().expect("answers");
    assert_eq!(answers.len(), 2 * ANSWERS);
    for answer in answers {
        let other =
            if answer["kind"] == "ceiling" { Value::from("reference") } else { panel["against"].clone() };
        let (tuned, other) = (written(&answer["row"], &"fine_tuned".into()), written(&answer["row"], &other));
        assert_eq!(answer["fine_tuned"], Value::from(vec![score(&tuned); 4]), "{answer}");
        assert_eq!(answer["other"], Value::from(vec![score(&other); 4]), "{answer}");
        let longer = match tuned.len().cmp(&other.len()) {
            Ordering::Greater => "fine_tuned",
            Ordering::Less => "other",
            Ordering::Equal => "equal",
        };
        assert_eq!(answer["preferred"], longer, "{answer}");
    }
    let order = |name: &str| count(&panel["order"][name]);
    assert_eq!((order("pairs"), order("changed")), (10, 0));

    // What was asked is what is stated.
    let judge = &panel["who"]["judge"];
    let seeds = [3407, 3408].into_iter().flat_map(|seed| [seed; ANSWERS]);
    for (asked, seed) in server.asked().iter().zip(seeds) {
        assert_eq!(
            (asked.line.as_str(), &asked.authorization),
            ("POST /v1/chat/completions HTTP/1.1", &None)
        );
        let body = &asked.body;
        assert_eq!((&body["model"], &body["temperature"]), (&judge["model"], &judge["temperature"]));
        assert_eq!(count(&body["seed"]), seed);
        let scores = &body["response_format"]["json_schema"]["schema"]["properties"]["A"]["required"];
        assert_eq!(*scores, Value::from(vec!["level_fit", "grammar", "task", "naturalness"]));
    }
    assert_eq!((count(&judge["requests"]), count(&judge["malformed"])), (20, 0));
    assert_eq!(judge["is_of_family"], false);
}

#[test]
fn people_and_judge_are_asked_the_same_items() {
    let rated = Rated::new();
    let run = text(rated.path.clone());
    said("ratings", &["prepare", "--run", &run, "--raters", "2", "--items", "5", "--seed", "7"]);
    let path = rated.path.join("ratings/anahtar.json");
    let key = json(&path);
    let server = JudgeServer::new(&[Reaction::Well]);
    let (said, code) = ended(&mut rated.command(&server.endpoint(), &["--repeats", "1"]));
    assert_eq!(code, Some(0), "{said}");
    let numbers = |items: &Value, name: &str| -> Vec<(u64, u64)> {
        let items = items.as_array().expect("items").iter().filter(|item| item["kind"] != "repeat");
        items
            .map(|item| (item[name].as_u64().expect("a number"), item["row"].as_u64().expect("a row")))
            .collect()
    };
    let panel = rated.panel();
    let asked = numbers(&key["items"], "number");
    assert_eq!(numbers(&panel["answers"], "item"), [&asked[..], &asked].concat());

    let refused = |flags: &[&str], words: &str| {
        let (said, code) = ended(&mut rated.command(&server.endpoint(), flags));
        assert!(
            code == Some(2) && said.lines().count() == 1 && fault(&said).contains(words),
            "{flags:?}: {said}"
        );
    };
    let before = server.asked().len();
    refused(&ITEMS, "setting items: expected none");
    refused(&["--against", "baseline"], "setting against: expected none");
    refused(&["--temperature", "NaN"], "setting temperature: expected 0 to 2, got NaN");
    refused(&["--repeats", "0"], "setting repeats: expected at least 1");
    let foreign = read(&path).replace(key["texts"].as_str().expect("a hash"), &"0".repeat(64));
    std::fs::write(&path, foreign).expect("written");
    refused(&[], "setting key: expected the key of the texts of");
    refused(&["--key", "nowhere.json"], "nowhere.json");
    assert_eq!(server.asked().len(), before);
}

/// A form that a server refuses is asked for in a weaker one, and not tried again when the session goes on.
#[test]
fn a_server_is_asked_in_a_form_that_it_knows() {
    for (server, form, refused) in
        [(JudgeServer::without_forms(), None, 2), (JudgeServer::with_objects_alone(), Some("json_object"), 1)]
    {
        let rated = Rated::new();
        let (said, code) = rated.once(&server);
        assert_eq!((code, said.matches("response_format").count()), (Some(0), refused - 1), "{said}");
        assert_eq!(server.asked().len(), ANSWERS + refused);
        let (said, code) = ended(&mut rated.command(&server.endpoint(), &repeats("2")));
        assert!(code == Some(0) && !said.contains("response_format"), "{said}");
        assert_eq!(server.asked().len(), 2 * ANSWERS + refused);
        for asked in &server.asked()[refused..] {
            assert_eq!(asked.body["response_format"]["type"].as_str(), form);
        }
    }
}

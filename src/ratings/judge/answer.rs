//! What a judge answered: the body of a chat completion, in its text one JSON object, in it a score for each criterion of each
//! text and a preference.
//!
//! ```text
//! {"A": {"level_fit": 4, ...}, "B": {"level_fit": 2, ...}, "preference": "A"}
//! ```
//! Models put fences, prose or their thoughts around it, and that is let pass; of the object itself nothing is: a score that is
//! guessed from half an answer is no measurement.

use crate::record::ratings::Criterion;
use serde_json::{Map, Value};

/// A sentence that says what is wrong, for the judge to read.
pub(super) type Parsed<T> = Result<T, String>;

/// What a judge said of two texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Scores of the text that stood first, one a criterion.
    pub(super) first: Vec<u8>,
    /// Scores of the other.
    pub(super) second: Vec<u8>,
    /// The preferred text.
    pub(super) preferred: Place,
}

/// Where a preferred text stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It was A.
    First,
    /// It was B.
    Second,
    /// Neither is preferred.
    Equal,
}

/// The names of the three fields.
pub(super) const FIELDS: [&str; 3] = ["A", "B", "preference"];

/// What the preference may be, as [`Place`] has it.
pub(super) const PREFERENCES: [(&str, Place); 3] =
    [("A", Place::First), ("B", Place::Second), ("equal", Place::Equal)];

/// The verdict in the body of an answer.
///
/// # Errors
/// A sentence with what was expected and what there was.
pub(super) fn verdict(body: &str, criteria: &[Criterion]) -> Parsed<Verdict> {
    let body: Value =
        serde_json::from_str(body).map_err(|_| "expected a chat completion, got no JSON".to_string())?;
    let choice = &body["choices"][0];
    let Some(text) = choice["message"]["content"].as_str() else {
        return Err("expected a text in choices[0].message.content, got none".into());
    };
    let read = object(text).and_then(|fields| from_fields(&fields, criteria));
    match choice["finish_reason"].as_str() {
        // What ends in the middle is wrong in the middle, which would mislead.
        Some("length") => read.map_err(|_| "the answer was cut at the limit of its tokens".into()),
        _ => read,
    }
}

/// The one JSON object in a text.
fn object(text: &str) -> Parsed<Map<String, Value>> {
    // Thoughts may hold drafts.
    let text = text.rsplit_once("</think>").map_or(text, |(_, rest)| rest);
    let mut found = None;
    let mut at = 0;
    while let Some(next) = text[at..].find('{') {
        let start = at + next;
        let mut values = serde_json::Deserializer::from_str(&text[start..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Object(fields))) => {
                if found.replace(fields).is_some() {
                    return Err("expected one JSON object, got several, or one that is broken".into());
                }
                at = start + values.byte_offset();
            }
            // A bracket of the prose.
            _ => at = start + 1,
        }
    }
    found.ok_or_else(|| format!("expected a JSON object, got '{}'", shortened(text.trim(), 60)))
}

fn from_fields(fields: &Map<String, Value>, criteria: &[Criterion]) -> Parsed<Verdict> {
    let [first, second, preference] = FIELDS;
    if let Some(other) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return Err(format!(
            "expected the fields A, B and preference alone, got '{}' as well",
            shortened(other, 60)
        ));
    }
    let preferred = fields.get(preference).and_then(Value::as_str);
    let preferred = PREFERENCES.into_iter().find(|(name, _)| preferred == Some(*name));
    Ok(Verdict {
        first: scores(fields, first, criteria)?,
        second: scores(fields, second, criteria)?,
        preferred: match preferred {
            Some((_, place)) => place,
            None => {
                let got = got(fields.get(preference));
                return Err(format!("preference: expected \"A\", \"B\" or \"equal\", got {got}"));
            }
        },
    })
}

/// The scores of the text called `name`, in the order of the criteria.
fn scores(fields: &Map<String, Value>, name: &str, criteria: &[Criterion]) -> Parsed<Vec<u8>> {
    let keys = || criteria.iter().map(|criterion| criterion.key.as_str()).collect::<Vec<_>>().join(", ");
    let Some(Value::Object(given)) = fields.get(name) else {
        let got = got(fields.get(name));
        return Err(format!("{name}: expected an object with {}, got {got}", keys()));
    };
    if let Some(other) = given.keys().find(|key| criteria.iter().all(|criterion| criterion.key != **key)) {
        return Err(format!("{name}: expected {} alone, got '{}' as well", keys(), shortened(other, 60)));
    }
    let score = |criterion: &Criterion| {
        let value = given.get(&criterion.key);
        let score = value.and_then(Value::as_u64).filter(|score| (1..=5).contains(score));
        let score = score.and_then(|score| u8::try_from(score).ok());
        score.ok_or_else(|| {
            format!("{name}.{}: expected a whole number from 1 to 5, got {}", criterion.key, got(value))
        })
    };
    criteria.iter().map(score).collect()
}

fn got(value: Option<&Value>) -> String {
    value.map_or_else(|| "none".into(), |value| shortened(&value.to_string(), 60))
}

/// At most `longest` letters of a text, in one line.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    let mut line: String =
        text.chars().take(longest).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().nth(longest).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn criteria() -> Vec<Criterion> {
        let criterion = |key: &str| Criterion {
            key: key.into(),
            name: key.into(),
            question: key.into(),
            anchors: ["1", "2", "3", "4", "5"].map(String::from),
        };
        vec![criterion("level_fit"), criterion("grammar")]
    }

    fn read(text: &str) -> Parsed<Verdict> {
        let body = json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] });
        verdict(&body.to_string(), &criteria())
    }

    const GOOD: &str = r#"{"B": {"grammar": 2, "level_fit": 1}, "A": {"level_fit": 5, "grammar": 4}, "preference": "equal"}"#;

    #[test]
    fn fences_prose_and_thoughts_are_let_pass() {
        let expected = Verdict { first: vec![5, 4], second: vec![1, 2], preferred: Place::Equal };
        let fenced = format!("```json\n{GOOD}\n```");
        let prose = format!("Text {{A}} is better {{see below}}.\n{GOOD}\nI hope that {{this}} helps.");
        let thought = format!("<think>{{\"A\": {{}}}} or {GOOD}?</think>\n{GOOD}");
        for text in [GOOD, &fenced, &prose, &thought] {
            assert_eq!(read(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_asked_for_is_refused_with_its_place() {
        let changed = |from: &str, to: &str| GOOD.replace(from, to);
        for (text, words) in [
            ("I cannot rate texts.".into(), "expected a JSON object, got 'I cannot"),
            (String::new(), "expected a JSON object, got ''"),
            (format!("{GOOD} {GOOD}"), "got several"),
            (changed(": 5", ": 6"), "A.level_fit: expected a whole number from 1 to 5, got 6"),
            (changed(": 5", ": 0"), "got 0"),
            (changed(": 5", ": 4.5"), "got 4.5"),
            (changed(": 5", ": \"5\""), "got \"5\""),
            (changed(": 5", ": null"), "got null"),
            (changed("\"level_fit\": 5, ", ""), "A.level_fit: expected a whole number from 1 to 5, got none"),
            (changed("\"level_fit\": 5", "\"level_fit\": 5, \"style\": 5"), "got 'style' as well"),
            (changed("\"equal\"", "\"C\""), "preference: expected \"A\", \"B\" or \"equal\", got \"C\""),
            (changed("\"preference\"", "\"winner\""), "got 'winner' as well"),
            (GOOD[..GOOD.len() - 1].to_string(), "got several, or one that is broken"),
            (
                "{\"A\": 5, \"B\": 4, \"preference\": \"A\"}".into(),
                "A: expected an object with level_fit, grammar",
            ),
        ] {
            let message = read(&text).expect_err(&text);
            assert!(message.contains(words) && !message.contains('\n'), "{text}: {message}");
        }
    }

    #[test]
    fn a_body_that_is_no_completion_is_refused() {
        for body in
            ["<html>", "[]", "{}", r#"{"choices": []}"#, r#"{"choices": [{"message": {"content": null}}]}"#]
        {
            assert!(verdict(body, &criteria()).is_err(), "{body}");
        }
        let cut =
            json!({ "choices": [{ "message": { "content": "{\"A\": {" }, "finish_reason": "length" }] });
        assert!(verdict(&cut.to_string(), &criteria()).expect_err("cut").contains("cut at the limit"));
    }

    /// A foreign text of a megabyte must not take minutes: every bracket is a place where an object may begin.
    #[test]
    fn brackets_without_end_are_read_in_time() {
        for part in ["{", "{\"a\":", "{\"a\":[{},", "{\"", "{\"a\":\"{"] {
            let started = std::time::Instant::now();
            assert!(read(&part.repeat(1_000_000 / part.len())).is_err());
            assert!(started.elapsed().as_secs() < 20, "{part}");
        }
    }
}

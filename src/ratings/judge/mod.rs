//! A judge model: the items of the sheets, asked of any server with OpenAI's chat completions (text-generation-webui, llama.cpp,
//! Ollama, vLLM).
//!
//! Verdicts hang on the order of the texts (Shi et al., 2024) and change between runs, so every item is asked in both orders and
//! several times: each order of each repeat is a rater of the panel, `ab-1`, `ba-1`, `ab-2`. Every request and raw answer is kept,
//! and what is kept is not asked again: a session that was interrupted goes on, and one that is whole needs no server.
//!
//! - `family`: whether the judge is of the judged model's family;
//! - `secret`: the key, from the environment alone;
//! - `settings`: who is asked, and how;
//! - `endpoint`: the server's address, and what of it may be shown;
//! - `answer`: from an answer's body to scores;
//! - `request`: from an item to a request's body, by the rubric;
//! - `transcript`: the file of all calls;
//! - `client`: one request;
//! - `asking`: which request is made next, and what follows from its answer;
//! - `pace`: how long it still takes.

// From the ground up: a file uses what stands above it in this list.
mod family;
mod secret;
mod settings;
mod endpoint;
mod answer;
mod request;
mod transcript;
mod client;
mod asking;
mod pace;

pub use secret::Secret;
pub use settings::Settings;

use super::items::Key;
use super::rated::Rated;
use crate::error::{Error, Result};
use crate::record::ratings::{Answer, Judge, Preferred, Rater};
use crate::sha256;
use answer::{Place, Verdict};
use asking::{Asking, State};
use pace::Pace;
use request::{Order, Question, RUBRIC, Turn};
use std::path::PathBuf;
use transcript::Transcript;

/// What a judge said.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Who it is, and how it was asked.
    pub judge: Judge,
    /// Each order of each repeat.
    pub raters: Vec<Rater>,
    /// Rater after rater, each in the order of the items; what could not be used is left out.
    pub answers: Vec<Answer>,
    /// Every request and answer.
    pub transcript: PathBuf,
}

/// Asks for all that is not kept yet, and gives what the judge said of the items of `key`; `say` is told how it goes.
///
/// # Errors
/// `Error::Setting` for a setting that is none and a key of other texts; `Error::Model`, begun where something was answered,
/// where the server does not answer or nothing that it answered can be used; `Error::Data` where the file of a session is
/// damaged, `Error::Locked` where another one writes it, `Error::File` where it cannot be read or written.
pub fn session(rated: &Rated, key: &Key, settings: &Settings, say: &dyn Fn(&str)) -> Result<Judged> {
    settings.check()?;
    rated.check_texts(&key.texts)?;
    let questions = request::questions(rated, key)?;
    let path = rated.folder.judged().join(file_name(key, settings, &questions));
    let (transcript, is_torn) = Transcript::open(path)?;
    if is_torn {
        say(&format!("{}: the last line was not whole and is cut off", transcript.path().display()));
    }
    let mut asking = Asking::new(settings, &key.questionnaire.criteria, transcript, say)?;
    let total = questions.len() * Order::BOTH.len() * settings.repeats;
    let open = count_open(&asking, settings, &questions)?;
    say(&announcement(settings, total, open, &asking.transcript));

    let mut pace = Pace::new(open, say);
    let (mut raters, mut answers): (Vec<Rater>, Vec<Answer>) = Default::default();
    let (mut requests, mut malformed) = (0, 0);
    for (order, repeat) in rounds(settings.repeats) {
        let before = answers.len();
        for question in &questions {
            let turn = Turn { item: question.item.number, order, repeat };
            let (verdict, attempts, was_asked) = asking.settle(question, turn)?;
            requests += attempts;
            match verdict {
                Some(verdict) => answers.push(resolved(raters.len(), question, order, verdict)),
                None => malformed += 1,
            }
            if was_asked {
                pace.step();
            }
        }
        let name = format!("{}-{repeat}", order.name());
        raters.push(Rater { name, answered: answers.len() - before, asked: questions.len() });
    }
    let transcript = asking.transcript.path().to_path_buf();
    if answers.is_empty() {
        let message = format!("none of its {total} answers can be used; {} has them", transcript.display());
        return Err(Error::Begun(Box::new(Error::model(&settings.model, message))));
    }
    let judge = judge(rated, settings, &asking.transcript, (requests, malformed));
    Ok(Judged { judge, raters, answers, transcript })
}

/// Rater after rater, so that what was asked in part has whole ones.
fn rounds(repeats: usize) -> impl Iterator<Item = (Order, usize)> {
    (1..=repeats).flat_map(|repeat| Order::BOTH.map(|order| (order, repeat)))
}

/// The name of the file in which this session is kept: the model's, and a hash of all that decides what is asked.
fn file_name(key: &Key, settings: &Settings, questions: &[Question]) -> String {
    let Settings { model, temperature, seed, max_tokens, .. } = settings;
    let asked: Vec<_> = questions
        .iter()
        .map(|question| (&question.item, &question.system, Order::BOTH.map(|order| question.user(order))))
        .collect();
    let decides = (
        model,
        temperature,
        seed,
        max_tokens,
        RUBRIC,
        request::rubric_sha256(),
        &key.texts,
        key.against,
        asked,
    );
    let hash = sha256::of(&serde_json::to_vec(&decides).expect("texts and finite numbers"));
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    // Names of files end at 255 bytes.
    let slug: String = model.chars().take(80).map(plain).collect();
    format!("{}-{}.jsonl", slug.trim_matches('-'), &hash[..12])
}

/// Answers that are still to be asked for.
fn count_open(asking: &Asking, settings: &Settings, questions: &[Question]) -> Result<usize> {
    let mut open = 0;
    for (order, repeat) in rounds(settings.repeats) {
        for question in questions {
            let turn = Turn { item: question.item.number, order, repeat };
            open += usize::from(matches!(asking.state(question, turn)?, State::Open(..)));
        }
    }
    Ok(open)
}

fn announcement(settings: &Settings, total: usize, open: usize, transcript: &Transcript) -> String {
    let (model, path) = (&settings.model, transcript.path().display());
    match total - open {
        0 => format!("asking {model} for {total} answers, kept in {path}"),
        _ if open == 0 => format!("all {total} answers of {model} are kept in {path}: nothing is asked"),
        kept => format!("going on: {kept} of {total} answers of {model} are kept in {path}"),
    }
}

/// The verdict with its places turned back into systems.
fn resolved(rater: usize, question: &Question, order: Order, verdict: Verdict) -> Answer {
    let Verdict { first, second, preferred } = verdict;
    let (fine_tuned, other, at_first, at_second) = match order {
        Order::Ab => (first, second, Preferred::FineTuned, Preferred::Other),
        Order::Ba => (second, first, Preferred::Other, Preferred::FineTuned),
    };
    let preferred = match preferred {
        Place::First => at_first,
        Place::Second => at_second,
        Place::Equal => Preferred::Equal,
    };
    let item = question.item;
    Answer {
        rater,
        item: item.number,
        row: item.row,
        kind: item.kind,
        fine_tuned,
        other,
        preferred: Some(preferred),
    }
}

/// The judge, after so many requests with an answer and so many answers that count as none.
fn judge(
    rated: &Rated,
    settings: &Settings,
    transcript: &Transcript,
    (requests, malformed): (usize, usize),
) -> Judge {
    // A server may have moved between two calls; an answer is of the one that gave it.
    let mut endpoints: Vec<&str> = Vec::new();
    for call in transcript.answered().filter(|call| call.repeat <= settings.repeats) {
        if !endpoints.contains(&call.endpoint.as_str()) {
            endpoints.push(&call.endpoint);
        }
    }
    let judged = &rated.record.model;
    Judge {
        model: settings.model.clone(),
        endpoint: endpoints.join(", "),
        rubric: RUBRIC.into(),
        rubric_sha256: request::rubric_sha256(),
        temperature: settings.temperature,
        seed: settings.seed,
        repeats: settings.repeats,
        requests,
        malformed,
        is_of_family: family::is_shared(&settings.model, &[judged.name.as_str(), judged.source.as_str()]),
    }
}

//! From a question to its verdict: what is kept is not asked again, what may pass is asked again, what cannot be used is asked
//! once more.

use super::Settings;
use super::answer::{self, Verdict, shortened};
use super::client::{Client, Reply};
use super::endpoint::Endpoint;
use super::request::{self, Form, Question, Turn};
use super::secret::Secret;
use super::transcript::{Call, Transcript};
use crate::error::{Error, Result};
use crate::record::ratings::Criterion;
use serde_json::Value;
use std::time::{Duration, Instant};

/// How often a question is asked that is not answered as it should be.
const ATTEMPTS: usize = 2;

/// How often a request that failed for a reason that may pass is made again.
const TRIES_AGAIN: u32 = 5;

/// A server that wants a longer one is asked again all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// Letters of a server's own words in a message.
const SAID: usize = 200;

/// Asks one server, and keeps what it says.
pub(super) struct Asking<'a> {
    settings: &'a Settings,
    criteria: &'a [Criterion],
    say: &'a dyn Fn(&str),
    endpoint: Endpoint,
    secret: Secret,
    client: Client,
    form: Form,
    /// What was asked and answered until now.
    pub(super) transcript: Transcript,
}

/// How far a question is.
pub(super) enum State {
    /// Answered, after so many attempts; without a verdict where none could be used.
    Settled(Option<Verdict>, usize),
    /// To be asked: which attempt, and what was wrong with the one before.
    Open(usize, Option<String>),
}

/// What a reply asks for.
enum Course {
    /// Nothing more.
    Answered,
    /// The same in a weaker form.
    Weaker(Form),
    /// The same after a wait, which the server may have named; and why.
    Again(String, Option<Duration>),
    /// The end, with what to do.
    Over(String),
}

impl<'a> Asking<'a> {
    /// Nothing is asked yet.
    ///
    /// # Errors
    /// `Error::Setting` for an address that is none.
    pub(super) fn new(
        settings: &'a Settings,
        criteria: &'a [Criterion],
        transcript: Transcript,
        say: &'a dyn Fn(&str),
    ) -> Result<Self> {
        let endpoint = Endpoint::parse(&settings.endpoint)?;
        let secret = settings.secret.clone().and(endpoint.secrets.iter().cloned());
        let authorization = secret.bearer().or_else(|| endpoint.basic.clone());
        let client = Client::new(&endpoint, authorization, settings.timeout);
        // A server that was found not to know the form is not asked for it again.
        let form = transcript.answered().last().map_or(Form::Schema, |call| Form::of(&call.request));
        Ok(Asking { settings, criteria, say, endpoint, secret, client, form, transcript })
    }

    /// How far `question` is at `turn`, by what is kept.
    ///
    /// # Errors
    /// As [`Transcript::answer`].
    pub(super) fn state(&self, question: &Question, turn: Turn) -> Result<State> {
        let mut wrong = None;
        for attempt in 1..=ATTEMPTS {
            let Some(body) = self.transcript.answer(question, turn, attempt)? else {
                return Ok(State::Open(attempt, wrong));
            };
            match answer::verdict(body, self.criteria) {
                Ok(verdict) => return Ok(State::Settled(Some(verdict), attempt)),
                Err(what) => wrong = Some(self.secret.hide(&what)),
            }
        }
        Ok(State::Settled(None, ATTEMPTS))
    }

    /// The verdict on `question` at `turn`, asked for where it is not kept; after how many attempts, and whether it was asked.
    ///
    /// # Errors
    /// As [`Asking::ask`].
    pub(super) fn settle(
        &mut self,
        question: &Question,
        turn: Turn,
    ) -> Result<(Option<Verdict>, usize, bool)> {
        let mut was_asked = false;
        loop {
            match self.state(question, turn)? {
                State::Settled(verdict, attempts) => return Ok((verdict, attempts, was_asked)),
                State::Open(attempt, wrong) => self.ask(question, turn, attempt, wrong.as_deref())?,
            }
            was_asked = true;
        }
    }

    /// Asks until there is an answer; every call is kept.
    ///
    /// # Errors
    /// `Error::File` where a call cannot be kept; else `Error::Model`, begun where the session was, with what to do.
    fn ask(&mut self, question: &Question, turn: Turn, attempt: usize, wrong: Option<&str>) -> Result<()> {
        let mut again = 0;
        loop {
            let request = request::body(self.settings, self.criteria, question, turn, wrong, self.form);
            let started = Instant::now();
            let reply = self.client.post(&request.to_string());
            let milliseconds = started.elapsed().as_millis();
            let reply = self.hidden(reply);
            let course = self.course(&reply);
            let (status, said) = match reply {
                Reply::Answer { status, body, .. } => (Some(status), body),
                Reply::Broken(cause) | Reply::Impossible(cause) => (None, cause),
            };
            let is_answered = matches!(course, Course::Answered);
            let (answer, fault) = if is_answered { (Some(said), None) } else { (None, Some(said)) };
            self.transcript.keep(Call {
                item: turn.item,
                order: turn.order,
                repeat: turn.repeat,
                attempt,
                endpoint: self.shown(),
                request,
                status,
                answer,
                fault,
                seconds: milliseconds as f64 / 1000.0,
            })?;
            match course {
                Course::Answered => return Ok(()),
                Course::Weaker(form) => {
                    self.form = form;
                    if form == Form::Plain {
                        (self.say)(
                            "the server refuses response_format: the form is asked for in words alone from here on",
                        );
                    }
                }
                Course::Again(cause, named) if again < TRIES_AGAIN => {
                    again += 1;
                    let wait = self.wait(again, named);
                    let place = format!("{}, item {}", turn.rater(), turn.item);
                    (self.say)(&format!(
                        "{place}: {cause}; trying again in {wait:?} ({again} of {TRIES_AGAIN})"
                    ));
                    std::thread::sleep(wait);
                }
                Course::Again(cause, _) => {
                    return Err(Error::Begun(Box::new(self.error(&format!(
                        "{cause}, {} times in a row: what was answered is kept, the same command goes on from there",
                        TRIES_AGAIN + 1
                    )))));
                }
                Course::Over(message) if self.transcript.is_empty() => return Err(self.error(&message)),
                Course::Over(message) => return Err(Error::Begun(Box::new(self.error(&message)))),
            }
        }
    }

    /// Twice as long each time, unless the server names a time.
    fn wait(&self, again: u32, named: Option<Duration>) -> Duration {
        named.unwrap_or_else(|| self.settings.wait * 2u32.pow(again - 1)).min(LONGEST_WAIT)
    }

    /// The address that may be shown; a key may stand in its path.
    fn shown(&self) -> String {
        self.secret.hide(&self.endpoint.shown)
    }

    fn error(&self, message: &str) -> Error {
        Error::model(&self.settings.model, format!("{message} ({})", self.shown()))
    }

    fn hidden(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Answer { status, retry_after, body } => {
                Reply::Answer { status, retry_after, body: self.secret.hide(&body) }
            }
            Reply::Broken(cause) => Reply::Broken(self.secret.hide(&cause)),
            Reply::Impossible(cause) => Reply::Impossible(self.secret.hide(&cause)),
        }
    }

    fn course(&self, reply: &Reply) -> Course {
        let (status, retry_after, body) = match reply {
            Reply::Answer { status, retry_after, body } => (*status, *retry_after, body),
            Reply::Broken(cause) => return Course::Again(cause.clone(), None),
            Reply::Impossible(cause) => return Course::Over(cause.clone()),
        };
        let over = |message: &str| Course::Over(format!("{message}{}", said(body)));
        // llama-cpp-python answers a form that it does not know with 500.
        let is_of_form = matches!(status, 400 | 422) || (status == 500 && body.contains("response_format"));
        if let (true, Some(weaker)) = (is_of_form, self.form.weaker()) {
            return Course::Weaker(weaker);
        }
        match (status, self.secret.variable()) {
            (200..=299, _) => Course::Answered,
            (300..=399, _) => Course::Over(format!(
                "the server leads elsewhere ({status}), where texts and key are not sent: give the final address"
            )),
            (401, None) => over("the server wants a key (401): set TEZGAH_JUDGE_KEY"),
            (401, Some(variable)) => over(&format!("the server does not accept the key of {variable} (401)")),
            (403, _) => {
                over("the server refuses this model or this user (403): ask for access, or check --model")
            }
            (404, _) => over(
                "no such address or model (404): expected --endpoint as http://127.0.0.1:5000/v1, and --model as the server \
                 names it",
            ),
            (408 | 429 | 500.., _) => {
                Course::Again(format!("the server answered {status}{}", said(body)), retry_after)
            }
            _ => over(&format!("the server refuses the request ({status})")),
        }
    }
}

/// What a server says of a refusal, as `: "..."`; nothing where it says nothing.
fn said(body: &str) -> String {
    let tree: Value = serde_json::from_str(body).unwrap_or_default();
    let places = [&tree["error"]["message"], &tree["error"], &tree["message"], &tree["detail"]];
    let words = places.into_iter().find_map(Value::as_str).unwrap_or(body).trim();
    if words.is_empty() { String::new() } else { format!(": \"{}\"", shortened(words, SAID)) }
}

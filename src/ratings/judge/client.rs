//! One request, and what comes of it. Nothing waits without end, nothing is followed elsewhere, nothing large is read.

use super::endpoint::Endpoint;
use std::time::Duration;

/// What came of a request.
#[derive(Debug)]
#[cfg_attr(not(feature = "hub"), allow(dead_code, reason = "without its client nothing comes"))]
pub(super) enum Reply {
    /// An answer, whatever it says.
    Answer {
        /// Its status.
        status: u16,
        /// For how long the server wants not to be asked.
        retry_after: Option<Duration>,
        /// Its body.
        body: String,
    },
    /// No answer; the next request may have one.
    Broken(String),
    /// No answer, and no other request has one.
    Impossible(String),
}

/// A server and how it is asked.
#[cfg(feature = "hub")]
pub(super) struct Client {
    agent: ureq::Agent,
    url: String,
    authorization: Option<String>,
    patience: Duration,
}

/// A verdict has some hundred bytes; thoughts may stand before it.
#[cfg(feature = "hub")]
const LARGEST: u64 = 1 << 20;

/// A connection is there sooner than an answer.
#[cfg(feature = "hub")]
const CONNECTED: Duration = Duration::from_secs(30);

#[cfg(feature = "hub")]
impl Client {
    /// A client that waits for an answer as long as `patience`; nothing is asked yet.
    pub(super) fn new(endpoint: &Endpoint, authorization: Option<String>, patience: Duration) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Where an answer leads is for a person to decide: texts and key would go there.
            .max_redirects(0)
            .timeout_global(Some(patience))
            .timeout_connect(Some(patience.min(CONNECTED)))
            .user_agent(concat!("tezgah/", env!("CARGO_PKG_VERSION")))
            .build();
        Client { agent: agent.into(), url: endpoint.url.clone(), authorization, patience }
    }

    /// Posts a JSON body.
    pub(super) fn post(&self, body: &str) -> Reply {
        let request = self.agent.post(&self.url).header("Accept-Encoding", "identity");
        let request = match &self.authorization {
            Some(authorization) => request.header("Authorization", authorization),
            None => request,
        };
        let mut response = match request.content_type("application/json").send(body) {
            Ok(response) => response,
            Err(error) => return self.failed(&error),
        };
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after").and_then(|value| value.to_str().ok());
        // The other form is a date, and the clock is not read here: the own wait is taken.
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let read = response.body_mut().with_config().limit(LARGEST).lossy_utf8(true).read_to_string();
        match read {
            Ok(body) => Reply::Answer { status, retry_after, body },
            // What a refusal says beside its status may be lost.
            Err(_) if !(200..300).contains(&status) => {
                Reply::Answer { status, retry_after, body: String::new() }
            }
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &ureq::Error) -> Reply {
        match error {
            // Their texts hold the address, which may hold a secret.
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
                Reply::Impossible("the address, a proxy or the key cannot be used".into())
            }
            ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
                Reply::Impossible(format!("no secure connection ({error})"))
            }
            ureq::Error::BodyExceedsLimit(limit) => {
                Reply::Broken(format!("an answer of more than {limit} bytes"))
            }
            ureq::Error::Timeout(_) => Reply::Broken(format!("no answer within {:?}", self.patience)),
            ureq::Error::Io(cause) => Reply::Broken(format!("no answer ({cause})")),
            other => Reply::Broken(format!("no answer ({other})")),
        }
    }
}

/// This program was built without one.
#[cfg(not(feature = "hub"))]
pub(super) struct Client;

#[cfg(not(feature = "hub"))]
impl Client {
    /// Nothing.
    pub(super) fn new(_: &Endpoint, _: Option<String>, _: Duration) -> Self {
        Client
    }

    /// Asks nobody: what is kept is all there is.
    pub(super) fn post(&self, _: &str) -> Reply {
        Reply::Impossible("this program was built without the feature hub; build with --features hub".into())
    }
}

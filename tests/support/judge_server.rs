//! A judge on loopback: chat completions whose verdicts follow from the texts, and the ways in which such servers fail.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What the server does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// It answers well: the longer text is preferred, and a text's scores are [`score`].
    Well,
    /// It answers by a sentence.
    Sentence,
    /// It answers with this status, and asks for so many seconds where it is not 0.
    Status(u16, u64),
    /// It says nothing, and the connection stays.
    Hangs,
    /// It says half of an answer.
    Cuts,
    /// Its answer has more bytes than anyone reads.
    Floods,
    /// It answers with this status, the key that it was given in it: as it is, and spelt with escapes.
    Echoes(u16),
    /// It sends elsewhere.
    Redirects,
}

/// A request that came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Value,
    pub(crate) at: Instant,
}

/// The status of a refusal, and which forms are refused.
type Refusal = (u16, fn(&Value) -> bool);

struct Shared {
    port: u16,
    /// The reactions to the first requests; the last one stays.
    reactions: Vec<Reaction>,
    /// What is answered to a form that the server does not know, and which those are.
    refuses: Option<Refusal>,
    asked: Mutex<Vec<Asked>>,
    is_over: AtomicBool,
}

/// The judge; gone when it is dropped.
pub(crate) struct JudgeServer {
    shared: Arc<Shared>,
}

/// The score that the judge gives to a text by every criterion.
pub(crate) fn score(text: &str) -> u64 {
    1 + text.len() as u64 % 5
}

impl JudgeServer {
    /// Reacts to the first requests as `reactions` say, and to all others as the last of them does.
    pub(crate) fn new(reactions: &[Reaction]) -> Self {
        Self::start(reactions, None)
    }

    /// Answers well, but not where a form is asked for.
    pub(crate) fn without_forms() -> Self {
        Self::start(&[Reaction::Well], Some((400, |form| !form.is_null())))
    }

    /// Knows no form but `json_object`, and answers all others as llama-cpp-python 0.3 does.
    pub(crate) fn with_objects_alone() -> Self {
        Self::start(&[Reaction::Well], Some((500, |form| form["type"] == "json_schema")))
    }

    #[expect(clippy::disallowed_methods, reason = "a server of verdicts sees no tensor")]
    fn start(reactions: &[Reaction], refuses: Option<Refusal>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let shared = Arc::new(Shared {
            port: listener.local_addr().expect("an address").port(),
            reactions: reactions.to_vec(),
            refuses,
            asked: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (stream, own) = (stream.expect("a connection"), Arc::clone(&own));
                // A client that goes away is no fault of the server's.
                std::thread::spawn(move || own.answer(stream).unwrap_or_default());
            }
        });
        JudgeServer { shared }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}/v1", self.host())
    }

    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.shared.port)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().expect("no test panicked").clone()
    }
}

impl Drop for JudgeServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.shared.port));
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let asked = read_request(&stream)?;
        let reaction = {
            let mut all = self.asked.lock().expect("no test panicked");
            all.push(asked.clone());
            let last = self.reactions.len() - 1;
            self.reactions[(all.len() - 1).min(last)]
        };
        if let Some((status, _)) =
            self.refuses.filter(|(_, is_refused)| is_refused(&asked.body["response_format"]))
        {
            return send(&mut stream, status, "", &error("response_format is not known"));
        }
        let good = completion(&verdict(&asked.body).to_string());
        match reaction {
            Reaction::Well => send(&mut stream, 200, "", &good),
            Reaction::Sentence => send(&mut stream, 200, "", &completion("Both texts are\nvery nice.")),
            Reaction::Status(status, 0) => send(&mut stream, status, "", &error("said the server")),
            Reaction::Status(status, seconds) => {
                send(&mut stream, status, &format!("Retry-After: {seconds}\r\n"), &error("said the server"))
            }
            Reaction::Hangs => {
                while !self.is_over.load(Ordering::SeqCst) {
                    std::thread::sleep(Duration::from_millis(10));
                }
                Ok(())
            }
            Reaction::Cuts => {
                let head = format!("HTTP/1.1 200 Said\r\nContent-Length: {}\r\n\r\n", good.len());
                stream.write_all(head.as_bytes())?;
                stream.write_all(&good.as_bytes()[..good.len() / 2])
            }
            Reaction::Floods => send(&mut stream, 200, "", &format!("{good}{}", " ".repeat(2 << 20))),
            Reaction::Echoes(status) => {
                let key = asked.authorization.unwrap_or_default();
                let spelt: String = key.chars().map(|letter| format!("\\u{:04x}", letter as u32)).collect();
                let body = format!("{{\"error\": \"{key}\", \"spelt\": \"{spelt}\"}}");
                match status {
                    200 => {
                        let good: Value = serde_json::from_str(&good).expect("JSON");
                        let text = good["choices"].to_string();
                        let body =
                            format!("{{\"choices\": {text}, \"user\": \"{key}\", \"spelt\": \"{spelt}\"}}");
                        send(&mut stream, 200, "", &body)
                    }
                    _ => send(&mut stream, status, "", &body),
                }
            }
            Reaction::Redirects => {
                let place = format!("Location: http://localhost:{}/v1/elsewhere\r\n", self.port);
                send(&mut stream, 307, &place, "")
            }
        }
    }
}

/// The verdict on the texts between the lines of a request.
fn verdict(body: &Value) -> Value {
    let user = body["messages"][1]["content"].as_str().unwrap_or_default();
    let (a, b) = (fenced(user, "TEXT A"), fenced(user, "TEXT B"));
    let criteria = user.split("<<<").next().unwrap_or_default();
    let keys = criteria.lines().filter_map(|line| Some(line.split_once(" - ")?.0));
    let keys: Vec<&str> = keys
        .filter(|key| {
            !key.is_empty() && key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
        })
        .collect();
    let scores = |text: &str| -> Value {
        keys.iter().map(|key| (key.to_string(), json!(score(text)))).collect::<Map<String, Value>>().into()
    };
    let preference = match a.len().cmp(&b.len()) {
        std::cmp::Ordering::Greater => "A",
        std::cmp::Ordering::Less => "B",
        std::cmp::Ordering::Equal => "equal",
    };
    json!({ "A": scores(a), "B": scores(b), "preference": preference })
}

/// What stands between the lines `<<<NAME code>>>` and `<<<END OF NAME code>>>`.
fn fenced<'a>(user: &'a str, name: &str) -> &'a str {
    let begin = format!("<<<{name} ");
    let Some((_, rest)) = user.split_once(&begin) else { return "" };
    let Some((code, rest)) = rest.split_once(">>>\n") else { return "" };
    rest.split_once(&format!("\n<<<END OF {name} {code}>>>")).map_or("", |(text, _)| text)
}

fn completion(text: &str) -> String {
    let message = json!({ "role": "assistant", "content": text });
    json!({ "object": "chat.completion", "choices": [{ "message": message, "finish_reason": "stop" }] })
        .to_string()
}

fn error(message: &str) -> String {
    json!({ "error": { "message": message } }).to_string()
}

fn read_request(stream: &TcpStream) -> std::io::Result<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_string());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Asked {
        line: line.trim().to_string(),
        authorization: headers.get("authorization").cloned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        at: Instant::now(),
    })
}

fn send(stream: &mut TcpStream, status: u16, headers: &str, body: &str) -> std::io::Result<()> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body.as_bytes())?;
    stream.flush()
}

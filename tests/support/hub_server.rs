//! A hub on loopback: the few addresses that fetching a model takes, and the ways in which they fail.
#![allow(dead_code, reason = "each of the test programs uses a part of it")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tezgah::sha256;

/// The commit of the only repository, `org/tiny`.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// How the hub fails, where it does.
#[derive(Debug, Clone, Default)]
pub(crate) enum Fault {
    /// It does not.
    #[default]
    None,
    /// Every answer has this status, with this `X-Error-Code`.
    Status(u16, &'static str),
    /// The weights break off after so many bytes, so many times.
    Breaks { after: usize, times: usize },
    /// The weights stop coming after so many bytes, and the connection stays.
    Stalls { after: usize },
    /// The weights are others than their hash says.
    Noise,
    /// The list of files names this commit.
    Commit(&'static str),
    /// Files have this hash.
    Etag(&'static str),
}

/// A request that came: its first line, and the headers that matter.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) host: String,
    pub(crate) range: Option<String>,
    pub(crate) authorization: Option<String>,
}

struct Shared {
    port: u16,
    files: BTreeMap<String, Vec<u8>>,
    fault: Fault,
    broken: AtomicUsize,
    requests: Mutex<Vec<Request>>,
    is_over: AtomicBool,
}

/// The hub; gone when it is dropped.
pub(crate) struct HubServer {
    shared: Arc<Shared>,
}

impl HubServer {
    /// Serves the files of `folder` as `org/tiny`.
    #[expect(clippy::disallowed_methods, reason = "a server of files sees no tensor")]
    pub(crate) fn new(folder: &Path, fault: Fault) -> Self {
        let files = ["config.json", "tokenizer.json", "model.safetensors"]
            .map(|name| (name.to_string(), std::fs::read(folder.join(name)).expect("a file of the model")));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let shared = Arc::new(Shared {
            port: listener.local_addr().expect("an address").port(),
            files: files.into(),
            fault,
            broken: AtomicUsize::new(0),
            requests: Mutex::default(),
            is_over: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if own.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let (stream, own) = (stream.expect("a connection"), Arc::clone(&own));
                // A client that goes away is no fault of the hub's.
                std::thread::spawn(move || own.answer(stream).unwrap_or_default());
            }
        });
        HubServer { shared }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.shared.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().expect("no test panicked").clone()
    }
}

impl Drop for HubServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.shared.port));
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let request = read_request(&stream)?;
        self.requests.lock().expect("no test panicked").push(request.clone());
        let mut words = request.line.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let path = path.split('?').next().unwrap_or_default();
        if let Fault::Status(status, code) = self.fault {
            return send(&mut stream, status, &[("X-Error-Code", code)], b"", 0);
        }
        if path.starts_with("/api/models/org/tiny/revision/") {
            let listing = self.listing();
            return send(&mut stream, 200, &[], listing.as_bytes(), listing.len());
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        let Some(bytes) = self.files.get(name) else { return send(&mut stream, 404, &[], b"", 0) };
        let is_large = name.ends_with(".safetensors");
        if path.starts_with("/org/tiny/resolve/") {
            // As the hub: large files lie at another host, small ones behind an address of its own.
            let (hash, size) = (sha256::of(bytes), bytes.len().to_string());
            let hash = if let Fault::Etag(other) = self.fault { other } else { &hash };
            let place = match is_large {
                true => format!("http://localhost:{}/store/{name}?signature=1", self.port),
                false => format!("/api/resolve-cache/models/org/tiny/{COMMIT}/{name}"),
            };
            let quoted = format!("\"{hash}\"");
            let linked = [("X-Linked-Etag", quoted.as_str()), ("X-Linked-Size", &size)];
            let mut headers = vec![("Location", place.as_str())];
            headers.extend(linked.into_iter().filter(|_| is_large));
            return send(&mut stream, if is_large { 302 } else { 307 }, &headers, b"", 0);
        }
        // git's hash of a small file: forty digits, none of SHA-256.
        let etag = format!("\"{}\"", &sha256::of(bytes)[..40]);
        match method {
            "HEAD" => send(&mut stream, 200, &[("ETag", &etag)], b"", bytes.len()),
            _ => self.send_file(&mut stream, &request, bytes, is_large),
        }
    }

    fn listing(&self) -> String {
        let commit = if let Fault::Commit(other) = self.fault { other } else { COMMIT };
        let siblings: Vec<serde_json::Value> =
            self.files.keys().map(|name| serde_json::json!({ "rfilename": name })).collect();
        serde_json::json!({ "sha": commit, "siblings": siblings }).to_string()
    }

    fn send_file(
        &self,
        stream: &mut TcpStream,
        request: &Request,
        bytes: &[u8],
        is_large: bool,
    ) -> std::io::Result<()> {
        let start = request.range.as_ref().and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
        let start: usize = start.and_then(|start| start.parse().ok()).unwrap_or(0);
        let mut rest = bytes[start..].to_vec();
        let whole = rest.len();
        let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
        match self.fault {
            Fault::Breaks { after, times }
                if is_large && self.broken.fetch_add(1, Ordering::SeqCst) < times =>
            {
                rest.truncate(after);
            }
            Fault::Stalls { after } if is_large => rest.truncate(after),
            Fault::Noise if is_large => rest[0] ^= 1,
            _ => {}
        }
        send(stream, 206, &[("Content-Range", &range)], &rest, whole)?;
        while matches!(self.fault, Fault::Stalls { .. }) && is_large && !self.is_over.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

fn read_request(stream: &TcpStream) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let line = lines.next().transpose()?.unwrap_or_default();
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_string());
    }
    Ok(Request {
        line,
        host: headers.get("host").cloned().unwrap_or_default(),
        range: headers.get("range").cloned(),
        authorization: headers.get("authorization").cloned(),
    })
}

/// An answer that says that `length` bytes come, and sends `body`.
fn send(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(&str, &str)],
    body: &[u8],
    length: usize,
) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {length}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(body)?;
    stream.flush()
}

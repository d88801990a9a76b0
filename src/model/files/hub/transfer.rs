//! Requests to the hub: none waits without end, and a file that broke off goes on where it stopped.

use super::failure::Failure;
use super::{Download, Observe};
use crate::error::Error;
use crate::model::files::mapped::FileBytes;
use crate::sha256;
use hf_hub::api::RepoInfo;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::config::RedirectAuthHeaders;
use ureq::{Agent, Body, Timeout, http};

type Response = http::Response<Body>;
type Outcome<T> = Result<T, Failure>;

/// How often a request that failed for a reason that may pass is made again.
const TRIES_AGAIN: u32 = 3;
/// The hub answers a renamed repository by an address of its own; more turns than this are a circle.
const MOST_TURNS: usize = 5;

/// What the hub says of a file before it is fetched.
#[derive(Debug)]
pub(super) struct Head {
    /// Its name in the cache: SHA-256 of a large file, git's hash of a small one.
    pub(super) etag: String,
    /// Its size.
    pub(super) bytes: u64,
}

/// A client with a token and so much patience for a connection over which nothing comes.
pub(super) struct Client {
    agent: Agent,
    token: Option<String>,
    patience: Duration,
}

impl Client {
    /// A client; nothing is asked yet.
    pub(super) fn new(token: Option<String>, patience: Duration) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .timeout_resolve(Some(patience))
            .timeout_connect(Some(patience))
            .timeout_per_read(Some(patience))
            .timeout_per_write(Some(patience))
            .user_agent(concat!("tezgah/", env!("CARGO_PKG_VERSION")))
            .build();
        Client { agent: agent.into(), token, patience }
    }

    /// The commit and the files of a repository.
    pub(super) fn listing(&self, url: &str, observe: Observe) -> Outcome<RepoInfo> {
        let text = self.persist("the list of files", observe, |_| {
            let mut response = self.checked(self.get(url).call())?;
            response.body_mut().read_to_string().map_err(|error| self.failed(&error))
        })?;
        let info: RepoInfo = serde_json::from_str(&text)
            .map_err(|error| Failure::Strange(format!("a list of files that is none ({error})")))?;
        match is_name(&info.sha) {
            true => Ok(info),
            false => Err(Failure::Strange(format!("a commit that is none ({:?})", info.sha))),
        }
    }

    /// What a file is, without the file.
    pub(super) fn head(&self, url: &str, file: &str, observe: Observe) -> Outcome<Head> {
        self.persist(file, observe, |_| self.head_once(url, file))
    }

    fn head_once(&self, url: &str, file: &str) -> Outcome<Head> {
        let mut url = url.to_string();
        for _ in 0..MOST_TURNS {
            // The answer that leads away to the store of large files knows their hash; the store's own does not.
            let request = self.authorized(self.agent.head(&url)).config().max_redirects(0).build();
            let response = self.checked(request.call())?;
            let text = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
            match text("location").filter(|place| place.starts_with('/')) {
                Some(place) => url = format!("{}{place}", origin(&url)),
                None => {
                    let etag = text("x-linked-etag").or_else(|| text("etag")).unwrap_or_default();
                    let etag = etag.trim_start_matches("W/").trim_matches('"').to_string();
                    let bytes = text("x-linked-size").or_else(|| text("content-length"));
                    return match bytes.and_then(|bytes| bytes.parse().ok()) {
                        Some(bytes) if is_name(&etag) => Ok(Head { etag, bytes }),
                        _ => Err(Failure::Strange(format!("{file} without its hash or size"))),
                    };
                }
            }
        }
        Err(Failure::Strange(format!("{file} behind a circle of addresses")))
    }

    /// Fetches a file to `blob`, which has its name when it is whole. What an earlier call left is gone on from.
    pub(super) fn download(
        &self,
        url: &str,
        file: &str,
        head: &Head,
        blob: &Path,
        observe: Observe,
    ) -> Outcome<()> {
        let failed = |path: &Path, error| Failure::Here(Error::file(path, error));
        let beside = |extension: &str| -> PathBuf {
            let mut name = blob.as_os_str().to_owned();
            name.push(extension);
            name.into()
        };
        let (part, lock) = (beside(".part"), beside(".lock"));
        std::fs::create_dir_all(blob.parent().unwrap_or(blob)).map_err(|error| failed(blob, error))?;
        // Two programs that fetch the same file would write into the same part of it.
        let lock_file = File::create(&lock).map_err(|error| failed(&lock, error))?;
        if let Err(TryLockError::WouldBlock) = lock_file.try_lock() {
            observe(Download::Note(&format!("waiting for another program that fetches {file}")))?;
            lock_file.lock().map_err(|error| failed(&lock, error))?;
        }
        if blob.exists() {
            return Ok(());
        }
        observe(Download::Begin { file, bytes: head.bytes })?;
        self.persist(file, observe, |observe| self.go_on(url, &part, head.bytes, observe))?;
        observe(Download::End)?;
        if head.etag.len() == 64 {
            let found = sha256::of(FileBytes::map(&part)?.as_slice());
            if found != head.etag {
                std::fs::remove_file(&part).map_err(|error| failed(&part, error))?;
                return Err(Failure::Strange(format!(
                    "{file} with the SHA-256 {found}, where {} was expected",
                    head.etag
                )));
            }
        }
        std::fs::rename(&part, blob).map_err(|error| failed(blob, error))
    }

    /// Fetches what `part` does not have of `bytes`.
    fn go_on(&self, url: &str, part: &Path, bytes: u64, observe: Observe) -> Outcome<()> {
        let failed = |error| Failure::Here(Error::file(part, error));
        let mut file = OpenOptions::new().create(true).append(true).open(part).map_err(failed)?;
        let mut at = file.metadata().map_err(failed)?.len();
        if at > bytes {
            file.set_len(0).map_err(failed)?;
            at = 0;
        }
        if at == bytes {
            return Ok(());
        }
        let response = self.checked(self.get(url).header("Range", format!("bytes={at}-")).call())?;
        if response.status() != http::StatusCode::PARTIAL_CONTENT {
            // A server without ranges begins again.
            file.set_len(0).map_err(failed)?;
            at = 0;
        }
        let mut body = response.into_body().into_reader().take(bytes - at);
        let mut buffer = vec![0; 1 << 16];
        while at < bytes {
            let got = match body.read(&mut buffer) {
                Ok(0) => return Err(Failure::Broken(format!("it ended at {at} of {bytes} bytes"))),
                Ok(got) => got,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Failure::Broken(format!("{error} at {at} of {bytes} bytes"))),
            };
            file.write_all(&buffer[..got]).map_err(failed)?;
            at += got as u64;
            observe(Download::At(at))?;
        }
        file.sync_all().map_err(failed)
    }

    /// What `request` gives, made again up to three times where it failed for a reason that may pass.
    fn persist<T>(
        &self,
        what: &str,
        observe: Observe,
        mut request: impl FnMut(Observe) -> Outcome<T>,
    ) -> Outcome<T> {
        for again in 1..=TRIES_AGAIN {
            let cause = match request(observe) {
                Err(Failure::Broken(cause)) => cause,
                Err(Failure::Status(status)) if Failure::Status(status).may_pass() => {
                    format!("the hub answered {status}")
                }
                outcome => return outcome,
            };
            let note = format!("{what}: {cause}; trying again ({again} of {TRIES_AGAIN})");
            observe(Download::Note(&note))?;
            std::thread::sleep(self.patience.min(Duration::from_secs(1 << (again - 1))));
        }
        request(observe)
    }

    fn get(&self, url: &str) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
        self.authorized(self.agent.get(url))
    }

    fn authorized(
        &self,
        request: ureq::RequestBuilder<ureq::typestate::WithoutBody>,
    ) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
        // A packed answer has another length than the file.
        let request = request.header("Accept-Encoding", "identity");
        match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    fn checked(&self, outcome: Result<Response, ureq::Error>) -> Outcome<Response> {
        let response = outcome.map_err(|error| self.failed(&error))?;
        let code = response.headers().get("x-error-code").and_then(|code| code.to_str().ok());
        match response.status().as_u16() {
            200..=399 => Ok(response),
            401 => Err(Failure::Unauthorized { with_token: self.token.is_some() }),
            403 => Err(Failure::Forbidden),
            404 => Err(Failure::NotFound { is_revision: code == Some("RevisionNotFound") }),
            status => Err(Failure::Status(status)),
        }
    }

    fn failed(&self, error: &ureq::Error) -> Failure {
        use ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
        match error {
            // Their texts hold the address, which may hold a password.
            ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => {
                Failure::Strange("no answer: an address, a proxy or a token that cannot be used".into())
            }
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect)
            | ureq::Error::HostNotFound
            | ureq::Error::ConnectionFailed
            | ureq::Error::Tls(_)
            | ureq::Error::Rustls(_) => Failure::Unreachable(error.to_string()),
            ureq::Error::Io(cause)
                if matches!(
                    cause.kind(),
                    ConnectionRefused | HostUnreachable | NetworkUnreachable | AddrNotAvailable
                ) =>
            {
                Failure::Unreachable(cause.to_string())
            }
            ureq::Error::Timeout(_) => Failure::Broken(format!("nothing came for {:?}", self.patience)),
            other => Failure::Broken(other.to_string()),
        }
    }
}

/// Whether a word of the hub's may be the name of a file here.
pub(super) fn is_name(word: &str) -> bool {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    (1..=200).contains(&word.len()) && word.chars().all(is_plain)
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..end]
}

//! Why the hub did not give a file, each reason with what to do.

use crate::error::Error;
use std::path::PathBuf;

/// What went wrong.
#[derive(Debug)]
pub(super) enum Failure {
    /// 401; whether a token was sent.
    Unauthorized { with_token: bool },
    /// 403.
    Forbidden,
    /// 404, and what of it the hub does not have.
    NotFound { is_revision: bool },
    /// Another status.
    Status(u16),
    /// No connection.
    Unreachable(String),
    /// A connection that broke, or over which nothing came.
    Broken(String),
    /// An answer that is none of the hub's.
    Strange(String),
    /// `HF_HUB_OFFLINE`, and a file that the cache does not have.
    Offline { file: String, cache: PathBuf },
    /// A file that a model must have, and this repository does not.
    Lacking(String),
    /// A failure of this machine, or the end that an observer asked for.
    Here(Error),
}

impl Failure {
    /// Whether it may pass.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Failure::Broken(_) | Failure::Status(429 | 500..))
    }

    /// The error of the model `source`, in the repository `repo`.
    pub(super) fn of(self, source: &str, repo: &str) -> Error {
        let message = match self {
            Failure::Unauthorized { with_token: false } => format!(
                "the hub shows no such repository without a token (401): check the name; for a private or gated model \
                 set HF_TOKEN or run `hf auth login`, then see https://huggingface.co/{repo}"
            ),
            Failure::Unauthorized { with_token: true } => {
                "the hub does not accept the token (401): make another on \
                 https://huggingface.co/settings/tokens, then set HF_TOKEN or run `hf auth login`"
                    .to_string()
            }
            Failure::Forbidden => format!(
                "the token's account may not read this repository (403): ask for access on \
                 https://huggingface.co/{repo}, or pass a downloaded folder"
            ),
            Failure::NotFound { is_revision: true } => {
                "the repository has no such revision (404): check the branch, tag or commit after the @"
                    .to_string()
            }
            Failure::NotFound { is_revision: false } => {
                "no such folder here and no such repository on the hub (404): check the name".to_string()
            }
            Failure::Status(status) => format!("the hub answered {status}: try again later"),
            Failure::Unreachable(cause) => format!(
                "no such folder here, and no connection to the hub ({cause}): check the network, or pass a downloaded \
                 folder"
            ),
            Failure::Broken(cause) => {
                format!(
                    "the connection to the hub broke again and again ({cause}): the same command goes on from there"
                )
            }
            Failure::Strange(what) => {
                format!("the hub gave {what}: check HF_ENDPOINT, or pass a downloaded folder")
            }
            Failure::Offline { file, cache } => format!(
                "HF_HUB_OFFLINE is set, and the cache {} has no {file} of it: unset it once, or pass a downloaded folder",
                cache.display()
            ),
            Failure::Lacking(file) => {
                format!("expected {file} in the repository, got none: it is no model in transformers' layout")
            }
            Failure::Here(error) => return error,
        };
        Error::model(source, message)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Here(error)
    }
}

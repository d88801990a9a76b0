//! Models of the Hugging Face hub, fetched into its cache.

use crate::error::{Error, Result};
use crate::model::files::model_files::ModelFiles;

/// Fetches a repository's files, or finds them in the hub's cache (`HF_HOME`).
///
/// # Errors
/// `Error::Model` where the hub does not give one, with what to do.
#[cfg(feature = "hub")]
pub(super) fn fetch(source: &str, repo: &str, revision: Option<&str>) -> Result<ModelFiles> {
    use crate::model::files::model_files::{read, shard_names};
    use hf_hub::api::sync::ApiBuilder;
    use hf_hub::{Repo, RepoType};

    // hf-hub panics where it finds neither.
    if std::env::var_os("HF_HOME").is_none() && std::env::home_dir().is_none() {
        return Err(Error::model(source, "expected HF_HOME or a home folder for the downloads, got neither"));
    }
    let mut builder =
        ApiBuilder::from_env().with_progress(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // hf-hub reads the token that `hf auth login` leaves in HF_HOME, and not the variable.
    if let Some(token) = std::env::var("HF_TOKEN").ok().filter(|token| !token.is_empty()) {
        builder = builder.with_token(Some(token));
    }
    let api = builder.build().map_err(|error| Error::model(source, hub_failure(&error)))?;
    let revision = revision.unwrap_or("main").to_string();
    let repository = api.repo(Repo::with_revision(repo.to_string(), RepoType::Model, revision));
    let needed = |name: &str| {
        let failed = |error| Error::model(source, format!("{name}: {}", hub_failure(&error)));
        repository.get(name).map_err(failed)
    };
    let optional = |name: &str| match repository.get(name) {
        Ok(path) => Ok(Some(path)),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(Error::model(source, format!("{name}: {}", hub_failure(&error)))),
    };
    let config = needed("config.json")?;
    let tokenizer = needed("tokenizer.json")?;
    let tokenizer_config = optional("tokenizer_config.json")?;
    let weights = match optional("model.safetensors")? {
        Some(single) => vec![single],
        None => {
            let index = needed("model.safetensors.index.json")?;
            let shards = shard_names(source, &read(&index)?)?;
            shards.iter().map(|name| needed(name)).collect::<Result<_>>()?
        }
    };
    Ok(ModelFiles { config, tokenizer, tokenizer_config, weights })
}

/// One line about a failed download, and what to do.
#[cfg(feature = "hub")]
fn hub_failure(error: &hf_hub::api::sync::ApiError) -> String {
    let advice = "no such folder here, and the hub did not give it; check the name and the network, \
                  log in for a gated model (HF_TOKEN), or pass a downloaded folder";
    let cause = error.to_string().replace('\n', " ");
    format!("{advice} ({cause})")
}

#[cfg(feature = "hub")]
fn is_not_found(error: &hf_hub::api::sync::ApiError) -> bool {
    use hf_hub::api::sync::ApiError;
    matches!(error, ApiError::RequestError(cause) if cause.to_string().contains("404"))
}

/// Refuses: this program was built without the hub.
///
/// # Errors
/// Always.
#[cfg(not(feature = "hub"))]
pub(super) fn fetch(source: &str, _repo: &str, _revision: Option<&str>) -> Result<ModelFiles> {
    let message = "no such folder here, and this program was built without the feature hub; \
                   pass a downloaded folder, or build with --features hub";
    Err(Error::model(source, message))
}

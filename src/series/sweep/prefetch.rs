//! What a node without internet needs, brought to where it can see it: the base model in the hub's cache, the rows read once.

use super::resolved::rows_name;
use crate::cli::Flags;
use crate::error::Result;
use crate::model::files::source::ModelSource;
use crate::run::{OpenedBase, Question, interrupt, notebook};
use std::path::{Path, PathBuf};

/// Fetches the base model that `flags` name, checks it whole, and reads the rows of every question. Gives what there is to
/// say, with the lines that a job on such a node begins with.
///
/// # Errors
/// As [`OpenedBase::open`]; `Error::Data` and `Error::File` where rows cannot be read.
pub fn prefetch(questions: &[Question], flags: &Flags) -> Result<String> {
    interrupt::listen();
    let mut text = String::new();
    for question in questions {
        let own = flags.of_level(question.level, Path::new("reports"), questions.len())?;
        let rows = notebook::rows(&own, question.level, question.rows)?;
        let name = rows_name(&own, question.level);
        text.push_str(&format!("# rows of {}: {name}, SHA-256 {}\n", question.level, rows.sha256()));
    }
    let source: ModelSource = flags.model.parse()?;
    let base = OpenedBase::new(flags).open()?;
    let place = match (&source, &base.commit) {
        (ModelSource::Hub { .. }, Some(commit)) => format!("commit {commit}, in the cache"),
        (ModelSource::Demo, _) => "part of the program".into(),
        _ => "a path that the nodes must see".into(),
    };
    text.push_str(&format!("# base model {}: {place}, SHA-256 {}\n", base.source, base.sha256));
    if let (ModelSource::Hub { .. }, Some(home)) = (source, cache()) {
        text.push_str(&format!("export HF_HOME={}\nexport HF_HUB_OFFLINE=1\n", quoted(&home)));
    }
    Ok(text)
}

/// Where huggingface_hub and hf-hub keep what they fetch.
fn cache() -> Option<PathBuf> {
    let named = std::env::var_os("HF_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
    let home = named.or_else(|| Some(std::env::home_dir()?.join(".cache/huggingface")))?;
    std::path::absolute(home).ok()
}

/// As a word of the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

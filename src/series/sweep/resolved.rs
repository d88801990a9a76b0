//! A planned run as it would be made: its arguments read again, and whether it is what it was when it was planned.

use super::manifest::{Manifest, Planned};
use crate::cli::Flags;
use crate::error::{Error, Result};
use crate::level::Level;
use crate::recipe::Recipe;
use crate::record::folder::RunFolder;
use crate::record::{RunRecord, Status};
use crate::run::{Question, notebook};
use crate::sha256;
use clap::Parser;
use serde_json::json;
use std::path::Path;

/// A planned run with all that its arguments say.
pub(super) struct Resolved<'a> {
    pub(super) planned: &'a Planned,
    pub(super) question: &'a Question,
    pub(super) flags: Flags,
    pub(super) recipe: Recipe,
}

/// Reads the arguments of a run of the sweep in `out` again; relative paths among them start where this process is.
///
/// # Errors
/// `Error::Record` where the manifest names a level or a flag that this program has not; as [`Flags::apply`].
pub(super) fn resolve<'a>(
    out: &Path,
    planned: &'a Planned,
    questions: &'a [Question],
) -> Result<Resolved<'a>> {
    let refused = |message: String| refusal(out, planned, &message);
    let question = questions.iter().find(|question| question.level == planned.level).ok_or_else(|| {
        refused(format!("level: expected one that this program knows, got {}", planned.level))
    })?;
    let words = std::iter::once("sweep").chain(planned.arguments.iter().map(String::as_str));
    let flags = Flags::try_parse_from(words).map_err(|error| {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        refused(format!("arguments: {}", line.strip_prefix("error: ").unwrap_or(line)))
    })?;
    let mut recipe = question.recipe.clone();
    flags.apply(&mut recipe)?;
    Ok(Resolved { planned, question, flags, recipe })
}

impl Resolved<'_> {
    /// Refuses to make another run than the one that was planned.
    ///
    /// # Errors
    /// `Error::Data` where its rows are others now; `Error::Record` where the program's own settings are; as
    /// [`notebook::rows`].
    pub(super) fn check_unchanged(&self, out: &Path) -> Result<()> {
        let Resolved { planned, question, flags, recipe } = self;
        let rows = notebook::rows(flags, question.level, question.rows)?;
        if rows.sha256() != planned.rows_sha256 {
            return Err(Error::Data {
                path: rows_name(flags, question.level),
                row: None,
                message: format!(
                    "expected the rows that {} was planned with, SHA-256 {}, got {}; plan these into another --out",
                    planned.name,
                    planned.rows_sha256,
                    rows.sha256()
                ),
            });
        }
        let now = asked_sha256(question.level, flags, recipe, &planned.rows_sha256);
        if now != planned.sha256 {
            let message = format!(
                "sha256: expected {}, got {now}: the experiment's settings were changed since; plan again into another --out",
                planned.sha256
            );
            return Err(refusal(out, planned, &message));
        }
        Ok(())
    }

    /// Whether the run in `folder` is this one, and at its end.
    pub(super) fn is_done(&self, folder: &RunFolder) -> bool {
        folder.read().is_ok_and(|record| record.status == Status::Completed && self.is_of(&record))
    }

    /// Whether `record` is one of this run: of its level, settings and rows.
    pub(super) fn is_of(&self, record: &RunRecord) -> bool {
        record.level == self.planned.level
            && record.smoke == self.flags.smoke
            && record.recipe == self.recipe
            && record.dataset.sha256 == self.planned.rows_sha256
    }

    /// A hash that runs share which differ in their training seed alone.
    pub(super) fn without_seed(&self) -> String {
        let mut recipe = self.recipe.clone();
        recipe.train.seed = 0;
        asked_sha256(self.planned.level, &self.flags, &recipe, &self.planned.rows_sha256)
    }
}

/// SHA-256 of all that a run is asked for. Of the model it is the name: to know the weights they would have to be read.
pub(super) fn asked_sha256(level: Level, flags: &Flags, recipe: &Recipe, rows_sha256: &str) -> String {
    let lists: Vec<_> = flags.word_list.iter().map(|path| path.to_string_lossy()).collect();
    let asked = json!({
        "level": level,
        "smoke": flags.smoke,
        "recipe": recipe,
        "model": flags.model,
        "init_adapter": flags.init_adapter.as_deref().map(Path::to_string_lossy),
        "word_lists": lists,
        "rows_sha256": rows_sha256,
    });
    sha256::of(asked.to_string().as_bytes())
}

/// The rows as messages name them.
pub(super) fn rows_name(flags: &Flags, level: Level) -> String {
    match (&flags.data, &flags.train_file, &flags.eval_file) {
        (Some(path), ..) => path.display().to_string(),
        (None, Some(train), Some(evaluation)) => format!("{}, {}", train.display(), evaluation.display()),
        _ => format!("embedded:{}", level.slug()),
    }
}

fn refusal(out: &Path, planned: &Planned, message: &str) -> Error {
    Error::Record { path: Manifest::path(out), message: format!("runs[{}].{message}", planned.index) }
}

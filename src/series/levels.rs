//! Several levels, one after the other over one base model, and their comparison.

use super::{in_turn, is_interruption, matrix, seeds};
use crate::cli::Flags;
use crate::error::Result;
use crate::level::Level;
use crate::record::folder::{self, RunFolder};
use crate::record::levels::{self, CrossMatrix, LevelsRecord};
use crate::record::{RunRecord, Status, store};
use crate::report;
use crate::run::lock::Lock;
use crate::run::progress::Progress;
use crate::run::{Notebook, OpenedBase, Procedure, Question, rendering};
use std::path::{Path, PathBuf};

/// Answers all `questions` by `procedure`, and compares what is there.
///
/// # Errors
/// What is wrong with a flag, the model or any level's rows is said before the first training. A level that fails does
/// not keep the others from running: they are named at the end.
pub fn run(questions: &[Question], procedure: Procedure, flags: &Flags) -> anyhow::Result<()> {
    let reports = flags.out.clone().unwrap_or_else(|| PathBuf::from("reports"));
    let series = Series { procedure, flags, base: OpenedBase::new(flags), reports };
    let plans = series.checked(questions)?;
    if flags.dry_run {
        return plans.iter().try_for_each(|plan| series.one(plan).map(drop));
    }
    let mut records = Vec::new();
    let name = |plan: &Plan| plan.question.level.to_string();
    let failures = in_turn(&plans, &Progress::new(flags.quiet), name, |plan| {
        let outcome = series.one(plan);
        if outcome.as_ref().is_err_and(|error| !is_interruption(error)) {
            // A run that failed before its record was opened has left the one of an earlier run.
            let record = plan.notebook.folder.read().ok();
            records.extend(record.filter(|record| record.status == Status::Failed));
        }
        records.extend(outcome?);
        Ok(())
    })?;
    if let Some(first) = plans.first() {
        series.compare(&records, &first.notebook)?;
    }
    failures.answer(plans.len(), "levels")
}

/// What all levels of one call share.
struct Series<'a> {
    procedure: Procedure,
    flags: &'a Flags,
    base: OpenedBase,
    /// The folder of the levels' folders.
    reports: PathBuf,
}

/// One level, checked.
struct Plan<'a> {
    question: &'a Question,
    flags: Flags,
    notebook: Notebook,
}

impl Series<'_> {
    /// A wrong flag, model or row of the last level must not come to light after hours of the first four.
    fn checked<'q>(&self, questions: &'q [Question]) -> Result<Vec<Plan<'q>>> {
        let mut plans = Vec::new();
        for question in questions {
            let flags = self.flags.of_level(question.level, &self.reports, questions.len())?;
            let folder = RunFolder::of_level(&self.reports, question.level);
            let notebook = Notebook::open(question, self.procedure, &flags, folder, &self.base)?;
            if !flags.render_only {
                notebook.rows()?;
            }
            plans.push(Plan { question, flags, notebook });
        }
        if !self.flags.render_only {
            self.base.open()?;
        }
        Ok(plans)
    }

    /// Runs a level, which computes what is not done; its record, where there is one.
    fn one(&self, plan: &Plan) -> anyhow::Result<Option<RunRecord>> {
        let Plan { question: Question { level, .. }, flags, notebook } = plan;
        let (say, folder) = (|line: String| notebook.progress.say(&line), &notebook.folder);
        if flags.render_only && !folder.record().exists() {
            say(format!("{level}: no record in {}", folder.path().display()));
            return Ok(None);
        }
        say(level.to_string());
        seeds::run_over(plan.question, self.procedure, flags, &self.base)?;
        let read = || rendering::with_ratings(notebook.folder.read().ok()?, folder, &notebook.progress).ok();
        Ok(if flags.dry_run { None } else { read() })
    }

    /// Writes the comparison of the runs that came to their end.
    fn compare(&self, records: &[RunRecord], notebook: &Notebook) -> Result<()> {
        let progress = &notebook.progress;
        let completed = records.iter().filter(|record| record.status == Status::Completed).count();
        if completed < 2 {
            progress.say(&format!(
                "no comparison: it takes two finished levels, {} has {completed} of those asked for",
                self.reports.display()
            ));
            return Ok(());
        }
        let folder = folder::of_levels(&self.reports);
        let path = folder.join(folder::LEVELS_RECORD);
        let _lock = Lock::take(&RunFolder::new(&folder))?;
        let mut record = levels::compare(records, None)?;
        if let Some(cross) = self.cross(&record, &path, notebook)? {
            record = levels::compare(records, Some(cross))?;
        }
        store::write(&path, &record)?;
        let profile = self.flags.profile(&folder, None)?;
        let newest = record.levels.iter().map(|entry| entry.started_at.as_str()).max().unwrap_or_default();
        rendering::write(&report::render_levels(&record, &profile)?, &profile, newest, &folder, progress)?;
        progress.say(&summary(&record, &folder));
        Ok(())
    }

    /// Every adapter on every level, measured once: the matrix of an earlier comparison of these very runs is theirs.
    fn cross(&self, record: &LevelsRecord, path: &Path, notebook: &Notebook) -> Result<Option<CrossMatrix>> {
        let earlier = std::fs::read(path).ok();
        let earlier = earlier.and_then(|text| serde_json::from_slice::<LevelsRecord>(&text).ok());
        let is_theirs =
            |earlier: &LevelsRecord| earlier.schema == record.schema && earlier.levels == record.levels;
        let earlier = earlier.filter(is_theirs).and_then(|earlier| earlier.cross);
        let wants_texts = notebook.recipe.samples.count > 0 && !self.flags.render_only;
        if let Some(cross) = earlier.filter(|cross| cross.texts.is_some() || !wants_texts) {
            return Ok(Some(cross));
        }
        if self.flags.render_only {
            return Ok(None);
        }
        let say = |line: &str| notebook.progress.say(line);
        if !record.is_one_model() {
            say("no matrix of adapters and levels: the base models differ");
            return Ok(None);
        }
        let levels: Vec<Level> = record.levels.iter().map(|entry| entry.level).collect();
        Ok(Some(matrix::measured(&levels, notebook, &self.reports)?))
    }
}

/// Which levels were compared, and which were not.
fn summary(record: &LevelsRecord, folder: &Path) -> String {
    let list = |levels: Vec<Level>| levels.iter().map(Level::to_string).collect::<Vec<_>>().join(", ");
    let compared = list(record.levels.iter().map(|entry| entry.level).collect());
    let absent = record.missing.iter().copied().chain(record.excluded.iter().map(|run| run.level));
    let absent = list(absent.collect());
    let missing = if absent.is_empty() { String::new() } else { format!("; without {absent}") };
    format!("{}: {compared}{missing}", folder.display())
}

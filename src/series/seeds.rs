//! One run or, with `--seeds`, one for each training seed and their summary.

use super::expansion::{self, Member};
use super::{check, in_turn, one};
use crate::cli::Flags;
use crate::error::Result;
use crate::record::folder::RunFolder;
use crate::record::{RunRecord, repeated, store};
use crate::report::profile::Profile;
use crate::run::lock::Lock;
use crate::run::progress::Progress;
use crate::run::{OpenedBase, Procedure, Question, rendering};
use std::path::Path;

/// Answers `question` by `procedure`, as `flags` ask for it.
///
/// # Errors
/// As [`crate::run::Notebook::open`] and `procedure`; `Error::Setting` where the runs of several seeds cannot be
/// summarized.
pub fn run(question: &Question, procedure: Procedure, flags: &Flags) -> anyhow::Result<()> {
    run_over(question, procedure, flags, &OpenedBase::new(flags))
}

/// [`run`] over a base model that other runs share.
pub(super) fn run_over(
    question: &Question,
    procedure: Procedure,
    flags: &Flags,
    base: &OpenedBase,
) -> anyhow::Result<()> {
    let reports = || Path::new("reports").join(question.level.slug());
    let folder = RunFolder::new(flags.out.clone().unwrap_or_else(reports));
    if flags.seeds.is_empty() {
        return one(question, procedure, flags, folder, base);
    }
    flags.check_seeds()?;
    let mut runs = Vec::new();
    for (place, mut member) in
        expansion::members(&question.recipe, flags, &[Vec::new()])?.into_iter().enumerate()
    {
        // A seed that was not begun has nothing to resume.
        member.flags.resume &= place == 0;
        let own = if place == 0 { folder.clone() } else { folder.replicate(member.seed) };
        runs.push((member, own));
    }
    if let Some((member, own)) = runs.first() {
        check(question, procedure, &member.flags, own.clone(), base)?;
    }
    let progress = Progress::new(flags.quiet);
    let mut finished = Vec::new();
    let name = |(member, _): &(Member, RunFolder)| format!("seed {}", member.seed);
    let failures = in_turn(&runs, &progress, name, |run| {
        progress.say(&name(run));
        let (member, own) = run;
        one(question, procedure, &member.flags, own.clone(), base)?;
        finished.push(own);
        Ok(())
    })?;
    // The summary stands in the first seed's record: without that run it has no place.
    if finished.len() > 1 && *finished[0] == folder {
        let records = finished.iter().map(|own| own.read()).collect::<Result<Vec<_>>>()?;
        let profile = flags.profile(folder.path(), Some(question.level))?;
        summarize(&records, &folder, Documents::Rendered { profile: &profile, progress: &progress })?;
    }
    failures.answer(runs.len(), "seeds")
}

/// What becomes of the documents of a run whose record is given a summary.
pub(super) enum Documents<'a> {
    /// They stay as they are.
    Left,
    /// They speak of it.
    Rendered {
        /// How they are set.
        profile: &'a Profile,
        /// Who is told.
        progress: &'a Progress,
    },
}

/// Puts the summary of several seeds' `records` into the record of the first of them, which lies in `folder`, and into
/// `replicates.json` beside it.
///
/// # Errors
/// As [`repeated::summarize`]; `Error::Locked` where another process runs into the folder; `Error::File` where something
/// cannot be written.
pub(super) fn summarize(records: &[RunRecord], folder: &RunFolder, documents: Documents) -> Result<()> {
    let replicates = repeated::summarize(records)?;
    let _lock = Lock::take(folder)?;
    let mut record = folder.read()?;
    let stands = record.replicates.as_ref() == Some(&replicates) && folder.replicates().exists();
    if !stands {
        store::write(&folder.replicates(), &replicates)?;
        record.replicates = Some(replicates);
    }
    if let Documents::Rendered { profile, progress } = documents {
        rendering::render(&record, profile, folder, progress)?;
    }
    // The record last: as long as it is without the summary, the next call does it all again.
    if stands { Ok(()) } else { store::write(&folder.record(), &record) }
}

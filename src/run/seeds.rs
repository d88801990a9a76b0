//! One run or, with `--seeds`, one for each training seed and their summary.

use super::base::OpenedBase;
use super::lock::Lock;
use super::notebook::Notebook;
use super::progress::Progress;
use super::{Procedure, Question, rendering};
use crate::cli::Flags;
use crate::error::Result;
use crate::record::folder::RunFolder;
use crate::record::{RunRecord, repeated, store};
use std::path::Path;

/// Answers `question` by `procedure`, as `flags` ask for it.
///
/// # Errors
/// As [`Notebook::open`] and `procedure`; `Error::Setting` where the runs of several seeds cannot be summarized.
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
        let notebook = Notebook::open(question, procedure, flags, folder, base)?;
        return match flags.render_only {
            true => Ok(notebook.render_again()?),
            false => (procedure.cells)(notebook),
        };
    }
    let mut folders = vec![folder.clone()];
    one_seed(question, procedure, flags, folder.clone(), base)?;
    // The first seed is that of the run itself, see `Flags::apply`.
    for seed in flags.seeds.iter().skip(1) {
        // A seed that was not begun has nothing to resume.
        let mut flags = Flags { seeds: Vec::new(), resume: false, ..flags.clone() };
        flags.settings.push(format!("train.seed={seed}"));
        folders.push(folder.replicate(*seed));
        one_seed(question, procedure, &flags, folder.replicate(*seed), base)?;
    }
    let records = folders.iter().map(RunFolder::read).collect::<Result<Vec<_>>>()?;
    Ok(summarize(records, question, flags, &folder)?)
}

fn one_seed(
    question: &Question,
    procedure: Procedure,
    flags: &Flags,
    folder: RunFolder,
    base: &OpenedBase,
) -> anyhow::Result<()> {
    let notebook = Notebook::open(question, procedure, flags, folder, base)?;
    notebook.progress.say(&format!("seed {}", notebook.recipe.train.seed));
    (procedure.cells)(notebook)
}

/// Puts the summary of several seeds into the first one's record and documents, and into `replicates.json`.
fn summarize(
    mut records: Vec<RunRecord>,
    question: &Question,
    flags: &Flags,
    folder: &RunFolder,
) -> Result<()> {
    let replicates = repeated::summarize(&records)?;
    let _lock = Lock::take(folder)?;
    store::write(&folder.replicates(), &replicates)?;
    let mut record = records.swap_remove(0);
    record.replicates = Some(replicates);
    store::write(&folder.record(), &record)?;
    let profile = flags.profile(folder.path(), Some(question.level))?;
    rendering::render(&record, &profile, folder, &Progress::new(flags.quiet)).map(drop)
}

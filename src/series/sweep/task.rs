//! One run of a sweep, by its index: what an element of a job array makes, and a child of `--jobs`. It is the run that its
//! arguments make directly, in its own folder.

use super::super::one;
use super::manifest::{Manifest, Planned};
use super::prune::{Keep, prune};
use super::resolved::{Resolved, resolve};
use crate::error::{Error, Result};
use crate::run::progress::Progress;
use crate::run::{OpenedBase, Procedure, Question};
use std::path::Path;

/// What all runs of one call share.
pub(super) struct Sweep<'a> {
    pub(super) out: &'a Path,
    pub(super) manifest: &'a Manifest,
    pub(super) questions: &'a [Question],
    pub(super) procedure: Procedure,
    pub(super) base: &'a OpenedBase,
    pub(super) keep: Keep,
}

/// Makes the run at `index` of the sweep in `out`, unless it is done.
///
/// # Errors
/// `Error::Record` where no such sweep was planned, `Error::Setting` where it has no such run; `Error::Data` where the run's rows
/// are not those that it was planned with; `Error::File` where the folder it was planned in is gone; as the run itself.
pub fn task(
    out: &Path,
    index: usize,
    questions: &[Question],
    procedure: Procedure,
    keep: Keep,
) -> anyhow::Result<()> {
    // Before the folder of the process is another one.
    let out = std::path::absolute(out).map_err(|error| Error::file(out, error))?;
    let manifest = super::planned(&out)?;
    let Some(planned) = manifest.runs.get(index) else {
        let message = format!("expected one of the {} runs, from 0, got {index}", manifest.runs.len());
        return Err(Error::Setting { key: "index".into(), message }.into());
    };
    enter(&manifest.directory)?;
    let resolved = resolve(&out, planned, questions)?;
    resolved.check_unchanged(&out)?;
    let base = OpenedBase::new(&resolved.flags);
    let progress = Progress::new(resolved.flags.quiet);
    Sweep { out: &out, manifest: &manifest, questions, procedure, base: &base, keep }
        .make(&resolved, &progress)
}

/// Goes to where the sweep was planned: relative paths among the arguments start there.
///
/// # Errors
/// `Error::File` where it is gone.
pub(super) fn enter(directory: &Path) -> Result<()> {
    std::env::set_current_dir(directory).map_err(|error| Error::file(directory, error))
}

impl Sweep<'_> {
    /// Those of `indices` that are not done. Of the others the rest is removed that is not to be kept.
    ///
    /// # Errors
    /// As [`resolve`] and [`prune`].
    pub(super) fn pending(&self, indices: &[usize], progress: &Progress) -> Result<Vec<usize>> {
        let mut pending = Vec::new();
        for &index in indices {
            let planned = &self.manifest.runs[index];
            match resolve(self.out, planned, self.questions)?.is_done(&planned.folder(self.out)) {
                true => self.clear(planned, progress)?,
                false => pending.push(index),
            }
        }
        Ok(pending)
    }

    /// Makes a run that is not done.
    ///
    /// # Errors
    /// As [`one`] and [`prune`].
    pub(super) fn make(&self, resolved: &Resolved, progress: &Progress) -> anyhow::Result<()> {
        let Resolved { planned, question, flags, .. } = resolved;
        let folder = planned.folder(self.out);
        match resolved.is_done(&folder) {
            true => progress.say(&format!("{}: done already", planned.name)),
            false => one(question, self.procedure, flags, folder, self.base)?,
        }
        Ok(self.clear(planned, progress)?)
    }

    /// Removes what a finished run is not to keep.
    fn clear(&self, planned: &Planned, progress: &Progress) -> Result<()> {
        if self.keep == Keep::All {
            return Ok(());
        }
        let freed = prune(&planned.folder(self.out))?;
        if freed > 0 {
            progress.say(&format!("{}: {freed} bytes freed, the adapter is kept", planned.name));
        }
        Ok(())
    }
}

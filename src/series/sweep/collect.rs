//! From the runs' folders to what the settings did: `tarama.json`, the documents, and in the first seed's record of every
//! combination the summary over its seeds.

use super::super::seeds::{self, Documents};
use super::manifest::Manifest;
use super::resolved::{Resolved, resolve};
use super::task::enter;
use crate::cli::{self, Flags};
use crate::error::{Error, Result};
use crate::record::folder::{self, RunFolder};
use crate::record::sweep::{self, Assignment, SweepRun};
use crate::record::{RunRecord, Status, store};
use crate::report;
use crate::run::lock::Lock;
use crate::run::progress::Progress;
use crate::run::{Question, rendering};
use clap::Parser;
use std::path::Path;

/// Whose documents are set again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rerender {
    /// The sweep's own alone.
    Sweep,
    /// Those of the runs too whose records got a summary: a second or two a run.
    Runs,
}

/// Puts the runs of the sweep in `out` side by side, finished or not, and writes what they say. The documents are set as
/// `profile` names it, else as [`Flags::profile`] has it. With [`Rerender::Runs`] the documents of every combination's first
/// run are set again too, since its record has got the summary over the seeds.
///
/// # Errors
/// `Error::Record` where no sweep was planned there; as [`sweep::collect`] and [`report::render`]; `Error::Locked` where it is being
/// planned or collected by another process; `Error::File` where something cannot be written.
pub fn collect(out: &Path, questions: &[Question], profile: Option<&str>, rerender: Rerender) -> Result<()> {
    let out = std::path::absolute(out).map_err(|error| Error::file(out, error))?;
    let manifest = super::planned(&out)?;
    let given = profile.map(cli::profile).transpose()?;
    // A folder that was brought here from a cluster is collected without the cluster's paths.
    if manifest.directory.is_dir() {
        enter(&manifest.directory)?;
    }
    let _lock = Lock::hold(&RunFolder::new(&out))?;
    let progress = Progress::new(false);
    let runs: Vec<Resolved> =
        manifest.runs.iter().map(|planned| resolve(&out, planned, questions)).collect::<Result<_>>()?;
    let records: Vec<Option<RunRecord>> = runs.iter().map(|run| record_of(run, &out, &progress)).collect();
    summarize_seeds(&out, &runs, &records, rerender, &progress)?;

    let moment = records.iter().flatten().map(|record| record.environment.started_at.clone()).max();
    let planned: Vec<(SweepRun, Option<RunRecord>)> = side_by_side(&manifest, &runs).zip(records).collect();
    let record = sweep::collect(&planned)?;
    store::write(&out.join(folder::SWEEP_RECORD), &record)?;
    let profile = match given {
        Some(profile) => profile,
        None => Flags::parse_from(["sweep"]).profile(&out, None)?,
    };
    let report = report::render_sweep(&record, &profile)?;
    rendering::write(&report, &profile, &moment.unwrap_or_default(), &out, &progress)?;
    let finished = record.runs.iter().filter(|run| run.status == Some(Status::Completed)).count();
    let names: Vec<&str> = report.documents.iter().map(|document| document.file_name.as_str()).collect();
    progress.say(&format!(
        "{}: {finished} of {} runs finished; {}, {} charts",
        out.display(),
        record.runs.len(),
        names.join(", "),
        report.charts.len()
    ));
    Ok(())
}

/// The record of a run, without its texts: of a thousand runs they would fill the memory, and nothing here is read from
/// them. None where the run was not begun, or its folder holds another.
fn record_of(run: &Resolved, out: &Path, progress: &Progress) -> Option<RunRecord> {
    let folder = run.planned.folder(out);
    if !folder.record().exists() {
        return None;
    }
    match folder.read() {
        Ok(record) if run.is_of(&record) => {
            Some(RunRecord { texts: None, samples: Vec::new(), ratings: None, ..record })
        }
        Ok(_) => {
            progress.say(&format!("{}: its folder holds another run, left out", run.planned.name));
            None
        }
        Err(error) => {
            progress.say(&format!("{}: left out, {error}", run.planned.name));
            None
        }
    }
}

/// The planned runs with the value of every setting that any of them was planned with, as the recipe prints it: a list that
/// has grown by a setting says nothing of it in its first runs.
fn side_by_side(manifest: &Manifest, runs: &[Resolved]) -> impl Iterator<Item = SweepRun> {
    let mut paths: Vec<&str> = Vec::new();
    for assignment in manifest.runs.iter().flat_map(|planned| &planned.settings) {
        if !paths.contains(&assignment.path.as_str()) {
            paths.push(&assignment.path);
        }
    }
    runs.iter().map(move |Resolved { planned, recipe, .. }| {
        let printed = recipe.settings();
        let value = |path: &&str| {
            let (path, value) = printed.iter().find(|(known, _)| known == path)?;
            Some(Assignment { path: path.clone(), value: value.clone() })
        };
        SweepRun {
            name: planned.name.clone(),
            level: planned.level,
            seed: planned.seed,
            settings: paths.iter().filter_map(value).collect(),
            status: None,
            result: None,
        }
    })
}

/// Summarizes the finished runs that differ in their seed alone, where the first of them that was planned is among them: in
/// its record the summary stands.
///
/// # Errors
/// As [`seeds::summarize`], but for runs that cannot be summarized or are at work: they are named.
fn summarize_seeds(
    out: &Path,
    runs: &[Resolved],
    records: &[Option<RunRecord>],
    rerender: Rerender,
    progress: &Progress,
) -> Result<()> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for (place, run) in runs.iter().enumerate() {
        let key = run.without_seed();
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, places)) => places.push(place),
            None => groups.push((key, vec![place])),
        }
    }
    let finished =
        |place: &usize| records[*place].as_ref().filter(|record| record.status == Status::Completed);
    for (_, places) in &groups {
        let of_group: Vec<RunRecord> = places.iter().filter_map(finished).cloned().collect();
        if of_group.len() < 2 || finished(&places[0]).is_none() {
            continue;
        }
        let Resolved { planned, flags, .. } = &runs[places[0]];
        let folder = planned.folder(out);
        let profile = flags.profile(folder.path(), Some(planned.level))?;
        let documents = match rerender {
            Rerender::Sweep => Documents::Left,
            Rerender::Runs => Documents::Rendered { profile: &profile, progress },
        };
        match seeds::summarize(&of_group, &folder, documents) {
            Err(error @ (Error::Setting { .. } | Error::Locked { .. })) => {
                progress.say(&format!("{}: no summary over its seeds, {error}", planned.name));
            }
            summarized => summarized?,
        }
    }
    Ok(())
}

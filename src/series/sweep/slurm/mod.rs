//! A sweep on Slurm: one job array, an element a run. What runs when is Slurm's to decide.
//!
//! ```text
//! OUT/slurm/job.sh        the script, written anew by each call
//! OUT/slurm/jobs.jsonl    what was submitted
//! OUT/slurm/logs/3.log    what the run at index 3 printed, all its starts
//! ```
//! The promises rest on what a run does by itself: at SIGTERM it saves and exits with 143, and the same call goes on. The script adds
//! the signal before the time limit (`--signal=B:USR1@N`) and the requeue after it. Source: Slurm's manual pages sbatch, scontrol and
//! squeue, and `.ci/slurm-check`, which tries all of it.

mod time;
mod settings;
mod script;
pub(super) mod jobs;
pub(super) mod queue;

pub use settings::Settings;

use super::manifest::Manifest;
use crate::error::{Error, Result};
use crate::record::{environment, store};
use std::path::{Path, PathBuf};

/// Writes the script that runs the runs at `indices` of the sweep in `out`, and gives its place.
///
/// # Errors
/// `Error::Setting` for a path that cannot stand in a script, or where no run is asked for; `Error::File` where it cannot be written.
pub fn write(out: &Path, manifest: &Manifest, indices: &[usize], settings: &Settings) -> Result<PathBuf> {
    let (path, logs) = (folder(out).join("job.sh"), logs(out));
    let text = script::text(out, &logs, manifest, indices, settings)?;
    // Slurm makes no folders: a task whose log has none does not begin.
    std::fs::create_dir_all(&logs).map_err(|error| Error::file(&logs, error))?;
    store::write_file(&path, text.as_bytes())?;
    make_executable(&path)?;
    Ok(path)
}

/// Submits `script` of the sweep in `out`, keeps which runs it is about, and gives the job's number.
///
/// # Errors
/// `Error::Setting` with Slurm's own words where it takes no such job, or where there is no Slurm; `Error::File` where the submission
/// cannot be kept.
pub fn submit(out: &Path, script: &Path, indices: &[usize]) -> Result<String> {
    let refused = |message: String| Error::Setting { key: "submit".into(), message };
    if let Some(message) = too_long(indices) {
        return Err(refused(message));
    }
    let script = script.to_string_lossy();
    let said = queue::output("sbatch", &["--parsable", &script])
        .map_err(|said| refused(format!("expected sbatch to take {script}, got: {said}")))?;
    // `7`, or `7;cluster`.
    let number = said.trim().split(';').next().unwrap_or_default();
    let job = number.parse::<u64>().map_err(|_| {
        refused(format!("expected a job's number of sbatch, got '{}'", said.trim().escape_debug()))
    })?;
    let submitted_at = environment::now();
    jobs::append(out, &jobs::Submission { job, indices: indices.to_vec(), submitted_at })?;
    Ok(number.to_string())
}

/// Slurm's own message about an index that its arrays do not reach names no limit.
fn too_long(indices: &[usize]) -> Option<String> {
    let largest = indices.iter().max()?;
    let limit = array_limit(&queue::output("scontrol", &["show", "config"]).ok()?)?;
    (*largest >= limit).then(|| {
        format!(
            "expected indices below {limit}, this Slurm's MaxArraySize, got {largest}: plan the rest in a sweep with another --out"
        )
    })
}

/// `MaxArraySize            = 1001`.
fn array_limit(config: &str) -> Option<usize> {
    let mut pairs = config.lines().filter_map(|line| line.split_once('='));
    pairs.find(|(key, _)| key.trim() == "MaxArraySize")?.1.trim().parse().ok()
}

/// What one run printed in its tasks.
pub(super) fn log(out: &Path, index: usize) -> PathBuf {
    logs(out).join(format!("{index}.log"))
}

fn logs(out: &Path) -> PathBuf {
    folder(out).join("logs")
}

fn folder(out: &Path) -> PathBuf {
    out.join("slurm")
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(path, permissions).map_err(|error| Error::file(path, error))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three lines of `scontrol show config` of Slurm 22.05.8.
    #[test]
    fn the_limit_of_an_array_is_read_as_slurm_prints_it() {
        let config = "LaunchParameters        = (null)\nMaxArraySize            = 1001\nMaxDBDMsgs              = 20008\n";
        assert_eq!(array_limit(config), Some(1001));
        assert_eq!(array_limit("Configuration data as of 2026-11-27\n"), None);
    }
}

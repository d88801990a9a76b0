//! The script of a job array: `templates/sweep/job.sh.j2` with the sweep's paths and the settings in it.
//!
//! Slurm reads the lines `#SBATCH`, where a path stands between double quotes; bash reads the rest, where it stands between
//! single ones.

use super::super::manifest::Manifest;
use super::settings::Settings;
use crate::error::{Error, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};
use std::path::Path;

const NAME: &str = "job.sh.j2";
const TEMPLATE: &str = include_str!("../../../../templates/sweep/job.sh.j2");

/// The script that runs the runs at `indices` of the sweep in `out`; their output goes to `logs`.
///
/// # Errors
/// `Error::Setting` for a path that cannot stand in a script, and where no run is asked for; `Error::File` where the program does not
/// know its own place; `Error::Report` where the template is at fault.
pub(super) fn text(
    out: &Path,
    logs: &Path,
    manifest: &Manifest,
    indices: &[usize],
    settings: &Settings,
) -> Result<String> {
    if indices.is_empty() {
        let message = "expected a run that is not done, got none: there is nothing to submit".into();
        return Err(Error::Setting { key: "engine".into(), message });
    }
    let own = || std::env::current_exe().map_err(|error| Error::file("the program itself", error));
    let program = settings.program.clone().map_or_else(own, Ok)?;
    let mut command: Vec<String> = settings.launcher.iter().map(|word| quoted(word)).collect();
    // A program that is found in PATH, or in a container, has no folder here.
    command.push(match program.components().count() > 1 {
        true => quoted(&absolute(&program, "program")?),
        false => quoted(&program.to_string_lossy()),
    });
    let out = absolute(out, "out")?;
    let view = context! {
        name => job_name(Path::new(&out)),
        array => array(indices, settings),
        directory => in_directive(&absolute(&manifest.directory, "out")?)?,
        // %a and its like are the only words that Slurm replaces in a log's name.
        logs => in_directive(&absolute(logs, "out")?.replace('%', "%%"))?,
        signal_seconds => settings.signal_seconds,
        options => settings.options(),
        modules => settings.modules.iter().map(|module| quoted(module)).collect::<Vec<_>>(),
        prologue => settings.prologue.trim_end(),
        offline => settings.offline,
        command => command.join(" "),
        out => quoted(&out),
        arguments => settings.task_arguments.iter().map(|word| format!(" {}", quoted(word))).collect::<String>(),
    };
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    let mut environment = Environment::new();
    environment.set_syntax(syntax.map_err(|error| fault(&error))?);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_template(NAME, TEMPLATE).map_err(|error| fault(&error))?;
    let template = environment.get_template(NAME).map_err(|error| fault(&error))?;
    template.render(view).map_err(|error| fault(&error))
}

fn fault(error: &minijinja::Error) -> Error {
    let message = error.detail().map_or_else(|| error.kind().to_string(), str::to_string);
    Error::Report(format!("templates/sweep/{NAME}, line {}: {message}", error.line().unwrap_or(0)))
}

/// Indices as `--array` takes them, with the number that may run at once: `0-3,7%4`.
fn array(indices: &[usize], settings: &Settings) -> String {
    let limit = settings.at_once.map(|count| format!("%{count}")).unwrap_or_default();
    format!("{}{limit}", compressed(indices))
}

/// `0-3,7`: Slurm's own way to write a set.
fn compressed(indices: &[usize]) -> String {
    let mut sorted = indices.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let ranges = sorted.chunk_by(|one, next| one + 1 == *next).map(|range| match range {
        [first, .., last] => format!("{first}-{last}"),
        [alone] => alone.to_string(),
        [] => String::new(),
    });
    ranges.collect::<Vec<_>>().join(",")
}

/// What the queue shows: the name of the sweep's folder.
fn job_name(out: &Path) -> String {
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
    format!("tezgah-{}", name.replace(|letter: char| !plain(letter), "+"))
}

fn absolute(path: &Path, key: &str) -> Result<String> {
    let path = std::path::absolute(path).map_err(|error| Error::file(path, error))?;
    let fits = |text: &&str| !text.contains(char::is_control);
    let message = || format!("expected a path of UTF-8 in one line, got {path:?}");
    let text = path.to_str().filter(fits);
    Ok(text.ok_or_else(|| Error::Setting { key: key.into(), message: message() })?.to_string())
}

/// A path that can stand between the quotes of a line `#SBATCH`.
fn in_directive(path: &str) -> Result<&str> {
    match path.contains(['"', '\\']) {
        true => Err(Error::Setting {
            key: "out".into(),
            message: format!("expected a path without \" and \\, which sbatch reads as its own, got {path}"),
        }),
        false => Ok(path),
    }
}

/// One word of a shell, whatever it holds.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroU32;
    use std::process::Command;

    fn script(out: &str, indices: &[usize], settings: &Settings) -> Result<String> {
        let manifest = Manifest { schema: 1, directory: "/veri/tez 1".into(), runs: Vec::new() };
        text(Path::new(out), &Path::new(out).join("slurm/logs"), &manifest, indices, settings)
    }

    #[test]
    fn indices_are_written_as_slurm_writes_them() {
        assert_eq!(compressed(&[7, 0, 1, 3, 2, 3]), "0-3,7");
        assert_eq!(compressed(&[5]), "5");
        assert_eq!(compressed(&[0, 2, 4, 5]), "0,2,4-5");
        let settings = Settings { at_once: NonZeroU32::new(4), ..Settings::default() };
        assert_eq!(array(&[0, 1, 9], &settings), "0-1,9%4");
    }

    /// Slurm 22.05.8 was given such lines: the log lay in the folder with a blank and a percent sign in its name.
    #[test]
    fn paths_are_quoted_for_slurm_and_for_the_shell() {
        let settings = Settings { program: Some("/opt/it's/sweep".into()), ..Settings::default() };
        let text = script("/arf/out dir 50%", &[0], &settings).expect("a script");
        assert!(text.starts_with("#!/bin/bash\n"), "{text}");
        assert!(text.contains("\n#SBATCH --chdir=\"/veri/tez 1\"\n"), "{text}");
        assert!(text.contains("\n#SBATCH --output=\"/arf/out dir 50%%/slurm/logs/%a.log\"\n"), "{text}");
        assert!(
            text.contains("'/opt/it'\\''s/sweep' task '/arf/out dir 50%' \"$SLURM_ARRAY_TASK_ID\" &\n"),
            "{text}"
        );
        assert!(text.contains("\n#SBATCH --job-name=tezgah-out+dir+50+\n"), "{text}");
        let error = script("/a\"b", &[0], &settings).expect_err("a quote").to_string();
        assert!(error.starts_with("setting out: ") && error.contains("/a\"b"), "{error}");
        assert!(script("/a", &[], &settings).is_err(), "nothing to run");
    }

    /// Whatever the settings are, no bash finds fault with the script.
    #[test]
    fn bash_reads_every_script() {
        let example = "time = \"8:00:00\"\nmodules = [\"lib/cuda/12.4\"]\noffline = true\nat_once = 2\ncpus_per_task = 4\n\
                       launcher = [\"apptainer\", \"exec\", \"it's.sif\"]\nprogram = \"sweep\"\nprologue = \"umask 022\\n\"\n";
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("slurm.toml");
        std::fs::write(&file, example).expect("written");
        let full = Settings::read(Some(&file)).expect("settings");
        let keeping =
            Settings { task_arguments: vec!["--keep".into(), "best".into()], ..Settings::default() };
        let text = script("/a", &[0], &keeping).expect("a script");
        assert!(text.contains(" task '/a' \"$SLURM_ARRAY_TASK_ID\" '--keep' 'best' &\n"), "{text}");
        for settings in [Settings::default(), full.clone()] {
            let text = script("/arf/şema's", &[0, 1, 5], &settings).expect("a script");
            let path = folder.path().join("job.sh");
            std::fs::write(&path, &text).expect("written");
            let output = Command::new("bash").arg("-n").arg(&path).output().expect("bash");
            assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
            assert!(!text.contains("\n\n\n"), "{text}");
        }
        let text = script("/a", &[0], &full).expect("a script");
        for line in [
            "#!/bin/bash -l",
            "#SBATCH --array=0%2",
            "#SBATCH --time=8:00:00",
            "#SBATCH --cpus-per-task=4",
            "module load 'lib/cuda/12.4' || exit",
            "umask 022",
            "export HF_HUB_OFFLINE=1",
            "'apptainer' 'exec' 'it'\\''s.sif' 'sweep' task '/a' \"$SLURM_ARRAY_TASK_ID\" &",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }
}

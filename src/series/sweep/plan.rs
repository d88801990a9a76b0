//! The list of a sweep's runs: levels x values of settings x training seeds, and how it grows.
//!
//! ```text
//! --levels a1,b1 --vary lora.rank=16,128 --seeds 3407,1
//!   a1-lora.rank-16-seed-3407   a1-lora.rank-16-seed-1   a1-lora.rank-128-seed-3407   ...   b1-lora.rank-128-seed-1
//! ```

use super::super::expansion;
use super::manifest::{Manifest, Planned, SCHEMA};
use super::resolved::asked_sha256;
use crate::cli::Flags;
use crate::error::{Error, Result};
use crate::level::Level;
use crate::model::files::source::ModelSource;
use crate::record::folder::RunFolder;
use crate::record::store;
use crate::record::sweep::Assignment;
use crate::run::lock::Lock;
use crate::run::{Question, notebook};
use std::path::Path;

/// Runs of one call, at most: some thousands are all that a scheduler takes.
const MOST_RUNS: usize = 10_000;

/// A setting that varies, as it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Axis {
    path: String,
    values: Vec<String>,
}

impl Axis {
    /// `lora.rank=16,128`. In a setting that is a list, `+` joins the parts of one value:
    /// `lora.target_modules=q_proj,q_proj+v_proj`.
    ///
    /// # Errors
    /// `Error::Setting` where it has another form, for a value that comes twice, and for the training seed.
    fn parse(typed: &str) -> Result<Axis> {
        let Some((path, values)) = typed.split_once('=') else {
            return Err(refused("vary", format!("expected PATH=VALUE,VALUE, got '{typed}'")));
        };
        let path = path.trim().to_string();
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_string()).collect();
        if path == "train.seed" {
            let message = format!("expected another setting than {path}: give --seeds {}", values.join(","));
            return Err(refused("vary", message));
        }
        if values.iter().any(String::is_empty) {
            return Err(refused("vary", format!("expected values with text in them, got '{typed}'")));
        }
        match values.iter().enumerate().find(|(place, value)| values[..*place].contains(value)) {
            Some((_, value)) => {
                Err(refused("vary", format!("expected each value of {path} once, got {value} twice")))
            }
            None => Ok(Axis { path, values }),
        }
    }
}

/// Plans what `flags` ask of `questions`, once with each combination of the values of `vary`, and puts it into the manifest
/// of the sweep in `out`. Gives the manifest and the indices of the runs that were asked for.
///
/// # Errors
/// `Error::Setting` for a flag that no sweep takes, a setting or a value that no recipe has, and runs that could not be told
/// apart; as [`Flags::of_level`] and [`notebook::rows`]; `Error::Record` for a manifest that is none.
pub(super) fn plan(
    out: &Path,
    questions: &[Question],
    flags: &Flags,
    vary: &[String],
) -> Result<(Manifest, Vec<usize>)> {
    check_flags(flags)?;
    let axes = vary.iter().map(|typed| Axis::parse(typed)).collect::<Result<Vec<_>>>()?;
    if let Some((_, axis)) = axes
        .iter()
        .enumerate()
        .find(|(place, axis)| axes[..*place].iter().any(|other| other.path == axis.path))
    {
        return Err(refused("vary", format!("expected each setting once, got {} twice", axis.path)));
    }
    let sizes = axes.iter().map(|axis| axis.values.len()).chain([questions.len(), flags.seeds.len().max(1)]);
    let runs = sizes.fold(1, usize::saturating_mul);
    if runs > MOST_RUNS {
        return Err(refused("vary", format!("expected at most {MOST_RUNS} runs, got {runs}")));
    }
    let combinations = combinations(&axes);
    let mut wanted = Vec::new();
    for question in questions {
        let own = flags.of_level(question.level, out, questions.len())?;
        wanted.extend(of_level(question, &own, &combinations)?);
    }
    check_apart(&wanted)?;
    store::check_writable(out)?;
    // Not `Lock::take`: the folders of runs that are at work lie in this one.
    let _lock = Lock::hold(&RunFolder::new(out))?;
    let directory = std::env::current_dir().map_err(|error| Error::file(".", error))?;
    let earlier = Manifest::read(out)?;
    let mut manifest = earlier.clone().unwrap_or(Manifest { schema: SCHEMA, directory, runs: Vec::new() });
    check_directory(out, &manifest)?;
    let indices = merge(out, &mut manifest, wanted)?;
    if earlier.as_ref() != Some(&manifest) {
        manifest.write(out)?;
    }
    Ok((manifest, indices))
}

/// The planned runs of one level; their indices are not known yet.
fn of_level(question: &Question, flags: &Flags, combinations: &[Vec<Assignment>]) -> Result<Vec<Planned>> {
    let members = expansion::members(&question.recipe, flags, combinations)?;
    let rows = notebook::rows(flags, question.level, question.rows)?;
    let planned = |member: expansion::Member| {
        Ok(Planned {
            index: 0,
            name: name(question.level, &member.settings, member.seed),
            level: question.level,
            seed: member.seed,
            settings: member.settings,
            arguments: member.flags.arguments()?,
            rows_sha256: rows.sha256().to_string(),
            sha256: asked_sha256(question.level, &member.flags, &member.recipe, rows.sha256()),
        })
    };
    members.into_iter().map(planned).collect()
}

/// Every combination of the axes' values, the last axis changing fastest; one without any where there is no axis.
fn combinations(axes: &[Axis]) -> Vec<Vec<Assignment>> {
    let mut combinations = vec![Vec::new()];
    for Axis { path, values } in axes {
        let with = |before: &Vec<Assignment>, value: &String| {
            let assignment = Assignment { path: path.clone(), value: value.clone() };
            [before.as_slice(), &[assignment]].concat()
        };
        combinations = combinations
            .iter()
            .flat_map(|before| values.iter().map(move |value| with(before, value)))
            .collect();
    }
    combinations
}

/// `a1-lora.rank-16-seed-3407`; what is no part of a plain file name becomes `+`.
fn name(level: Level, settings: &[Assignment], seed: u64) -> String {
    let settings = settings.iter().map(|Assignment { path, value }| format!("-{path}-{value}"));
    let name = format!("{}{}-seed-{seed}", level.slug(), settings.collect::<String>());
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
    name.chars().map(|letter| if is_plain(letter) { letter } else { '+' }).collect()
}

/// Refuses two runs of one call that are the same, or whose folders would be.
fn check_apart(wanted: &[Planned]) -> Result<()> {
    for (place, run) in wanted.iter().enumerate() {
        let is_like = |other: &&Planned| other.sha256 == run.sha256 || other.name == run.name;
        if let Some(other) = wanted[..place].iter().find(is_like) {
            return Err(refused(
                "vary",
                format!(
                    "expected runs that differ, also in their names, got {} and {}",
                    other.name, run.name
                ),
            ));
        }
    }
    Ok(())
}

/// Puts `wanted` into the manifest. A run that it has keeps its index, its folder and its name; its arguments are those that
/// were given last, since device and typography are no part of what a run is.
fn merge(out: &Path, manifest: &mut Manifest, wanted: Vec<Planned>) -> Result<Vec<usize>> {
    let mut indices = Vec::new();
    for run in wanted {
        if let Some(known) = manifest.runs.iter_mut().find(|known| known.sha256 == run.sha256) {
            indices.push(known.index);
            known.arguments = run.arguments;
            continue;
        }
        if manifest.runs.iter().any(|other| other.name == run.name) {
            let message = format!(
                "{} is planned in {} with other rows, settings or another model; give another --out",
                run.name,
                out.display()
            );
            return Err(refused("out", message));
        }
        let index = manifest.runs.len();
        indices.push(index);
        manifest.runs.push(Planned { index, ..run });
    }
    Ok(indices)
}

/// A sweep goes on by itself, and its documents are `collect`'s.
fn check_flags(flags: &Flags) -> Result<()> {
    let none = [
        ("resume", flags.resume, "every call goes on with what is not done"),
        ("fresh", flags.fresh, "remove a run's folder to begin it anew"),
        ("render-only", flags.render_only, "`sweep collect OUT` renders"),
        ("dry-run", flags.dry_run, "a level's own experiment prints the arithmetic"),
    ];
    if let Some((key, _, instead)) = none.into_iter().find(|(_, is_given, _)| *is_given) {
        return Err(refused(key, format!("expected none with a sweep: {instead}")));
    }
    flags.model.parse::<ModelSource>().map(drop)
}

/// The relative paths of all runs start in one folder.
fn check_directory(out: &Path, manifest: &Manifest) -> Result<()> {
    let here = std::env::current_dir().map_err(|error| Error::file(".", error))?;
    if here == manifest.directory {
        return Ok(());
    }
    let message = format!(
        "{} was planned in {}, which relative paths start from: expected to be called there, got {}",
        out.display(),
        manifest.directory.display(),
        here.display()
    );
    Err(refused("out", message))
}

fn refused(key: &str, message: String) -> Error {
    Error::Setting { key: key.into(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_in_the_order_of_the_axes_and_named_by_their_values() {
        let axes = ["lora.rank=16,128", "lora.target_modules=q_proj,q_proj+v_proj"]
            .map(|typed| Axis::parse(typed).expect("an axis"));
        let names: Vec<String> = combinations(&axes).iter().map(|one| name(Level::A1, one, 7)).collect();
        assert_eq!(
            names,
            [
                "a1-lora.rank-16-lora.target_modules-q_proj-seed-7",
                "a1-lora.rank-16-lora.target_modules-q_proj+v_proj-seed-7",
                "a1-lora.rank-128-lora.target_modules-q_proj-seed-7",
                "a1-lora.rank-128-lora.target_modules-q_proj+v_proj-seed-7",
            ]
        );
        assert_eq!(combinations(&[]), vec![Vec::<Assignment>::new()]);
        let grouped = Axis::parse("data.group_by=field:a/../b").expect("an axis");
        assert_eq!(name(Level::B2, &combinations(&[grouped])[0], 1), "b2-data.group_by-field+a+..+b-seed-1");
    }
}

//! The plan beside its records: which settings vary, the value of each in every run, and what each run came to.

use super::{Assignment, Axis, RunResult, Selection, SweepRun};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::record::{RunRecord, Status};

/// A planned run with its record, where it has one.
type Planned = (SweepRun, Option<RunRecord>);

/// The settings that differ between the runs, and the runs with their values and results.
///
/// # Errors
/// `Error::Setting` for a value that neither the plan nor a record knows, for a finished record that is not of the run it stands
/// beside, and for two runs that are alike in everything that varies.
pub(super) fn laid_out(planned: &[Planned]) -> Result<(Vec<Axis>, Vec<SweepRun>)> {
    let recipe = planned.iter().find_map(|(_, record)| record.as_ref()).map(|record| &record.recipe);
    let mut paths: Vec<&str> = Vec::new();
    for assignment in planned.iter().flat_map(|(run, _)| &run.settings) {
        if !paths.contains(&assignment.path.as_str()) {
            paths.push(&assignment.path);
        }
    }
    let values: Vec<Vec<Assignment>> =
        planned.iter().map(|of| values_of(of, &paths, recipe)).collect::<Result<_>>()?;
    let axes: Vec<Axis> = (0..paths.len())
        .map(|place| {
            let mut of_runs: Vec<String> = values.iter().map(|values| values[place].value.clone()).collect();
            sort(&mut of_runs);
            of_runs.dedup();
            Axis { path: paths[place].to_string(), values: of_runs }
        })
        .filter(|axis| axis.values.len() > 1)
        .collect();
    let is_axis = |path: &str| axes.iter().any(|axis| axis.path == path);
    let mut runs: Vec<SweepRun> = Vec::new();
    for ((run, record), values) in planned.iter().zip(values) {
        let settings: Vec<Assignment> = values.into_iter().filter(|of| is_axis(&of.path)).collect();
        let is_alike = |other: &&SweepRun| {
            (other.level, other.seed, &other.settings) == (run.level, run.seed, &settings)
        };
        if let Some(other) = runs.iter().find(is_alike) {
            return Err(refused(format!(
                "expected runs that differ in level, seed or a setting, got {} and {}",
                other.name, run.name
            )));
        }
        let (status, result) =
            (record.as_ref().map(|record| record.status), record.as_ref().and_then(result));
        runs.push(SweepRun { settings, status, result, ..run.clone() });
    }
    Ok((axes, runs))
}

/// The value of every setting of `paths` in one run: as it was planned, or as its record has it where the setting was not
/// asked for yet when the run was planned.
fn values_of((run, record): &Planned, paths: &[&str], recipe: Option<&Recipe>) -> Result<Vec<Assignment>> {
    let recipe = record.as_ref().map(|record| &record.recipe).or(recipe);
    let recorded = record.as_ref().map(|record| record.recipe.settings()).unwrap_or_default();
    let finished = record.as_ref().filter(|record| result(record).is_some());
    if let Some(record) = finished
        && (record.level, record.recipe.train.seed) != (run.level, run.seed)
    {
        let (level, seed) = (record.level, record.recipe.train.seed);
        return Err(refused(format!(
            "{}: expected a record of {} with seed {}, got one of {level} with seed {seed}",
            run.name, run.level, run.seed
        )));
    }
    let value_of = |path: &&str| {
        let planned = run.settings.iter().find(|of| of.path == **path);
        let planned = planned.map(|of| printed(recipe, path, &of.value));
        let recorded = recorded.iter().find(|(known, _)| known == path).map(|(_, value)| value.clone());
        let wrong = |expected: &str, got: &str| Error::Setting {
            key: path.to_string(),
            message: format!("{}: expected {expected}, got {got}", run.name),
        };
        let value = match (planned, recorded) {
            (Some(planned), Some(recorded)) if finished.is_some() && planned != recorded => {
                return Err(wrong(&planned, &format!("a record of {recorded}")));
            }
            (Some(planned), _) => planned,
            (None, Some(recorded)) => recorded,
            (None, None) => return Err(wrong("its value in the plan or in a record", "neither")),
        };
        Ok(Assignment { path: path.to_string(), value })
    };
    paths.iter().map(value_of).collect()
}

/// A value as a recipe prints it, `0.0001` for `1e-4`; as it stands where there is no recipe to ask, or none that takes it.
fn printed(recipe: Option<&Recipe>, path: &str, value: &str) -> String {
    let as_printed = || {
        let mut recipe = recipe?.clone();
        recipe.set(path, value).ok()?;
        recipe.settings().into_iter().find(|(known, _)| known == path).map(|(_, value)| value)
    };
    as_printed().unwrap_or_else(|| value.to_string())
}

/// Numbers by their size, anything else by its text.
fn sort(values: &mut [String]) {
    let number = |value: &str| value.parse::<f64>();
    if values.iter().all(|value| number(value).is_ok()) {
        let size = |value: &str| number(value).unwrap_or_default();
        values.sort_by(|left, right| size(left).total_cmp(&size(right)));
    } else {
        values.sort();
    }
}

/// What a run came to; nothing where it is not finished, or lacks an evaluation.
fn result(record: &RunRecord) -> Option<RunResult> {
    let (training, evaluation) = (&record.training, &record.evaluation);
    let best = training.best.as_ref().filter(|_| record.status == Status::Completed)?;
    let validation = record.dataset.validation.as_ref();
    Some(RunResult {
        selection: Selection {
            step: best.step,
            loss: best.loss,
            rows: validation.map_or(record.dataset.eval_rows, |validation| validation.rows),
            reported_too: validation.is_none(),
        },
        baseline_loss: evaluation.baseline.as_ref()?.masked.loss,
        fine_tuned_loss: evaluation.fine_tuned.as_ref()?.masked.loss,
        trained_parameters: record.model.trainable_parameters,
        steps: training.steps.len(),
        seconds: training.seconds,
        peak_memory_bytes: training.peak_memory_bytes,
    })
}

/// Refuses finished runs of one level whose losses are of other weights or other rows.
///
/// # Errors
/// `Error::Setting` that names the first two such runs.
pub(super) fn check_comparable(planned: &[Planned]) -> Result<()> {
    let finished: Vec<(&SweepRun, &RunRecord)> = planned
        .iter()
        .filter_map(|(run, record)| Some((run, record.as_ref().filter(|record| result(record).is_some())?)))
        .collect();
    for (run, record) in &finished {
        let Some((first, other)) = finished.iter().find(|(other, _)| other.level == run.level) else {
            continue;
        };
        let mut facts = identity(other).into_iter().zip(identity(record));
        if let Some((what, expected, got)) = facts.find_map(differing) {
            return Err(refused(format!(
                "expected runs over one {what} on {}, got {} ({expected}) and {} ({got})",
                run.level, first.name, run.name
            )));
        }
    }
    Ok(())
}

type Named<'a> = (&'static str, &'a str);

/// What a loss is of, the settings apart: the weights, the file of rows, and the rows that were held out of it.
fn identity(record: &RunRecord) -> [Named<'_>; 4] {
    let dataset = &record.dataset;
    let validation = dataset.validation.as_ref().map_or("none", |validation| validation.sha256.as_str());
    [
        ("base model", record.model.sha256.as_str()),
        ("file of rows", dataset.sha256.as_str()),
        ("set of validation rows", validation),
        ("set of reported rows", dataset.eval_sha256.as_str()),
    ]
}

fn differing<'a>(
    ((what, expected), (_, got)): (Named<'a>, Named<'a>),
) -> Option<(&'static str, &'a str, &'a str)> {
    (expected != got).then_some((what, expected, got))
}

pub(super) fn refused(message: String) -> Error {
    Error::Setting { key: "sweep".into(), message }
}

//! From the plan and the runs' records to what the settings did.

use super::plan::{check_comparable, laid_out, refused};
use super::{
    Assignment, Axis, Group, RunResult, SCHEMA, SweepModel, SweepRecord, SweepRun, choices, contrasts,
};
use crate::error::Result;
use crate::level::Level;
use crate::record::RunRecord;
use crate::statistics::summarize;

/// Puts the planned runs side by side, each with its record where it has one. `status` and `result` of a planned run are filled
/// from its record, whatever stands in them.
///
/// # Errors
/// `Error::Setting` for runs of one level over several base models or rows; for a run whose value of a setting is known
/// neither from the plan nor from a record; for a finished record of another level, seed or setting than its run; for two
/// runs that are alike; and for losses that are no finite numbers.
pub fn collect(planned: &[(SweepRun, Option<RunRecord>)]) -> Result<SweepRecord> {
    check_comparable(planned)?;
    let (axes, runs) = laid_out(planned)?;
    let levels: Vec<Level> =
        Level::ALL.into_iter().filter(|level| runs.iter().any(|run| run.level == *level)).collect();
    let mut seeds: Vec<u64> = Vec::new();
    for run in &runs {
        if !seeds.contains(&run.seed) {
            seeds.push(run.seed);
        }
    }
    let groups = groups(&levels, &axes, &runs)?;
    Ok(SweepRecord {
        schema: SCHEMA,
        model: model(planned, &runs),
        smoke: planned.iter().filter_map(|(_, record)| record.as_ref()).any(|record| record.smoke),
        contrasts: contrasts::contrasts(&axes, &runs),
        choices: choices::choices(&levels, &seeds, &runs, &groups),
        axes,
        seeds,
        levels,
        runs,
        groups,
    })
}

/// The base model that all finished runs share.
fn model(planned: &[(SweepRun, Option<RunRecord>)], runs: &[SweepRun]) -> Option<SweepModel> {
    let of_finished = planned.iter().zip(runs).filter(|(_, run)| run.result.is_some());
    let mut models = of_finished.filter_map(|((_, record), _)| Some(&record.as_ref()?.model));
    let first = models.next()?;
    models.all(|model| model.sha256 == first.sha256).then(|| SweepModel {
        name: first.name.clone(),
        sha256: first.sha256.clone(),
        demonstration: first.demonstration,
    })
}

/// The combinations that have a finished run: level after level, in the order of the axes' values.
fn groups(levels: &[Level], axes: &[Axis], runs: &[SweepRun]) -> Result<Vec<Group>> {
    let place = |axis: &Axis, of: &Assignment| axis.values.iter().position(|value| *value == of.value);
    let places = |settings: &[Assignment]| -> Vec<Option<usize>> {
        axes.iter().zip(settings).map(|(axis, of)| place(axis, of)).collect()
    };
    let mut combinations: Vec<&Vec<Assignment>> = Vec::new();
    for run in runs {
        if !combinations.contains(&&run.settings) {
            combinations.push(&run.settings);
        }
    }
    combinations.sort_by_key(|settings| places(settings));
    let mut groups = Vec::new();
    for level in levels {
        for settings in &combinations {
            let of = |run: &&SweepRun| run.level == *level && run.settings == **settings;
            let of_group: Vec<&SweepRun> = runs.iter().filter(of).collect();
            groups.extend(group(*level, &of_group)?);
        }
    }
    Ok(groups)
}

/// The finished ones of `runs`, which are alike but for their seeds; nothing where none is finished.
fn group(level: Level, runs: &[&SweepRun]) -> Result<Option<Group>> {
    let finished: Vec<(&SweepRun, &RunResult)> =
        runs.iter().filter_map(|run| Some((*run, run.result.as_ref()?))).collect();
    let Some((first, result)) = finished.first() else { return Ok(None) };
    let over = |value: fn(&RunResult) -> f64| {
        let values: Vec<f64> = finished.iter().map(|(_, result)| value(result)).collect();
        summarize(&values)
            .ok_or_else(|| refused(format!("{}: expected finite losses, got {values:?}", first.name)))
    };
    Ok(Some(Group {
        level,
        settings: first.settings.clone(),
        runs: finished.iter().map(|(run, _)| run.name.clone()).collect(),
        planned: runs.len(),
        selection_loss: over(|result| result.selection.loss)?,
        fine_tuned_loss: over(|result| result.fine_tuned_loss)?,
        trained_parameters: result.trained_parameters,
        seconds: over(|result| result.seconds)?.mean,
    }))
}

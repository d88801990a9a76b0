//! From the runs' records to what stands side by side.

use super::check::check;
use super::matrix::CrossMatrix;
use super::*;
use crate::error::Result;
use crate::recipe::{Reach, reach};
use crate::record::{RunRecord, Status, responses};
use crate::statistics::{Gap, gap, holm};

/// Puts the runs of two to five levels side by side, in the order of the levels, whatever the order given.
///
/// # Errors
/// `Error::Setting` for two records of one level; for fewer than two runs that came to their evaluation; and for
/// a matrix whose shape, levels or numbers do not belong to these runs.
pub fn compare(records: &[RunRecord], cross: Option<CrossMatrix>) -> Result<LevelsRecord> {
    let mut sorted: Vec<&RunRecord> = records.iter().collect();
    sorted.sort_by_key(|record| record.level);
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].level == pair[1].level) {
        return Err(refused(format!("expected one record a level, got two of {}", pair[0].level)));
    }
    let (mut compared, mut levels, mut excluded) = (Vec::new(), Vec::new(), Vec::new());
    for record in sorted {
        match entry(record) {
            Ok(entry) => {
                compared.push(record);
                levels.push(entry);
            }
            Err(reason) => excluded.push(Excluded { level: record.level, reason }),
        }
    }
    if levels.len() < 2 {
        let list = |levels: Vec<Level>| match levels.is_empty() {
            true => "none".to_string(),
            false => levels.iter().map(Level::to_string).collect::<Vec<_>>().join(", "),
        };
        return Err(refused(format!(
            "expected completed and evaluated runs of at least two, got {} (failed, unfinished or not evaluated: {})",
            list(levels.iter().map(|entry| entry.level).collect()),
            list(excluded.iter().map(|excluded| excluded.level).collect()),
        )));
    }
    if let Some(cross) = &cross {
        check(cross, &levels)?;
    }
    let is_given = |level: &Level| records.iter().any(|record| record.level == *level);
    Ok(LevelsRecord {
        schema: SCHEMA,
        missing: Level::ALL.into_iter().filter(|level| !is_given(level)).collect(),
        holm: adjusted(&levels),
        neighbours: if is_one_model(&levels) { neighbours(&compared) } else { Vec::new() },
        differing_settings: differing_settings(&compared),
        ratings: compared.iter().flat_map(|record| ratings::of_level(record)).collect(),
        levels,
        excluded,
        cross,
    })
}

fn entry(record: &RunRecord) -> std::result::Result<LevelEntry, Reason> {
    match record.status {
        Status::Completed => {}
        Status::Failed => return Err(Reason::Failed),
        Status::Running | Status::Interrupted => return Err(Reason::Running),
    }
    let evaluation = &record.evaluation;
    let (Some(baseline), Some(fine_tuned)) = (&evaluation.baseline, &evaluation.fine_tuned) else {
        return Err(Reason::NotEvaluated);
    };
    let (dataset, model, environment) = (&record.dataset, &record.model, &record.environment);
    Ok(LevelEntry {
        level: record.level,
        smoke: record.smoke,
        demonstration: model.demonstration,
        synthetic: dataset.synthetic,
        rows: dataset.rows,
        train_rows: dataset.train_rows,
        eval_rows: dataset.eval_rows,
        leaked_rows: dataset.leaked_rows,
        words: dataset.words.mean,
        tokens: dataset.tokens.mean,
        data_sha256: dataset.sha256.clone(),
        model: ModelIdentity {
            name: model.name.clone(),
            sha256: model.sha256.clone(),
            quantization: model.quantization,
            dtype: model.dtype.clone(),
            parameters: model.parameters,
        },
        seed: record.recipe.train.seed,
        steps: record.training.steps.len(),
        seconds: record.training.seconds,
        machine: environment.accelerator.as_ref().unwrap_or(&environment.cpu).clone(),
        started_at: environment.started_at.clone(),
        git_commit: environment.git_commit.clone(),
        baseline: baseline.clone(),
        fine_tuned: fine_tuned.clone(),
        statistics: evaluation.statistics.clone(),
        replicates: record.replicates.clone(),
    })
}

/// Holm over all levels and both masks at once: one family, since a reader looks at all of them.
fn adjusted(levels: &[LevelEntry]) -> Vec<AdjustedP> {
    let tested: Vec<(Level, &Statistics)> = levels
        .iter()
        .filter_map(|entry| entry.statistics.as_ref().map(|statistics| (entry.level, statistics)))
        .collect();
    let p: Vec<f64> = tested
        .iter()
        .flat_map(|(_, statistics)| [statistics.masked.permutation_p, statistics.full.permutation_p])
        .collect();
    tested
        .iter()
        .zip(holm(&p).chunks_exact(2))
        .map(|((level, _), pair)| AdjustedP { level: *level, masked: pair[0], full: pair[1] })
        .collect()
}

/// Each level's gain against that of the level before it, with Holm over all of these.
fn neighbours(records: &[&RunRecord]) -> Vec<NeighbourGap> {
    let gaps: Vec<([Level; 2], Gap)> = records
        .windows(2)
        .filter_map(|pair| {
            let (first, second) = (pair[0], pair[1]);
            let rows = |record: &RunRecord| responses(&record.evaluation.rows);
            let seed = first.recipe.data.split_seed;
            Some(([first.level, second.level], gap(&rows(first)?, &rows(second)?, seed)?))
        })
        .collect();
    let adjusted = holm(&gaps.iter().map(|(_, gap)| gap.p).collect::<Vec<_>>());
    let pairs = gaps.into_iter().zip(adjusted);
    pairs.map(|((levels, gap), holm)| NeighbourGap { levels, gap, holm }).collect()
}

fn differing_settings(records: &[&RunRecord]) -> Vec<DifferingSetting> {
    let settings: Vec<Vec<(String, String)>> =
        records.iter().map(|record| record.recipe.settings()).collect();
    let Some(first) = settings.first() else { return Vec::new() };
    (0..first.len())
        .map(|index| DifferingSetting {
            path: first[index].0.clone(),
            values: settings.iter().map(|settings| settings[index].1.clone()).collect(),
        })
        .filter(|setting| {
            reach(&setting.path) == Reach::Losses && setting.values.windows(2).any(|pair| pair[0] != pair[1])
        })
        .collect()
}

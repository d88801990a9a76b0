//! Runs that differ in their training seed alone, summarized.

use super::identity::{Fact, SEED, beyond_seed};
use super::replicates::{LossSummary, Replicate, Replicates, SCHEMA};
use super::run::{RunRecord, Status};
use crate::error::{Error, Result};
use crate::statistics;

/// Summarizes runs that differ in their training seed alone.
///
/// # Errors
/// `Error::Setting` for fewer than two records, a seed that comes twice, a run that did not come to its
/// evaluation, and for whatever else two runs differ in: level, rows, base model or another setting.
pub fn summarize(records: &[RunRecord]) -> Result<Replicates> {
    let [first, others @ ..] = records else {
        return Err(refused("expected runs of at least two training seeds, got none".into()));
    };
    if others.is_empty() {
        let seed = first.recipe.train.seed;
        return Err(refused(format!("expected runs of at least two training seeds, got seed {seed} alone")));
    }
    for other in others {
        if let Some(fact) = beyond_seed(first, other) {
            let seeds = [first, other].map(|record| record.recipe.train.seed);
            return Err(refused(format!(
                "expected runs that differ in {SEED} alone, got {} {} at seed {}, {} at seed {}",
                fact.setting().unwrap_or(&fact.path),
                Fact::read(fact.new.as_ref()),
                seeds[1],
                Fact::read(fact.old.as_ref()),
                seeds[0],
            )));
        }
    }
    let mut runs: Vec<Replicate> = Vec::new();
    for record in records {
        let run = replicate(record)?;
        if runs.iter().any(|other| other.seed == run.seed) {
            return Err(refused(format!("expected one run a seed, got two of {}", run.seed)));
        }
        runs.push(run);
    }
    let over = |value: fn(&Replicate) -> f64| {
        let values: Vec<f64> = runs.iter().map(value).collect();
        statistics::summarize(&values)
            .ok_or_else(|| refused(format!("expected finite losses, got {values:?}")))
    };
    Ok(Replicates {
        schema: SCHEMA,
        level: first.level,
        masked: LossSummary {
            fine_tuned: over(|run| run.masked_loss)?,
            improvement: over(|run| run.masked_improvement)?,
        },
        full: LossSummary {
            fine_tuned: over(|run| run.full_loss)?,
            improvement: over(|run| run.full_improvement)?,
        },
        runs,
    })
}

fn replicate(record: &RunRecord) -> Result<Replicate> {
    let seed = record.recipe.train.seed;
    let (Status::Completed, Some(baseline), Some(fine_tuned)) =
        (record.status, &record.evaluation.baseline, &record.evaluation.fine_tuned)
    else {
        return Err(refused(format!(
            "expected completed and evaluated runs, got one that is not: seed {seed}"
        )));
    };
    Ok(Replicate {
        seed,
        masked_loss: fine_tuned.masked.loss,
        full_loss: fine_tuned.full.loss,
        masked_improvement: baseline.masked.loss - fine_tuned.masked.loss,
        full_improvement: baseline.full.loss - fine_tuned.full.loss,
    })
}

fn refused(message: String) -> Error {
    Error::Setting { key: "seeds".into(), message }
}

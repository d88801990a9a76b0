//! How much two runs may differ by chance: over the evaluation rows, and over the training seeds.

use super::measured::{self, Side};
use crate::error::{Error, Result};
use crate::record::folder::RunFolder;
use crate::record::identity::{Subject, beyond_seed, facts};
use crate::record::{RowNll, RowScores, RunRecord};
use crate::report::measures::Mask;
use crate::statistics::{self, Interval, PairedRow, Summary};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;

/// The metrics of runs that differ in their training seed alone, summarized over the seeds.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct SeedNoise {
    /// By the names that [`super::Metric`] has.
    pub metrics: BTreeMap<String, Summary>,
}

/// Fewer seeds say too little about a spread to judge by it.
const FEWEST_SEEDS: usize = 3;

/// 97.5 % points of Student's t with 2, 3, 4, ... degrees of freedom, rounded:
/// `[round(float(scipy.stats.t.ppf(0.975, d)), 3) for d in range(2, 21)]`. The last one serves for more.
const STUDENT: [f64; 19] = [
    4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12,
    2.11, 2.101, 2.093, 2.086,
];

impl SeedNoise {
    /// The noise that `records` show.
    ///
    /// # Errors
    /// `Error::Setting` for fewer than three records, or for two that differ in more than their training seed.
    pub fn of(records: &[RunRecord]) -> Result<SeedNoise> {
        let refused = |message: String| Error::Setting { key: "replicates".into(), message };
        let Some(first) = records.first().filter(|_| records.len() >= FEWEST_SEEDS) else {
            return Err(refused(format!("expected at least {FEWEST_SEEDS} records, got {}", records.len())));
        };
        for record in records {
            let status = || facts(first, record).into_iter().find(|fact| fact.subject == Subject::Status);
            if let Some(fact) = beyond_seed(first, record).or_else(status) {
                return Err(refused(format!(
                    "expected runs that differ in recipe.train.seed alone, got another {}",
                    fact.path
                )));
            }
        }
        let mut seeds: Vec<u64> = records.iter().map(|record| record.recipe.train.seed).collect();
        seeds.sort_unstable();
        if let Some(pair) = seeds.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(refused(format!("expected a record a seed, got seed {} twice", pair[0])));
        }
        let mut metrics: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        let steps = |record: &RunRecord| -> Vec<(String, f64)> {
            let steps = record.training.steps.iter().enumerate();
            steps.map(|(index, step)| (measured::step_loss(index), step.loss)).collect()
        };
        let values =
            records.iter().flat_map(|record| measured::values(record).into_iter().chain(steps(record)));
        for (name, value) in values {
            metrics.entry(name).or_default().push(value);
        }
        let whole = metrics.into_iter().filter(|(_, values)| values.len() == records.len());
        Ok(SeedNoise {
            metrics: whole
                .filter_map(|(name, values)| Some((name, statistics::summarize(&values)?)))
                .collect(),
        })
    }

    /// The noise of the fine-tuned losses that a record's own summary of its seeds tells; none without one, or over
    /// fewer than three seeds.
    pub fn recorded(record: &RunRecord) -> Option<SeedNoise> {
        let runs = &record.replicates.as_ref().filter(|all| all.runs.len() >= FEWEST_SEEDS)?.runs;
        let mut metrics = BTreeMap::new();
        for mask in Mask::ALL {
            let losses: Vec<f64> = runs.iter().map(|run| mask.of(run.masked_loss, run.full_loss)).collect();
            let perplexities: Vec<f64> = losses.iter().map(|loss| loss.exp()).collect();
            let path = format!("evaluation.fine_tuned.{}", mask.name());
            metrics.insert(format!("{path}.loss"), statistics::summarize(&losses)?);
            metrics.insert(format!("{path}.perplexity"), statistics::summarize(&perplexities)?);
        }
        Some(SeedNoise { metrics })
    }

    /// The noise over the seeds of `run`, which was read from `path`: from the runs below its folder where they are still
    /// there, else from its record's own summary; a replicate's from the run that it repeats.
    pub fn beside(path: &Path, run: &RunRecord) -> Option<SeedNoise> {
        let folder = RunFolder::around(path);
        let Some(replicates) = &run.replicates else {
            let repeated = folder.replicated()?;
            let record = repeated.read().ok()?;
            let is_one_of_them =
                record.replicates.as_ref()?.runs.iter().any(|other| other.seed == run.recipe.train.seed);
            return is_one_of_them.then(|| SeedNoise::beside(repeated.path(), &record)).flatten();
        };
        let others = replicates.runs.iter().skip(1).map(|other| folder.replicate(other.seed).read().ok());
        let runs: Option<Vec<RunRecord>> = std::iter::once(Some(run.clone())).chain(others).collect();
        runs.and_then(|runs| SeedNoise::of(&runs).ok()).or_else(|| SeedNoise::recorded(run))
    }

    /// How far two runs of different seeds lie apart in 95 of 100 cases: t(n - 1) √2 s with the deviation s of n
    /// seeds, √2 since both runs vary. None for a metric that was not measured, or by fewer than three seeds.
    pub(super) fn range(&self, metric: &str) -> Option<SeedRange> {
        let summary = self.metrics.get(metric)?;
        let degrees = summary.n.checked_sub(1)?;
        let student = STUDENT[degrees.checked_sub(2)?.min(STUDENT.len() - 1)];
        let deviation = summary.standard_deviation?;
        Some(SeedRange { seeds: summary.n, deviation, limit: student * std::f64::consts::SQRT_2 * deviation })
    }
}

/// How far two seeds lie apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SeedRange {
    pub(super) seeds: usize,
    pub(super) deviation: f64,
    pub(super) limit: f64,
}

/// Interval of new - old of one model's loss over the same rows, in nats a token; none where a record has no rows,
/// or others.
pub(super) fn paired_interval(old: &RunRecord, new: &RunRecord, side: Side, mask: Mask) -> Option<Interval> {
    let (before, after) = (&old.evaluation.rows, &new.evaluation.rows);
    if before.len() != after.len() {
        return None;
    }
    let sum = |row: &RowScores| -> Option<f64> {
        let sums: RowNll = match side {
            Side::Baseline => row.baseline,
            Side::FineTuned => row.fine_tuned?,
        };
        Some(mask.of(sums.masked, sums.full))
    };
    let counts =
        |row: &RowScores| mask.of((row.masked_tokens, row.masked_bytes), (row.full_tokens, row.full_bytes));
    let rows: Option<Vec<PairedRow>> = before
        .iter()
        .zip(after)
        .map(|(old, new)| {
            let (tokens, bytes) = counts(old);
            (tokens == counts(new).0).then_some(())?;
            Some(PairedRow { tokens, bytes, baseline_nll: sum(old)?, fine_tuned_nll: sum(new)? })
        })
        .collect();
    // The module's difference is first - second, here old - new.
    let difference = statistics::compare(&rows?, old.recipe.data.split_seed)?.difference;
    Some(Interval {
        estimate: 0.0 - difference.estimate,
        low: 0.0 - difference.high,
        high: 0.0 - difference.low,
    })
}

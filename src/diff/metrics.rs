//! The measured numbers of two runs, each with a verdict and its reason.

use super::measured::{MetricVerdict, SIDES, STATISTICS, Side, StatisticOf, score, short, step_loss, values};
use super::noise::{SeedNoise, paired_interval};
use super::texts;
use crate::paths::{Sides, paired};
use crate::record::RunRecord;
use crate::report::measures::Mask;
use crate::statistics::Interval;
use serde::Serialize;

/// One number of both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metric {
    /// Its record path; the last training step is `training.steps[-1]`, an evaluation `training.evals[step 50]`.
    pub name: String,
    /// In the old run; absent where it was not measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<f64>,
    /// In the new run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<f64>,
    /// new - old with its 95 % interval over the paired rows, of the loss behind the metric in nats a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// What the two are to each other.
    pub verdict: MetricVerdict,
    /// Why, in words and numbers.
    pub reason: String,
}

/// Two records of the best evaluation's loss, one from the training and one from the final evaluation, are the same
/// quantity: they differ by rounding alone.
const SAME_LOSS: f64 = 1e-6;

/// All metrics of both runs, in the record's order.
pub(super) fn compare(
    old: &RunRecord,
    new: &RunRecord,
    noise: Option<&SeedNoise>,
    is_comparable: bool,
) -> Vec<Metric> {
    let judge = Judge { old, new, noise, is_comparable, paired: PairedRows::of(old, new) };
    let mut pairs = paired(&values(old), &values(new));
    // Where two courses part says more than that they did.
    let mut steps = old.training.steps.iter().zip(&new.training.steps).enumerate();
    let parting = steps.find(|(_, (before, after))| before.loss != after.loss);
    let last = old.training.steps.len().saturating_sub(1);
    if let Some((index, (before, after))) = parting.filter(|(index, _)| *index != last) {
        let place = pairs.iter().position(|pair| pair.path == "training.steps[-1].loss").unwrap_or(0);
        let path = step_loss(index);
        pairs.insert(place, Sides { path, old: Some(before.loss), new: Some(after.loss) });
    }
    let (statistics, measured): (Vec<_>, Vec<_>) =
        pairs.into_iter().partition(|pair| pair.path.starts_with("evaluation.statistics."));
    let mut metrics: Vec<Metric> = measured.into_iter().map(|pair| judge.measured(pair)).collect();
    let statistics: Vec<Metric> =
        statistics.into_iter().map(|pair| judge.statistic(pair, &metrics)).collect();
    metrics.extend(statistics);
    metrics
}

/// Intervals of new - old over the paired rows, a model and a mask each.
struct PairedRows {
    intervals: Vec<(Side, Mask, Interval)>,
}

impl PairedRows {
    fn of(old: &RunRecord, new: &RunRecord) -> PairedRows {
        let mut intervals = Vec::new();
        for (side, _) in SIDES {
            for mask in Mask::ALL {
                let losses = [old, new].map(|record| score(record, side, mask).map(|score| score.loss));
                // Equal losses need no interval, and the resamples take time.
                if losses[0] != losses[1] {
                    intervals
                        .extend(paired_interval(old, new, side, mask).map(|interval| (side, mask, interval)));
                }
            }
        }
        PairedRows { intervals }
    }

    fn interval(&self, side: Side, mask: Mask) -> Option<Interval> {
        self.intervals
            .iter()
            .find(|(of, over, _)| *of == side && *over == mask)
            .map(|(.., interval)| *interval)
    }
}

struct Judge<'a> {
    old: &'a RunRecord,
    new: &'a RunRecord,
    noise: Option<&'a SeedNoise>,
    is_comparable: bool,
    paired: PairedRows,
}

impl Judge<'_> {
    /// A number that was measured, not computed from others.
    fn measured(&self, pair: Sides<f64>) -> Metric {
        let (old, new) = match self.settled(&pair) {
            Ok(values) => values,
            Err(metric) => return metric,
        };
        if let Some((verdict, reason)) = texts::judged(self.old, self.new, &pair.path) {
            return Metric {
                name: pair.path,
                old: Some(old),
                new: Some(new),
                interval: None,
                verdict,
                reason,
            };
        }
        let difference = new - old;
        let (interval, doubt) = self.interval(&pair, difference);
        let (verdict, mut reasons) = match interval {
            Some(interval) if interval.low <= 0.0 && 0.0 <= interval.high => {
                (MetricVerdict::WithinNoise, vec![self.over_rows(&pair.path, interval, "holds 0")])
            }
            Some(interval) => {
                (MetricVerdict::Changed, vec![self.over_rows(&pair.path, interval, "does not hold 0")])
            }
            None => (MetricVerdict::Changed, vec![format!("new - old = {}; {doubt}", short(difference))]),
        };
        let range = self.noise.and_then(|noise| noise.range(&pair.path));
        let verdict = match range {
            Some(range) => {
                let is_within = difference.abs() <= range.limit;
                let relation = if is_within { "within" } else { "beyond" };
                reasons.push(format!(
                    "{relation} the {} by which two seeds differ in 95 of 100 cases (deviation {} over {} seeds)",
                    short(range.limit),
                    short(range.deviation),
                    range.seeds
                ));
                if is_within { MetricVerdict::WithinNoise } else { verdict }
            }
            None => verdict,
        };
        Metric {
            name: pair.path,
            old: Some(old),
            new: Some(new),
            interval,
            verdict,
            reason: reasons.join("; "),
        }
    }

    /// A statistic stands on the losses under its mask, the prompt's on both: it moved no further than they did, unless its
    /// test turned.
    fn statistic(&self, pair: Sides<f64>, metrics: &[Metric]) -> Metric {
        let (old, new) = match self.settled(&pair) {
            Ok(values) => values,
            Err(metric) => return metric,
        };
        let path = pair.path.strip_prefix("evaluation.statistics.").unwrap_or(&pair.path);
        let of: StatisticOf = STATISTICS
            .into_iter()
            .find(|of| path.starts_with(&format!("{}.", of.name)))
            .unwrap_or(STATISTICS[1]);
        let losses: Vec<String> = of
            .masks
            .iter()
            .flat_map(|mask| SIDES.map(|(_, name)| format!("evaluation.{name}.{}.loss", mask.name())))
            .collect();
        let moved = losses.iter().find(|loss| {
            metrics.iter().any(|metric| metric.name == **loss && metric.verdict == MetricVerdict::Changed)
        });
        let significance = [self.old, self.new].map(|record| {
            let statistics = record.evaluation.statistics.as_ref()?;
            Some((of.comparison)(statistics)?.is_significant())
        });
        let difference = short(new - old);
        let (verdict, reason) = match moved {
            Some(loss) => (
                MetricVerdict::Changed,
                format!("new - old = {difference}; computed from {loss}, which changed"),
            ),
            None if significance[0] != significance[1] => {
                (MetricVerdict::Changed, format!("new - old = {difference}; the significance verdict turned"))
            }
            None => (
                MetricVerdict::WithinNoise,
                format!(
                    "new - old = {difference}; computed from the {} losses, which differ by noise at most",
                    of.masks.iter().map(|mask| mask.name()).collect::<Vec<_>>().join(" and ")
                ),
            ),
        };
        Metric { name: pair.path, old: Some(old), new: Some(new), interval: None, verdict, reason }
    }

    /// What needs no yardstick; else both values.
    fn settled(&self, pair: &Sides<f64>) -> Result<(f64, f64), Metric> {
        let metric = |verdict, reason: &str| Metric {
            name: pair.path.clone(),
            old: pair.old,
            new: pair.new,
            interval: None,
            verdict,
            reason: reason.into(),
        };
        if !self.is_comparable {
            return Err(metric(MetricVerdict::NotComparable, "see the identity of the runs"));
        }
        match (pair.old, pair.new) {
            (Some(old), Some(new)) if old == new => {
                Err(metric(MetricVerdict::Same, "equal at full precision"))
            }
            (Some(old), Some(new)) => Ok((old, new)),
            (Some(_), None) => Err(metric(MetricVerdict::Changed, "measured in the old run only")),
            _ => Err(metric(MetricVerdict::Changed, "measured in the new run only")),
        }
    }

    /// The rows' interval for a loss, where its rows are known and add up to it; else why there is none.
    fn interval(&self, pair: &Sides<f64>, difference: f64) -> (Option<Interval>, &'static str) {
        let is_known = self.noise.is_some_and(|noise| noise.range(&pair.path).is_some());
        let no_rows = match is_known {
            true => "the records keep no row sums of it",
            false => "the records keep no row sums of it, and no seeds' runs",
        };
        let Some((side, mask, is_loss)) = self.loss_behind(&pair.path) else { return (None, no_rows) };
        let Some(interval) = self.paired.interval(side, mask) else { return (None, no_rows) };
        let adds_up = (interval.estimate - difference).abs() <= SAME_LOSS * difference.abs() + 1e-9;
        match is_loss && !adds_up {
            true => (None, "the rows do not add up to it"),
            false => (Some(interval), ""),
        }
    }

    /// Which model's loss under which mask a metric is, and whether it is that loss itself and not its exponential.
    fn loss_behind(&self, path: &str) -> Option<(Side, Mask, bool)> {
        for (side, name) in SIDES {
            for mask in Mask::ALL {
                let Some(field) = path.strip_prefix(&format!("evaluation.{name}.{}.", mask.name())) else {
                    continue;
                };
                return Some((side, mask, field == "loss"));
            }
        }
        // The best evaluation met the same rows and the same adapter as the final one.
        let is_best = [self.old, self.new].into_iter().all(|record| {
            let (Some(best), Some(last)) =
                (&record.training.best, score(record, Side::FineTuned, Mask::Masked))
            else {
                return false;
            };
            let is_its_path =
                path == "training.best.loss" || path == format!("training.evals[step {}].loss", best.step);
            is_its_path && (best.loss - last.loss).abs() <= SAME_LOSS * last.loss.abs()
        });
        is_best.then_some((Side::FineTuned, Mask::Masked, true))
    }

    fn over_rows(&self, path: &str, interval: Interval, relation: &str) -> String {
        let rows = self.new.evaluation.rows.len();
        let what =
            if path.ends_with("perplexity") { "of the loss behind it, new - old" } else { "new - old" };
        format!(
            "{what} = {}; its 95 % interval over the {rows} paired rows, [{}; {}], {relation}",
            short(interval.estimate),
            short(interval.low),
            short(interval.high)
        )
    }
}

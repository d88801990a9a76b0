//! Findings on base against fine-tuned.

use super::{Finding, Kind};
use crate::record::RunRecord;
use crate::report::finding::Claim;
use crate::report::measures::{self, BothScores, Mask};
use crate::report::quantity::Quantity;
use crate::statistics::Interval;

/// Half a unit of the second decimal, the last that the text prints of a loss.
const PRINTED: f64 = 0.005;

/// Many rows make the smallest difference significant; below this share of the loss it is hardly one.
const BARELY: f64 = 0.01;

pub(super) fn findings(record: &RunRecord) -> Vec<Finding> {
    let mut findings = uniform(record);
    let (Some(masked), Some(full)) =
        (measures::both_scores(record, Mask::Masked), measures::both_scores(record, Mask::Full))
    else {
        return findings;
    };
    let (of_masked, of_full) = (direction(&masked), direction(&full));
    // A fall that chance explains is no improvement to contrast the other loss with.
    let is_improved = |finding: &Finding| matches!(finding.kind, Kind::Improved | Kind::ImprovedUntested);
    let is_lower = |both: &BothScores| both.fine_tuned.loss < both.baseline.loss;
    let only = match (is_improved(&of_masked), is_improved(&of_full)) {
        (true, false) if is_lower(&full) => None,
        (false, true) if is_lower(&masked) => None,
        (true, false) => Some(Kind::OnlyMaskedImproved),
        (false, true) => Some(Kind::OnlyFullImproved),
        _ => None,
    };
    let barely = (of_masked.kind == Kind::Improved && masked.loss_change().real() < BARELY)
        .then(|| Kind::ImprovedBarely.with([("change", masked.loss_change())]));
    findings.extend([of_masked, of_full]);
    findings.extend(barely);
    findings.extend(only.map(|kind| {
        kind.with([
            ("masked_before", masked.baseline_loss()),
            ("masked_after", masked.fine_tuned_loss()),
            ("full_before", full.baseline_loss()),
            ("full_after", full.fine_tuned_loss()),
        ])
    }));
    findings.extend(least_overlap(record));
    findings.extend(digits(record, &masked));
    findings
}

/// A base model that a uniform guess over its vocabulary beats does not fit these texts, or was loaded wrong.
fn uniform(record: &RunRecord) -> Vec<Finding> {
    let Some(baseline) = &record.evaluation.baseline else { return Vec::new() };
    let uniform = measures::uniform_loss(record);
    [(Mask::Masked, &baseline.masked), (Mask::Full, &baseline.full)]
        .into_iter()
        .filter(|(_, score)| score.loss > uniform.real())
        .map(|(mask, score)| {
            let loss = Quantity::new(format!("evaluation.baseline.{}.loss", mask.name()), score.loss);
            let vocabulary = record.model.architecture.vocab_size;
            let vocabulary = Quantity::new("model.architecture.vocab_size", vocabulary);
            Kind::BaselineWorseThanUniform
                .with([("loss", loss), ("uniform", uniform.clone()), ("vocabulary", vocabulary)])
                .on(mask)
        })
        .collect()
}

/// Which way the loss went, and how sure that is.
fn direction(both: &BothScores) -> Finding {
    let (before, after) = (both.baseline.loss, both.fine_tuned.loss);
    let is_significant = both.statistics.map(|statistics| statistics.is_significant());
    let kind = if after == before {
        Kind::Unchanged
    } else if after < before {
        match is_significant {
            Some(true) => Kind::Improved,
            Some(false) => Kind::ImprovedUncertainly,
            None => Kind::ImprovedUntested,
        }
    } else {
        match is_significant {
            Some(true) => Kind::Worsened,
            Some(false) => Kind::WorsenedUncertainly,
            None => Kind::WorsenedUntested,
        }
    };
    let finding = kind.with([
        ("before", both.baseline_loss()),
        ("after", both.fine_tuned_loss()),
        ("change", both.loss_change()),
        ("perplexity_before", perplexity(both, "baseline", both.baseline.perplexity)),
        ("perplexity_after", perplexity(both, "fine_tuned", both.fine_tuned.perplexity)),
        ("perplexity_change", both.perplexity_change()),
    ]);
    let finding = finding.on(both.mask);
    let Some(statistics) = both.statistics else { return finding };
    let path = format!("evaluation.statistics.{}", both.mask.name());
    finding.with([
        ("low", Quantity::new(format!("{path}.difference.low"), statistics.difference.low)),
        ("high", Quantity::new(format!("{path}.difference.high"), statistics.difference.high)),
        ("p", Quantity::new(format!("{path}.permutation_p"), statistics.permutation_p)),
        ("confidence", Quantity::new(format!("{path}.confidence"), statistics.confidence)),
        ("rows", Quantity::new(format!("{path}.rows"), statistics.rows)),
        ("improved", Quantity::new(format!("{path}.improved"), statistics.improved)),
    ])
}

fn perplexity(both: &BothScores, side: &str, value: f64) -> Quantity {
    Quantity::new(format!("evaluation.{side}.{}.perplexity", both.mask.name()), value)
}

/// Whether the half of the rows that overlaps least with the training answers gained as much as the other.
fn least_overlap(record: &RunRecord) -> Option<Finding> {
    let half = record.evaluation.least_overlapping.as_ref()?;
    let gap = half.gap.difference;
    let kind = match (gap.low > 0.0, gap.high < 0.0) {
        (_, true) => Kind::LeastOverlapGainedLess,
        (true, _) => Kind::LeastOverlapGainedMore,
        _ => Kind::LeastOverlapGainedAlike,
    };
    let of = |path: &str, value: f64| Quantity::new(format!("evaluation.least_overlapping.{path}"), value);
    let gained =
        |path: &str, interval: Interval| of(&format!("{path}.difference.estimate"), interval.estimate);
    let gap_path = "abs(evaluation.least_overlapping.gap.difference.estimate)";
    Some(kind.with([
        ("rows", Quantity::new("evaluation.least_overlapping.masked.rows", half.masked.rows)),
        ("covered", of("covered_words", half.covered_words)),
        ("covered_others", of("covered_words_of_others", half.covered_words_of_others)),
        ("gain", gained("masked", half.masked.difference)),
        ("gain_others", gained("others", half.others.difference)),
        ("gap", Quantity::new(gap_path, gap.estimate.abs())),
        ("low", of("gap.difference.low", gap.low)),
        ("high", of("gap.difference.high", gap.high)),
        ("confidence", of("masked.confidence", half.masked.confidence)),
    ]))
}

/// Whether the evaluation rows are too few for the decimals that the text prints.
fn digits(record: &RunRecord, masked: &BothScores) -> Option<Finding> {
    let interval: Interval = masked.statistics?.fine_tuned.loss;
    let half_width = (interval.high - interval.low) / 2.0;
    let path = "(evaluation.statistics.masked.fine_tuned.loss.high - .low) / 2";
    (half_width > PRINTED).then(|| {
        Kind::TooFewRowsForDigits.with([
            ("half_width", Quantity::new(path, half_width)),
            ("rows", Quantity::new("dataset.eval_rows", record.dataset.eval_rows)),
            ("low", Quantity::new("evaluation.statistics.masked.fine_tuned.loss.low", interval.low)),
            ("high", Quantity::new("evaluation.statistics.masked.fine_tuned.loss.high", interval.high)),
        ])
    })
}

//! Findings on base against fine-tuned.

use super::{Finding, Kind};
use crate::record::RunRecord;
use crate::report::finding::Claim;
use crate::report::measures::{self, BothScores, Mask};
use crate::report::quantity::Quantity;
use crate::statistics::Interval;

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
    findings.extend(prompt(record));
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
        ("perplexity_before", both.baseline_perplexity()),
        ("perplexity_after", both.fine_tuned_perplexity()),
        ("perplexity_change", both.perplexity_change()),
    ]);
    let finding = finding.on(both.mask);
    let Some(statistics) = both.statistics else { return finding };
    let path = format!("evaluation.statistics.{}", both.mask.name());
    finding.with([
        ("low", bound(&path, "low", statistics.difference.low, &statistics.difference)),
        ("high", bound(&path, "high", statistics.difference.high, &statistics.difference)),
        ("p", Quantity::new(format!("{path}.permutation_p"), statistics.permutation_p)),
        ("confidence", Quantity::new(format!("{path}.confidence"), statistics.confidence)),
        ("rows", Quantity::new(format!("{path}.rows"), statistics.rows)),
        ("improved", Quantity::new(format!("{path}.improved"), statistics.improved)),
    ])
}

fn bound(path: &str, name: &str, value: f64, interval: &Interval) -> Quantity {
    Quantity::new(format!("{path}.difference.{name}"), value).within(Some(interval))
}

/// Which way the loss on the prompts went, which no training asked for.
fn prompt(record: &RunRecord) -> Option<Finding> {
    let prompt = record.evaluation.statistics.as_ref()?.prompt.as_ref()?;
    let path = "evaluation.statistics.prompt";
    let kind = match (prompt.is_significant(), prompt.difference.estimate < 0.0) {
        (false, _) => Kind::PromptUnsure,
        (true, true) => Kind::PromptRose,
        (true, false) => Kind::PromptFell,
    };
    let loss = |side: &str, of: &Interval| {
        Quantity::new(format!("{path}.{side}.loss.estimate"), of.estimate).within(Some(of))
    };
    let change = measures::prompt_loss_change(record)?;
    Some(kind.with([
        ("before", loss("baseline", &prompt.baseline.loss)),
        ("after", loss("fine_tuned", &prompt.fine_tuned.loss)),
        (
            "change",
            Quantity { value: change.real().abs().into(), path: format!("abs({})", change.path), ..change },
        ),
        ("low", bound(path, "low", prompt.difference.low, &prompt.difference)),
        ("high", bound(path, "high", prompt.difference.high, &prompt.difference)),
    ]))
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
    let gained = |path: &str, interval: Interval| {
        of(&format!("{path}.difference.estimate"), interval.estimate).within(Some(&interval))
    };
    let gap_path = "abs(evaluation.least_overlapping.gap.difference.estimate)";
    Some(kind.with([
        ("rows", Quantity::new("evaluation.least_overlapping.masked.rows", half.masked.rows)),
        ("covered", of("covered_words", half.covered_words)),
        ("covered_others", of("covered_words_of_others", half.covered_words_of_others)),
        ("gain", gained("masked", half.masked.difference)),
        ("gain_others", gained("others", half.others.difference)),
        ("gap", Quantity::new(gap_path, gap.estimate.abs()).within(Some(&gap))),
        ("low", of("gap.difference.low", gap.low).within(Some(&gap))),
        ("high", of("gap.difference.high", gap.high).within(Some(&gap))),
        ("confidence", of("masked.confidence", half.masked.confidence)),
    ]))
}

//! What a difference is measured with: the paired rows, and the seeds of replicates.

use super::{compare, markdown, rescored, verdict_of};
use crate::store::record;
use tezgah::diff::{self, MetricVerdict, SeedNoise, Verdict};
use tezgah::record::RunRecord;
use tezgah::record::texts::{Measure, System};
use tezgah::report::profile::Profile;

#[test]
fn one_row_is_noise() {
    let new = rescored(|index, nll| {
        if index == 7 {
            nll.masked += 0.01;
        }
    });
    let difference = compare(&record(), &new);
    assert_eq!(difference.verdict, Verdict::WithinNoise, "{}", markdown(&difference));
    assert_eq!(difference.verdict.exit_code(), 0);
    for name in
        ["evaluation.fine_tuned.masked.loss", "evaluation.fine_tuned.masked.perplexity", "training.best.loss"]
    {
        let (verdict, reason) = verdict_of(&difference, name);
        assert_eq!(verdict, MetricVerdict::WithinNoise, "{name}: {reason}");
        assert!(reason.contains("40 paired rows, [0; ") && reason.ends_with("holds 0"), "{reason}");
    }
    assert_eq!(
        verdict_of(&difference, "evaluation.statistics.masked.effect_size").0,
        MetricVerdict::WithinNoise
    );
    assert_eq!(verdict_of(&difference, "evaluation.fine_tuned.full.loss").0, MetricVerdict::Same);
    assert_eq!(verdict_of(&difference, "evaluation.baseline.masked.loss").0, MetricVerdict::Same);
}

#[test]
fn rows_that_do_not_add_up_are_no_yardstick() {
    let mut new = record();
    let score = &mut new.evaluation.fine_tuned.as_mut().expect("both sides").masked;
    score.loss += 0.2;
    // One row moved a little, and not by as much as the loss claims.
    new.evaluation.rows[0].fine_tuned.as_mut().expect("both sides").masked += 0.01;
    let (verdict, reason) = verdict_of(&compare(&record(), &new), "evaluation.fine_tuned.masked.loss");
    assert_eq!(verdict, MetricVerdict::Changed);
    assert_eq!(reason, "new - old = 0.2; the rows do not add up to it");
}

#[test]
fn seeds_are_a_yardstick() {
    // Last training losses around 1.0 with a deviation of 0.1 over three seeds: two of them lie within
    // t(2) sqrt(2) 0.1 = 4.303 * 0.141421 = 0.6085 of each other.
    let replicates: Vec<RunRecord> = [(1, 0.9), (2, 1.0), (3, 1.1)]
        .map(|(seed, loss)| {
            let mut record = record();
            record.recipe.train.seed = seed;
            record.training.steps.last_mut().expect("steps").loss = loss;
            record
        })
        .to_vec();
    let noise = SeedNoise::of(&replicates).expect("three seeds");
    for (shift, expected, word) in
        [(0.6, MetricVerdict::WithinNoise, "within"), (0.62, MetricVerdict::Changed, "beyond")]
    {
        let mut new = record();
        new.training.steps.last_mut().expect("steps").loss += shift;
        let difference =
            diff::compare(&record(), &new, Some(&noise), &Profile::default()).expect("both render");
        let (verdict, reason) = verdict_of(&difference, "training.steps[-1].loss");
        assert_eq!(verdict, expected, "{reason}");
        assert!(reason.contains(&format!("{word} the 0.6085 by which")), "{reason}");
    }
    let refusal = |records: &[RunRecord]| SeedNoise::of(records).expect_err("refused").to_string();
    assert_eq!(refusal(&replicates[..2]), "setting replicates: expected at least 3 records, got 2");
    let mut other = replicates.clone();
    other[1].recipe.lora.rank = 8;
    assert_eq!(
        refusal(&other),
        "setting replicates: expected runs that differ in recipe.train.seed alone, got another recipe.lora.rank"
    );
    other[1] = replicates[0].clone();
    assert_eq!(refusal(&other), "setting replicates: expected a record a seed, got seed 1 twice");
}

/// Texts have the intervals of their means: noise lies within both, and another list of words measures another thing.
#[test]
fn texts_are_judged_by_their_intervals() {
    let name = "texts.measures[above_level of fine_tuned].mean.estimate";
    let old = crate::fixtures::fixture("metinleri_uzak");
    let moved = |share: f64| {
        let mut new = old.clone();
        let texts = new.texts.as_mut().expect("measured");
        let place = texts.place(Measure::AboveLevel, System::FineTuned).expect("a mean");
        let mean = &mut texts.measures[place].mean;
        // A share of the way from the mean to the upper end, and the ends with it.
        let by = share * (mean.high - mean.estimate);
        (mean.estimate, mean.low, mean.high) = (mean.estimate + by, mean.low + by, mean.high + by);
        new
    };
    assert_eq!(verdict_of(&compare(&old, &old), name).0, MetricVerdict::Same);
    assert_eq!(verdict_of(&compare(&old, &moved(0.5)), name).0, MetricVerdict::WithinNoise);
    let (verdict, reason) = verdict_of(&compare(&old, &moved(3.0)), name);
    assert_eq!(verdict, MetricVerdict::Changed, "{reason}");
    let mut other = moved(0.5);
    other.texts.as_mut().expect("measured").word_lists[0].sha256 = "cd".repeat(32);
    let difference = compare(&old, &other);
    assert_eq!(verdict_of(&difference, name).0, MetricVerdict::NotComparable);
    let mtld = "texts.measures[mtld of fine_tuned].mean.estimate";
    assert_eq!(verdict_of(&difference, mtld).0, MetricVerdict::Same);
}

//! When a finding holds, at the edges where it begins and ends.

use crate::fixtures::{self, fixture};
use tezgah::recipe::Quantization;
use tezgah::record::{Best, EarlyStop, Eval, Overlap, RunRecord, Validation};
use tezgah::report::document;
use tezgah::report::finding::Claim;
use tezgah::report::findings::criteria::{self, CriterionName, Outcome};
use tezgah::report::findings::{self, Kind};
use tezgah::report::profile::{Limits, Profile};

/// Whether `kind` is found in the good run after `change`.
#[track_caller]
fn check(kind: Kind, expected: bool, change: impl Fn(&mut RunRecord)) {
    let mut record = fixture("iyi");
    change(&mut record);
    let found = findings::findings(&record, Limits::default()).iter().any(|finding| finding.kind == kind);
    assert_eq!(found, expected, "{}", kind.name());
}

#[track_caller]
fn outcome(name: CriterionName, expected: Outcome, change: impl Fn(&mut RunRecord)) {
    let mut record = fixture("iyi");
    change(&mut record);
    let all = criteria::criteria(&record, &findings::findings(&record, Limits::default()));
    let got =
        all.iter().find(|criterion| criterion.name == name).expect("every criterion is checked").outcome;
    assert_eq!(got, expected, "{name:?}");
}

fn evals(record: &mut RunRecord, losses: &[f64]) {
    let evals = losses.iter().enumerate().map(|(index, &loss)| Eval {
        step: 20 * (index + 1),
        epoch: (index + 1) as f64,
        loss,
        trainer_eval_loss: loss,
    });
    record.training.evals = evals.collect();
    // The first of equal losses, as the training has it: strictly lower replaces.
    let best = record.training.evals.iter().min_by(|a, b| a.loss.total_cmp(&b.loss));
    record.training.best = best.map(|best| Best { step: best.step, loss: best.loss });
}

/// 60 steps, the last with factor(59): the peak needs warmup <= 59, a rate bent by the cosine needs warmup <= 58.
#[test]
fn the_peak_and_the_cosine_are_reached_or_not() {
    for (warmup, is_peak_missed, is_cosine_missed) in
        [(100, true, true), (60, true, true), (59, false, true), (58, false, false)]
    {
        check(Kind::PeakNeverReached, is_peak_missed, |record| record.recipe.train.warmup_steps = warmup);
        check(Kind::CosineNeverBegan, is_cosine_missed, |record| record.recipe.train.warmup_steps = warmup);
    }
}

#[test]
fn the_evaluation_loss_falls_rises_turns() {
    for (losses, fell, rose, turned, last) in [
        ([1.4, 1.1, 0.9], true, false, false, true),
        ([1.4, 0.9, 1.1], true, false, true, false),
        ([1.4, 0.9, 1.4], false, true, true, false),
        ([0.9, 1.1, 1.4], false, true, false, false),
        ([1.1, 1.1, 1.1], false, true, false, false),
    ] {
        check(Kind::EvalLossFell, fell, |record| evals(record, &losses));
        check(Kind::EvalLossRose, rose, |record| evals(record, &losses));
        check(Kind::EvalLossTurned, turned, |record| evals(record, &losses));
        check(Kind::BestIsLast, last, |record| evals(record, &losses));
    }
    check(Kind::TooFewEvaluations, true, |record| evals(record, &[1.0]));
    check(Kind::TooFewEvaluations, false, |record| evals(record, &[1.0, 0.9]));
    outcome(CriterionName::NoOverfit, Outcome::Met, |record| evals(record, &[1.4, 1.1, 0.9]));
    outcome(CriterionName::NoOverfit, Outcome::Met, |record| evals(record, &[1.1, 1.1]));
    outcome(CriterionName::NoOverfit, Outcome::NotMet, |record| evals(record, &[0.9, 1.1]));
    outcome(CriterionName::NoOverfit, Outcome::Undetermined, |record| evals(record, &[0.9]));
}

#[test]
fn equal_losses_are_no_fall() {
    check(Kind::TrainLossRose, true, |record| {
        let first = record.training.steps[0].loss;
        record.training.steps.last_mut().expect("steps").loss = first;
    });
    check(Kind::TrainLossFell, true, |record| {
        let first = record.training.steps[0].loss;
        record.training.steps.last_mut().expect("steps").loss = first - 1e-9;
    });
    check(Kind::TrainLossRose, false, |record| record.training.steps.truncate(1));
}

#[test]
fn a_trainable_share_above_one_is_no_saving() {
    let set = |count: u64| move |record: &mut RunRecord| record.model.trainable_parameters = count;
    let parameters = fixture("iyi").model.parameters;
    check(Kind::TrainableShare, true, set(parameters));
    check(Kind::TrainableExceedsBase, true, set(parameters + 1));
    check(Kind::TrainableShare, false, set(parameters + 1));
}

/// A GGUF file may hold dense weights: kept as they are, nothing is quantized and nothing was saved.
#[test]
fn a_dense_file_kept_as_it_is_is_not_quantized() {
    let dense = |record: &mut RunRecord| {
        record.model.quantization = Quantization::AsIs;
        record.model.quantized_parameters = 0;
        record.model.weight_bytes = record.model.dense_weight_bytes;
    };
    check(Kind::DenseBase, true, dense);
    check(Kind::QuantizedBase, false, dense);
    check(Kind::MergedIntoDequantized, false, dense);
    check(Kind::QuantizedBase, true, |_| {});
}

#[test]
fn an_untested_improvement_is_no_met_criterion() {
    outcome(CriterionName::MaskedImproved, Outcome::Met, |_| {});
    outcome(CriterionName::MaskedImproved, Outcome::Undetermined, |record| {
        record.evaluation.statistics = None
    });
    outcome(CriterionName::MaskedImproved, Outcome::Undetermined, |record| {
        record.evaluation.fine_tuned = None
    });
    outcome(CriterionName::Reproducible, Outcome::NotMet, |record| record.environment.git_dirty = true);
    outcome(CriterionName::Reproducible, Outcome::Undetermined, |record| {
        record.environment.git_commit = None
    });
}

#[test]
fn only_what_chance_does_not_explain_is_contrasted() {
    check(Kind::OnlyMaskedImproved, false, |record| *record = fixture("belirsiz"));
    check(Kind::OnlyMaskedImproved, true, |record| *record = fixture("yalniz_yanit"));
    check(Kind::OnlyFullImproved, true, |record| *record = fixture("sizintili"));
}

#[test]
fn a_guess_that_beats_the_base_model_is_named() {
    let loss = fixture("iyi").evaluation.baseline.expect("a baseline").masked.loss;
    for (vocabulary, expected) in [((loss.exp()) as usize, true), (loss.exp() as usize + 1, false)] {
        let mut record = fixture("iyi");
        record.model.architecture.vocab_size = vocabulary;
        let found = findings::findings(&record, Limits::default()).into_iter().any(|finding| {
            finding.kind == Kind::BaselineWorseThanUniform && finding.evidence["loss"].path.contains("masked")
        });
        assert_eq!(found, expected, "{vocabulary}");
    }
}

/// Evidence is what the sentences print, and it leads back into the record.
#[test]
fn every_finding_of_every_record_has_evidence_and_words() {
    for (name, record) in fixtures::records() {
        for (finding, sentences) in document::finding_sentences(&record, &Profile::default()).expect(name) {
            assert!(!finding.evidence.is_empty(), "{name}: {}", finding.kind.name());
            let lines = sentences.results.len() + sentences.discussion.len();
            assert!(lines > 0, "{name}: {} says nothing", finding.kind.name());
            for evidence in finding.evidence.values() {
                assert!(evidence.real().is_finite(), "{name}: {}", evidence.path);
            }
        }
    }
}

#[test]
fn overlap_is_judged_by_the_profile_where_it_was_measured() {
    let of = |covered: Option<f64>, limit: u32| {
        let mut record = fixture("ekran_karti");
        let measured = record.dataset.overlap.take().expect("measured");
        record.dataset.overlap = covered.map(|covered_words| Overlap { covered_words, ..measured });
        let all = findings::findings(&record, Limits { overlap_percent: limit, ..Limits::default() });
        let criterion = criteria::criteria(&record, &all);
        let criterion = criterion.iter().find(|one| one.name == CriterionName::LowOverlap).expect("checked");
        let kinds = [Kind::OverlapLow, Kind::OverlapHigh];
        (all.iter().map(|one| one.kind).find(|kind| kinds.contains(kind)), criterion.outcome)
    };
    assert_eq!(of(Some(0.5), 50), (Some(Kind::OverlapLow), Outcome::Met));
    assert_eq!(of(Some(0.5001), 50), (Some(Kind::OverlapHigh), Outcome::NotMet));
    assert_eq!(of(Some(0.5001), 60), (Some(Kind::OverlapLow), Outcome::Met));
    assert_eq!(of(None, 50), (None, Outcome::Undetermined));
}

/// The level is judged by a list of levels alone, and only where the interval allows: the opposite sentences are ready.
#[test]
fn the_level_of_the_texts_is_judged_where_a_list_tells_it() {
    for (name, kind, expected) in [
        ("metinleri_yineleyen", Some(Kind::TextsOfTheLevel), Outcome::Met),
        ("metinleri_uzak", Some(Kind::TextsAboveLevel), Outcome::NotMet),
        ("metinleri_belirsiz", Some(Kind::TextsOfUnsureLevel), Outcome::Undetermined),
        ("metinleri_yakin", None, Outcome::Undetermined),
        ("iyi", None, Outcome::Undetermined),
    ] {
        let record = fixture(name);
        let all = findings::findings(&record, Limits::default());
        let kinds = [Kind::TextsOfTheLevel, Kind::TextsAboveLevel, Kind::TextsOfUnsureLevel];
        assert_eq!(all.iter().map(|one| one.kind).find(|kind| kinds.contains(kind)), kind, "{name}");
        let criteria = criteria::criteria(&record, &all);
        let kept = criteria.iter().find(|one| one.name == CriterionName::LevelKept).expect("checked");
        assert_eq!(kept.outcome, expected, "{name}");
    }
    // A wider margin turns what was unsure into met.
    let record = fixture("metinleri_belirsiz");
    let wide = findings::findings(&record, Limits { above_level_points: 9, ..Limits::default() });
    assert!(wide.iter().any(|finding| finding.kind == Kind::TextsOfTheLevel));
}

#[test]
fn texts_that_repeat_themselves_are_called_so() {
    check(Kind::TextsRepeatMore, true, |record| *record = fixture("metinleri_yineleyen"));
    check(Kind::TextsRepeatMore, false, |record| *record = fixture("metinleri_uzak"));
    check(Kind::TextsRepeatNoMore, true, |record| *record = fixture("metinleri_uzak"));
    check(Kind::SamplesRepeat, false, |record| *record = fixture("metinleri_yineleyen"));
}

/// A limitation where it holds and nowhere else: of one evaluation nothing is chosen, and the last weights are no choice.
#[test]
fn what_was_chosen_on_the_reported_rows_is_said_exactly_there() {
    let of = |losses: &'static [f64], load_best: bool, is_apart: bool| {
        move |record: &mut RunRecord| {
            evals(record, losses);
            record.recipe.train.load_best_at_end = load_best;
            record.dataset.validation = is_apart.then(|| Validation { rows: 9, sha256: "ab".repeat(32) });
        }
    };
    const TWO: &[f64] = &[1.4, 1.1];
    for (losses, load_best, is_apart, on_reported, on_others) in [
        (TWO, true, false, true, false),
        (TWO, true, true, false, true),
        (TWO, false, false, false, false),
        (TWO, false, true, false, false),
        (&TWO[..1], true, false, false, false),
    ] {
        check(Kind::ChosenOnReportedRows, on_reported, of(losses, load_best, is_apart));
        check(Kind::ChosenOnOtherRows, on_others, of(losses, load_best, is_apart));
        check(Kind::ValidationApart, is_apart, of(losses, load_best, is_apart));
    }
    // Where to end is a choice too, whatever is loaded then; without an evaluation of the result nothing is reported.
    check(Kind::ChosenOnReportedRows, true, |record| {
        of(TWO, false, false)(record);
        record.training.early_stop = Some(EarlyStop { step: 40, evaluations: 1 });
    });
    check(Kind::ChosenOnReportedRows, false, |record| record.evaluation.fine_tuned = None);
}

#[test]
fn two_to_four_evaluations_are_few() {
    for (count, is_few) in [(0, false), (1, false), (2, true), (4, true), (5, false)] {
        check(Kind::FewEvaluations, is_few, |record| {
            evals(record, &[1.4, 1.3, 1.2, 1.1, 1.0][..count]);
        });
    }
}

/// Steps that an early end left out raised no rate.
#[test]
fn an_early_end_is_the_end_of_the_schedule() {
    for (step, is_missed) in [(40, true), (42, true), (43, false)] {
        check(Kind::CosineNeverBegan, is_missed, |record| {
            record.recipe.train.warmup_steps = 41;
            record.training.early_stop = Some(EarlyStop { step, evaluations: 1 });
        });
    }
    check(Kind::BestIsLast, false, |record| evals(record, &[1.4, 1.1, 1.1]));
    check(Kind::EvalLossTurned, false, |record| evals(record, &[1.4, 1.1, 1.1]));
}

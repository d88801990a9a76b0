//! Two runs compared: every verdict, and what a thesis must follow.
//!
//! All start from `records-schema/1.json`, 40 evaluation rows: a change of one row is noise, of all rows is not.

mod identity;
mod yardsticks;

use crate::fixtures::measured::rescore;
use crate::store::record;
use tezgah::diff::{
    self, ConclusionKind, Difference, Effect, MetricVerdict, Paint, Subject, Verdict, Volatile,
};
use tezgah::record::*;
use tezgah::report::profile::Profile;

/// Changes the rows' fine-tuned sums and, as a run would, everything that is computed from them.
fn rescored(change: impl Fn(usize, &mut RowNll)) -> RunRecord {
    let mut record = record();
    let evaluation = &mut record.evaluation;
    for (index, row) in evaluation.rows.iter_mut().enumerate() {
        change(index, row.fine_tuned.as_mut().expect("1.json has both sides"));
    }
    rescore(evaluation, record.recipe.data.split_seed);
    // As the record that it is compared with, whose program did not tell the prompt's loss apart.
    evaluation.statistics.as_mut().expect("both sides").prompt = None;
    let best = evaluation.fine_tuned.as_ref().expect("both sides").masked.loss;
    record.training.best.as_mut().expect("a best step").loss = best;
    record.training.evals.last_mut().expect("an evaluation").loss = best;
    record
}

fn compare(old: &RunRecord, new: &RunRecord) -> Difference {
    diff::compare(old, new, None, &Profile::default()).expect("both render")
}

fn markdown(difference: &Difference) -> String {
    diff::print(difference, ["reports/a1", "reports/a1-again"], Paint::Plain)
}

fn verdict_of(difference: &Difference, name: &str) -> (MetricVerdict, String) {
    let metric = difference.metrics.iter().find(|metric| metric.name == name);
    metric.map(|metric| (metric.verdict, metric.reason.clone())).unwrap_or_else(|| panic!("no metric {name}"))
}

#[test]
fn equal_runs_are_the_same() {
    let difference = compare(&record(), &record());
    assert_eq!(difference.verdict, Verdict::Same);
    assert_eq!(difference.verdict.exit_code(), 0);
    assert!(
        difference.identity.is_empty() && difference.volatile.is_empty() && difference.allowed.is_empty()
    );
    assert!(difference.metrics.iter().all(|metric| metric.verdict == MetricVerdict::Same));
    // The four losses and perplexities, the training's six, and the statistics of both masks.
    assert!(difference.metrics.len() > 50, "{}", difference.metrics.len());
    insta::assert_snapshot!("same", markdown(&difference));
}

#[test]
fn another_machine_and_time_are_the_same_and_named() {
    let mut new = record();
    new.training.seconds = 2000.0;
    new.training.tokens_per_second = 91.5;
    new.training.peak_memory_bytes += 4096;
    new.training.steps[3].seconds = 90.0;
    new.outputs[2].bytes += 1;
    new.dataset.source = "/home/a/a1.json".into();
    new.environment = Environment {
        started_at: "2026-11-25T08:00:00+03:00".into(),
        finished_at: Some("2026-11-25T08:40:00+03:00".into()),
        cpu: "AMD EPYC 9B14".into(),
        threads: 8,
        git_dirty: true,
        command: vec!["a1".into(), "--out".into(), "elsewhere".into()],
        ..new.environment
    };
    let difference = compare(&record(), &new);
    assert_eq!(difference.verdict, Verdict::Same, "{}", markdown(&difference));
    assert_eq!(difference.verdict.exit_code(), 0);
    assert!(difference.identity.iter().all(|fact| fact.effect == Effect::Explains));
    let subjects: Vec<Subject> = difference.identity.iter().map(|fact| fact.subject).collect();
    assert_eq!(subjects, [Subject::Code, Subject::Machine, Subject::Machine]);
    let sentences: Vec<(Volatile, &str)> =
        difference.allowed.iter().map(|sentence| (sentence.group, sentence.file_name.as_str())).collect();
    assert_eq!(sentences, [(Volatile::TrainingTime, "sonuclar.md"), (Volatile::Machine, "yontem.md")]);
    // Whether the working copy was clean is a criterion, and no measurement.
    let moved: Vec<(&str, bool)> = difference
        .conclusions
        .iter()
        .map(|conclusion| (conclusion.subject.as_str(), conclusion.is_allowed))
        .collect();
    assert_eq!(moved, [("reproducible", true)]);
    insta::assert_snapshot!("another_machine", markdown(&difference));
}

#[test]
fn a_rerun_changes_the_sentence_of_the_training_time_alone() {
    let mut new = record();
    new.training.seconds = 1500.0;
    new.environment.started_at = "2026-11-25T08:00:00+03:00".into();
    let difference = compare(&record(), &new);
    assert_eq!(difference.verdict, Verdict::Same);
    let allowed: Vec<Volatile> = difference.allowed.iter().map(|sentence| sentence.group).collect();
    assert_eq!(allowed, [Volatile::TrainingTime]);
    let text: String = difference.allowed[0].pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert!(text.starts_with("Eğitim ") && text.ends_with("sürmüştür."), "{text}");
}

#[test]
fn all_rows_are_a_change_and_digits_follow() {
    let new = rescored(|_, nll| nll.masked *= 1.1);
    let difference = compare(&record(), &new);
    assert_eq!(difference.verdict, Verdict::Changed);
    assert_eq!(difference.verdict.exit_code(), 1);
    let (verdict, reason) = verdict_of(&difference, "evaluation.fine_tuned.masked.loss");
    assert_eq!(verdict, MetricVerdict::Changed);
    assert!(reason.starts_with("new - old = 0.08756; ") && reason.ends_with("does not hold 0"), "{reason}");
    // 0.875595 and, a tenth more, 0.963155.
    let path = "evaluation.fine_tuned.masked.loss";
    let digit =
        difference.digits.iter().find(|digit| digit.path == path).expect("the loss prints in another way");
    assert_eq!((digit.old.as_deref(), digit.new.as_deref()), (Some("0,88"), Some("0,96")));
    assert!(digit.is_in_thesis && digit.documents.contains(&"sonuclar.md".to_string()));
    insta::assert_snapshot!("changed", markdown(&difference));
}

#[test]
fn a_digit_below_the_printed_ones_is_no_edit() {
    // 0.875595 + 0.0001 still prints as 0,88.
    let new = rescored(|_, nll| nll.masked *= 1.0001);
    let difference = compare(&record(), &new);
    let losses: Vec<&str> = difference.digits.iter().map(|digit| digit.path.as_str()).collect();
    assert!(!losses.contains(&"evaluation.fine_tuned.masked.loss"), "{losses:?}");
    // Every row rose, however little: that is a change of the metric.
    assert_eq!(verdict_of(&difference, "evaluation.fine_tuned.masked.loss").0, MetricVerdict::Changed);
}

#[test]
fn a_finding_turns_with_its_sentences() {
    // The fine-tuned model is now worse than the base (1.96) on the responses.
    let new = rescored(|_, nll| nll.masked *= 2.5);
    let difference = compare(&record(), &new);
    let turned = |kind, subject: &str| {
        let found =
            difference.conclusions.iter().find(|other| other.kind == kind && other.subject == subject);
        found.unwrap_or_else(|| panic!("{kind:?} {subject} did not turn")).clone()
    };
    let finding = turned(ConclusionKind::Finding, "comparison (masked)");
    assert_eq!((finding.old.as_deref(), finding.new.as_deref()), (Some("improved"), Some("worsened")));
    assert!(finding.withdrawn.iter().any(|line| line.contains("gerilemiş")), "{:?}", finding.withdrawn);
    assert!(!finding.stated.is_empty() && !finding.is_allowed);
    let criterion = turned(ConclusionKind::Criterion, "masked_improved");
    assert_eq!((criterion.old.as_deref(), criterion.new.as_deref()), (Some("met"), Some("not_met")));
    let sign = turned(ConclusionKind::Sign, "masked loss");
    assert_eq!((sign.old.as_deref(), sign.new.as_deref()), (Some("fell"), Some("rose")));
    assert!(difference.digits.iter().any(|digit| digit.is_sign_turned));
}

#[test]
fn significance_can_turn_alone() {
    // Around the base model's own loss: every second row above it, every second below.
    let base: Vec<f64> = record().evaluation.rows.iter().map(|row| row.baseline.masked).collect();
    let new = rescored(|index, nll| nll.masked = base[index] * if index % 2 == 0 { 1.2 } else { 0.79 });
    let difference = compare(&record(), &new);
    let significance = difference.conclusions.iter().find(|other| other.kind == ConclusionKind::Significance);
    let significance = significance.expect("significance turned");
    assert_eq!(significance.subject, "base against fine-tuned (masked)");
    assert_eq!(significance.new.as_deref(), Some("not significant"));
}

#[test]
fn courses_that_part_are_told_by_their_step() {
    let mut new = record();
    for step in &mut new.training.steps[12..] {
        step.loss += 1e-9;
    }
    let difference = compare(&record(), &new);
    let (verdict, reason) = verdict_of(&difference, "training.steps[12].loss");
    assert_eq!(verdict, MetricVerdict::Changed);
    assert!(reason.contains("no row sums"), "{reason}");

    // The step table of the appendix prints four decimals, the sections two: 1.5077 and 1.51.
    let mut new = record();
    new.training.steps.last_mut().expect("steps").loss += 1e-4;
    let difference = compare(&record(), &new);
    let digits: Vec<_> =
        difference.digits.iter().map(|digit| (digit.old.as_deref(), digit.is_in_thesis)).collect();
    assert_eq!(digits, [(Some("1,5077"), true)]);
    let sections: Vec<&str> = difference.sections.iter().map(|section| section.file_name.as_str()).collect();
    assert_eq!(sections, ["ekler.md"]);
}

#[test]
fn an_unfinished_run_can_be_compared() {
    let mut new = record();
    new.status = Status::Running;
    new.training.steps.truncate(5);
    new.training.evals.clear();
    new.training.best = None;
    new.evaluation = Evaluation::default();
    new.samples.clear();
    let difference = compare(&record(), &new);
    assert_eq!(difference.verdict, Verdict::Changed);
    let (verdict, reason) = verdict_of(&difference, "training.best.loss");
    assert_eq!((verdict, reason.as_str()), (MetricVerdict::Changed, "measured in the old run only"));
}

#[test]
fn json_and_colours_say_the_same() {
    let difference = compare(&record(), &rescored(|_, nll| nll.masked *= 1.1));
    let json = serde_json::to_value(&difference).expect("a difference is JSON");
    assert_eq!(json["verdict"], "changed");
    assert_eq!(json["metrics"].as_array().map(Vec::len), Some(difference.metrics.len()));
    let painted = diff::print(&difference, ["reports/a1", "reports/a1-again"], Paint::Ansi);
    assert!(painted.contains("\u{1b}[31m"));
    let mut plain = String::new();
    for (index, part) in painted.split("\u{1b}[").enumerate() {
        plain += if index == 0 { part } else { part.split_once('m').expect("a colour code").1 };
    }
    assert_eq!(plain, markdown(&difference));
}

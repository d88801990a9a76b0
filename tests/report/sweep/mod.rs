//! A sweep: what is collected of its runs, what is claimed, and the words of `tarama.md`.

pub(crate) mod fixtures;
mod rules;

use fixtures::*;
use std::collections::BTreeSet;
use tezgah::level::Level;
use tezgah::record::Status;
use tezgah::record::sweep::{SweepRecord, collect};
use tezgah::report::document::{ChartReference, Document};
use tezgah::report::finding::Claim;
use tezgah::report::numbers::Style;
use tezgah::report::profile::Profile;
use tezgah::report::sweep::findings::{self, Kind};
use tezgah::report::sweep::{charts, finding_sentences, render};

fn references(record: &SweepRecord) -> Vec<ChartReference> {
    let drawn = charts(record, Style::default()).expect("the chart can be drawn");
    drawn
        .into_iter()
        .map(|chart| ChartReference { name: chart.name.into(), caption: chart.caption, alt: chart.alt })
        .collect()
}

fn document(record: &SweepRecord, profile: &str) -> Document {
    let profile = Profile::ready(profile).expect("a ready profile");
    render(record, &references(record), &profile).unwrap_or_else(|error| panic!("{error}"))
}

/// Checks each document under each profile.
fn each_document(check: impl Fn(&SweepRecord, &Document)) {
    for (name, record) in sweeps() {
        for profile in Profile::NAMES {
            let document = document(&record, profile);
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&record, &document)));
            assert!(caught.is_ok(), "in {name}, {profile}");
        }
    }
}

fn sweep(name: &str) -> SweepRecord {
    sweeps().into_iter().find(|(known, _)| *known == name).expect("a sweep").1
}

#[test]
fn every_sweep_reads_as_it_did() {
    for (name, record) in sweeps() {
        insta::assert_snapshot!(format!("tarama-{name}"), document(&record, "varsayilan").markdown);
    }
    insta::assert_snapshot!("tarama-apa7", document(&sweep("acik"), "apa7").markdown);
}

#[test]
fn sweeps_touch_every_finding() {
    let mut kinds = BTreeSet::new();
    for (name, record) in sweeps() {
        for (finding, sentences) in finding_sentences(&record, &Profile::default()).expect(name) {
            kinds.insert(finding.kind.name());
            assert!(finding.evidence.values().all(|figure| figure.real().is_finite()), "{name}: {finding:?}");
            let lines = sentences.results.len() + sentences.discussion.len();
            assert!(lines > 0, "{name}: {} says nothing", finding.kind.name());
        }
    }
    let untouched: Vec<String> =
        Kind::ALL.iter().map(|kind| kind.name()).filter(|name| !kinds.contains(name)).collect();
    assert_eq!(untouched, Vec::<String>::new());
}

#[test]
fn a_record_is_its_json() {
    for (name, record) in sweeps() {
        let json = serde_json::to_string(&record).expect("a record is JSON");
        assert_eq!(serde_json::from_str::<SweepRecord>(&json).expect("a record"), record, "{name}");
        assert!(!json.contains("null"), "{name}");
    }
}

/// What is to be reported may not choose: the rule sees the selection losses, the parameters and the plan alone.
#[test]
fn the_choice_never_looks_at_the_reported_loss() {
    for (planned, change) in [(clear(), 0.7), (undecided(), 1.9), (several_axes(), 0.1)] {
        let expected = collected(&planned);
        let mut changed = planned;
        for (place, (_, record)) in changed.iter_mut().enumerate() {
            let evaluation = &mut record.as_mut().expect("a finished run").evaluation;
            evaluation.fine_tuned.as_mut().expect("evaluated").masked.loss = change * (place % 7 + 1) as f64;
            evaluation.baseline.as_mut().expect("evaluated").masked.loss = change * (place % 5 + 1) as f64;
        }
        let record = collected(&changed);
        assert_eq!((&record.choices, &record.contrasts), (&expected.choices, &expected.contrasts));
        assert_ne!(record.groups, expected.groups, "the change was seen");
    }
}

/// Of the best combination the run of the plan's first seed, though another of its seeds has the lowest loss.
#[test]
fn the_run_is_that_of_the_first_seed() {
    let record = sweep("orta");
    let runs: Vec<&str> = record.choices.iter().map(|choice| choice.run.as_str()).collect();
    assert_eq!(runs, ["a1-lora.rank-128-seed-3407", "b1-lora.rank-16-seed-3407"]);
    // statistics.mean and stdev of 0.98, 1.05, 0.99, 1.00 are 1.005 and 0.0310912635; its half is the standard error.
    let smaller = record.choices[0].smaller.as_ref().expect("rank 16 is as good");
    assert_eq!(smaller.settings[0].value, "16");
    assert!((smaller.standard_error - 0.015_545_631_755_148_045).abs() < 1e-12);
    assert_eq!(smaller.parameters_ratio, 0.125);
    let second = record.choices[0].runner_up.as_ref().expect("three ranks");
    assert_eq!((second.settings[0].value.as_str(), second.within_spread), ("64", Some(true)));
    assert!((second.distance - 0.0025).abs() < 1e-12);
    assert_eq!(record.choices[1].smaller, None, "the smallest was chosen");
    // One finished run more or less: a combination that waits for a run is not chosen.
    let mut planned = undecided();
    planned[8].1 = None;
    let choice = &collected(&planned).choices[0];
    assert_eq!((choice.settings[0].value.as_str(), choice.among), ("64", 2));
}

/// A run that was planned before a setting was asked for has its value in its record.
#[test]
fn a_setting_that_came_later_is_read_from_the_record() {
    let mut planned = vec![finished(Level::A1, &[("lora.rank", "128")], 3407, 1.0)];
    planned[0].0.settings.clear();
    planned.push(finished(Level::A1, &[("lora.rank", "16")], 3407, 1.1));
    let record = collected(&planned);
    assert_eq!(record.axes.len(), 1);
    assert_eq!(record.axes[0].values, ["16", "128"]);
    assert_eq!(record.runs[0].settings[0].value, "128");
    // As the recipe prints it, and as it was typed.
    let rates =
        ["1e-4", "0.0002"].map(|rate| finished(Level::A1, &[("train.learning_rate", rate)], 3407, 1.0));
    assert_eq!(collected(&rates).axes[0].values, ["0.0001", "0.0002"]);
    let waiting = ["1e-4", "0.0002"].map(|rate| unstarted(Level::A1, &[("train.learning_rate", rate)], 1));
    assert_eq!(collected(&[&rates[..], &waiting[..]].concat()).groups.len(), 2, "one setting, not two");
    // Neither the plan nor a record knows it.
    planned[0].1 = None;
    let error = collect(&planned).expect_err("no value").to_string();
    assert!(error.contains("lora.rank") && error.contains("a1-lora.rank-128-seed-3407"), "{error}");
}

#[test]
fn unfinished_runs_are_counted_and_compared_with_none() {
    let record = collected(&incomplete());
    let count = |status| record.runs.iter().filter(|run| run.status == status).count();
    assert_eq!(count(Some(Status::Failed)), 1);
    assert_eq!(count(Some(Status::Interrupted)), 1);
    assert_eq!(count(None), 6);
    assert_eq!(record.runs.iter().filter(|run| run.result.is_some()).count(), 5);
    assert_eq!(record.groups.iter().map(|group| group.level).collect::<BTreeSet<_>>(), [Level::A1].into());
    assert_eq!((record.contrasts.len(), record.contrasts[0].pairs), (1, 2));
    let text = document(&record, "varsayilan").markdown;
    assert!(text.contains("koşunun 5'i sona ermiş"), "{text}");
    assert!(text.contains("Hatayla duran koşu sayısı 1: `b1-lora.rank-16-seed-3407`."), "{text}");
    assert!(text.contains("ve 2 koşu daha."), "{text}");
}

#[test]
fn what_cannot_be_compared_is_refused_in_one_line() {
    type Change<'a> = &'a dyn Fn(&mut Vec<Planned>);
    fn record(planned: &mut [Planned], place: usize) -> &mut tezgah::record::RunRecord {
        planned[place].1.as_mut().expect("a finished run")
    }
    let changes: [(Change<'_>, &[&str]); 7] = [
        (&|runs| record(runs, 1).model.sha256 = "ff".into(), &["one base model", "rank-16", "rank-128"]),
        (&|runs| record(runs, 1).dataset.sha256 = "ff".into(), &["one file of rows", "rank-16", "rank-128"]),
        (
            &|runs| record(runs, 1).dataset.eval_sha256 = "ff".into(),
            &["reported rows", "rank-16", "rank-128"],
        ),
        (&|runs| record(runs, 0).level = Level::C1, &["a record of A1 with seed 3407", "one of C1"]),
        (&|runs| record(runs, 0).recipe.train.seed = 9, &["seed 3407", "seed 9"]),
        (&|runs| record(runs, 0).recipe.lora.rank = 64, &["expected 16, got a record of 64"]),
        (&|runs| runs.push(runs[0].clone()), &["expected runs that differ"]),
    ];
    for (change, messages) in changes {
        let mut planned = single();
        change(&mut planned);
        let error = collect(&planned).expect_err(messages[0]).to_string();
        for message in messages {
            assert!(error.contains(message), "{message}: {error}");
        }
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    // Other rows on another level, and another model, are no fault.
    let mut planned = single();
    planned.push(finished(Level::B1, &[("lora.rank", "16")], 3407, 1.5));
    record(&mut planned, 2).model.sha256 = "ff".into();
    record(&mut planned, 2).dataset.sha256 = "ff".into();
    assert_eq!(collected(&planned).model, None);
}

/// Where the verdict on the largest rank turns.
#[test]
fn the_largest_rank_has_one_verdict() {
    let verdicts = [
        Kind::LargestRankBetter,
        Kind::LargestRankBetterInPart,
        Kind::LargestRankNotBetter,
        Kind::LargestRankWorse,
        Kind::LargestRankUntestable,
    ];
    for (name, expected) in [
        ("acik", Some(Kind::LargestRankBetter)),
        ("cok_ayarli", Some(Kind::LargestRankBetterInPart)),
        ("orta", Some(Kind::LargestRankNotBetter)),
        ("sinirda", Some(Kind::LargestRankNotBetter)),
        ("kotu", Some(Kind::LargestRankWorse)),
        ("tek", Some(Kind::LargestRankUntestable)),
        ("bes_tek", Some(Kind::LargestRankUntestable)),
        ("baslamadi", Some(Kind::LargestRankUntestable)),
        ("testli", None),
    ] {
        let found = findings::findings(&sweep(name));
        let verdict: Vec<Kind> =
            found.iter().map(|finding| finding.kind).filter(|kind| verdicts.contains(kind)).collect();
        assert_eq!(verdict, expected.into_iter().collect::<Vec<_>>(), "{name}");
    }
}

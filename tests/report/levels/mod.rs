//! The comparison of levels: what is compared, what is claimed, and the words of `karsilastirma.md`.

mod fixtures;
mod rules;
mod replicates_of_seeds;

use crate::fixtures::fixture;
use fixtures::*;
use std::collections::BTreeSet;
use tezgah::level::Level;
use tezgah::record::RunRecord;
use tezgah::record::levels::{CrossMatrix, LevelsRecord, Reason, compare};
use tezgah::report::document::{ChartReference, Document};
use tezgah::report::finding::Claim;
use tezgah::report::levels::findings::{self, Kind};
use tezgah::report::levels::{charts, finding_sentences, render};
use tezgah::report::numbers::Style;
use tezgah::report::profile::Profile;

fn references(record: &LevelsRecord) -> Vec<ChartReference> {
    let drawn = charts(record, Style::default()).expect("the charts can be drawn");
    drawn
        .into_iter()
        .map(|chart| ChartReference { name: chart.name.into(), caption: chart.caption, alt: chart.alt })
        .collect()
}

fn document(record: &LevelsRecord, profile: &str) -> Document {
    let profile = Profile::ready(profile).expect("a ready profile");
    render(record, &references(record), &profile).unwrap_or_else(|error| panic!("{error}"))
}

/// Checks each document under each profile.
fn each_document(check: impl Fn(&LevelsRecord, &Document)) {
    for (name, record) in comparisons() {
        for profile in Profile::NAMES {
            let document = document(&record, profile);
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&record, &document)));
            assert!(caught.is_ok(), "in {name}, {profile}");
        }
    }
}

#[test]
fn every_comparison_reads_as_it_did() {
    for (name, record) in comparisons() {
        insta::assert_snapshot!(format!("karsilastirma-{name}"), document(&record, "varsayilan").markdown);
    }
    for profile in ["apa7", "tohum"] {
        let text = document(&five_levels(), profile).markdown;
        insta::assert_snapshot!(format!("karsilastirma-{profile}"), text);
    }
}

#[test]
fn comparisons_touch_every_finding() {
    let mut kinds = BTreeSet::new();
    for (name, record) in comparisons() {
        for (finding, sentences) in finding_sentences(&record, &Profile::default()).expect(name) {
            kinds.insert(finding.kind.name());
            assert!(
                !finding.levels.is_empty() || finding.kind == Kind::OwnBestNowhere,
                "{name}: {finding:?}"
            );
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
fn the_order_given_is_of_no_matter() {
    let mut records = five();
    let expected = compared(&records, None);
    records.reverse();
    records.swap(1, 3);
    assert_eq!(compared(&records, None), expected);
    let json = serde_json::to_string(&five_levels()).expect("a record is JSON");
    assert_eq!(serde_json::from_str::<LevelsRecord>(&json).expect("a record"), five_levels());
    assert!(!json.contains("null"));
}

#[test]
fn what_cannot_be_compared_is_refused_in_one_line() {
    let good = || vec![at("iyi", Level::A1, 1.0), at("iyi", Level::B1, 0.7)];
    let matrix = || cross(&good(), |_, _| 0.5);
    let failed = |level| RunRecord { level, ..fixture("iraksayan") };
    let changed = |change: &dyn Fn(&mut CrossMatrix)| {
        let mut matrix = matrix();
        change(&mut matrix);
        Some(matrix)
    };
    let mut other_model = good();
    other_model[0].model.sha256 = "00".repeat(32);
    for (records, cross, message) in [
        (good()[..1].to_vec(), None, "expected completed and evaluated runs of at least two, got A1"),
        (Vec::new(), None, "at least two, got none"),
        (
            vec![good()[0].clone(), failed(Level::B2)],
            None,
            "got A1 (failed, unfinished or not evaluated: B2)",
        ),
        (vec![good()[0].clone(), good()[0].clone()], None, "expected one record a level, got two of A1"),
        (vec![good()[0].clone(), failed(Level::A1)], None, "expected one record a level, got two of A1"),
        (
            good(),
            changed(&|matrix| matrix.loss[1].truncate(1)),
            "expected 2 rows of 2 and a base row, got rows of [2, 1]",
        ),
        (good(), changed(&|matrix| matrix.base_loss.push(1.0)), "a base row of 3"),
        (
            good(),
            changed(&|matrix| matrix.adapters[0] = Level::C1),
            "expected levels that are compared, got C1",
        ),
        (
            good(),
            changed(&|matrix| matrix.eval_sets[1] = Level::A1),
            "expected each level once, got A1 twice",
        ),
        (good(), changed(&|matrix| matrix.loss[0][1] = f64::NAN), "expected finite losses, got NaN"),
        (good(), changed(&|matrix| matrix.loss[1][1] *= 1.01), "expected the B1 adapter to lose"),
        (good(), changed(&|matrix| matrix.base_loss[0] *= 0.99), "expected the A1 base model to lose"),
        (other_model, Some(matrix()), "expected runs of one base model"),
    ] {
        let error = compare(&records, cross).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn missing_and_excluded_levels_are_named() {
    let record = incomplete();
    assert_eq!(record.missing, [Level::B2]);
    assert_eq!(
        record.excluded.iter().map(|run| (run.level, run.reason)).collect::<Vec<_>>(),
        [(Level::A2, Reason::Failed)]
    );
    assert_eq!(
        record.levels.iter().map(|entry| entry.level).collect::<Vec<_>>(),
        [Level::A1, Level::B1, Level::C1]
    );
    let text = document(&record, "varsayilan").markdown;
    for expected in ["**Eksik düzeyler:** B2", "**Karşılaştırma dışı koşular:** A2 (hatayla durdu)"]
    {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

/// Six p-values of three levels: 0.001 x 6, 0.01 x 5, 0.02 x 4, 0.03 x 3, 0.2 x 2, 0.5, each at least the one before.
/// The same by statsmodels 0.15: multipletests([.01, .2, .001, .03, .02, .5], method="holm")[1].
#[test]
fn holm_is_over_levels_and_both_losses() {
    let mut records = five()[..3].to_vec();
    for (record, [masked, full]) in records.iter_mut().zip([[0.01, 0.2], [0.001, 0.03], [0.02, 0.5]]) {
        let statistics = record.evaluation.statistics.as_mut().expect("tested");
        (statistics.masked.permutation_p, statistics.full.permutation_p) = (masked, full);
    }
    let holm = compared(&records, None).holm;
    let adjusted: Vec<f64> = holm.iter().flat_map(|level| [level.masked, level.full]).collect();
    for (got, expected) in adjusted.iter().zip([0.05, 0.4, 0.006, 0.09, 0.08, 0.5]) {
        assert!((got - expected).abs() < 1e-12, "{adjusted:?}");
    }
}

/// Where the verdict on the matrix turns, in what other levels' adapters keep of the own gain.
#[test]
fn level_or_format_is_told_by_the_share() {
    let verdicts =
        [Kind::NoOwnGain, Kind::OthersNotWorse, Kind::LearnedFormat, Kind::LearnedLevel, Kind::LevelPartly];
    let records = five()[..3].to_vec();
    let verdict = |kept: &dyn Fn(usize, usize) -> f64| -> (Kind, bool) {
        let found = findings::findings(&compared(&records, Some(cross(&records, kept))));
        let verdict: Vec<Kind> =
            found.iter().map(|finding| finding.kind).filter(|kind| verdicts.contains(kind)).collect();
        assert_eq!(verdict.len(), 1, "one verdict: {verdict:?}");
        (verdict[0], found.iter().any(|finding| finding.kind == Kind::OwnBestEverywhere))
    };
    assert_eq!(verdict(&|_, _| 0.0), (Kind::LearnedLevel, true));
    assert_eq!(verdict(&|_, _| 0.899), (Kind::LearnedLevel, true));
    assert_eq!(verdict(&|_, _| 0.901), (Kind::LearnedFormat, true));
    assert_eq!(verdict(&|_, _| 0.999), (Kind::LearnedFormat, true));
    assert_eq!(verdict(&|_, _| 1.001), (Kind::OthersNotWorse, false));
    // One adapter is best on a set that is not its own, the others are far behind.
    assert_eq!(
        verdict(&|adapter, set| if (adapter, set) == (0, 1) { 1.01 } else { 0.1 }),
        (Kind::LevelPartly, false)
    );
    // The best on each set, and where the rows were tested, surely so.
    for (half, expected) in [(0.01, Kind::LearnedLevel), (0.9, Kind::LevelPartly)] {
        let matrix = tested(cross(&records, |_, _| 0.5), |_| half);
        let found = findings::findings(&compared(&records, Some(matrix)));
        assert!(found.iter().any(|finding| finding.kind == expected), "{half}");
        assert!(found.iter().all(|finding| finding.kind != Kind::CrossUntested), "{half}");
    }
    // As good as the own adapter is not the best.
    assert_eq!(
        verdict(&|adapter, set| if (adapter, set) == (0, 1) { 1.0 } else { 0.1 }),
        (Kind::LevelPartly, false)
    );
}

/// Base 2.0; own losses 1.0 and 1.5; the other adapter's 1.4 and 1.8. Own gains 1.0 and 0.5, others' 0.6 and 0.2:
/// advantages 0.4 and 0.3, shares 0.4 and 0.6, and over both sets (0.4 + 0.3) / (1.0 + 0.5) = 0.4667.
#[test]
fn the_share_is_a_quotient_of_sums() {
    let mut records = vec![at("iyi", Level::A1, 1.0), at("iyi", Level::A2, 1.0)];
    for (record, own) in records.iter_mut().zip([1.0, 1.5]) {
        let evaluation = &mut record.evaluation;
        evaluation.baseline.as_mut().expect("scores").masked.loss = 2.0;
        evaluation.fine_tuned.as_mut().expect("scores").masked.loss = own;
    }
    let mut matrix = cross(&records, |_, _| 0.0);
    (matrix.loss[1][0], matrix.loss[0][1]) = (1.4, 1.8);
    let record = compared(&records, Some(matrix));
    let found = findings::findings(&record);
    let learned = found.iter().find(|finding| finding.kind == Kind::LearnedLevel).expect("a verdict");
    for (name, expected) in [("own", 0.75), ("others", 0.4), ("share", 0.7 / 1.5)] {
        assert!((learned.evidence[name].real() - expected).abs() < 1e-12, "{name}");
    }
    let text = document(&record, "varsayilan").markdown;
    assert!(text.contains("| A1 | 1,000 | 0,600 | 0,400 | %40,0 |"), "{text}");
    assert!(text.contains("| A2 | 0,500 | 0,200 | 0,300 | %60,0 |"), "{text}");
    assert!(text.contains("kazancın %46,7'sine"), "{text}");
}

#[test]
fn a_trend_is_strict_and_of_one_model() {
    let kinds = |factors: &[f64]| -> BTreeSet<String> {
        let records: Vec<RunRecord> =
            Level::ALL.into_iter().zip(factors).map(|(level, factor)| at("iyi", level, *factor)).collect();
        findings::findings(&compared(&records, None)).iter().map(|finding| finding.kind.name()).collect()
    };
    // The fixture's rows are the same at each level, so a larger gain is a lower loss.
    let rising = kinds(&[0.2, 0.5, 0.9]);
    assert!(rising.contains("gain_rises") && rising.contains("loss_falls"), "{rising:?}");
    assert!(rising.contains("neighbours_differ"), "{rising:?}");
    let falling = kinds(&[0.9, 0.5, 0.2]);
    assert!(falling.contains("gain_falls") && falling.contains("loss_rises"), "{falling:?}");
    let mixed = kinds(&[0.5, 0.9, 0.2]);
    assert!(mixed.contains("gain_mixed") && mixed.contains("loss_mixed"), "{mixed:?}");
    let equal = kinds(&[0.5, 0.5, 0.9]);
    assert!(equal.contains("gain_mixed") && equal.contains("neighbours_unsure"), "{equal:?}");
    assert!(kinds(&[0.5, 0.9]).contains("too_few_for_trend"));
}

#[test]
fn settings_without_effect_are_no_difference() {
    let mut records = five()[..2].to_vec();
    records[1].recipe.train.eval_batch_size += 1;
    records[1].recipe.samples.count += 1;
    assert!(compared(&records, None).differing_settings.is_empty());
    records[1].recipe.train.epochs = 4.5;
    let differing = compared(&records, None).differing_settings;
    assert_eq!(differing.len(), 1);
    assert_eq!(
        (differing[0].path.as_str(), &differing[0].values[..]),
        ("train.epochs", &["3.0".into(), "4.5".into()][..])
    );
}

//! What the two runs are: what forbids a comparison, and what explains a difference.

use super::compare;
use crate::store::record;
use tezgah::diff::{Effect, MetricVerdict, Subject, Verdict};
use tezgah::level::Level;
use tezgah::record::RunRecord;

#[test]
fn another_measured_thing_is_incomparable() {
    type Change = fn(&mut RunRecord);
    let cases: [(&str, Subject, Change); 7] = [
        ("dataset.sha256", Subject::Data, |record| {
            record.dataset.sha256 = "00".repeat(32);
            record.dataset.eval_sha256 = "11".repeat(32);
        }),
        ("dataset.eval_sha256", Subject::Data, |record| record.dataset.eval_sha256 = "11".repeat(32)),
        ("level", Subject::Level, |record| record.level = Level::B2),
        ("schema", Subject::Schema, |record| record.schema = 0),
        ("smoke", Subject::Recipe, |record| record.smoke = true),
        ("evaluation.rows[5].masked_tokens", Subject::Tokenizer, |record| {
            record.evaluation.rows[5].masked_tokens += 1
        }),
        ("model.architecture.vocab_size", Subject::Tokenizer, |record| {
            record.model.architecture.vocab_size = 32_000
        }),
    ];
    for (path, subject, change) in cases {
        let mut new = record();
        change(&mut new);
        let difference = compare(&record(), &new);
        assert_eq!(difference.verdict, Verdict::Incomparable, "{path}");
        assert_eq!(difference.verdict.exit_code(), 2);
        let fact = difference
            .identity
            .iter()
            .find(|fact| fact.path == path)
            .unwrap_or_else(|| panic!("{path} is named"));
        assert_eq!((fact.subject, fact.effect), (subject, Effect::Incomparable), "{path}");
        assert!(
            difference.metrics.iter().all(|metric| metric.verdict == MetricVerdict::NotComparable),
            "{path}"
        );
    }
}

#[test]
fn a_recipe_explains_and_does_not_forbid() {
    let mut new = record();
    new.recipe.set("train.seed", "1").expect("a setting");
    new.recipe.set("lora.rank", "64").expect("a setting");
    let difference = compare(&record(), &new);
    let facts: Vec<(&str, String, String, Effect)> = difference
        .identity
        .iter()
        .map(|fact| {
            let text = |side: &Option<serde_json::Value>| {
                side.as_ref().map(|value| value.to_string()).unwrap_or_default()
            };
            (fact.path.as_str(), text(&fact.old), text(&fact.new), fact.effect)
        })
        .collect();
    assert_eq!(
        facts,
        [
            ("recipe.lora.rank", "128".into(), "64".into(), Effect::Explains),
            ("recipe.train.seed", "3407".into(), "1".into(), Effect::Explains)
        ]
    );
    // The method section states both, so the thesis must follow although no metric moved.
    assert_eq!(difference.verdict, Verdict::Changed);
    assert!(
        difference
            .digits
            .iter()
            .any(|digit| digit.path == "recipe.lora.rank" && digit.new.as_deref() == Some("64"))
    );
}

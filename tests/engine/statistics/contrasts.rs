//! The contrasts of a sweep against scipy's exact signed-rank test and statsmodels' Holm
//! (tests/reference/statistics/make_sweep.py), over runs of which some are missing.

use super::fixture;
use crate::support::{close, number};
use serde_json::Value;
use tezgah::level::Level;
use tezgah::record::RunRecord;
use tezgah::record::sweep::{Assignment, SweepRun, collect};

const PATHS: [&str; 2] = ["lora.rank", "train.learning_rate"];

/// The table as planned runs; those without a loss are not begun.
fn planned(table: &[Value]) -> Vec<(SweepRun, Option<RunRecord>)> {
    let text = include_str!("../../records/iyi.json");
    let mut finished: RunRecord = serde_json::from_str(text).expect("tests/records holds records");
    finished.evaluation.rows.clear();
    let run = |row: &Value| {
        let level: Level = serde_json::from_value(row["level"].clone()).expect("a level");
        let seed = row["seed"].as_u64().expect("a seed");
        let value = |path: &str| row[path].as_str().expect("a value").to_string();
        let settings = PATHS.map(|path| Assignment { path: path.into(), value: value(path) });
        let record = row["loss"].as_f64().map(|loss| {
            let mut record = RunRecord { level, ..finished.clone() };
            record.recipe.train.seed = seed;
            settings.iter().for_each(|of| record.recipe.set(&of.path, &of.value).expect("a setting"));
            record.training.best.as_mut().expect("evaluated").loss = loss;
            record
        });
        let name = format!("{level}-{}-{}-{seed}", settings[0].value, settings[1].value);
        (SweepRun { name, level, seed, settings: settings.into(), status: None, result: None }, record)
    };
    table.iter().map(run).collect()
}

#[test]
fn contrasts_equal_scipys_and_statsmodels() {
    let file = fixture(include_str!("../../reference/statistics/sweep.json"));
    let list = |name: &str| file[name].as_array().expect("a list");
    let record = collect(&planned(list("table"))).expect("runs of one model");
    assert_eq!(record.contrasts.len(), list("contrasts").len());
    let mut outcomes = Vec::new();
    for (ours, expected) in record.contrasts.iter().zip(list("contrasts")) {
        let place = format!("{} {:?}", ours.path, ours.values);
        assert_eq!(expected["path"], ours.path.as_str());
        assert_eq!(expected["values"], serde_json::json!(ours.values));
        assert_eq!(expected["pairs"], ours.pairs, "{place}");
        assert_eq!(expected["second_better"], ours.second_better, "{place}");
        let near = |what: &str, ours: Option<f64>| {
            close(&format!("{place}: {what}"), ours.expect(what), number(&expected[what]), 1e-9);
        };
        near("mean", Some(ours.difference.mean));
        near("standard_deviation", ours.difference.standard_deviation);
        near("effect_size", ours.effect_size);
        near("p", ours.p);
        near("holm", ours.holm);
        outcomes.push((ours.p <= Some(0.05), ours.is_significant()));
    }
    // 3 of 36 runs are missing; significant and not are both in the table.
    assert!(outcomes.contains(&(true, true)) && outcomes.contains(&(false, false)), "{outcomes:?}");
    assert_eq!(record.runs.iter().filter(|run| run.result.is_none()).count(), 3);
}

/// Sums are over the pairs in an order of their own, so not a bit changes.
#[test]
fn the_order_of_the_plan_is_of_no_matter() {
    let file = fixture(include_str!("../../reference/statistics/sweep.json"));
    let mut planned = planned(file["table"].as_array().expect("a list"));
    let expected = collect(&planned).expect("runs of one model").contrasts;
    planned.reverse();
    planned.swap(3, 20);
    planned.rotate_left(7);
    assert_eq!(collect(&planned).expect("the same runs").contrasts, expected);
}

/// 2 of 2^n signs are the most extreme: no n up to 5 can be below 5 %.
#[test]
fn so_few_pairs_can_show_nothing() {
    let file = fixture(include_str!("../../reference/statistics/sweep.json"));
    let rows = file["table"].as_array().expect("a list");
    for (seeds, expected) in [(1, 1.0), (2, 0.5), (3, 0.25)] {
        let is_kept = |row: &&Value| {
            row["level"] == "B1"
                && row["train.learning_rate"] == "0.0001"
                && [3407_u64, 1, 2][..seeds].iter().any(|seed| row["seed"] == *seed)
        };
        let mut table: Vec<Value> = rows.iter().filter(is_kept).cloned().collect();
        for (index, row) in table.iter_mut().enumerate() {
            let of_rank = if row["lora.rank"] == "128" { 1.0 } else { 1.5 };
            row["loss"] = (of_rank + 0.01 * (index * index) as f64).into();
        }
        let contrasts = collect(&planned(&table)).expect("runs of one model").contrasts;
        let [contrast] = contrasts.as_slice() else { panic!("one axis of two values: {contrasts:?}") };
        // Every pair says the same, and so p is as small as it can be.
        assert_eq!((contrast.pairs, contrast.second_better), (seeds, seeds));
        assert_eq!((contrast.smallest_p, contrast.p), (expected, Some(expected)));
        assert!(!contrast.could_be_significant() && !contrast.is_significant());
        assert_eq!(contrast.effect_size.is_some(), seeds > 1);
    }
}

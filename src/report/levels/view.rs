//! What the template of `karsilastirma.md` sees: the record under its own names, and what follows from it.

use super::cross::{self, Advantage, OWN_SHARE};
use super::findings::Finding;
use crate::error::{Error, Result};
use crate::level::Level;
use crate::record::Score;
use crate::record::levels::{CrossMatrix, LevelEntry, LevelsRecord, Reason};
use crate::report::numbering::ChartReference;
use crate::report::profile::{Chapter, Profile};
use crate::report::quantity::{self, Quantity};
use crate::report::view::listed;
use minijinja::Value;
use std::collections::BTreeMap;

pub(super) fn common(
    comparison: &LevelsRecord,
    profile: &Profile,
    charts: &[ChartReference],
) -> Result<BTreeMap<&'static str, Value>> {
    let tree =
        serde_json::to_value(comparison).map_err(|error| Error::Report(format!("comparison: {error}")))?;
    let advantage = cross::advantage(comparison);
    let has = [
        ("cross", comparison.cross.is_some()),
        ("advantage", advantage.is_some()),
        ("advantage_tests", advantage.as_ref().is_some_and(Advantage::is_tested)),
        ("statistics", !comparison.holm.is_empty()),
        ("missing", !comparison.missing.is_empty()),
        ("excluded", !comparison.excluded.is_empty()),
        ("one_model", comparison.is_one_model()),
    ];
    let levels: Vec<Level> = comparison.levels.iter().map(|entry| entry.level).collect();
    let mut view = BTreeMap::from([
        ("record", quantity::view("", &tree)),
        (
            "columns",
            comparison
                .levels
                .iter()
                .enumerate()
                .map(|(index, entry)| column(comparison, index, entry))
                .collect(),
        ),
        ("has", Value::from_pairs(has.map(|(name, truth)| (name, Value::from(truth))))),
        (
            "names",
            Value::from_pairs([
                ("levels", Value::from(names(&levels))),
                ("missing", Value::from(names(&comparison.missing))),
                ("excluded", Value::from(excluded(comparison))),
                ("models", Value::from(models(comparison))),
            ]),
        ),
        (
            "derived",
            Value::from_pairs([
                ("tests", number("2 * len(holm)", 2 * comparison.holm.len())),
                ("count", number("len(levels)", comparison.levels.len())),
                ("own_share", Value::from(Quantity::new("limit(share)", OWN_SHARE))),
            ]),
        ),
        ("numbers", numbers(profile)),
        ("charts", layout(charts)),
    ]);
    if let Some(statistics) = comparison.levels.iter().position(|entry| entry.statistics.is_some()) {
        let path = format!("levels[{statistics}].statistics.masked.confidence");
        let confidence = comparison.levels[statistics].statistics.as_ref().map(|both| both.masked.confidence);
        view.extend(confidence.map(|value| ("confidence", Value::from(Quantity::new(path, value)))));
    }
    if let Some(cross) = &comparison.cross {
        view.insert("matrix", matrix(cross));
        if let Some(advantage) = cross.advantage.first() {
            let confidence = Quantity::new("cross.advantage[0].confidence", advantage.confidence);
            view.insert("advantage_confidence", Value::from_object(confidence));
        }
    }
    if let Some(advantage) = advantage {
        let sets = advantage.sets.into_iter().map(|set| {
            let quantities = [("own", set.own), ("others", set.others), ("advantage", set.advantage)];
            let quantities = quantities.into_iter().chain(set.share.map(|share| ("share", share)));
            let measured = set.measured.into_iter().flat_map(|(index, own)| {
                let quantity =
                    |field: &str, value| Quantity::new(format!("cross.advantage[{index}].{field}"), value);
                [
                    ("low", quantity("difference.low", own.difference.low)),
                    ("high", quantity("difference.high", own.difference.high)),
                    ("p", quantity("p", own.p)),
                ]
            });
            let quantities = quantities.chain(measured);
            let quantities = quantities.map(|(name, quantity)| (name, Value::from_object(quantity)));
            Value::from_pairs(quantities.chain([("level", Value::from(set.level.label()))]))
        });
        view.insert("sets", sets.collect());
    }
    Ok(view)
}

/// What a finding's sentences see: its numbers, its levels as text and whether they are several or all, its list.
pub(super) fn finding(finding: &Finding) -> Value {
    let numbers = finding.evidence.iter().map(|(name, number)| (*name, Value::from_object(number.clone())));
    let items: Value = finding
        .items
        .iter()
        .map(|item| {
            Value::from_pairs([
                ("levels", Value::from(names(&item.levels))),
                ("many", Value::from(item.levels.len() > 1)),
                ("all", Value::from(is_all(&item.levels))),
                ("text", Value::from(item.text.as_str())),
            ])
        })
        .collect();
    let words = [
        ("levels", Value::from(names(&finding.levels))),
        ("many", Value::from(finding.levels.len() > 1)),
        ("all", Value::from(is_all(&finding.levels))),
        ("items", items),
    ];
    Value::from_pairs(numbers.chain(words).chain(finding.mask.map(|mask| ("mask", Value::from(mask.name())))))
}

/// Whether these are all levels there are: their names need not be listed in every sentence.
fn is_all(levels: &[Level]) -> bool {
    levels.len() == Level::ALL.len()
}

/// A level's column in the tables: both losses, and the adjusted p-values where it was tested.
fn column(comparison: &LevelsRecord, index: usize, entry: &LevelEntry) -> Value {
    let side = |mask: &str, before: &Score, after: &Score| {
        let loss = |side: &str| format!("levels[{index}].{side}.{mask}.loss");
        let difference =
            Quantity::new(format!("{} - {}", loss("baseline"), loss("fine_tuned")), before.loss - after.loss);
        let change = Quantity::new(
            format!("{} / {} - 1", loss("fine_tuned"), loss("baseline")),
            after.loss / before.loss - 1.0,
        );
        [("difference", Value::from_object(difference)), ("change", Value::from_object(change))]
    };
    let adjusted = comparison.holm.iter().position(|adjusted| adjusted.level == entry.level);
    let p = |mask: &str, value: fn(&crate::record::levels::AdjustedP) -> f64| {
        adjusted.map(|place| {
            let quantity = Quantity::new(format!("holm[{place}].{mask}"), value(&comparison.holm[place]));
            ("p", Value::from_object(quantity))
        })
    };
    let (masked, full) = (
        side("masked", &entry.baseline.masked, &entry.fine_tuned.masked),
        side("full", &entry.baseline.full, &entry.fine_tuned.full),
    );
    Value::from_pairs([
        ("level", Value::from(entry.level.label())),
        ("tested", Value::from(adjusted.is_some() && entry.statistics.is_some())),
        ("has_commit", Value::from(entry.git_commit.is_some())),
        ("masked", Value::from_pairs(masked.into_iter().chain(p("masked", |adjusted| adjusted.masked)))),
        ("full", Value::from_pairs(full.into_iter().chain(p("full", |adjusted| adjusted.full)))),
    ])
}

/// The matrix's rows, the base model's last; the lowest loss of each set is marked.
fn matrix(cross: &CrossMatrix) -> Value {
    let lowest: Vec<f64> = (0..cross.eval_sets.len())
        .map(|column| cross.loss.iter().map(|row| row[column]).fold(cross.base_loss[column], f64::min))
        .collect();
    let row = |name: &str, path: String, losses: &[f64]| {
        let cells: Value = losses
            .iter()
            .enumerate()
            .map(|(column, loss)| {
                Value::from_pairs([
                    ("loss", Value::from(Quantity::new(format!("{path}[{column}]"), *loss))),
                    ("is_lowest", Value::from(*loss == lowest[column])),
                ])
            })
            .collect();
        Value::from_pairs([("name", Value::from(name)), ("cells", cells)])
    };
    let adapters = cross.adapters.iter().enumerate();
    let rows: Value = adapters
        .map(|(index, level)| row(level.label(), format!("cross.loss[{index}]"), &cross.loss[index]))
        .chain([row("Temel model", "cross.base_loss".to_string(), &cross.base_loss)])
        .collect();
    let sets: Value = cross.eval_sets.iter().map(|level| Value::from(level.label())).collect();
    Value::from_pairs([("rows", rows), ("sets", sets)])
}

/// `A1 (hatayla durmuştur)`.
fn excluded(comparison: &LevelsRecord) -> String {
    let named: Vec<String> = comparison
        .excluded
        .iter()
        .map(|excluded| {
            let reason = match excluded.reason {
                Reason::Failed => "hatayla durdu",
                Reason::Running => "sona ermedi",
                Reason::NotEvaluated => "değerlendirilmedi",
            };
            format!("{} ({reason})", excluded.level)
        })
        .collect();
    listed(&named)
}

/// The base models' names, each once.
fn models(comparison: &LevelsRecord) -> String {
    let mut models: Vec<String> = Vec::new();
    for entry in &comparison.levels {
        let name = crate::report::markdown::escaped(&entry.model.name);
        if !models.contains(&name) {
            models.push(name);
        }
    }
    listed(&models)
}

fn names(levels: &[Level]) -> String {
    listed(&levels.iter().map(|level| level.label().to_string()).collect::<Vec<_>>())
}

fn number(path: &str, count: usize) -> Value {
    Value::from(Quantity::new(path, count))
}

/// Section numbers, in the chapters that the profile gives to results and discussion.
fn numbers(profile: &Profile) -> Value {
    let sections = |chapter: Chapter| -> Value {
        let number = |index| Value::from(format!("{}.{}", chapter.chapter, chapter.first_section + index));
        (0..4).map(number).collect()
    };
    Value::from_pairs([("results", sections(profile.results)), ("discussion", sections(profile.discussion))])
}

/// The charts that stand with the losses, and those that stand with the matrix.
fn layout(charts: &[ChartReference]) -> Value {
    let named = |of_matrix: bool| -> Value {
        let charts = charts.iter().filter(|chart| (chart.name == "duzey_matrisi") == of_matrix);
        charts.map(|chart| Value::from(chart.name.as_str())).collect()
    };
    Value::from_pairs([("losses", named(false)), ("matrix", named(true))])
}

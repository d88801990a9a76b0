//! What the template of `karsilastirma.md` sees: the record under its own names, and what follows from it.

use super::columns::columns;
use super::cross::{self, Advantage, OWN_SHARE, SetAdvantage};
use crate::error::Result;
use crate::level::Level;
use crate::record::levels::{
    AdapterTexts, CrossMatrix, LevelEntry, LevelRating, LevelTexts, LevelsRecord, NeighbourGap, Reason,
};
use crate::report::charts;
use crate::report::engine::View;
use crate::report::numbering::ChartReference;
use crate::report::profile::Profile;
use crate::report::quantity::Quantity;
use crate::report::sentences::listed;
use crate::report::view::{Digits, Fact, cell, has, measure_rows, whole};
use crate::report::{markdown, turkish};
use minijinja::Value;

/// The facts of several levels.
const FACTS: [Fact<LevelsRecord>; 10] = [
    ("cross", "adapters were tried on other levels", |record| record.cross.is_some()),
    ("texts", "and wrote after the same prompts", |record| record.texts().is_some()),
    ("ratings", "people or a judge rated some level's texts", |record| !record.ratings.is_empty()),
    ("advantage", "each had another beside it", |record| cross::advantage(record).is_some()),
    ("advantage_tests", "and was tested against it", |record| {
        cross::advantage(record).is_some_and(|advantage| advantage.is_tested())
    }),
    ("statistics", "a level's difference was tested", |record| !record.holm.is_empty()),
    ("neighbours", "neighbouring levels' gains were compared", |record| !record.neighbours.is_empty()),
    ("missing", "some levels have no run", |record| !record.missing.is_empty()),
    ("excluded", "some runs were left out", |record| !record.excluded.is_empty()),
    ("one_model", "all have the same base model", LevelsRecord::is_one_model),
];

pub(super) fn common(record: &LevelsRecord, profile: &Profile, charts: &[ChartReference]) -> Result<View> {
    let chapters = [("results", profile.results), ("discussion", profile.discussion)];
    let numbers = chapters.map(|(name, chapter)| (name, Value::from(chapter.section_numbers())));
    let mut view = View::from([
        ("record", whole(record)?),
        ("columns", columns(record)),
        ("neighbours", neighbours(record)),
        ("has", has(&FACTS, record)),
        ("names", names(record)),
        ("derived", derived(record)),
        ("numbers", Value::from_pairs(numbers)),
        ("charts", layout(charts)),
    ]);
    view.extend(confidence(record).map(|confidence| ("confidence", Value::from(confidence))));
    if let Some(texts) = record.texts() {
        view.insert("text_levels", texts.adapters.iter().map(|of| Value::from(of.level.label())).collect());
        view.insert("text_rows", text_rows(texts)?);
    }
    view.insert("rated", rated(record)?);
    if let Some(cross) = &record.cross {
        view.insert("matrix", matrix(cross));
        view.extend(cross.advantage.first().map(|advantage| {
            let confidence = Quantity::new("cross.advantage[0].confidence", advantage.confidence);
            ("advantage_confidence", Value::from(confidence))
        }));
    }
    if let Some(Advantage { sets, .. }) = cross::advantage(record) {
        view.insert("sets", sets.iter().map(|of_set| set(record, of_set, &sets)).collect());
    }
    Ok(view)
}

/// What was said of the texts: a row a panel, a cell a level with the mean and the difference where there are some.
fn rated(record: &LevelsRecord) -> Result<Value> {
    let mut panels: Vec<Option<&str>> = record.ratings.iter().map(|of| of.judge.as_deref()).collect();
    panels.sort_unstable();
    panels.dedup();
    let row = |judge: &Option<&str>| {
        let of_level = |entry: &LevelEntry| {
            let is_wanted = |of: &LevelRating| of.level == entry.level && of.judge.as_deref() == *judge;
            let place = record.ratings.iter().position(is_wanted);
            let at = |place: usize, field: &str| format!("ratings[{place}].{field}");
            let mean = cell(place.map(|place| (at(place, "fine_tuned"), record.ratings[place].fine_tuned)))?;
            let difference =
                place.and_then(|place| Some((at(place, "difference"), record.ratings[place].difference?)));
            Ok(Value::from_pairs([("score", mean), ("difference", cell(difference)?)]))
        };
        let cells = record.levels.iter().map(of_level).collect::<Result<Vec<_>>>()?;
        let place = record.ratings.iter().position(|of| of.judge.is_some() && of.judge.as_deref() == *judge);
        let path = place.map(|place| ("path", Value::from(format!("ratings[{place}].judge"))));
        let who = ("who", Value::from(judge.unwrap_or("Değerlendiriciler")));
        Ok(Value::from_pairs([who, ("cells", Value::from(cells))].into_iter().chain(path)))
    };
    Ok(Value::from(panels.iter().map(row).collect::<Result<Vec<_>>>()?))
}

/// What the record spells in another way than the text does.
fn names(record: &LevelsRecord) -> Value {
    let levels: Vec<Level> = record.levels.iter().map(|entry| entry.level).collect();
    Value::from_pairs([
        ("levels", listed(&levels)),
        ("missing", listed(&record.missing)),
        ("excluded", excluded(record)),
        ("models", models(record)),
    ])
}

/// The pairs of neighbouring levels, each with the gap of their gains.
fn neighbours(record: &LevelsRecord) -> Value {
    let of_gap = |(index, pair): (usize, &NeighbourGap), field: &str, value: f64| {
        let path = format!("neighbours[{index}].gap.difference.{field}");
        Quantity::new(path, value).within(Some(&pair.gap.difference))
    };
    let all =
        || record.neighbours.iter().enumerate().map(|pair| of_gap(pair, "low", pair.1.gap.difference.low));
    let pair = |(index, pair): (usize, &NeighbourGap)| {
        let difference = &pair.gap.difference;
        let of_gap = |field, value| Value::from(of_gap((index, pair), field, value).beside(all()));
        Value::from_pairs([
            ("levels", Value::from(format!("{} → {}", pair.levels[0].label(), pair.levels[1].label()))),
            ("estimate", of_gap("estimate", difference.estimate)),
            ("low", of_gap("low", difference.low)),
            ("high", of_gap("high", difference.high)),
            ("p", Value::from(Quantity::new(format!("neighbours[{index}].holm"), pair.holm))),
        ])
    };
    record.neighbours.iter().enumerate().map(pair).collect()
}

fn derived(record: &LevelsRecord) -> Value {
    Value::from_pairs([
        ("tests", Value::from(Quantity::new("2 * len(holm)", 2 * record.holm.len()))),
        ("own_share", Value::from(Quantity::new("limit(share)", OWN_SHARE))),
    ])
}

/// The confidence of the intervals, of the first level that has some.
fn confidence(record: &LevelsRecord) -> Option<Quantity> {
    record.levels.iter().enumerate().find_map(|(index, entry)| {
        let confidence = entry.statistics.as_ref()?.masked.confidence;
        Some(Quantity::new(format!("levels[{index}].statistics.masked.confidence"), confidence))
    })
}

/// A set's row in the table of advantages. A tested advantage has an interval, and so has the gain beside it, which is the
/// level's own; without a test all three have the same digits.
fn set(record: &LevelsRecord, set: &SetAdvantage, all: &[SetAdvantage]) -> Value {
    let all: Vec<_> = all.iter().map(|set| gains(record, set)).collect();
    let column = |place: usize| all.iter().map(move |gains| gains[place].1.clone());
    let gains = gains(record, set).into_iter().enumerate();
    let gains = gains.map(|(place, (name, quantity))| (name, quantity.beside(column(place))));
    let share = set.share.clone().filter(|share| share.real() <= 1.0).map(|share| ("share", share));
    let measured = set.measured.into_iter().flat_map(|(index, own)| {
        let quantity =
            |field: &str, value: f64| Quantity::new(format!("cross.advantage[{index}].{field}"), value);
        let bound = |field: &str, value: f64| {
            quantity(field, value).within(Some(&own.difference)).beside(column(ADVANTAGE))
        };
        [
            ("low", bound("difference.low", own.difference.low)),
            ("high", bound("difference.high", own.difference.high)),
            ("p", quantity("p", own.p)),
        ]
    });
    let quantities = gains.chain(share).chain(measured);
    let quantities = quantities.map(|(name, quantity)| (name, Value::from(quantity)));
    Value::from_pairs(quantities.chain([("level", Value::from(set.level.label()))]))
}

/// Where the advantage stands among a set's gains.
const ADVANTAGE: usize = 2;

/// A set's gain by its own adapter, by the others, and the difference.
fn gains(record: &LevelsRecord, set: &SetAdvantage) -> [(&'static str, Quantity); 3] {
    let difference = set.measured.map(|(_, own)| own.difference);
    let level = record.levels.iter().find(|entry| entry.level == set.level);
    let gain = level.and_then(|entry| Some(entry.statistics.as_ref()?.masked.difference));
    [
        ("own", set.own.clone().within(difference.and(gain).as_ref())),
        ("others", set.others.clone()),
        ("advantage", set.advantage.clone().within(difference.as_ref())),
    ]
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

/// What the adapters' texts measure, a row a measure.
fn text_rows(texts: &LevelTexts) -> Result<Value> {
    let columns: Vec<(usize, &AdapterTexts)> = texts.adapters.iter().enumerate().collect();
    measure_rows(&LevelTexts::MEASURES, &columns, Digits::OfTheRow, |measure, (index, of)| {
        let place = of.means.iter().position(|mean| mean.measure == measure)?;
        Some((format!("cross.texts.adapters[{index}].means[{place}].mean"), of.means[place].mean))
    })
}

/// `A1 (hatayla durmuştur)`.
fn excluded(record: &LevelsRecord) -> String {
    let named: Vec<String> = record
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
    turkish::listed(&named)
}

/// The base models' names, each once.
fn models(record: &LevelsRecord) -> String {
    let mut models: Vec<String> = Vec::new();
    for entry in &record.levels {
        let name = markdown::escaped(&entry.model.name);
        if !models.contains(&name) {
            models.push(name);
        }
    }
    turkish::listed(&models)
}

/// The charts that stand with the losses, and those that stand with the matrix.
fn layout(charts: &[ChartReference]) -> Value {
    let named = |of_matrix: bool| -> Value {
        let charts = charts.iter().filter(|chart| (chart.name == charts::levels::MATRIX) == of_matrix);
        charts.map(|chart| Value::from(chart.name.as_str())).collect()
    };
    Value::from_pairs([("losses", named(false)), ("matrix", named(true))])
}

#[cfg(test)]
mod tests {
    use super::FACTS;
    use crate::report::engine::{Family, asked};
    use std::collections::BTreeSet;

    #[test]
    fn the_table_holds_what_the_templates_ask_for() {
        let facts: BTreeSet<&str> = FACTS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(facts, asked("has", Family::Levels));
    }
}

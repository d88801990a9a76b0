//! What the template of `tarama.md` sees: a row a combination, a contrast and a choice, and the facts that it asks for.

use super::findings::rank;
use super::settings;
use crate::record::sweep::{Axis, Choice, Contrast, Group, SweepRecord};
use crate::report::engine::View;
use crate::report::markdown;
use crate::report::numbering::ChartReference;
use crate::report::quantity::Quantity;
use crate::report::sentences::listed;
use crate::report::view::{Fact, has};
use minijinja::Value;

/// The facts of a sweep.
const FACTS: [Fact<SweepRecord>; 7] = [
    ("model", "all finished runs have one base model", |record| record.model.is_some()),
    ("axes", "a setting varies", |record| !record.axes.is_empty()),
    ("groups", "a run is finished", |record| !record.groups.is_empty()),
    ("contrasts", "two values of a setting were compared", |record| !record.contrasts.is_empty()),
    ("several_contrasts", "and so more than once", |record| record.contrasts.len() > 1),
    ("rank", "the rank varies", |record| rank::axis(record).is_some()),
    ("choices", "a level has a run to report", |record| !record.choices.is_empty()),
];

pub(super) fn common(record: &SweepRecord, charts: &[ChartReference]) -> View {
    let seeds = record.seeds.iter().enumerate();
    let seeds = seeds.map(|(index, seed)| Value::from(Quantity::new(format!("seeds[{index}]"), *seed)));
    View::from([
        ("has", has(&FACTS, record)),
        ("names", names(record)),
        ("seeds", seeds.collect()),
        (
            "combinations",
            record.groups.iter().enumerate().map(|(index, group)| row(record, index, group)).collect(),
        ),
        ("contrasts", record.contrasts.iter().enumerate().map(contrast).collect()),
        ("choices", record.choices.iter().enumerate().map(choice).collect()),
        ("tested", Value::from(Quantity::new("len(contrasts)", record.contrasts.len()))),
        ("charts", charts.iter().map(|chart| Value::from(chart.name.as_str())).collect()),
    ])
}

fn names(record: &SweepRecord) -> Value {
    let axis = |axis: &Axis| {
        let values: Vec<String> = axis.values.iter().map(|value| settings::value(value)).collect();
        format!("{} ({})", markdown::code(&axis.path), values.join(", "))
    };
    let axes: Vec<String> = record.axes.iter().map(axis).collect();
    let largest = rank::axis(record).and_then(|(_, axis)| axis.values.last());
    Value::from_pairs([
        ("levels", listed(&record.levels)),
        ("axes", axes.join("; ")),
        ("largest_rank", largest.cloned().unwrap_or_default()),
    ])
}

/// A combination's row.
fn row(record: &SweepRecord, index: usize, group: &Group) -> Value {
    let at = |field: &str| format!("groups[{index}].{field}");
    let is_chosen =
        record.choices.iter().any(|choice| choice.level == group.level && choice.settings == group.settings);
    let deviation = group.selection_loss.standard_deviation.map(|deviation| {
        ("deviation", Value::from(Quantity::new(at("selection_loss.standard_deviation"), deviation)))
    });
    let pairs = [
        ("level", Value::from(group.level.label())),
        ("settings", Value::from(settings::cell(&group.settings))),
        ("is_chosen", Value::from(is_chosen)),
        ("is_whole", Value::from(group.runs.len() == group.planned)),
        ("finished", Value::from(Quantity::new(at("selection_loss.n"), group.selection_loss.n))),
        ("planned", Value::from(Quantity::new(at("planned"), group.planned))),
        ("loss", Value::from(Quantity::new(at("selection_loss.mean"), group.selection_loss.mean))),
        ("parameters", Value::from(Quantity::new(at("trained_parameters"), group.trained_parameters))),
        ("seconds", Value::from(Quantity::new(at("seconds"), group.seconds))),
    ];
    Value::from_pairs(pairs.into_iter().chain(deviation))
}

/// A contrast's row.
fn contrast((index, contrast): (usize, &Contrast)) -> Value {
    let real =
        |field: &str, value: f64| Value::from(Quantity::new(format!("contrasts[{index}].{field}"), value));
    let pairs = Quantity::new(format!("contrasts[{index}].pairs"), contrast.pairs);
    let deviation = contrast.difference.standard_deviation;
    let measured = [
        deviation.map(|value| ("deviation", real("difference.standard_deviation", value))),
        contrast.effect_size.map(|value| ("effect_size", real("effect_size", value))),
        contrast.p.map(|value| ("p", real("p", value))),
        contrast.holm.map(|value| ("holm", real("holm", value))),
    ];
    let shown = [
        ("setting", Value::from(settings::contrast(contrast).replace('|', "\\|"))),
        ("pairs", Value::from(pairs)),
        ("difference", real("difference.mean", contrast.difference.mean)),
    ];
    Value::from_pairs(shown.into_iter().chain(measured.into_iter().flatten()))
}

/// A choice's row.
fn choice((index, choice): (usize, &Choice)) -> Value {
    let real =
        |field: &str, value: f64| Value::from(Quantity::new(format!("choices[{index}].{field}"), value));
    let second = choice.runner_up.as_ref().map(|second| {
        [
            ("second", real("runner_up.loss", second.loss)),
            ("distance", real("runner_up.distance", second.distance)),
        ]
    });
    let shown = [
        ("level", Value::from(choice.level.label())),
        ("run", Value::from(markdown::code(&choice.run))),
        ("settings", Value::from(settings::cell(&choice.settings))),
        ("loss", real("loss", choice.loss)),
    ];
    Value::from_pairs(shown.into_iter().chain(second.into_iter().flatten()))
}

#[cfg(test)]
mod tests {
    use super::FACTS;
    use crate::report::engine::{Family, asked};
    use std::collections::BTreeSet;

    #[test]
    fn the_table_holds_what_the_templates_ask_for() {
        let facts: BTreeSet<&str> = FACTS.iter().map(|(name, ..)| *name).collect();
        assert_eq!(facts, asked("has", Family::Sweep));
    }
}

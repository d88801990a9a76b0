//! What people and judges said, as tables have it.

use super::cell;
use crate::error::Result;
use crate::record::RunRecord;
use crate::record::ratings::{Agreement, Consistency, Panel, Ratings, Source, Strength, Who};
use crate::record::texts::System;
use crate::report::charts;
use crate::report::finding::name;
use crate::report::quantity::Quantity;
use crate::statistics::Interval;
use minijinja::Value;

/// The name of people among the sources of numbers.
const PEOPLE: &str = "Değerlendiriciler";

/// `rated`: the tables of people, of judges and of both with the measures; empty lists where there is nothing.
///
/// # Errors
/// As [`super::whole`].
pub(super) fn rated(record: &RunRecord) -> Result<Value> {
    let nothing = Ratings::default();
    let ratings = record.ratings.as_ref().unwrap_or(&nothing);
    let (mut people, mut judges, mut judge_scores) = (Vec::new(), Vec::new(), Vec::new());
    for (index, panel) in ratings.panels.iter().enumerate() {
        match panel.who {
            Who::People => people.push(of_panel(index, panel)?),
            Who::Judge(_) => {
                judges.push(of_panel(index, panel)?);
                judge_scores.extend(all_scores(index, panel)?);
            }
        }
    }
    Ok(Value::from_pairs([
        ("people", Value::from(people)),
        ("several_judges", Value::from(judges.len() > 1)),
        ("judges", Value::from(judges)),
        ("judge_scores", Value::from(judge_scores)),
        ("sources", Value::from(sources(ratings))),
        ("matrix", matrix(ratings)?),
        ("apart", apart(ratings)),
    ]))
}

/// A panel: who it is, what it was shown, and the rows of its tables.
fn of_panel(index: usize, panel: &Panel) -> Result<Value> {
    let path = format!("ratings.panels[{index}]");
    let count = |what: &str, count: usize| {
        let path = if what == "raters" { format!("len({path}.raters)") } else { format!("{path}.{what}") };
        Value::from(Quantity::new(path, count))
    };
    let agreement = panel.agreement.iter().enumerate().map(|(place, of)| agreement(&path, place, of, panel));
    Ok(Value::from_pairs([
        ("who", Value::from(who(panel))),
        ("path", Value::from(place_of(index, panel))),
        ("other", Value::from(charts::title(panel.against))),
        ("raters", count("raters", panel.raters.len())),
        (
            "answered",
            Value::from(Quantity::new(format!("count({path}.raters who answered)"), panel.answered())),
        ),
        ("items", count("items", panel.items)),
        ("ceiling_items", count("ceiling_items", panel.ceiling_items)),
        ("repeats", count("repeats", panel.repeats)),
        ("has_repeats", Value::from(panel.repeats > 0)),
        ("level", Value::from(panel.level().map_or("", |level| level.name.as_str()))),
        ("scores", Value::from(all_scores(index, panel)?)),
        ("agreement", Value::from(agreement.collect::<Result<Vec<_>>>()?)),
        ("consistency", consistency(&path, panel)),
        ("strengths", strengths(&path, panel)),
    ]))
}

/// A row a criterion.
fn all_scores(index: usize, panel: &Panel) -> Result<Vec<Value>> {
    let path = format!("ratings.panels[{index}]");
    panel.criteria.iter().map(|criterion| scores(&path, panel, &criterion.key, &criterion.name)).collect()
}

/// One criterion of a panel: the means of the systems, and the fine-tuned one against the other.
fn scores(path: &str, panel: &Panel, key: &str, title: &str) -> Result<Value> {
    let mean = |system: System| {
        let place = panel.scores.iter().position(|of| of.criterion == key && of.system == system);
        cell(place.map(|place| (format!("{path}.scores[{place}].mean"), panel.scores[place].mean)))
    };
    let place = panel.differences.iter().position(|of| of.criterion == key && of.against == panel.against);
    let difference = place.map(|place| {
        (format!("{path}.differences[{place}].difference"), panel.differences[place].difference)
    });
    let mut row = vec![
        ("who", Value::from(who(panel))),
        ("path", Value::from(format!("{path}.{}", panel.who.path()))),
        ("criterion", Value::from(title)),
        ("other", mean(panel.against)?),
        ("tuned", mean(System::FineTuned)?),
        ("reference", mean(System::Reference)?),
        ("difference", cell(difference)?),
    ];
    if let Some(place) = place {
        let p = panel.differences[place].adjusted_p;
        row.push(("p", Value::from(Quantity::new(format!("{path}.differences[{place}].adjusted_p"), p))));
    }
    Ok(Value::from_pairs(row))
}

fn agreement(path: &str, place: usize, of: &Agreement, panel: &Panel) -> Result<Value> {
    let path = format!("{path}.agreement[{place}]");
    let figure = |field: &str, interval: Option<Interval>| {
        cell(interval.map(|interval| (format!("{path}.{field}"), interval)))
    };
    let asked = panel.criteria.iter().find(|criterion| criterion.key == of.criterion);
    Ok(Value::from_pairs([
        ("criterion", Value::from(asked.map_or("Yeğleme", |criterion| criterion.name.as_str()))),
        ("texts", Value::from(Quantity::new(format!("{path}.texts"), of.texts))),
        ("alpha", figure("alpha", of.alpha)?),
        ("kappa", figure("kappa", of.kappa)?),
        ("icc", figure("icc", of.icc)?),
        ("kendall_w", figure("kendall_w", of.kendall_w)?),
    ]))
}

/// How strong each system is by the preferences.
fn strengths(path: &str, panel: &Panel) -> Value {
    let of = panel.preference.iter().flat_map(|preference| preference.strengths.iter().enumerate());
    let row = |(place, of): (usize, &Strength)| {
        let path = format!("{path}.preference.strengths[{place}].strength");
        Value::from_pairs([
            ("system", Value::from(charts::title(of.system))),
            ("strength", Value::from(Quantity::new(path, of.strength))),
        ])
    };
    of.map(row).collect()
}

/// How far each rater repeated itself.
fn consistency(path: &str, panel: &Panel) -> Value {
    let row = |(place, of): (usize, &Consistency)| {
        let at = |field: &str| format!("{path}.consistency[{place}].{field}");
        Value::from_pairs([
            ("rater", Value::from(Quantity::new(format!("{} + 1", at("rater")), of.rater + 1))),
            ("pairs", Value::from(Quantity::new(at("pairs"), of.pairs))),
            ("equal", Value::from(Quantity::new(at("equal"), of.equal))),
            ("distance", Value::from(Quantity::new(at("distance"), of.distance))),
            ("preferences", Value::from(Quantity::new(at("preferences"), of.preferences))),
            ("kept", Value::from(Quantity::new(at("kept"), of.kept))),
        ])
    };
    panel.consistency.iter().enumerate().map(row).collect()
}

/// The panels that measures and other panels are held against: the columns of the matrix.
fn sources(ratings: &Ratings) -> Vec<Value> {
    (0..ratings.panels.len()).map(|index| Value::from_pairs(named(ratings, index))).collect()
}

/// Who a panel is, and where in the record that stands.
fn named(ratings: &Ratings, index: usize) -> [(&'static str, Value); 2] {
    [
        ("who", Value::from(who(&ratings.panels[index]))),
        ("path", Value::from(place_of(index, &ratings.panels[index]))),
    ]
}

fn who(panel: &Panel) -> &str {
    panel.who.name().unwrap_or(PEOPLE)
}

/// Where that stands.
fn place_of(index: usize, panel: &Panel) -> String {
    format!("ratings.panels[{index}].{}", panel.who.path())
}

/// A row for each source that panels are held against by the level, a cell a panel.
fn matrix(ratings: &Ratings) -> Result<Value> {
    let mut rows: Vec<(Source, Vec<Option<usize>>)> = Vec::new();
    for (place, column, correlation) in ratings.by_level() {
        if !rows.iter().any(|(source, _)| *source == correlation.right) {
            rows.push((correlation.right.clone(), vec![None; ratings.panels.len()]));
        }
        let row = rows.iter_mut().find(|(source, _)| *source == correlation.right);
        row.into_iter().for_each(|(_, cells)| cells[column] = Some(place));
    }
    let cell_of = |place: &Option<usize>| {
        let found = place.and_then(|place| Some((place, ratings.correlations[place].rho?)));
        cell(found.map(|(place, rho)| (format!("ratings.correlations[{place}].rho"), rho)))
    };
    let row = |(source, cells): &(Source, Vec<Option<usize>>)| {
        let cells = cells.iter().map(cell_of).collect::<Result<Vec<_>>>()?;
        let mut row = match source {
            Source::Panel(index, _) => named(ratings, *index).to_vec(),
            Source::Measure(measure) => vec![("measure", Value::from(name(*measure)))],
        };
        row.push(("cells", Value::from(cells)));
        Ok(Value::from_pairs(row))
    };
    // A source that gives one number to all texts orders none.
    let orders = |place: &Option<usize>| place.is_some_and(|place| ratings.correlations[place].rho.is_some());
    let ordering = rows.iter().filter(|(_, cells)| cells.iter().any(orders));
    Ok(Value::from(ordering.map(row).collect::<Result<Vec<_>>>()?))
}

/// The texts on which people and judges part by the level.
fn apart(ratings: &Ratings) -> Value {
    let mut found = Vec::new();
    for (index, left, correlation) in ratings.by_level() {
        let Source::Panel(right, _) = correlation.right else { continue };
        let (one, another) = (&ratings.panels[left], &ratings.panels[right]);
        for (place, of) in correlation.apart.iter().enumerate() {
            let at = |field: &str| format!("ratings.correlations[{index}].apart[{place}].{field}");
            found.push(Value::from_pairs([
                ("row", Value::from(Quantity::new(format!("{} + 1", at("row")), of.row + 1))),
                ("system", Value::from(charts::title(of.system))),
                ("left", Value::from(who(one))),
                ("left_path", Value::from(place_of(left, one))),
                ("right", Value::from(who(another))),
                ("right_path", Value::from(place_of(right, another))),
                ("left_score", Value::from(Quantity::new(at("left"), of.left))),
                ("right_score", Value::from(Quantity::new(at("right"), of.right))),
            ]));
        }
    }
    Value::from(found)
}

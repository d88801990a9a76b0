//! Findings on which levels are compared, and whether their runs were made alike.

use super::{Finding, Kind, level_path};
use crate::level::Level;
use crate::record::levels::{DifferingSetting, LevelEntry, LevelsRecord, ModelIdentity, Reason};
use crate::report::finding::{Claim, Item};
use crate::report::markdown;
use crate::report::quantity::Quantity;

pub(super) fn findings(record: &LevelsRecord) -> Vec<Finding> {
    let mut findings = scope(record);
    findings.extend(material(record));
    findings.extend(alike(record));
    findings.extend(seeds(record));
    findings
}

fn scope(record: &LevelsRecord) -> Vec<Finding> {
    let excluded = |reason: Reason| -> Vec<Level> {
        let of_reason = record.excluded.iter().filter(|excluded| excluded.reason == reason);
        of_reason.map(|excluded| excluded.level).collect()
    };
    let found = [
        Kind::MissingLevels.of(record.missing.clone()),
        Kind::FailedRuns.of(excluded(Reason::Failed)),
        Kind::UnfinishedRuns.of(excluded(Reason::Running)),
        Kind::UnevaluatedRuns.of(excluded(Reason::NotEvaluated)),
        Kind::SmokeRuns.of(levels_where(record, |entry| entry.smoke)),
    ];
    found.into_iter().filter(|finding| !finding.levels.is_empty()).collect()
}

fn material(record: &LevelsRecord) -> Vec<Finding> {
    let sum = |field: &str, of: fn(&LevelEntry) -> usize, holds: fn(&LevelEntry) -> bool| {
        let rows: usize = record.levels.iter().filter(|entry| holds(entry)).map(of).sum();
        Quantity::new(format!("sum(levels[].{field})"), rows)
    };
    let demonstration = levels_where(record, |entry| entry.demonstration);
    let first = record.levels.iter().position(|entry| entry.demonstration).unwrap_or(0);
    let parameters =
        Quantity::new(level_path(first, "model.parameters"), record.levels[first].model.parameters);
    let found = [
        Kind::DemonstrationModel.of(demonstration).with([("parameters", parameters)]),
        Kind::SyntheticData
            .of(levels_where(record, |entry| entry.synthetic))
            .with([("rows", sum("rows", |entry| entry.rows, |entry| entry.synthetic))]),
        Kind::LeakedRows
            .of(levels_where(record, |entry| entry.leaked_rows > 0))
            .with([("rows", sum("leaked_rows", |entry| entry.leaked_rows, |_| true))]),
    ];
    found.into_iter().filter(|finding| !finding.levels.is_empty()).collect()
}

fn alike(record: &LevelsRecord) -> Vec<Finding> {
    let all = || levels_where(record, |_| true);
    let mut findings = Vec::new();
    if record.is_one_model() && record.differing_settings.is_empty() {
        findings.push(Kind::SameSetup.of(all()));
    }
    if !record.is_one_model() {
        findings.push(Kind::DifferingModels.of(all()).listing(models(record)));
    }
    if !record.differing_settings.is_empty() {
        let items = record.differing_settings.iter().map(|setting| setting_item(setting, &all())).collect();
        findings.push(Kind::DifferingRecipes.of(all()).listing(items));
    }
    if record.levels.windows(2).any(|pair| pair[0].machine != pair[1].machine) {
        findings.push(Kind::DifferingMachines.of(all()));
    }
    findings
}

/// The models with their levels, in the order of the levels; told apart by what differs where the names do not.
fn models(record: &LevelsRecord) -> Vec<Item> {
    let mut groups: Vec<(&ModelIdentity, Vec<Level>)> = Vec::new();
    for entry in &record.levels {
        match groups.iter_mut().find(|(model, _)| *model == &entry.model) {
            Some((_, levels)) => levels.push(entry.level),
            None => groups.push((&entry.model, vec![entry.level])),
        }
    }
    let is_named_twice = |name: &str| groups.iter().filter(|(model, _)| model.name == name).count() > 1;
    groups
        .iter()
        .map(|(model, levels)| {
            let name = markdown::escaped(&model.name);
            let text = match is_named_twice(&model.name) {
                true => format!("{name} ({})", markdown::code(&storage(model))),
                false => name,
            };
            Item { text, ..Item::of(levels.clone()) }
        })
        .collect()
}

/// `ab12cd34, q4_0, f32`: the first digits of the weights' SHA-256 and how they are stored.
fn storage(model: &ModelIdentity) -> String {
    let digest: String = model.sha256.chars().take(8).collect();
    format!("{digest}, {}, {}", model.quantization.name(), model.dtype)
}

/// `` `lora.rank` (A1: `128`; A2: `64`) ``.
fn setting_item(setting: &DifferingSetting, levels: &[Level]) -> Item {
    let values: Vec<String> = levels
        .iter()
        .zip(&setting.values)
        .map(|(level, value)| format!("{level}: {}", markdown::code(value)))
        .collect();
    let text = format!("{} ({})", markdown::code(&setting.path), values.join("; "));
    Item { text, ..Item::of(levels.to_vec()) }
}

fn seeds(record: &LevelsRecord) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, entry) in record.levels.iter().enumerate() {
        let Some(replicates) = &entry.replicates else { continue };
        let summary = &replicates.masked.fine_tuned;
        let Some(deviation) = summary.standard_deviation else { continue };
        let path = |field: &str| level_path(index, &format!("replicates.masked.fine_tuned.{field}"));
        findings.push(Kind::SeveralSeeds.of(vec![entry.level]).with([
            ("n", Quantity::new(path("n"), summary.n)),
            ("mean", Quantity::new(path("mean"), summary.mean)),
            ("deviation", Quantity::new(path("standard_deviation"), deviation)),
            ("low", Quantity::new(path("min"), summary.min)),
            ("high", Quantity::new(path("max"), summary.max)),
        ]));
    }
    let single: Vec<Level> = levels_where(record, |entry| {
        let summary = entry.replicates.as_ref().map(|replicates| &replicates.masked.fine_tuned);
        summary.is_none_or(|summary| summary.standard_deviation.is_none())
    });
    if !single.is_empty() {
        findings.push(Kind::SingleSeed.of(single));
    }
    findings
}

fn levels_where(record: &LevelsRecord, holds: impl Fn(&LevelEntry) -> bool) -> Vec<Level> {
    record.levels.iter().filter(|entry| holds(entry)).map(|entry| entry.level).collect()
}

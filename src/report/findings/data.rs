//! Findings on the rows.

use super::{Finding, Kind};
use crate::recipe::GroupBy;
use crate::record::RunRecord;
use crate::report::finding::{Claim, Item};
use crate::report::measures;
use crate::report::profile::Limits;
use crate::report::quantity::Quantity;
use crate::texts::copying::WINDOW;

pub(super) fn findings(record: &RunRecord, limits: Limits) -> Vec<Finding> {
    let dataset = &record.dataset;
    let mut findings = Vec::new();
    let counts = [
        (Kind::LeakedRows, "leaked_rows", dataset.leaked_rows),
        (Kind::DuplicateRows, "duplicate_rows", dataset.duplicate_rows),
        (Kind::TruncatedRows, "truncated_rows", dataset.truncated_rows),
        (Kind::RowsWithoutTarget, "rows_without_target", dataset.rows_without_target),
    ];
    for (kind, field, count) in counts {
        if count > 0 {
            findings.push(kind.with([
                ("count", Quantity::new(format!("dataset.{field}"), count)),
                ("rows", Quantity::new("dataset.rows", dataset.rows)),
                ("eval_rows", Quantity::new("dataset.eval_rows", dataset.eval_rows)),
                ("limit", Quantity::new("recipe.data.max_seq_len", record.recipe.data.max_seq_len)),
            ]));
        }
    }
    findings.extend(validation(record));
    findings.extend(groups(record));
    findings.extend(overlap(record, limits));
    let longest = Quantity::new("dataset.tokens.max", dataset.tokens.max);
    let mean = Quantity::new("dataset.tokens.mean", dataset.tokens.mean);
    let over = Quantity::new("dataset.tokens.over_512", dataset.tokens.over_512);
    let kind = if dataset.tokens.over_512 == 0 { Kind::TokensWithin512 } else { Kind::TokensOver512 };
    let limit = measures::short_limit();
    findings.push(kind.with([("longest", longest), ("mean", mean), ("over", over), ("limit", limit)]));
    findings
}

/// Rows that are for the course of the training alone.
fn validation(record: &RunRecord) -> Option<Finding> {
    let rows = record.dataset.validation.as_ref()?.rows;
    let share = measures::row_share(record, "validation.rows", rows)?;
    Some(
        Kind::ValidationApart
            .with([("rows", Quantity::new("dataset.validation.rows", rows)), ("share", share)]),
    )
}

/// What the split did not divide.
fn groups(record: &RunRecord) -> Option<Finding> {
    let groups = record.dataset.groups.as_ref()?;
    let counted = [
        ("groups", Quantity::new("dataset.groups.count", groups.count)),
        ("largest", Quantity::new("dataset.groups.largest_rows", groups.largest_rows)),
    ];
    match &record.recipe.data.group_by {
        GroupBy::None => None,
        GroupBy::NearDuplicates => {
            let share = record.recipe.data.near_duplicate_share;
            Some(Kind::GroupedNearDuplicates.with(counted).with([
                ("n", Quantity::new(format!("{WINDOW} (data::groups)"), WINDOW)),
                ("share", Quantity::new("recipe.data.near_duplicate_share", share)),
            ]))
        }
        GroupBy::Field(name) => {
            let field = Item { text: name.clone(), ..Item::of(Vec::new()) };
            Some(Kind::GroupedByField.with(counted).listing(vec![field]))
        }
    }
}

/// How much of the held-out answers the training answers hold, against what the profile allows.
fn overlap(record: &RunRecord, limits: Limits) -> Option<Finding> {
    let overlap = record.dataset.overlap.as_ref()?;
    let limit = f64::from(limits.overlap_percent) / 100.0;
    let kind = if overlap.covered_words > limit { Kind::OverlapHigh } else { Kind::OverlapLow };
    Some(kind.with([
        ("n", Quantity::new("dataset.overlap.n", overlap.n)),
        ("covered", Quantity::new("dataset.overlap.covered_words", overlap.covered_words)),
        ("verbatim", Quantity::new("dataset.overlap.verbatim_sentences", overlap.verbatim_sentences)),
        ("limit", Quantity::new("limit(profile)", limit)),
    ]))
}

//! Findings on the rows.

use super::{Finding, Kind};
use crate::record::RunRecord;
use crate::report::figure::Figure;
use crate::report::measures;

pub(super) fn findings(record: &RunRecord) -> Vec<Finding> {
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
                ("count", Figure::new(format!("dataset.{field}"), count)),
                ("rows", Figure::new("dataset.rows", dataset.rows)),
                ("eval_rows", Figure::new("dataset.eval_rows", dataset.eval_rows)),
                ("limit", Figure::new("recipe.data.max_seq_len", record.recipe.data.max_seq_len)),
            ]));
        }
    }
    let longest = Figure::new("dataset.tokens.max", dataset.tokens.max);
    let mean = Figure::new("dataset.tokens.mean", dataset.tokens.mean);
    let over = Figure::new("dataset.tokens.over_512", dataset.tokens.over_512);
    let kind = if dataset.tokens.over_512 == 0 { Kind::TokensWithin512 } else { Kind::TokensOver512 };
    let limit = measures::short_limit();
    findings.push(kind.with([("longest", longest), ("mean", mean), ("over", over), ("limit", limit)]));
    findings
}

//! Numbers that a template asks for and the record implies: `{{ derived.lora_scale | sade }}`.

use crate::record::RunRecord;
use crate::report::measures::{self, Mask, both_scores};
use crate::report::quantity::{self, Quantities, Quantity};
use minijinja::Value;

/// How a number follows from a record, where that has something to compute from.
type Follows = fn(&RunRecord) -> Option<Quantity>;

/// The numbers by their names in templates.
pub(super) const DERIVED: [(&str, Follows); 19] = [
    ("short_limit", |_| Some(measures::short_limit())),
    ("train_share", |record| measures::row_share(record, "train_rows", record.dataset.train_rows)),
    ("eval_share", |record| measures::row_share(record, "eval_rows", record.dataset.eval_rows)),
    ("validation_share", |record| {
        measures::row_share(record, "validation.rows", record.dataset.validation.as_ref()?.rows)
    }),
    ("lora_scale", |record| Some(measures::lora_scale(record))),
    ("effective_batch", |record| Some(measures::effective_batch(record))),
    ("steps_made", |record| Some(measures::steps_made(record))),
    ("masked_before", |record| Some(both_scores(record, Mask::Masked)?.baseline_loss())),
    ("masked_after", |record| Some(both_scores(record, Mask::Masked)?.fine_tuned_loss())),
    ("full_before", |record| Some(both_scores(record, Mask::Full)?.baseline_loss())),
    ("full_after", |record| Some(both_scores(record, Mask::Full)?.fine_tuned_loss())),
    ("masked_loss_change", |record| Some(both_scores(record, Mask::Masked)?.signed_loss_change())),
    ("masked_perplexity_change", |record| {
        Some(both_scores(record, Mask::Masked)?.signed_perplexity_change())
    }),
    ("full_loss_change", |record| Some(both_scores(record, Mask::Full)?.signed_loss_change())),
    ("full_perplexity_change", |record| Some(both_scores(record, Mask::Full)?.signed_perplexity_change())),
    ("prompt_loss_change", measures::prompt_loss_change),
    ("least_overlapping_loss_change", measures::least_overlapping_loss_change),
    ("significance_level", measures::significance_level),
    ("sample_count", |record| Some(Quantity::new("len(samples)", record.samples.len()))),
];

pub(super) fn derived(record: &RunRecord) -> Value {
    let known = DERIVED.iter().filter_map(|(name, of)| Some((*name, of(record)?)));
    quantity::named(&known.collect::<Quantities>())
}

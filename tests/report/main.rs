//! The report room over fixture records: findings, the words of every document, the rules that all keep.

mod comparison;
mod findings;
mod fixtures;
mod rules;
mod snapshots;

//! tezgâh: a workbench. One experiment a CEFR level goes in, a Turkish thesis text whose every number was measured
//! comes out.
//!
//! ```text
//! experiments/a1.rs    asks a question; thesis has the settings and the cells that all levels share
//!   -> data            rows, checked, split, as token ids with a response mask
//!   -> model           base weights, frozen; LoRA beside them; forward and backward without autograd
//!   -> evaluate        the base: sums of -ln p for each row, masked and full
//!   -> train           steps, evaluations, checkpoints, the best adapter
//!   -> evaluate        the adapter: the same rows, the same two masks
//!   -> record          RunRecord: the only thing that leaves this half of the house
//!   -> report          record -> findings -> charts, document, thesis sections
//! ```
//! The rooms, from the ground up; each uses what stands above it in this list, and never what stands below:
//!
//! - [`error`], [`level`], [`random`], [`sha256`], `paths`, `paint`: words that all rooms share
//! - [`recipe`]: every choice of a run
//! - [`statistics`]: numbers in, numbers out
//! - [`texts`]: a text in, its measures out: level, readability, diversity, repetition, copying
//! - [`record`]: what a run measured, its file and its folder
//! - [`device`]: where tensors live, and how much fits there
//! - [`data`]: from a file of rows to token ids
//! - [`model`]: operations, files, network
//! - [`evaluate`]: what a model is worth on held-out rows
//! - [`train`]: plan, memory, optimizer, checkpoints, the loop
//! - [`ratings`]: a run's texts shown blind to people and to a judge model, and what they say
//! - [`report`]: from a record to Turkish text, charts and exports
//! - [`diff`]: two records in, what a thesis must change out
//! - [`cli`]: the flags that all experiments share
//! - [`run`]: the cells of a run, in an order that the compiler knows
//! - [`series`]: several runs in one call: training seeds, levels side by side, a sweep
//! - [`thesis`]: the experiment itself, settings and cells, as prose
//!
//! What never happens:
//!
//! 1. `report` never sees a tensor, a model, or a file other than its templates and font.
//! 2. `train` and `evaluate` never write words for people; templates never compute.
//! 3. No number stands in a document that is not in the record, and no claim that was not evaluated on it.
//! 4. Randomness comes from the recipe's seeds alone, by named streams ([`random`]).
//! 5. The clock, the machine and git are read in [`record::environment`] alone.
//! 6. Files are written through [`record::store`], whole or not at all.
//! 7. No order of a hash map reaches a sum or a file.
//! 8. A frozen weight gets no gradient, and the logits of a whole batch never exist.

// The order of the list above; tests/programs/house.rs holds the sources against it.
pub mod error;
pub mod level;
pub mod random;
pub mod sha256;
pub(crate) mod paths;
pub(crate) mod paint;
pub mod recipe;
pub mod statistics;
pub mod texts;
pub mod record;
pub mod device;
pub mod data;
pub mod model;
pub mod evaluate;
pub mod train;
pub mod ratings;
pub mod report;
pub mod diff;
pub mod cli;
pub mod run;
pub mod series;
#[path = "../experiments/thesis.rs"]
pub mod thesis;

/// The README's code and links are compiled with the documentation.
#[doc = include_str!("../README.md")]
#[cfg(doctest)]
pub struct Readme;

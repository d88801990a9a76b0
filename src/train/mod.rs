//! The training: learning rate, optimizer, checkpoints, and the loop over windows of micro-batches.

pub(crate) mod schedule;
pub mod memory;
pub mod course;
pub mod optimizer;
pub mod checkpoint;
pub mod training;

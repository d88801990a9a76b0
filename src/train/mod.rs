//! The training: learning rate, optimizer, checkpoints, and the loop over windows of micro-batches.

pub mod checkpoint;
pub mod optimizer;
pub mod run;
pub mod schedule;

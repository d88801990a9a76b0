//! The run record: its type, its file, and the machine it was made on.

pub mod comparison;
pub mod diff;
pub mod environment;
mod migrate;
pub mod replicates;
pub mod run;
pub mod store;

//! The run record: its type, its file, and the machine it was made on.

pub mod diff;
pub mod environment;
mod migrate;
pub mod run;
pub mod store;

//! The run record: its type, its file, and the machine it was made on.

pub mod environment;
pub mod run;
pub mod store;

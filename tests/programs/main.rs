//! The programs as a user runs them, and what is told of the whole house: its rooms, its sample data.

#[path = "../support/mod.rs"]
mod support;
mod program;
mod cells;
mod weaving;
mod command_line;
mod several_runs;
mod survival;
mod sample_data;
mod house;

//! The programs as a user runs them, and what is told of the whole house: its rooms, its sample data.

mod command_line;
mod house;
mod program;
mod sample_data;
mod several_runs;
mod survival;
#[path = "../support/mod.rs"]
mod support;

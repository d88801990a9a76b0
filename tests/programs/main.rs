//! The programs as a user runs them, and what is told of the whole house: its rooms, its sample data.

#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "hub")]
#[path = "../support/hub_server.rs"]
mod hub_server;
#[cfg(feature = "hub")]
#[path = "../support/judge_server.rs"]
mod judge_server;
mod program;
mod cells;
mod export;
mod generate;
mod ratings;
mod parts;
mod weaving;
#[cfg(target_os = "linux")]
mod memory;
mod command_line;
mod obstacles;
#[cfg(target_os = "linux")]
mod permissions;
mod messages;
mod several_runs;
mod sweep;
mod slurm;
mod survival;
mod foreign_input;
#[cfg(feature = "hub")]
mod hub;
#[cfg(feature = "hub")]
mod judge;
mod sample_data;
mod house;

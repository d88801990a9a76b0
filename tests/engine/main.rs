//! The engine against numbers from elsewhere: other programs, other forms of the same formula, counts by hand.

#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "hub")]
#[path = "../support/hub_server.rs"]
mod hub_server;
mod tensors;
mod statistics;
mod texts;
mod data;
mod sources;
#[cfg(feature = "hub")]
mod hub;
mod foreign;
mod ops;
mod nf4;
mod quantized_file;
mod reference;
mod early_stopping;
mod least_overlapping;
mod chat;
mod generate;
mod gradients;
mod memory;
#[cfg(feature = "cuda")]
mod gpu;

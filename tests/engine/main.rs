//! The engine against numbers from elsewhere: other programs, other forms of the same formula, counts by hand.

mod data;
#[cfg(feature = "cuda")]
mod gpu;
mod gradients;
mod nf4;
mod ops;
mod quantized_file;
mod reference;
mod sources;
mod statistics;
#[path = "../support/mod.rs"]
mod support;
mod tensors;

//! The engine against numbers from elsewhere: other programs, other forms of the same formula, counts by hand.

#[path = "../support/mod.rs"]
mod support;
mod tensors;
mod statistics;
mod data;
mod sources;
mod ops;
mod nf4;
mod quantized_file;
mod reference;
mod gradients;
mod memory;
#[cfg(feature = "cuda")]
mod gpu;

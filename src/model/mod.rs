//! The model: base weights, LoRA beside them, and an explicit forward and backward pass without autograd.

pub mod ops;
pub mod files;
pub mod network;
pub mod generate;
pub(crate) mod positions;

//! The model: base weights, LoRA beside them, and an explicit forward and backward pass without autograd.

pub mod adapter;
pub mod config;
pub mod frozen;
pub mod generate;
mod ggml;
mod gguf;
mod gguf_llama;
pub mod layer;
pub mod linear;
pub mod llama;
pub mod memory;
pub mod merge;
pub mod nf4;
pub mod ops;
pub mod quantized_file;
pub mod source;
pub mod weights;

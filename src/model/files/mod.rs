//! What a model is on disk: its shape, its tensors and their formats, and where all of it comes from.

pub mod config;
mod ggml;
mod gguf;
mod gguf_llama;
pub mod nf4;
pub mod weights;
pub(crate) mod packed;
pub mod source;
pub mod quantized_file;

//! What a model is on disk: its shape, its tensors and their formats, and where all of it comes from.

pub mod config;
mod ggml;
pub mod nf4;
mod mapped;
mod gguf;
pub mod weights;
mod surplus;
pub(crate) mod packed;
mod model_files;
mod special_tokens;
pub(crate) mod trained_form;
pub mod hub;
pub mod source;
pub mod chat_template;
pub(crate) mod companions;
pub mod to_gguf;
pub mod quantized_file;

/// What was read, or what was expected and got: its caller knows the file.
type Parsed<T> = Result<T, String>;

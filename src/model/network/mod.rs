//! The network: frozen projections with their LoRA updates, layers, the passes over them, and the update as files.

pub mod frozen;
pub mod linear;
mod layer;
pub mod llama;
pub mod loading;
pub mod adapter;
pub(crate) mod merge;

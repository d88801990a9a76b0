//! What a run writes for other programs, beside what it always writes. No number of the run depends on it.

use serde::{Deserialize, Serialize};

/// Files for other programs. Runs that were made before there was a choice wrote none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportRecipe {
    /// The merged model as one GGUF file for llama.cpp and what is built on it, with Ollama's Modelfile beside it.
    #[serde(default)]
    pub gguf: GgufType,
    /// `bf16` writes the adapter once more, in half the size. What the run itself goes on from is always f32.
    #[serde(default)]
    pub adapter_dtype: AdapterDtype,
}

/// Type of the matrices of a GGUF file; norms are f32 in all of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GgufType {
    /// No such file.
    #[default]
    None,
    /// 16-bit float.
    F16,
    /// bfloat16.
    Bf16,
    /// GGML Q8_0: blocks of 32, f16 scale; 8.5 bits a weight. A matrix whose rows are no whole blocks is f16.
    #[serde(rename = "q8_0")]
    Q8_0,
}

/// Type of the tensors of an adapter that is handed on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdapterDtype {
    /// 32-bit float, as it was trained.
    #[default]
    F32,
    /// bfloat16.
    Bf16,
}

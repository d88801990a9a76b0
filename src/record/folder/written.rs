//! What a run has written, as its record lists it.

use super::{ADAPTER, ADAPTER_BF16, GGUF, MERGED, MODELFILE, RunFolder, SPLIT, size_of};
use crate::error::Result;
use crate::level::Level;
use crate::record::{Dataset, Output};

/// A part of the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Trained on.
    Train,
    /// Chosen on, beside a part that is tested on.
    Validation,
    /// Chosen on, and reported.
    Evaluation,
    /// Reported, and nothing is chosen on it.
    Test,
}

impl Part {
    /// Every part that a split may have.
    pub(crate) const ALL: [Part; 4] = [Part::Train, Part::Validation, Part::Evaluation, Part::Test];

    /// The part that reports the result of a run over `dataset`.
    pub(crate) fn reported(dataset: &Dataset) -> Part {
        if dataset.validation.is_some() { Part::Test } else { Part::Evaluation }
    }

    fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Validation => "validation",
            Part::Evaluation => "eval",
            Part::Test => "test",
        }
    }

    /// The name of its file.
    pub(super) fn file(self, level: Level) -> String {
        format!("training_data_{}_{}.json", level.slug(), self.name())
    }
}

/// What a run has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Written {
    /// The rows of one part.
    Split(Level, Part),
    /// The adapter, its tensors in f32.
    Adapter,
    /// The merged model.
    Merged {
        /// Type of its tensors: `F16`.
        dtype: String,
        /// Type of the weights that the update was added to: `Q4_1`.
        into: String,
    },
    /// The merged model as a GGUF file.
    Gguf {
        /// Type of its matrices: `Q8_0`.
        dtype: String,
    },
    /// Ollama's Modelfile beside it.
    Modelfile,
    /// The adapter, its tensors in bf16.
    AdapterBf16,
}

impl RunFolder {
    /// What the record says of a file or folder that was written.
    ///
    /// # Errors
    /// `Error::File` where it cannot be looked at.
    pub(crate) fn output(&self, written: Written) -> Result<Output> {
        let (kind, path) = match &written {
            Written::Split(level, part) => {
                (format!("{}_split", part.name()), format!("{SPLIT}/{}", part.file(*level)))
            }
            Written::Adapter => ("adapter".into(), ADAPTER.to_string()),
            Written::Merged { .. } => ("merged".into(), MERGED.to_string()),
            Written::Gguf { .. } => ("gguf".into(), GGUF.to_string()),
            Written::Modelfile => ("modelfile".into(), MODELFILE.to_string()),
            Written::AdapterBf16 => ("adapter_bf16".into(), ADAPTER_BF16.to_string()),
        };
        let (dtype, merged_into) = match written {
            Written::Split(..) | Written::Modelfile => (None, None),
            Written::Adapter => (Some("F32".into()), None),
            Written::Merged { dtype, into } => (Some(dtype), Some(into)),
            Written::Gguf { dtype } => (Some(dtype), None),
            Written::AdapterBf16 => (Some("BF16".into()), None),
        };
        let bytes = size_of(&self.path.join(&path))?;
        Ok(Output { kind, path, bytes, dtype, merged_into })
    }
}

//! Writes a model folder of Llama-3.2-1B's shape, or of another one, with random weights: memory and speed do not depend on
//! their values, and the real ones are behind a licence.
//!
//!     cargo run --example random_model -- FOLDER [CONFIG.JSON]
//!
//! 2.5 GB in bf16 for the 1B. The tokenizer is the demonstration model's; its ids are all below the larger vocabulary.

use rand_chacha::rand_core::Rng;
use safetensors::tensor::{Dtype, View};
use std::borrow::Cow;
use std::path::PathBuf;
use tezgah::model::files::config::LlamaConfig;
use tezgah::random;

/// As published, <https://huggingface.co/meta-llama/Llama-3.2-1B-Instruct>; the end token is the demonstration tokenizer's.
const CONFIG: &str = include_str!("llama_3_2_1b.json");

const TOKENIZER: &str = include_str!("../data/demo/tokenizer.json");

/// A tensor that is drawn when the file is written; one at a time is in memory.
struct Drawn {
    name: String,
    shape: Vec<usize>,
}

impl View for Drawn {
    fn dtype(&self) -> Dtype {
        Dtype::BF16
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Norms are 1, all else is uniform in [-0.03, 0.03].
    fn data(&self) -> Cow<'_, [u8]> {
        let count: usize = self.shape.iter().product();
        let mut bytes = Vec::with_capacity(2 * count);
        let mut generator = random::stream(1, &self.name);
        for _ in 0..count {
            let unit = (generator.next_u32() >> 8) as f32 / (1 << 24) as f32;
            let value = if self.shape.len() == 1 { 1.0 } else { 0.06 * unit - 0.03 };
            bytes.extend(half::bf16::from_f32(value).to_le_bytes());
        }
        Cow::Owned(bytes)
    }

    fn data_len(&self) -> usize {
        2 * self.shape.iter().product::<usize>()
    }
}

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).expect("usage: random_model FOLDER [CONFIG.JSON]"));
    std::fs::create_dir_all(&folder)?;
    let text = std::env::args().nth(2).map_or(Ok(CONFIG.to_string()), std::fs::read_to_string)?;
    let config = LlamaConfig::from_json("the shape", &text)?;
    let tensors = config.tensors().into_iter().map(|(name, shape)| (name.clone(), Drawn { name, shape }));
    safetensors::serialize_to_file(tensors, None, &folder.join("model.safetensors"))?;
    std::fs::write(folder.join("config.json"), text)?;
    std::fs::write(folder.join("tokenizer.json"), TOKENIZER)?;
    println!("{} parameters in {}", config.parameters(), folder.display());
    Ok(())
}

//! What several test files need: the seed document's recipe and the reference runs.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use tezgah::data::alpaca;
use tezgah::data::encode::{EncodedRow, RowEncoder};
use tezgah::model::source::{BaseModel, ModelSource, open};
use tezgah::recipe::*;

/// The seed document's recipe, stated here on its own: a test must notice a changed default.
pub fn seed_recipe() -> Recipe {
    Recipe {
        data: DataRecipe { split_seed: 42, eval_fraction: 0.1, max_seq_len: 2048 },
        model: ModelRecipe { quantization: Quantization::None, dtype: ModelDtype::F32 },
        lora: LoraRecipe {
            rank: 128,
            alpha: 256.0,
            dropout: 0.05,
            bias: Bias::None,
            target_modules: Projection::ALL.to_vec(),
        },
        train: TrainRecipe {
            batch_size: 16,
            eval_batch_size: 16,
            accumulation_steps: 4,
            epochs: 3.0,
            max_steps: 0,
            learning_rate: 2e-4,
            lr_scheduler: LrScheduler::Cosine,
            warmup_steps: 100,
            weight_decay: 0.01,
            max_grad_norm: 1.0,
            eval_steps: 50,
            save_steps: 50,
            save_total_limit: 5,
            load_best_at_end: true,
            seed: 3407,
            shuffle: true,
            gradient_checkpointing: Checkpointing::Auto,
            loss_on: LossOn::Response,
        },
        samples: SamplesRecipe { count: 0, max_new_tokens: 32 },
    }
}

/// A run of the Python stack: its inputs and what it printed.
pub struct Reference {
    pub folder: PathBuf,
    pub expected: Value,
    pub recipe: Recipe,
    pub base: BaseModel,
    pub train: Vec<EncodedRow>,
    pub evaluation: Vec<EncodedRow>,
}

pub fn reference_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference")
}

impl Reference {
    /// Reads `tests/reference/<name>`; `model` is the base model's folder.
    pub fn read(name: &str, model: &Path) -> Self {
        let folder = reference_folder().join(name);
        let text = std::fs::read_to_string(folder.join("expected.json")).expect("expected.json");
        let expected: Value = serde_json::from_str(&text).expect("JSON");
        let mut recipe = seed_recipe();
        let case = &expected["case"];
        recipe.lora.rank = number(&case["lora"]["r"]) as usize;
        recipe.lora.alpha = number(&case["lora"]["alpha"]);
        recipe.lora.dropout = 0.0;
        let train = &case["train"];
        recipe.train.batch_size = number(&train["batch"]) as usize;
        recipe.train.eval_batch_size = recipe.train.batch_size;
        recipe.train.accumulation_steps = number(&train["accumulation"]) as usize;
        recipe.train.epochs = number(&train["epochs"]);
        recipe.train.learning_rate = number(&train["lr"]);
        recipe.train.warmup_steps = number(&train["warmup_steps"]) as usize;
        recipe.train.eval_steps = number(&train["eval_steps"]) as usize;
        // The reference measured its last adapter, not its best.
        recipe.train.load_best_at_end = false;
        recipe.train.shuffle = false;
        let base = open(&ModelSource::Folder(model.to_path_buf())).expect("base model");
        let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, 2048).expect("encoder");
        let encode = |file: &str| {
            let rows = alpaca::read(folder.join(file)).expect("rows").rows;
            rows.iter().map(|row| encoder.encode(row).expect("row")).collect()
        };
        Reference {
            train: encode("train.json"),
            evaluation: encode("eval.json"),
            folder,
            expected,
            recipe,
            base,
        }
    }

    pub fn lora_scale(&self) -> f64 {
        self.recipe.lora.alpha / self.recipe.lora.rank as f64
    }
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("expected a number, got {value}"))
}

/// |a / b - 1| <= tolerance, with the place in the message.
pub fn close(place: &str, ours: f64, theirs: f64, tolerance: f64) {
    let off = if theirs == 0.0 { ours.abs() } else { (ours / theirs - 1.0).abs() };
    assert!(
        off <= tolerance,
        "{place}: {ours}, the reference has {theirs} (off by {off:.1e}, allowed {tolerance:.0e})"
    );
}

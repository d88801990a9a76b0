//! Whole runs against transformers + PEFT + TRL: their inputs, their numbers, and ours beside them.

pub(crate) mod pass;
mod tiny;
#[cfg(feature = "real-model")]
pub(crate) mod smollm2;

use crate::support::{close, number, reference_folder};

use candle_core::{DType, Device};
use serde_json::Value;
use std::path::PathBuf;
use tezgah::data::alpaca;
use tezgah::data::batches::Targets;
use tezgah::data::encode::{EncodedRow, RowEncoder};
use tezgah::evaluate::nll::{self, RowSums};
use tezgah::model::files::source::{BaseModel, ModelSource, open};
use tezgah::model::network::adapter;
use tezgah::model::network::frozen::FrozenSource;
use tezgah::model::network::linear::LoraUse;
use tezgah::model::network::llama::{Activations, Llama};
use tezgah::recipe::*;
use tezgah::train::checkpoint::Checkpoints;
use tezgah::train::course::Course;
use tezgah::train::optimizer::AdamW;
use tezgah::train::training::{self, Rows, State};

/// The seed document's recipe, stated here on its own: a test must notice a changed default.
pub(crate) fn seed_recipe() -> Recipe {
    Recipe {
        data: DataRecipe {
            split_seed: 42,
            eval_fraction: 0.1,
            test_fraction: 0.0,
            group_by: GroupBy::None,
            near_duplicate_share: 0.5,
            max_seq_len: 2048,
        },
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
            early_stopping_patience: 0,
            seed: 3407,
            shuffle: true,
            gradient_checkpointing: Checkpointing::Auto,
            loss_on: LossOn::Response,
        },
        samples: SamplesRecipe {
            count: 0,
            max_new_tokens: 32,
            batch_size: 1,
            temperature: 0.0,
            top_p: 1.0,
            repetition_penalty: 1.0,
            per_prompt: 1,
            seed: 0,
        },
        export: ExportRecipe::default(),
    }
}

/// A run of the Python stack: its inputs and what it printed.
pub(crate) struct Reference {
    pub(crate) folder: PathBuf,
    pub(crate) expected: Value,
    pub(crate) recipe: Recipe,
    pub(crate) base: BaseModel,
    pub(crate) train: Vec<EncodedRow>,
    pub(crate) evaluation: Vec<EncodedRow>,
}

impl Reference {
    /// The small random Llama, whose folder is part of the repository.
    pub(crate) fn tiny() -> Self {
        Reference::read("tiny", ModelSource::Folder(reference_folder().join("tiny/model")))
    }

    /// Reads `tests/reference/<name>`.
    pub(crate) fn read(name: &str, model: ModelSource) -> Self {
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
        let base = open(&model).expect("base model");
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

    /// alpha / r as the oracles of other tests compute it.
    pub(crate) fn lora_scale(&self) -> f64 {
        self.recipe.lora.alpha / self.recipe.lora.rank as f64
    }

    /// The base model with the reference's initial adapter attached.
    pub(crate) fn model(&self, quantization: Quantization, dtype: DType) -> Llama {
        self.model_on(&Device::Cpu, quantization, dtype)
    }

    /// The same on a device.
    pub(crate) fn model_on(&self, device: &Device, quantization: Quantization, dtype: DType) -> Llama {
        let BaseModel { config, weights, .. } = &self.base;
        let source = FrozenSource { weights, quantization, quantized: None, dtype, device };
        let mut model = Llama::load(config, source).expect("model");
        adapter::attach(&mut model, &self.recipe.lora, 1).expect("attach");
        adapter::load(&mut model, &self.folder.join("adapter_init")).expect("adapter_init");
        model
    }

    pub(crate) fn sums(&self, model: &Llama, lora: LoraUse) -> Vec<RowSums> {
        nll::rows(model, &self.evaluation, 4, Targets::All, lora, |_| Ok(())).expect("evaluation")
    }

    /// Every row's sums against the reference's `place`: base, adapter_init or adapter_final.
    pub(crate) fn check_sums(&self, place: &str, sums: &[RowSums], tolerance: f64) {
        let rows = self.expected["rows"][place].as_array().expect("rows");
        assert_eq!(sums.len(), rows.len());
        for (index, (ours, theirs)) in sums.iter().zip(rows).enumerate() {
            assert_eq!(ours.masked_tokens as f64, number(&theirs["masked_tokens"]), "{place} row {index}");
            assert_eq!(ours.full_tokens as f64, number(&theirs["full_tokens"]), "{place} row {index}");
            let place = format!("{place} row {index}");
            close(&format!("{place} masked"), ours.nll.masked, number(&theirs["masked_nll"]), tolerance);
            close(&format!("{place} full"), ours.nll.full, number(&theirs["full_nll"]), tolerance);
        }
    }

    pub(crate) fn train(&self, model: &mut Llama, activations: Activations) -> Course {
        let folder = tempfile::tempdir().expect("folder");
        let train = &self.recipe.train;
        let mut state = State {
            optimizer: AdamW::new(model, train.weight_decay, train.max_grad_norm).expect("optimizer"),
            checkpoints: Checkpoints::new(folder.path(), train.save_total_limit, "reference", "this run"),
            course: Course::default(),
        };
        let rows = Rows { train: &self.train, evaluation: &self.evaluation };
        training::run(model, rows, &self.recipe, activations, &mut state, &mut |_| Ok(())).expect("training");
        state.course
    }

    /// Every step and evaluation against the reference's history.
    pub(crate) fn check_course(&self, course: &Course, loss: f64, norm: f64) {
        let history = self.expected["log_history"].as_array().expect("log_history");
        let steps: Vec<_> = history.iter().filter(|entry| entry.get("loss").is_some()).collect();
        let evals: Vec<_> = history.iter().filter(|entry| entry.get("eval_loss").is_some()).collect();
        assert_eq!(course.steps.len(), steps.len());
        assert_eq!(course.evals.len(), evals.len());
        for (ours, theirs) in course.steps.iter().zip(steps) {
            let place = format!("step {}", ours.step);
            assert_eq!(ours.step as f64, number(&theirs["step"]));
            close(&format!("{place} epoch"), ours.epoch, number(&theirs["epoch"]), 1e-4);
            close(&format!("{place} loss"), ours.loss, number(&theirs["loss"]), loss);
            close(&format!("{place} lr"), ours.learning_rate, number(&theirs["learning_rate"]), 1e-4);
            close(&format!("{place} grad_norm"), ours.grad_norm, number(&theirs["grad_norm"]), norm);
        }
        for (ours, theirs) in course.evals.iter().zip(evals) {
            assert_eq!(ours.step as f64, number(&theirs["step"]));
            close(&format!("eval {}", ours.step), ours.trainer_eval_loss, number(&theirs["eval_loss"]), loss);
        }
    }
}

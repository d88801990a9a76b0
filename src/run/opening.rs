//! The record of a run before its first measurement: what is known from the rows, the base model and the settings.

use super::cells::{self, Found};
use super::notebook::{Notebook, Study};
use super::recording::Held;
use crate::device;
use crate::error::Result;
use crate::model::files::source::BaseModel;
use crate::model::network::llama::{Activations, Llama};
use crate::recipe::{Cell, Recipe};
use crate::record::*;
use crate::train::memory;
use crate::train::schedule::Plan;
use std::path::Path;

impl Study {
    /// The record as it is before the first measurement, and the model where it had to be loaded for it. What an earlier
    /// call has found out is taken from its cells.
    ///
    /// # Errors
    /// As [`Study::model`].
    pub(super) fn begin(&self) -> Result<(RunRecord, Held)> {
        let Notebook { folder, recipe, .. } = &self.notebook;
        let dataset = match cells::find(folder, Cell::Rows, &self.follows_from(Cell::Rows, "")) {
            Found::Kept(kept) => kept.result,
            _ => self.dataset()?,
        };
        let of = self.follows_from(Cell::BaseModel, "");
        let (facts, held) = match cells::find(folder, Cell::BaseModel, &of) {
            Found::Kept(kept) => (kept.result, Held::default()),
            _ => {
                let model = self.model()?;
                (model_facts(&self.opened()?.base, &model, recipe), Held::loaded(model))
            }
        };
        let recomputes = match self.is_trained() {
            // As the training's own cell says.
            true => false,
            false => self.opened()?.memory.activations == Activations::Recompute,
        };
        Ok((self.record(dataset, facts, recomputes), held))
    }

    /// What the record says of the rows.
    ///
    /// # Errors
    /// As [`Study::opened`].
    pub(super) fn dataset(&self) -> Result<Dataset> {
        let dataset = self.opened()?.rows.dataset.clone();
        Ok(Dataset { source: environment::from_home(&dataset.source), ..dataset })
    }

    fn record(&self, dataset: Dataset, model: ModelFacts, gradient_checkpointing: bool) -> RunRecord {
        let Notebook { level, flags, recipe, device, .. } = &self.notebook;
        let plan = Plan::new(dataset.train_rows, &recipe.train);
        let card = device::card(device);
        RunRecord {
            schema: SCHEMA,
            level: *level,
            status: Status::Running,
            smoke: flags.smoke,
            failure: None,
            dataset,
            model,
            recipe: recipe.clone(),
            method: Method::CURRENT,
            training: Training {
                total_steps: plan.total_steps,
                steps_per_epoch: plan.steps_per_epoch,
                optimizer: Optimizer::ADAMW,
                init_adapter: self.begins_with.as_ref().map(|InitAdapter { source, sha256 }| InitAdapter {
                    source: environment::from_home(source),
                    sha256: sha256.clone(),
                }),
                gradient_checkpointing,
                seconds: 0.0,
                tokens_per_second: 0.0,
                peak_memory_bytes: 0,
                steps: Vec::new(),
                evals: Vec::new(),
                best: None,
                early_stop: None,
            },
            evaluation: Evaluation::default(),
            texts: None,
            ratings: None,
            samples: Vec::new(),
            replicates: None,
            outputs: Vec::new(),
            environment: environment::capture(
                device,
                card.name,
                card.facts,
                Path::new(env!("CARGO_MANIFEST_DIR")),
            ),
        }
    }
}

fn model_facts(base: &BaseModel, model: &Llama, recipe: &Recipe) -> ModelFacts {
    let config = &base.config;
    let quantized_parameters: u64 = model.groups().map(|group| group.frozen.quantized_parameters()).sum();
    let projection_bytes: u64 = model.groups().map(|group| group.frozen.bytes()).sum();
    ModelFacts {
        name: base.name.clone(),
        source: environment::from_home(&base.source),
        commit: base.commit.clone(),
        sha256: base.sha256.clone(),
        demonstration: base.source == "demo",
        parameters: config.parameters(),
        trainable_parameters: memory::trainable_parameters(config, &recipe.lora),
        quantization: recipe.model.quantization,
        dtype: model.dtype.as_str().to_string(),
        quantized_parameters,
        bits_per_weight: match quantized_parameters {
            0 => 8.0 * model.dtype.size_in_bytes() as f64,
            count => 8.0 * projection_bytes as f64 / count as f64,
        },
        weight_bytes: model.weight_bytes(),
        dense_weight_bytes: config.parameters() * model.dtype.size_in_bytes() as u64,
        architecture: Architecture {
            layers: config.num_hidden_layers,
            hidden_size: config.hidden_size,
            intermediate_size: config.intermediate_size,
            attention_heads: config.num_attention_heads,
            key_value_heads: config.num_key_value_heads,
            head_dim: config.head_dim,
            vocab_size: config.vocab_size,
            tied_embeddings: config.tie_word_embeddings,
        },
    }
}

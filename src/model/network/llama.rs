//! The network: embedding, layers, head, and the pass that trains it.
//!
//! Logits exist for 256 target rows at a time, never for a batch.

use crate::data::batches::Batch;
use crate::error::{Error, Result};
use crate::model::files::config::{LlamaConfig, weight_name};
use crate::model::files::packed::Packed;
use crate::model::files::weights::Weights;
use crate::model::network::frozen::{Frozen, FrozenSource};
use crate::model::network::layer::{Layer, Pass, Saved};
use crate::model::network::linear::{LinearGroup, LoraUse, Part};
use crate::model::ops::attention::Heads;
use crate::model::ops::cross_entropy;
use crate::model::ops::dropout::DropoutStream;
use crate::model::ops::matmul::matmul;
use crate::model::ops::rms_norm::{self, rms_norm};
use crate::model::ops::rope::Angles;
use crate::recipe::{Projection, Quantization};
use candle_core::{DType, Device, Tensor};

/// Target rows whose logits exist at the same time.
pub const LOGITS_ROWS: usize = 256;

/// A Llama with its base weights frozen.
pub struct Llama {
    /// Shape and constants.
    pub config: LlamaConfig,
    /// Where all tensors live.
    pub device: Device,
    /// Type of activations.
    pub dtype: DType,
    /// (V, H)
    embedding: Tensor,
    /// Scale of the last norm.
    norm: Tensor,
    /// (V, H); the embedding itself where they are tied.
    head: Tensor,
    /// First to last.
    pub layers: Vec<Layer>,
    inverse_frequencies: Vec<f64>,
}

/// What a training pass keeps of each layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activations {
    /// All that the backward pass needs.
    Keep,
    /// The layer's input alone; the rest is computed again (Chen et al., 2016).
    Recompute,
}

impl Llama {
    /// Loads the base model.
    ///
    /// # Errors
    /// A missing or misshapen tensor; a quantization that does not fit.
    pub fn load(
        config: &LlamaConfig,
        weights: &Weights,
        quantization: Quantization,
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        Llama::load_from(config, FrozenSource { weights, quantization, quantized: None, dtype, device })
    }

    /// [`Llama::load`], with projections that an earlier run quantized where the source has them.
    ///
    /// # Errors
    /// As [`Llama::load`]; a file of quantized projections that does not fit the model.
    pub fn load_from(config: &LlamaConfig, source: FrozenSource) -> Result<Self> {
        let FrozenSource { weights, dtype, device, .. } = source;
        let dense = |name: &str| weights.dense(name, dtype, device);
        let embedding = dense("model.embed_tokens.weight")?;
        let head = if config.tie_word_embeddings { embedding.clone() } else { dense("lm_head.weight")? };
        let layers: Result<Vec<Layer>> = (0..config.num_hidden_layers)
            .map(|index| {
                let group = |projections: &[Projection]| -> Result<LinearGroup> {
                    let frozen = Frozen::load(source, index, projections)?;
                    let mut first = 0;
                    let part = |&projection: &Projection| {
                        let columns = (first, config.projection_shape(projection).0);
                        first += columns.1;
                        Part { projection, columns, lora: None }
                    };
                    Ok(LinearGroup { frozen, parts: projections.iter().map(part).collect() })
                };
                Ok(Layer {
                    index,
                    input_norm: dense(&format!("model.layers.{index}.input_layernorm.weight"))?,
                    post_attention_norm: dense(&format!(
                        "model.layers.{index}.post_attention_layernorm.weight"
                    ))?,
                    qkv: group(&[Projection::QProj, Projection::KProj, Projection::VProj])?,
                    output: group(&[Projection::OProj])?,
                    gate_up: group(&[Projection::GateProj, Projection::UpProj])?,
                    down: group(&[Projection::DownProj])?,
                })
            })
            .collect();
        Ok(Llama {
            norm: dense("model.norm.weight")?,
            embedding,
            head,
            layers: layers?,
            inverse_frequencies: config.inverse_frequencies(),
            config: config.clone(),
            device: device.clone(),
            dtype,
        })
    }

    /// Adds the gradients of `scale` x (sum of -ln p over the batch's targets) and returns that sum, unscaled.
    ///
    /// A window of several micro-batches passes `scale` = 1 / (targets of the whole window) to each: the
    /// gradient is then that of the window's token-weighted loss.
    pub fn accumulate_gradients(
        &mut self,
        batch: &Batch,
        activations: Activations,
        scale: f64,
        lora_scale: f64,
        dropout: Option<DropoutStream>,
    ) -> Result<f64> {
        if batch.targets.is_empty() {
            return Ok(0.0);
        }
        let angles = self.angles(batch)?;
        let pass = self.pass(batch, &angles, LoraUse::Applied { scale: lora_scale, dropout });
        let mut x = self.embed_ids(&batch.ids)?;
        let mut inputs = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let (y, saved) = layer.forward(&x, &pass)?;
            let saved = (activations == Activations::Keep).then_some(saved);
            inputs.push((std::mem::replace(&mut x, y), saved));
        }
        let (nll, mut grad) = self.head_gradient(x, batch, scale)?;
        for (layer, (x, saved)) in self.layers.iter_mut().zip(inputs).rev() {
            let saved: Saved = match saved {
                Some(saved) => saved,
                None => layer.forward_saved(&x, &pass)?,
            };
            grad = layer.backward(&x, saved, grad, &pass)?;
        }
        Ok(nll)
    }

    /// -ln p of each of the batch's targets, in nats; `lora_scale` none evaluates the base model alone.
    pub fn nll(&self, batch: &Batch, lora_scale: Option<f64>) -> Result<Vec<f64>> {
        let normed = self.normed_sources(batch, lora_scale)?;
        let mut nll = Vec::with_capacity(batch.targets.len());
        for (start, targets) in chunks(&batch.targets) {
            let logits = matmul(&normed.narrow(0, start, targets.len())?, &self.head.t()?)?;
            nll.extend(cross_entropy::nll(&logits, targets)?);
        }
        Ok(nll)
    }

    /// The last norm's output at the batch's sources, (sources, H).
    fn normed_sources(&self, batch: &Batch, lora_scale: Option<f64>) -> Result<Tensor> {
        let angles = self.angles(batch)?;
        let lora = match lora_scale {
            None => LoraUse::Ignored,
            Some(scale) => LoraUse::Applied { scale, dropout: None },
        };
        let pass = self.pass(batch, &angles, lora);
        let mut x = self.embed_ids(&batch.ids)?;
        for layer in &self.layers {
            x = layer.forward(&x, &pass)?.0;
        }
        let sources = x.index_select(&self.indices(&batch.sources)?, 0)?;
        Ok(rms_norm(&sources, &self.norm, self.config.rms_norm_eps)?)
    }

    /// The sum of -ln p, and the gradient of the last layer's output for `scale` x that sum, (N, H).
    fn head_gradient(&self, x: Tensor, batch: &Batch, scale: f64) -> Result<(f64, Tensor)> {
        let eps = self.config.rms_norm_eps;
        let sources = self.indices(&batch.sources)?;
        let (shape, dtype) = (x.shape().clone(), x.dtype());
        let x = x.index_select(&sources, 0)?; // only these have targets
        let normed = rms_norm(&x, &self.norm, eps)?;
        let (mut nll, mut grads) = (0f64, Vec::new());
        for (start, targets) in chunks(&batch.targets) {
            let logits = matmul(&normed.narrow(0, start, targets.len())?, &self.head.t()?)?;
            let (sum, grad_logits) = cross_entropy::with_gradient(logits, targets, scale)?;
            nll += sum;
            grads.push(matmul(&grad_logits, &self.head)?);
        }
        let grad_normed = Tensor::cat(&grads, 0)?;
        let grad = rms_norm::add_backward(x.zeros_like()?, &x, &self.norm, &grad_normed, eps)?;
        Ok((nll, Tensor::zeros(shape, dtype, &self.device)?.index_add(&sources, &grad, 0)?))
    }

    /// The first layer's input, (N, H).
    pub(crate) fn embed_ids(&self, ids: &[u32]) -> Result<Tensor> {
        let largest = ids.iter().copied().max().unwrap_or(0) as usize;
        if largest >= self.config.vocab_size {
            let message =
                format!("token id {largest} is outside the vocabulary of {}", self.config.vocab_size);
            return Err(Error::model("tokenizer", message));
        }
        Ok(self.embedding.index_select(&self.indices(ids)?, 0)?)
    }

    /// Scale of the last norm.
    pub(crate) fn norm(&self) -> &Tensor {
        &self.norm
    }

    /// (V, H).
    pub(crate) fn head(&self) -> &Tensor {
        &self.head
    }

    /// Rotary angle per position and pair.
    pub(crate) fn inverse_frequencies(&self) -> &[f64] {
        &self.inverse_frequencies
    }

    /// Division of the packed columns into heads.
    pub(crate) fn heads(&self) -> Heads {
        Heads {
            query: self.config.num_attention_heads,
            key_value: self.config.num_key_value_heads,
            width: self.config.head_dim,
        }
    }

    fn angles(&self, batch: &Batch) -> Result<Angles> {
        Ok(Angles::new(&batch.positions, &self.inverse_frequencies, self.dtype, &self.device)?)
    }

    fn pass<'a>(&self, batch: &'a Batch, angles: &'a Angles, lora: LoraUse) -> Pass<'a> {
        Pass { offsets: &batch.offsets, angles, heads: self.heads(), eps: self.config.rms_norm_eps, lora }
    }

    fn indices(&self, values: &[u32]) -> Result<Tensor> {
        Ok(Tensor::new(values, &self.device)?)
    }

    /// The groups of all layers, in the declared order.
    pub fn groups(&self) -> impl Iterator<Item = (usize, &LinearGroup)> {
        self.layers.iter().flat_map(|layer| {
            [&layer.qkv, &layer.output, &layer.gate_up, &layer.down].map(|group| (layer.index, group))
        })
    }

    /// The groups of all layers, in the declared order, to be changed.
    pub fn groups_mut(&mut self) -> impl Iterator<Item = (usize, &mut LinearGroup)> {
        self.layers.iter_mut().flat_map(|layer| {
            let index = layer.index;
            [&mut layer.qkv, &mut layer.output, &mut layer.gate_up, &mut layer.down]
                .map(|group| (index, group))
        })
    }

    /// The projections with their names in a checkpoint.
    pub(crate) fn packed(&self) -> impl Iterator<Item = (String, &Packed)> {
        self.groups().flat_map(|(layer, group)| {
            let names = group.parts.iter().map(move |part| weight_name(layer, part.projection));
            names.zip(group.frozen.parts())
        })
    }

    /// Bytes of all frozen weights as held in memory.
    pub fn weight_bytes(&self) -> u64 {
        let bytes = |tensor: &Tensor| (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64;
        let head = if self.config.tie_word_embeddings { 0 } else { bytes(&self.head) };
        let norms: u64 = self
            .layers
            .iter()
            .map(|layer| bytes(&layer.input_norm) + bytes(&layer.post_attention_norm))
            .sum();
        let projections: u64 = self.groups().map(|(_, group)| group.frozen.bytes()).sum();
        bytes(&self.embedding) + head + bytes(&self.norm) + norms + projections
    }
}

fn chunks(targets: &[u32]) -> impl Iterator<Item = (usize, &[u32])> {
    targets.chunks(LOGITS_ROWS).enumerate().map(|(index, chunk)| (index * LOGITS_ROWS, chunk))
}

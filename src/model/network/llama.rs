//! The network: embedding, layers, head, and the pass that trains it.
//!
//! Logits exist for 256 target rows at a time, never for a batch.

use crate::data::batches::Batch;
use crate::error::{Error, Result};
use crate::model::files::config::{LlamaConfig, weight_name};
use crate::model::files::packed::Packed;
use crate::model::network::frozen::FrozenSource;
use crate::model::network::layer::{Layer, Part, Pass, Saved, Wanted};
use crate::model::network::linear::{LinearGroup, LoraUse};
use crate::model::ops::attention::{Heads, Rows, attention};
use crate::model::ops::cross_entropy::{self, Losses, Targets};
use crate::model::ops::dropout::DropoutStream;
use crate::model::ops::lookup::lookup;
use crate::model::ops::matmul::{matmul, matmul_wide, narrowed};
use crate::model::ops::rms_norm::{self, rms_norm};
use crate::model::ops::rope::AngleTable;
use crate::model::ops::with_threads_awake;
use candle_core::{DType, Device, Tensor};

/// Target rows whose logits exist at the same time.
pub(crate) const LOGITS_ROWS: usize = 256;

/// A Llama with its base weights frozen.
pub struct Llama {
    /// Shape and constants.
    pub(crate) config: LlamaConfig,
    /// Where all tensors live.
    pub(crate) device: Device,
    /// Type of activations.
    pub(crate) dtype: DType,
    /// (V, H)
    embedding: Tensor,
    /// Scale of the last norm.
    norm: Tensor,
    /// (V, H); the embedding itself where they are tied.
    head: Tensor,
    /// First to last.
    layers: Vec<Layer>,
    angles: AngleTable,
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
    /// A missing or misshapen tensor; a quantization, or a file of quantized projections, that does not fit the model.
    pub fn load(config: &LlamaConfig, source: FrozenSource) -> Result<Self> {
        let embedding = source.dense("model.embed_tokens.weight")?;
        let head =
            if config.tie_word_embeddings { embedding.clone() } else { source.dense("lm_head.weight")? };
        let layers = (0..config.num_hidden_layers).map(|index| Layer::load(config, source, index));
        Ok(Llama {
            layers: layers.collect::<Result<_>>()?,
            norm: source.dense("model.norm.weight")?,
            embedding,
            head,
            angles: AngleTable::new(config.inverse_frequencies(), source.dtype, source.device),
            config: config.clone(),
            device: source.device.clone(),
            dtype: source.dtype,
        })
    }

    /// Adds the gradients of `scale` x (sum of -ln p over the batch's targets) and returns the losses of that sum, unscaled.
    ///
    /// A window of several micro-batches passes `scale` = 1 / (targets of the whole window) to each: the
    /// gradient is then that of the window's token-weighted loss.
    ///
    /// # Errors
    /// A token id outside the vocabulary; a device that has no memory left.
    pub fn accumulate_gradients(
        &mut self,
        batch: &Batch,
        activations: Activations,
        scale: f64,
        dropout: DropoutStream,
    ) -> Result<Losses> {
        if batch.targets.is_empty() {
            return Ok(Losses::default());
        }
        let device = self.device.clone();
        with_threads_awake(&device, || {
            let pass = self.pass(&batch.positions, LoraUse::Trained(dropout))?;
            let rows = Rows::new(&batch.offsets, &self.device)?;
            let sources = self.indices(&batch.sources)?;
            let attend = |qkv: &Tensor| attention(qkv, &rows, pass.heads);
            let mut inputs = Vec::with_capacity(self.layers.len());
            let keep = |x, saved| inputs.push((x, (activations == Activations::Keep).then_some(saved)));
            let last = self.forward(&batch.ids, &pass, Some(&sources), |_, qkv| attend(qkv), keep)?;
            let (losses, mut grad) = self.head_gradient(last, batch, scale)?;
            let layers = self.layers.len();
            for (place, (layer, (x, saved))) in self.layers.iter_mut().zip(inputs).enumerate().rev() {
                let wanted = (place + 1 == layers).then_some(&sources);
                let saved = match saved {
                    Some(saved) => saved,
                    None => layer.forward_saved(&x, &pass, wanted, attend)?,
                };
                let part = Part { pass: &pass, rows: &rows, wanted, is_lowest: place == 0 };
                let Some(below) = layer.backward(&x, saved, grad, &part)? else { break };
                grad = below;
            }
            Ok(losses)
        })
    }

    /// -ln p of each of the batch's targets, in nats.
    ///
    /// # Errors
    /// As [`Llama::accumulate_gradients`].
    pub(crate) fn nll(&self, batch: &Batch, lora: LoraUse) -> Result<Vec<f64>> {
        if batch.targets.is_empty() {
            return Ok(Vec::new()); // a device refuses the launch over no element
        }
        let pass = self.pass(&batch.positions, lora)?;
        let (rows, sources) = (Rows::new(&batch.offsets, &self.device)?, self.indices(&batch.sources)?);
        let attend = |_, qkv: &Tensor| attention(qkv, &rows, pass.heads);
        let last = self.forward(&batch.ids, &pass, Some(&sources), attend, |_, _| ())?;
        let normed = self.normed(&last)?;
        let mut nll = Vec::with_capacity(batch.targets.len());
        for (start, targets) in chunks(&batch.targets) {
            let logits = self.logits(&normed.narrow(0, start, targets.len())?)?;
            nll.extend(cross_entropy::nll(&logits, targets)?);
        }
        Ok(nll)
    }

    /// What the layers of a pass over tokens at `positions` share.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub(crate) fn pass(&self, positions: &[usize], lora: LoraUse) -> Result<Pass> {
        Ok(Pass {
            angles: self.angles.at(positions)?,
            heads: self.heads(),
            eps: self.config.rms_norm_eps,
            lora,
        })
    }

    /// How a layer's columns divide into heads.
    pub(crate) fn heads(&self) -> Heads {
        Heads {
            query: self.config.num_attention_heads,
            key_value: self.config.num_key_value_heads,
            width: self.config.head_dim,
        }
    }

    /// From token ids to the last layer's output of the tokens that are `wanted`: the one forward pass. `attend` is the
    /// attention of the layer at a place, see [`Layer::forward`]; `keep` gets each layer's input, and what its backward
    /// pass needs.
    ///
    /// # Shapes
    /// N ids -> (M, H)
    ///
    /// # Errors
    /// As [`Llama::accumulate_gradients`].
    pub(crate) fn forward(
        &self,
        ids: &[u32],
        pass: &Pass,
        wanted: Wanted,
        mut attend: impl FnMut(usize, &Tensor) -> candle_core::Result<Tensor>,
        mut keep: impl FnMut(Tensor, Saved),
    ) -> Result<Tensor> {
        let mut x = self.embed(ids)?;
        for (place, layer) in self.layers.iter().enumerate() {
            let wanted = wanted.filter(|_| place + 1 == self.layers.len());
            let (y, saved) = layer.forward(&x, pass, wanted, |qkv| attend(place, qkv))?;
            keep(std::mem::replace(&mut x, y), saved);
        }
        Ok(x)
    }

    /// The first layer's input, (N, H).
    fn embed(&self, ids: &[u32]) -> Result<Tensor> {
        let largest = ids.iter().copied().max().unwrap_or(0) as usize;
        if largest >= self.config.vocab_size {
            let message =
                format!("token id {largest} is outside the vocabulary of {}", self.config.vocab_size);
            return Err(Error::model("tokenizer", message));
        }
        Ok(lookup(&self.embedding, &self.indices(ids)?)?)
    }

    /// The last norm, (N, H) -> (N, H).
    pub(crate) fn normed(&self, x: &Tensor) -> Result<Tensor> {
        Ok(rms_norm(x, &self.norm, self.config.rms_norm_eps)?)
    }

    /// The head's product for rows of the last norm, (N, H) -> (N, V).
    pub(crate) fn logits(&self, normed: &Tensor) -> Result<Tensor> {
        Ok(matmul_wide(normed, &self.head.t()?)?)
    }

    /// The sum of -ln p, and the gradient of x for `scale` x that sum; x is the last layer's output of the tokens that have
    /// a target, (M, H).
    fn head_gradient(&self, x: Tensor, batch: &Batch, scale: f64) -> Result<(Losses, Tensor)> {
        let normed = self.normed(&x)?;
        let targets = Targets::new(&batch.targets, &self.device)?;
        let (mut losses, mut grads) = (Losses::default(), Vec::new());
        for (start, ids) in chunks(&batch.targets) {
            let logits = self.logits(&normed.narrow(0, start, ids.len())?)?;
            let part = targets.narrow(start, ids.len())?;
            let (of_chunk, grad_logits) = cross_entropy::losses_with_gradient(logits, &part, scale)?;
            losses.add(of_chunk);
            grads.push(matmul(&grad_logits, &self.head)?);
        }
        let grad_normed = narrowed(Tensor::cat(&grads, 0)?, x.dtype())?;
        let eps = self.config.rms_norm_eps;
        Ok((losses, rms_norm::add_backward(x.zeros_like()?, &x, &self.norm, &grad_normed, eps)?))
    }

    fn indices(&self, values: &[u32]) -> Result<Tensor> {
        Ok(Tensor::new(values, &self.device)?)
    }

    /// The groups of all layers, in the declared order.
    pub fn groups(&self) -> impl Iterator<Item = &LinearGroup> {
        self.layers.iter().flat_map(Layer::groups)
    }

    /// The same, to be changed.
    pub(crate) fn groups_mut(&mut self) -> impl Iterator<Item = &mut LinearGroup> {
        self.layers.iter_mut().flat_map(Layer::groups_mut)
    }

    /// Holds the weights of as many projections dense as fit in `bytes`, the first layers first: the same numbers as of
    /// weights that are dequantized at every use. A generation uses every weight once a token: on a GPU it would spend its
    /// time on dequantizing them.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub fn hold_dense(&mut self, bytes: u64) -> Result<()> {
        self.groups_mut().try_fold(bytes, |free, group| group.frozen.hold(free))?;
        Ok(())
    }

    /// Gives up what [`Llama::hold_dense`] holds.
    pub(crate) fn release_dense(&mut self) {
        self.groups_mut().for_each(|group| group.frozen.release());
    }

    /// The projections with their names in a checkpoint.
    pub(crate) fn packed(&self) -> impl Iterator<Item = (String, &Packed)> {
        self.groups().flat_map(|group| {
            let names = group.members.iter().map(|member| weight_name(group.layer, member.projection));
            names.zip(group.frozen.parts())
        })
    }

    /// Bytes of all frozen weights as held in memory.
    pub fn weight_bytes(&self) -> u64 {
        let bytes = |tensor: &Tensor| (tensor.elem_count() * tensor.dtype().size_in_bytes()) as u64;
        let head = if self.config.tie_word_embeddings { 0 } else { bytes(&self.head) };
        let norms: u64 = self.layers.iter().flat_map(Layer::norms).map(bytes).sum();
        let projections: u64 = self.groups().map(|group| group.frozen.bytes()).sum();
        bytes(&self.embedding) + head + bytes(&self.norm) + norms + projections
    }
}

fn chunks(targets: &[u32]) -> impl Iterator<Item = (usize, &[u32])> {
    targets.chunks(LOGITS_ROWS).enumerate().map(|(index, chunk)| (index * LOGITS_ROWS, chunk))
}

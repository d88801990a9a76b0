//! Projections that read the same input, with their LoRA updates (Hu et al., 2021).
//!
//! y = W x + s B A dropout(x), s = alpha / r. W is frozen and gets no gradient; A is (r, input), B is (output, r).

use crate::error::Result;
use crate::model::files::config::LlamaConfig;
use crate::model::network::frozen::{Frozen, FrozenSource};
use crate::model::ops::dropout::{self, DropoutMask, DropoutStream};
use crate::model::ops::is_fast;
use crate::model::ops::low_rank::{self, LowRank};
use crate::model::ops::matmul::{add_matmul, columns, matmul, matmul_scaled};
use crate::recipe::Projection;
use candle_core::{DType, Tensor};
use std::sync::OnceLock;

/// A trained tensor and the gradient of the current window.
pub struct Parameter {
    /// f32 (f64 in an f64 model), whatever the model's dtype.
    pub value: Tensor,
    /// Sum over the micro-batches of the window.
    pub gradient: Tensor,
    /// The value as a device multiplies with it: made when it is first asked for, and given up when the value changes.
    narrow: OnceLock<Tensor>,
}

impl Parameter {
    /// A parameter with a zero gradient.
    pub(super) fn new(value: Tensor) -> Result<Self> {
        Ok(Parameter { gradient: value.zeros_like()?, value, narrow: OnceLock::new() })
    }

    /// Says that the value is about to be another.
    pub(crate) fn will_change(&mut self) {
        self.narrow.take();
    }

    /// The value as it is multiplied with `x`: kernels of the CPU round it on its way in.
    fn factor(&self, x: &Tensor) -> Result<Tensor> {
        if is_fast(x) || self.value.dtype() == x.dtype() {
            return Ok(self.value.clone());
        }
        if let Some(narrow) = self.narrow.get().filter(|narrow| narrow.dtype() == x.dtype()) {
            return Ok(narrow.clone());
        }
        let narrow = self.value.to_dtype(x.dtype())?;
        Ok(self.narrow.get_or_init(|| narrow).clone())
    }

    /// gradient += scale A B.
    fn accumulate(&mut self, scale: f64, a: &Tensor, b: &Tensor) -> Result<()> {
        self.gradient = add_matmul(self.gradient.clone(), scale, a, b)?;
        Ok(())
    }
}

/// The update of one projection: s B A.
pub(crate) struct Lora {
    /// (r, input)
    pub(crate) a: Parameter,
    /// (output, r)
    pub(crate) b: Parameter,
    /// s = alpha / r.
    pub(crate) scale: f64,
}

/// One projection of a group.
pub(crate) struct Member {
    /// Which of the seven.
    pub(crate) projection: Projection,
    /// First column of its output in the group's, and their number.
    pub(crate) columns: (usize, usize),
    /// Its update, where it has one.
    pub(crate) lora: Option<Lora>,
}

/// Projections that read the same input.
pub struct LinearGroup {
    /// The layer's place in the stack, from 0.
    pub(crate) layer: usize,
    /// Their weights, one below the other.
    pub frozen: Frozen,
    /// Their places in it.
    pub(crate) members: Vec<Member>,
}

/// How the updates take part in a pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LoraUse {
    /// The base model alone.
    Ignored,
    /// With the updates, as they are evaluated.
    Applied,
    /// With the updates behind dropout, as they are trained.
    Trained(DropoutStream),
}

impl LinearGroup {
    /// Takes the projections of one layer, which have no update yet.
    ///
    /// # Errors
    /// As [`Frozen::load`].
    pub(super) fn load(
        config: &LlamaConfig,
        source: FrozenSource,
        layer: usize,
        projections: &[Projection],
    ) -> Result<Self> {
        let mut first = 0;
        let member = |&projection: &Projection| {
            let columns = (first, config.projection_shape(projection).0);
            first += columns.1;
            Member { projection, columns, lora: None }
        };
        let members = projections.iter().map(member).collect();
        Ok(LinearGroup { layer, frozen: Frozen::load(source, layer, projections)?, members })
    }

    /// # Shapes
    /// (N, input) -> (N, sum of outputs)
    pub(super) fn forward(&self, x: &Tensor, lora: LoraUse) -> Result<Tensor> {
        if lora == LoraUse::Ignored {
            return Ok(matmul(x, &self.frozen.dense()?.t()?)?);
        }
        let is_dropped = matches!(lora, LoraUse::Trained(stream) if stream.rate > 0.0);
        if !is_dropped && self.merging_pays(x) {
            return Ok(matmul(x, &self.merged()?.t()?)?);
        }
        let mut terms = Vec::with_capacity(self.members.len());
        for ((columns, Lora { a, b, scale }), seen) in self.updates().zip(self.seen(x, lora)?) {
            let hidden = matmul(&seen, &a.factor(x)?.t()?)?; // (N, r)
            terms.push(LowRank { columns, hidden, b: b.factor(x)?, scale: *scale });
        }
        Ok(low_rank::forward(x, &self.frozen.dense()?, &terms)?)
    }

    /// Whether W + s B A costs less than the thin products of this many rows: both are 2 r times a number of
    /// elements, input x outputs against N (input + outputs). In bf16 the sum would be rounded, and much of a small
    /// update lost.
    fn merging_pays(&self, x: &Tensor) -> bool {
        let (output, input) = self.frozen.shape();
        is_fast(x) && x.dtype() == DType::F32 && x.elem_count() / input * (input + output) > input * output
    }

    /// W + s B A, (sum of outputs, input).
    fn merged(&self) -> Result<Tensor> {
        let weight = self.frozen.dense_copy()?;
        for ((first, count), Lora { a, b, scale }) in self.updates() {
            add_matmul(weight.narrow(0, first, count)?, *scale, &b.value, &a.value)?;
        }
        Ok(weight)
    }

    /// The updates of the projections that have one, with their columns.
    fn updates(&self) -> impl Iterator<Item = ((usize, usize), &Lora)> {
        self.members.iter().filter_map(|member| Some((member.columns, member.lora.as_ref()?)))
    }

    /// The mask of each update; none where nothing is dropped.
    fn masks(&self, lora: LoraUse) -> Vec<DropoutMask> {
        let LoraUse::Trained(stream) = lora else { return Vec::new() };
        let trained = self.members.iter().filter(|member| member.lora.is_some());
        trained.filter_map(|member| stream.mask(self.layer, member.projection as usize)).collect()
    }

    /// What each update reads: x, or x behind the update's mask.
    fn seen(&self, x: &Tensor, lora: LoraUse) -> Result<Vec<Tensor>> {
        let masks = self.masks(lora);
        if masks.is_empty() {
            return Ok(vec![x.clone(); self.updates().count()]);
        }
        Ok(dropout::dropout(x, &masks)?)
    }

    /// Adds to the gradients of A and B and returns the gradient of x, consuming x.
    ///
    /// With h = A dropout(x): dB = s dy h^T, dh = s B^T dy, dA = dh dropout(x)^T, dx = W^T dy + dropout(A^T dh).
    ///
    /// # Shapes
    /// x (N, input), grad_y (N, sum of outputs) -> (N, input)
    pub(super) fn backward(&mut self, x: Tensor, grad_y: &Tensor, lora: LoraUse) -> Result<Tensor> {
        let grads = self.accumulate(&x, grad_y, lora)?;
        let factors = self.updates().map(|(_, of)| of.a.factor(&x)).collect::<Result<Vec<_>>>()?;
        let terms: Vec<_> = grads.into_iter().zip(factors).collect();
        drop(x); // its gradient is as large
        Ok(low_rank::backward(grad_y, &self.frozen.dense()?, &terms, &self.masks(lora))?)
    }

    /// Adds to the gradients of A and B alone, and returns each update's dh, (N, r).
    pub(super) fn accumulate(&mut self, x: &Tensor, grad_y: &Tensor, lora: LoraUse) -> Result<Vec<Tensor>> {
        let mut grads = Vec::with_capacity(self.members.len());
        if lora == LoraUse::Ignored {
            return Ok(grads);
        }
        let seen = self.seen(x, lora)?;
        let updates =
            self.members.iter_mut().filter_map(|member| Some((member.columns, member.lora.as_mut()?)));
        for ((place, Lora { a, b, scale }), seen) in updates.zip(seen) {
            let hidden = matmul(&seen, &a.factor(x)?.t()?)?; // (N, r)
            let grad_out = columns(grad_y, place)?;
            b.accumulate(*scale, &grad_out.t()?, &hidden)?;
            let grad_hidden = matmul_scaled(*scale, &grad_out, &b.factor(x)?)?; // (N, r)
            a.accumulate(1.0, &grad_hidden.t()?, &seen)?;
            grads.push(grad_hidden);
        }
        Ok(grads)
    }
}

//! Projections that read the same input, with their LoRA updates (Hu et al., 2021).
//!
//! y = W x + (alpha / r) B A dropout(x). W is frozen and gets no gradient; A is (r, input), B is (output, r).

use crate::error::Result;
use crate::model::network::frozen::Frozen;
use crate::model::ops::dropout::{self, DropoutStream, Mask};
use crate::model::ops::is_fast;
use crate::model::ops::matmul::{LowRank, add_low_rank, add_matmul, columns, matmul};
use crate::recipe::Projection;
use candle_core::Tensor;

/// A trained tensor and the gradient of the current window.
pub struct Parameter {
    /// f32 (f64 in an f64 model), whatever the model's dtype.
    pub value: Tensor,
    /// Sum over the micro-batches of the window.
    pub gradient: Tensor,
}

impl Parameter {
    /// A parameter with a zero gradient.
    pub fn new(value: Tensor) -> Result<Self> {
        Ok(Parameter { gradient: value.zeros_like()?, value })
    }

    /// gradient += scale A B.
    fn accumulate(&mut self, scale: f64, a: &Tensor, b: &Tensor) -> Result<()> {
        self.gradient = if is_fast(&self.gradient) && is_fast(a) {
            add_matmul(self.gradient.clone(), scale, a, b)?
        } else {
            let product = a.matmul(b)?.to_dtype(self.gradient.dtype())?;
            (&self.gradient + (product * scale)?)?
        };
        Ok(())
    }
}

/// The two thin matrices of one projection.
pub struct Lora {
    /// (r, input)
    pub a: Parameter,
    /// (output, r)
    pub b: Parameter,
}

/// One projection of a group.
pub struct Part {
    /// Which of the seven.
    pub projection: Projection,
    /// First column of its output in the group's, and their number.
    pub columns: (usize, usize),
    /// Its update, where it has one.
    pub lora: Option<Lora>,
}

/// Projections that read the same input.
pub struct LinearGroup {
    /// Their weights, one below the other.
    pub frozen: Frozen,
    /// Their places in it.
    pub parts: Vec<Part>,
}

/// How the updates take part in a pass.
#[derive(Clone, Copy)]
pub enum LoraUse {
    /// The base model alone.
    Ignored,
    /// With the update, scaled by alpha / r.
    Applied {
        /// alpha / r.
        scale: f64,
        /// Dropout of a training pass; none in an evaluation.
        dropout: Option<DropoutStream>,
    },
}

impl LinearGroup {
    /// # Shapes
    /// (N, input) -> (N, sum of outputs)
    pub fn forward(&self, layer: usize, x: &Tensor, lora: LoraUse) -> Result<Tensor> {
        let LoraUse::Applied { scale, dropout } = lora else {
            return Ok(matmul(x, &self.frozen.dense()?.t()?)?);
        };
        if dropout.is_none_or(|stream| stream.rate == 0.0) && self.merging_pays(x) {
            return Ok(matmul(x, &self.merged(scale)?.t()?)?);
        }
        let y = matmul(x, &self.frozen.dense()?.t()?)?;
        let mut terms = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let Some(Lora { a, b }) = &part.lora else { continue };
            let seen = dropped(x, mask(dropout, layer, part))?;
            let hidden = matmul(&seen, &a.value.to_dtype(x.dtype())?.t()?)?; // (N, r)
            terms.push((part.columns, hidden, b.value.to_dtype(x.dtype())?));
        }
        let terms: Vec<LowRank> = terms
            .iter()
            .map(|(columns, hidden, b)| LowRank { columns: *columns, hidden: hidden.clone(), b })
            .collect();
        Ok(add_low_rank(y, scale, &terms)?)
    }

    /// Whether W + s B A costs less than the thin products of this many rows: both are 2 r times a number of
    /// elements, input x outputs against N (input + outputs).
    fn merging_pays(&self, x: &Tensor) -> bool {
        let (output, input) = self.frozen.shape();
        is_fast(x) && x.elem_count() / input * (input + output) > input * output
    }

    /// W + s B A, (sum of outputs, input).
    fn merged(&self, scale: f64) -> Result<Tensor> {
        let weight = self.frozen.dense_copy()?;
        for Part { columns: (first, count), lora, .. } in &self.parts {
            let Some(Lora { a, b }) = lora else { continue };
            add_matmul(weight.narrow(0, *first, *count)?, scale, &b.value, &a.value)?;
        }
        Ok(weight)
    }

    /// Adds to the gradients of A and B and returns the gradient of x.
    ///
    /// With h = A dropout(x): dB = s dy h^T, dh = s B^T dy, dA = dh dropout(x)^T, dx = W^T dy + dropout(A^T dh).
    ///
    /// # Shapes
    /// x (N, input), grad_y (N, sum of outputs) -> (N, input)
    pub fn backward(&mut self, layer: usize, x: &Tensor, grad_y: &Tensor, lora: LoraUse) -> Result<Tensor> {
        let mut grad_x = matmul(grad_y, &self.frozen.dense()?)?;
        let LoraUse::Applied { scale, dropout } = lora else { return Ok(grad_x) };
        for part in &mut self.parts {
            let mask = mask(dropout, layer, part);
            let Some(Lora { a, b }) = &mut part.lora else { continue };
            let (a_value, b_value) = (a.value.to_dtype(x.dtype())?, b.value.to_dtype(x.dtype())?);
            let seen = dropped(x, mask)?;
            let hidden = matmul(&seen, &a_value.t()?)?; // (N, r)
            let grad_out = columns(grad_y, part.columns)?;
            b.accumulate(scale, &grad_out.t()?, &hidden)?;
            let grad_hidden = matmul(&grad_out, &(b_value * scale)?)?; // (N, r)
            a.accumulate(1.0, &grad_hidden.t()?, &seen)?;
            grad_x = match mask {
                None => add_matmul(grad_x, 1.0, &grad_hidden, &a_value)?,
                Some(mask) => dropout::add_backward(grad_x, &matmul(&grad_hidden, &a_value)?, mask)?,
            };
        }
        Ok(grad_x)
    }
}

fn mask(dropout: Option<DropoutStream>, layer: usize, part: &Part) -> Option<Mask> {
    dropout.and_then(|stream| stream.mask(layer, part.projection as usize))
}

fn dropped(x: &Tensor, mask: Option<Mask>) -> Result<Tensor> {
    Ok(match mask {
        None => x.clone(),
        Some(mask) => dropout::dropout(x, mask)?,
    })
}

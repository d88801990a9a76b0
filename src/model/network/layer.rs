//! One Llama layer, forward and backward side by side.
//!
//! m = x + o_proj(attention(rope(qkv(norm(x)))));  y = m + down_proj(swiglu(gate_up(norm(m))))

use crate::error::Result;
use crate::model::files::config::LlamaConfig;
use crate::model::network::frozen::FrozenSource;
use crate::model::network::linear::{LinearGroup, LoraUse};
use crate::model::ops::attention::{self, Heads, Rows, attention};
use crate::model::ops::lookup::lookup;
use crate::model::ops::matmul::add;
use crate::model::ops::rms_norm::{self, rms_norm};
use crate::model::ops::rope::{Angles, Direction, rope};
use crate::model::ops::swiglu::{self, swiglu};
use crate::recipe::Projection;
use candle_core::Tensor;

/// The weights of one layer.
pub(crate) struct Layer {
    /// Scale of the norm before attention.
    input_norm: Tensor,
    /// Scale of the norm before the MLP.
    post_attention_norm: Tensor,
    /// Queries, keys and values.
    qkv: LinearGroup,
    /// Attention output.
    output: LinearGroup,
    /// Gate and input of the MLP.
    gate_up: LinearGroup,
    /// Output of the MLP.
    down: LinearGroup,
}

/// What all layers of one pass share.
pub(crate) struct Pass {
    /// Rotations of the tokens.
    pub(crate) angles: Angles,
    /// Division of the columns into heads.
    pub(crate) heads: Heads,
    /// Epsilon of the norms.
    pub(crate) eps: f64,
    /// How the updates take part.
    pub(crate) lora: LoraUse,
}

/// What the backward pass needs of a layer besides its input.
pub(crate) struct Saved {
    /// Queries, keys, values after the rotation, (N, packed).
    qkv: Tensor,
    /// Attention's output, (M, query heads x D); None where it is computed again.
    attended: Option<Tensor>,
    /// The residual stream between attention and MLP, (M, H).
    middle: Tensor,
    /// Gate and input of the MLP, (M, 2F).
    gate_up: Tensor,
}

/// The tokens whose output a layer is asked for, as places among the N of the pass, (M); None for all of them. The last
/// layer's other tokens are looked at by these and by nothing else.
pub(crate) type Wanted<'a> = Option<&'a Tensor>;

/// A layer's part in the backward pass over packed rows.
pub(super) struct Part<'a> {
    /// What it shares with the others.
    pub(super) pass: &'a Pass,
    /// The rows that the attention was over.
    pub(super) rows: &'a Rows,
    /// The tokens whose output it was asked for.
    pub(super) wanted: Wanted<'a>,
    /// Whether no layer lies below.
    pub(super) is_lowest: bool,
}

impl Layer {
    /// Takes layer `index` of a model.
    ///
    /// # Errors
    /// A missing tensor, or a quantization that does not fit.
    pub(super) fn load(config: &LlamaConfig, source: FrozenSource, index: usize) -> Result<Self> {
        use Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj};
        let group = |projections: &[Projection]| LinearGroup::load(config, source, index, projections);
        let norm = |name: &str| source.dense(&format!("model.layers.{index}.{name}.weight"));
        Ok(Layer {
            input_norm: norm("input_layernorm")?,
            post_attention_norm: norm("post_attention_layernorm")?,
            qkv: group(&[QProj, KProj, VProj])?,
            output: group(&[OProj])?,
            gate_up: group(&[GateProj, UpProj])?,
            down: group(&[DownProj])?,
        })
    }

    /// The layer's output, and what the backward pass needs. `attend` is the attention from queries, keys and values
    /// side by side: over packed rows in a training, over a cache in a generation.
    ///
    /// # Shapes
    /// (N, H) -> (M, H); `attend` (N, packed) -> (N, query heads x D)
    pub(super) fn forward(
        &self,
        x: &Tensor,
        pass: &Pass,
        wanted: Wanted,
        attend: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>,
    ) -> Result<(Tensor, Saved)> {
        let mut saved = self.forward_saved(x, pass, wanted, attend)?;
        let hidden = swiglu(&saved.gate_up)?;
        let y = add(self.down.forward(&hidden, pass.lora)?, &saved.middle)?;
        if attention::is_computed_again(&saved.qkv) {
            saved.attended = None;
        }
        Ok((y, saved))
    }

    /// The forward pass up to what the backward pass needs: a recomputation can leave out down_proj.
    pub(super) fn forward_saved(
        &self,
        x: &Tensor,
        pass: &Pass,
        wanted: Wanted,
        attend: impl FnOnce(&Tensor) -> candle_core::Result<Tensor>,
    ) -> Result<Saved> {
        let Heads { query, key_value, .. } = pass.heads;
        let normed = rms_norm(x, &self.input_norm, pass.eps)?;
        let qkv = self.qkv.forward(&normed, pass.lora)?;
        let qkv = rope(qkv, &pass.angles, query + key_value, Direction::Forward)?;
        let attended = rows_of(&attend(&qkv)?, wanted)?;
        let attended_output = self.output.forward(&attended, pass.lora)?;
        let residual = rows_of(x, wanted)?;
        let (middle, normed) =
            rms_norm::of_sum(attended_output, &residual, &self.post_attention_norm, pass.eps)?;
        let gate_up = self.gate_up.forward(&normed, pass.lora)?;
        Ok(Saved { qkv, attended: Some(attended), middle, gate_up })
    }

    /// Adds to the gradients of the updates and returns the gradient of x, consuming what was saved; of the lowest layer
    /// none is computed, since nothing below it is trained.
    ///
    /// # Shapes
    /// (N, H), (M, H) -> (N, H)
    pub(super) fn backward(
        &mut self,
        x: &Tensor,
        saved: Saved,
        grad_y: Tensor,
        part: &Part,
    ) -> Result<Option<Tensor>> {
        let (grad_x, grad_qkv) = self.backward_to_qkv(x, saved, grad_y, part)?;
        let Pass { lora, eps, .. } = *part.pass;
        let normed = rms_norm(x, &self.input_norm, eps)?;
        if part.is_lowest {
            self.qkv.accumulate(&normed, &grad_qkv, lora)?;
            return Ok(None);
        }
        let grad_normed = self.qkv.backward(normed, &grad_qkv, lora)?;
        Ok(Some(rms_norm::add_backward(grad_x, x, &self.input_norm, &grad_normed, eps)?))
    }

    /// Down to the joint projection: the gradient of x past it, (N, H), and that of its output, (N, packed).
    fn backward_to_qkv(
        &mut self,
        x: &Tensor,
        saved: Saved,
        grad_y: Tensor,
        &Part { pass, rows, wanted, .. }: &Part,
    ) -> Result<(Tensor, Tensor)> {
        let Saved { qkv, attended, middle, gate_up } = saved;
        let Heads { query, key_value, .. } = pass.heads;

        let hidden = swiglu(&gate_up)?;
        let grad_hidden = self.down.backward(hidden, &grad_y, pass.lora)?;
        let grad_gate_up = swiglu::backward(gate_up, &grad_hidden)?;
        drop(grad_hidden);
        let normed = rms_norm(&middle, &self.post_attention_norm, pass.eps)?;
        let grad_normed = self.gate_up.backward(normed, &grad_gate_up, pass.lora)?;
        drop(grad_gate_up);
        let grad_middle =
            rms_norm::add_backward(grad_y, &middle, &self.post_attention_norm, &grad_normed, pass.eps)?;
        drop(middle);

        let attended = match attended {
            Some(attended) => attended,
            None => rows_of(&attention(&qkv, rows, pass.heads)?, wanted)?,
        };
        let grad_attended = self.output.backward(attended, &grad_middle, pass.lora)?;
        let grad_attended = to_rows(grad_attended, wanted, qkv.dim(0)?)?;
        let grad_qkv = attention::backward(&qkv, &grad_attended, rows, pass.heads)?;
        drop((qkv, grad_attended));
        let grad_qkv = rope(grad_qkv, &pass.angles, query + key_value, Direction::Backward)?;
        Ok((to_rows(grad_middle, wanted, x.dim(0)?)?, grad_qkv))
    }

    /// The projections, in the order of the computation.
    pub(super) fn groups(&self) -> [&LinearGroup; 4] {
        [&self.qkv, &self.output, &self.gate_up, &self.down]
    }

    /// The same, to be changed.
    pub(super) fn groups_mut(&mut self) -> [&mut LinearGroup; 4] {
        [&mut self.qkv, &mut self.output, &mut self.gate_up, &mut self.down]
    }

    /// The scales of the two norms.
    pub(super) fn norms(&self) -> [&Tensor; 2] {
        [&self.input_norm, &self.post_attention_norm]
    }
}

/// The wanted rows of x, (N, K) -> (M, K).
fn rows_of(x: &Tensor, wanted: Wanted) -> Result<Tensor> {
    Ok(wanted.map_or_else(|| Ok(x.clone()), |wanted| lookup(x, wanted))?)
}

/// The gradient of all rows from that of the wanted, (M, K) -> (N, K): nothing comes through the others.
fn to_rows(grad: Tensor, wanted: Wanted, rows: usize) -> Result<Tensor> {
    let Some(wanted) = wanted else { return Ok(grad) };
    let all = Tensor::zeros((rows, grad.dim(1)?), grad.dtype(), grad.device())?;
    Ok(all.index_add(wanted, &grad, 0)?)
}

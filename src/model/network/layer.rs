//! One Llama layer, forward and backward side by side.
//!
//! m = x + o_proj(attention(rope(qkv(norm(x)))));  y = m + down_proj(swiglu(gate_up(norm(m))))

use crate::error::Result;
use crate::model::network::linear::{LinearGroup, LoraUse};
use crate::model::ops::attention::{self, Heads, attention};
use crate::model::ops::matmul::add;
use crate::model::ops::rms_norm::{self, rms_norm};
use crate::model::ops::rope::{Angles, Direction, rope};
use crate::model::ops::swiglu::{self, swiglu};
use candle_core::Tensor;

/// The weights of one layer.
pub struct Layer {
    /// Place in the stack, from 0: names the dropout masks.
    pub index: usize,
    /// Scale of the norm before attention.
    pub input_norm: Tensor,
    /// Scale of the norm before the MLP.
    pub post_attention_norm: Tensor,
    /// Queries, keys and values.
    pub qkv: LinearGroup,
    /// Attention output.
    pub output: LinearGroup,
    /// Gate and input of the MLP.
    pub gate_up: LinearGroup,
    /// Output of the MLP.
    pub down: LinearGroup,
}

/// What all layers of one pass share.
pub struct Pass<'a> {
    /// First token of each row, and the number of tokens last.
    pub offsets: &'a [usize],
    /// Rotations of the tokens.
    pub angles: &'a Angles,
    /// Division of the columns into heads.
    pub heads: Heads,
    /// Epsilon of the norms.
    pub eps: f64,
    /// How the updates take part.
    pub lora: LoraUse,
}

/// What the backward pass needs of a layer besides its input.
pub struct Saved {
    /// Queries, keys, values after the rotation, (N, packed).
    qkv: Tensor,
    /// Attention's output, (N, query heads x D).
    attended: Tensor,
    /// The residual stream between attention and MLP, (N, H).
    middle: Tensor,
    /// Gate and input of the MLP, (N, 2F).
    gate_up: Tensor,
}

impl Layer {
    /// # Shapes
    /// (N, H) -> (N, H)
    pub fn forward(&self, x: &Tensor, pass: &Pass) -> Result<(Tensor, Saved)> {
        let saved = self.forward_saved(x, pass)?;
        let hidden = swiglu(&saved.gate_up)?;
        let y = add(self.down.forward(self.index, &hidden, pass.lora)?, &saved.middle)?;
        Ok((y, saved))
    }

    /// The forward pass up to what the backward pass needs: a recomputation can leave out down_proj.
    pub fn forward_saved(&self, x: &Tensor, pass: &Pass) -> Result<Saved> {
        let Heads { query, key_value, .. } = pass.heads;
        let normed = rms_norm(x, &self.input_norm, pass.eps)?;
        let qkv = self.qkv.forward(self.index, &normed, pass.lora)?;
        let qkv = rope(qkv, pass.angles, query + key_value, Direction::Forward)?;
        let attended = attention(&qkv, pass.offsets, pass.heads)?;
        let middle = add(self.output.forward(self.index, &attended, pass.lora)?, x)?;
        let normed = rms_norm(&middle, &self.post_attention_norm, pass.eps)?;
        let gate_up = self.gate_up.forward(self.index, &normed, pass.lora)?;
        Ok(Saved { qkv, attended, middle, gate_up })
    }

    /// Adds to the gradients of the updates and returns the gradient of x, consuming what was saved.
    ///
    /// # Shapes
    /// (N, H), (N, H) -> (N, H)
    pub fn backward(&mut self, x: &Tensor, saved: Saved, grad_y: Tensor, pass: &Pass) -> Result<Tensor> {
        let Saved { qkv, attended, middle, gate_up } = saved;
        let Heads { query, key_value, .. } = pass.heads;

        let hidden = swiglu(&gate_up)?;
        let grad_hidden = self.down.backward(self.index, &hidden, &grad_y, pass.lora)?;
        drop(hidden);
        let grad_gate_up = swiglu::backward(gate_up, &grad_hidden)?;
        drop(grad_hidden);
        let normed = rms_norm(&middle, &self.post_attention_norm, pass.eps)?;
        let grad_normed = self.gate_up.backward(self.index, &normed, &grad_gate_up, pass.lora)?;
        drop(grad_gate_up);
        let grad_middle =
            rms_norm::add_backward(grad_y, &middle, &self.post_attention_norm, &grad_normed, pass.eps)?;
        drop(middle);

        let grad_attended = self.output.backward(self.index, &attended, &grad_middle, pass.lora)?;
        let grad_qkv = attention::backward(&qkv, &grad_attended, pass.offsets, pass.heads)?;
        drop((qkv, attended, grad_attended));
        let grad_qkv = rope(grad_qkv, pass.angles, query + key_value, Direction::Backward)?;
        let normed = rms_norm(x, &self.input_norm, pass.eps)?;
        let grad_normed = self.qkv.backward(self.index, &normed, &grad_qkv, pass.lora)?;
        Ok(rms_norm::add_backward(grad_middle, x, &self.input_norm, &grad_normed, pass.eps)?)
    }
}

//! The same attention on a device: by kernels around products on CUDA, elsewhere in candle operations. Either pads rows to
//! the longest, so that a layer is a handful of launches.

use super::Rows;
#[cfg(feature = "cuda")]
use crate::model::ops::cuda;
use crate::model::ops::heads::{Heads, PADDED_TO, blocks, flat};
use candle_core::{D, DType, Device, Result, Tensor};

/// Where each token of a padded (rows, longest) grid comes from, and where each packed token went.
struct Padding {
    rows: usize,
    longest: usize,
    gather: Tensor,
    scatter: Tensor,
}

impl Padding {
    fn new(offsets: &[usize], device: &Device) -> Result<Self> {
        let lengths: Vec<usize> = offsets.windows(2).map(|row| row[1] - row[0]).collect();
        // On a CPU padding is work alone.
        let multiple = if device.is_cpu() { 1 } else { PADDED_TO };
        let longest = lengths.iter().copied().max().unwrap_or(0).next_multiple_of(multiple);
        let (mut gather, mut scatter) = (Vec::new(), Vec::new());
        for (row, (&length, &start)) in lengths.iter().zip(offsets).enumerate() {
            // Padding repeats the row's first token: finite, behind the diagonal, never scattered back.
            gather.extend((0..longest).map(|i| (start + if i < length { i } else { 0 }) as u32));
            scatter.extend((0..length).map(|i| (row * longest + i) as u32));
        }
        Ok(Padding {
            rows: lengths.len(),
            longest,
            gather: Tensor::new(gather, device)?,
            scatter: Tensor::new(scatter, device)?,
        })
    }

    /// (N, heads D) columns -> (rows x key_value, group x longest, D)
    fn split(&self, x: &Tensor, first: usize, heads: usize, groups: usize, d: usize) -> Result<Tensor> {
        let columns = x.narrow(1, first * d, heads * d)?.contiguous()?.index_select(&self.gather, 0)?;
        columns.reshape((self.rows, self.longest, heads, d))?.transpose(1, 2)?.contiguous()?.reshape((
            self.rows * groups,
            heads / groups,
            self.longest,
            d,
        ))
    }

    /// The inverse of `split`.
    fn join(&self, x: &Tensor, heads: usize, d: usize) -> Result<Tensor> {
        x.reshape((self.rows, heads, self.longest, d))?
            .transpose(1, 2)?
            .contiguous()?
            .reshape((self.rows * self.longest, heads * d))?
            .index_select(&self.scatter, 0)
    }
}

struct Operands {
    q: Tensor,
    k: Tensor,
    v: Tensor,
}

impl Operands {
    fn new(qkv: &Tensor, padding: &Padding, heads: Heads) -> Result<Self> {
        let Heads { query, key_value, width } = heads;
        let squeeze = |x: Tensor| x.squeeze(1);
        Ok(Operands {
            q: padding.split(qkv, 0, query, key_value, width)?,
            k: squeeze(padding.split(qkv, query, key_value, key_value, width)?)?,
            v: squeeze(padding.split(qkv, query + key_value, key_value, key_value, width)?)?,
        })
    }

    /// Queries [first, first + count) of all heads and their keys: (groups, group x count, D), (groups, keys, D).
    fn block(&self, first: usize, count: usize) -> Result<(Tensor, Tensor, Tensor)> {
        let keys = first + count;
        Ok((
            flat(&self.q.narrow(2, first, count)?)?,
            self.k.narrow(1, 0, keys)?.contiguous()?,
            self.v.narrow(1, 0, keys)?.contiguous()?,
        ))
    }
}

/// Causal probabilities of one block, (groups, group x count, keys); softmax in at least 32 bits.
fn probabilities(q: &Tensor, k: &Tensor, first: usize, count: usize, scale: f64) -> Result<Tensor> {
    let (groups, grouped, _) = q.dims3()?;
    let keys = k.dim(1)?;
    let mask: Vec<f32> = (0..count * keys)
        .map(|i| if i % keys > first + i / keys { f32::NEG_INFINITY } else { 0.0 })
        .collect();
    let mask = Tensor::from_vec(mask, (1, 1, count, keys), &Device::Cpu)?.to_device(q.device())?;
    let scores = (q.matmul(&k.t()?)? * scale)?.reshape((groups, grouped / count, count, keys))?;
    softmax(&scores, &mask.to_dtype(wide(q.dtype()))?)?.reshape((groups, grouped, keys))
}

/// The type in which a softmax is computed.
pub(super) fn wide(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}

/// Softmax over the last dimension of scores + mask, in the mask's type; the result has the scores'.
pub(super) fn softmax(scores: &Tensor, mask: &Tensor) -> Result<Tensor> {
    let masked = scores.to_dtype(mask.dtype())?.broadcast_add(mask)?;
    let shifted = masked.broadcast_sub(&masked.max_keepdim(D::Minus1)?)?.exp()?;
    shifted.broadcast_div(&shifted.sum_keepdim(D::Minus1)?)?.to_dtype(scores.dtype())
}

/// See [`super::attention`].
///
/// # Errors
/// As there.
pub fn attention(qkv: &Tensor, rows: &Rows, heads: Heads) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let (true, Some(grid)) = (cuda::takes(qkv), &rows.grid) {
        return cuda::attention::attention(qkv, grid, heads, heads.scale());
    }
    let padding = Padding::new(&rows.offsets, qkv.device())?;
    let operands = Operands::new(qkv, &padding, heads)?;
    let mut outputs = Vec::new();
    for (first, count) in blocks(padding.longest) {
        let (q, k, v) = operands.block(first, count)?;
        let p = probabilities(&q, &k, first, count, heads.scale())?;
        let groups = padding.rows * heads.key_value;
        outputs.push(p.matmul(&v)?.reshape((groups, heads.group(), count, heads.width))?);
    }
    padding.join(&Tensor::cat(&outputs, 2)?, heads.query, heads.width)
}

/// See [`super::backward`].
///
/// # Errors
/// As there.
pub fn backward(qkv: &Tensor, grad_y: &Tensor, rows: &Rows, heads: Heads) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let (true, Some(grid)) = (cuda::takes(qkv), &rows.grid) {
        return cuda::attention::backward(qkv, grad_y, grid, heads, heads.scale());
    }
    let padding = Padding::new(&rows.offsets, qkv.device())?;
    let operands = Operands::new(qkv, &padding, heads)?;
    // A padded query repeats the row's first token; its gradient must be nothing.
    let real = real_tokens(&rows.offsets, &padding, heads.key_value, grad_y)?;
    let grad = padding.split(grad_y, 0, heads.query, heads.key_value, heads.width)?.broadcast_mul(&real)?;
    let (mut grad_q, mut grad_k, mut grad_v) =
        (Vec::new(), operands.k.zeros_like()?, operands.v.zeros_like()?);
    let scale = heads.scale();
    for (first, count) in blocks(padding.longest) {
        let (q, k, v) = operands.block(first, count)?;
        let grad = flat(&grad.narrow(2, first, count)?)?;
        let p = probabilities(&q, &k, first, count, scale)?;
        let grad_p = grad.matmul(&v.t()?)?;
        let along = (&p * &grad_p)?.sum_keepdim(D::Minus1)?;
        let grad_s = ((&p * grad_p.broadcast_sub(&along)?)? * scale)?;
        let groups = padding.rows * heads.key_value;
        grad_q.push(grad_s.matmul(&k)?.reshape((groups, heads.group(), count, heads.width))?);
        let rest = padding.longest - first - count;
        grad_k = (grad_k + grad_s.t()?.matmul(&q)?.pad_with_zeros(1, 0, rest)?)?;
        grad_v = (grad_v + p.t()?.matmul(&grad)?.pad_with_zeros(1, 0, rest)?)?;
    }
    let d = heads.width;
    Tensor::cat(
        &[
            padding.join(&Tensor::cat(&grad_q, 2)?, heads.query, d)?,
            padding.join(&grad_k, heads.key_value, d)?,
            padding.join(&grad_v, heads.key_value, d)?,
        ],
        1,
    )
}

/// 1 for a token, 0 for padding: (rows x key_value, 1, longest, 1).
fn real_tokens(offsets: &[usize], padding: &Padding, key_value: usize, like: &Tensor) -> Result<Tensor> {
    let row = |length: usize| (0..padding.longest).map(move |i| if i < length { 1f32 } else { 0.0 });
    let real: Vec<f32> = offsets
        .windows(2)
        .flat_map(|span| std::iter::repeat_n(span[1] - span[0], key_value))
        .flat_map(row)
        .collect();
    Tensor::from_vec(real, (padding.rows * key_value, 1, padding.longest, 1), &Device::Cpu)?
        .to_device(like.device())?
        .to_dtype(like.dtype())
}

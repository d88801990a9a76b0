//! `softmax.cu`: what lies between attention's products.

use super::padding::Grid;
use super::{Argument, Launch, address, launch, ptx, suffix, unwritten};
use candle_core::{DType, Result, Tensor, bail};

const LANES: u32 = 32;

/// Queries of a block of threads: a warp each.
const QUERIES: u32 = 8;

/// Which keys the queries of some scores see.
#[derive(Clone, Copy)]
pub(in crate::model::ops) struct Causal<'a> {
    /// Token of a head's first query within its row.
    pub(in crate::model::ops) first: usize,
    /// Queries of a head.
    pub(in crate::model::ops) count: usize,
    /// The rows of the batch. There are equally many groups of scores for every one.
    pub(in crate::model::ops) grid: &'a Grid,
    /// What a score is multiplied by, above 0.
    pub(in crate::model::ops) scale: f64,
}

/// softmax(scale S) over the keys up to each query's token, and 0 elsewhere; 0 in all of a query behind its row's end. Of
/// `dtype`; one of f32 takes the place of S, which is f32.
///
/// # Shapes
/// (groups, group x count, keys), the same
///
/// # Errors
/// Shapes that do not fit together; a card without memory left.
pub(in crate::model::ops) fn causal_softmax(scores: Tensor, dtype: DType, causal: Causal) -> Result<Tensor> {
    if scores.dtype() != DType::F32 {
        bail!("scores are f32, got {:?}", scores.dtype());
    }
    let p = match dtype {
        DType::F32 => scores.clone(),
        _ => unwritten(scores.shape(), dtype, scores.device().as_cuda_device()?)?,
    };
    over("causal_softmax", &[&scores, &p], causal)?;
    Ok(p)
}

/// scale P (dP - rowsum(P dP)) in the place of dP, for P of [`causal_softmax`].
///
/// # Errors
/// As there.
pub(in crate::model::ops) fn backward(p: &Tensor, grad_p: Tensor, causal: Causal) -> Result<Tensor> {
    if p.dims() != grad_p.dims() || p.dtype() != grad_p.dtype() {
        bail!("a gradient {:?} of probabilities {:?}", grad_p.shape(), p.shape());
    }
    over("causal_softmax_backward", &[p, &grad_p], causal)?;
    Ok(grad_p)
}

/// Launches `name` from one matrix to another of its shape, whose type is the kernel's.
fn over(name: &str, [from, x]: &[&Tensor; 2], causal: Causal) -> Result<()> {
    let (groups, grouped, keys) = x.dims3()?;
    let rows = causal.grid.rows;
    if groups == 0 || grouped == 0 || keys == 0 {
        return Ok(());
    }
    if rows == 0 || groups % rows != 0 || causal.count == 0 || grouped % causal.count != 0 {
        bail!("scores {:?} of {rows} rows and {} queries", x.shape(), causal.count);
    }
    let arguments = [
        Argument::Whole(grouped as u32),
        Argument::Whole(keys as u32),
        Argument::Whole(causal.count as u32),
        Argument::Whole(causal.first as u32),
        Argument::Whole((groups / rows) as u32),
        Argument::Number(causal.scale as f32),
        Argument::Address(address(&causal.grid.offsets)?),
        Argument::Address(address(from)?),
        Argument::Address(address(x)?),
    ];
    let what = Launch {
        module: "tezgah_softmax",
        ptx: ptx::SOFTMAX,
        name: &format!("{name}_{}", suffix(x.dtype())?),
        // Groups may be many, blocks of queries are not: there are fewer than 65,536, which is what fits in y.
        blocks: (groups, grouped.div_ceil(QUERIES as usize)),
        threads: QUERIES * LANES,
        shared: 0,
    };
    launch(x.device().as_cuda_device()?, what, &arguments)
}

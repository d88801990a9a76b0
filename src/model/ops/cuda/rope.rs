//! `rope.cu`: heads are turned where they lie; the columns behind them are not touched.

use super::rows::{expect, narrow, threads};
use super::{Argument, Launch, address, launch, ptx, suffix};
use candle_core::{DType, Result, Tensor, bail};

/// See `ops::rope`: in place, `x` is held by nobody else. `angles` are tables of cosines and sines, (P, D/2) in f32, and each
/// row's place in them, (N); `sign` is 1 forward, -1 backward.
pub(in crate::model::ops) fn rope(
    x: Tensor,
    [cos, sin, places]: [&Tensor; 3],
    heads: usize,
    sign: f32,
) -> Result<Tensor> {
    let (x, cos, sin, places) = (x.contiguous()?, cos.contiguous()?, sin.contiguous()?, places.contiguous()?);
    let ((rows, width), (positions, half)) = (x.dims2()?, cos.dims2()?);
    expect(&cos, (positions, half), DType::F32)?;
    expect(&sin, (positions, half), DType::F32)?;
    expect(&places, rows, DType::U32)?;
    let pairs = heads * half;
    if 2 * pairs > width {
        bail!("{heads} heads of {} columns do not fit into rows of {width}", 2 * half)
    }
    let threads = threads(pairs);
    let what = Launch {
        module: "tezgah_rope",
        ptx: ptx::ROPE,
        name: &format!("rope_{}", suffix(x.dtype())?),
        blocks: (rows, pairs.div_ceil(8 * threads as usize)),
        threads,
        shared: 0,
    };
    let arguments = [
        Argument::Whole(narrow(width)?),
        Argument::Whole(narrow(heads)?),
        Argument::Whole(narrow(half)?),
        Argument::Number(sign),
        Argument::Address(address(&cos)?),
        Argument::Address(address(&sin)?),
        Argument::Address(address(&places)?),
        Argument::Address(address(&x)?),
    ];
    launch(x.device().as_cuda_device()?, what, &arguments)?;
    Ok(x)
}

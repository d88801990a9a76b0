//! `lookup.cu`: a block moves a part of a row.

use super::rows::{expect, narrow, threads};
use super::{Argument, Launch, address, launch, ptx, suffix, unwritten};
use candle_core::{DType, Result, Tensor};

/// See [`crate::model::ops::lookup::lookup`].
pub(in crate::model::ops) fn lookup(x: &Tensor, places: &Tensor) -> Result<Tensor> {
    let (x, places) = (x.contiguous()?, places.contiguous()?);
    let (rows, width) = (places.dims1()?, x.dims2()?.1);
    expect(&places, rows, DType::U32)?;
    let device = x.device().as_cuda_device()?;
    let y = unwritten((rows, width), x.dtype(), device)?;
    let threads = threads(width);
    let what = Launch {
        module: "tezgah_lookup",
        ptx: ptx::LOOKUP,
        name: &format!("lookup_{}", suffix(x.dtype())?),
        blocks: (rows, width.div_ceil(8 * threads as usize)),
        threads,
        shared: 0,
    };
    let arguments = [
        Argument::Whole(narrow(width)?),
        Argument::Address(address(&places)?),
        Argument::Address(address(&x)?),
        Argument::Address(address(&y)?),
    ];
    launch(device, what, &arguments)?;
    Ok(y)
}

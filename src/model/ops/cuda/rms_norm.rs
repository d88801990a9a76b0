//! `rms_norm.cu`: a block a row.

use super::rows::{expect, narrow, threads};
use super::{Argument, Launch, address, launch, ptx, suffix, unwritten};
use candle_core::{Result, Tensor};

/// See [`crate::model::ops::rms_norm::rms_norm`].
pub(in crate::model::ops) fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    let y = unwritten(x.shape(), x.dtype(), x.device().as_cuda_device()?)?;
    along_rows("rms_norm", &x, &weight, eps, &[&y])?;
    Ok(y)
}

/// See [`crate::model::ops::rms_norm::of_sum`]: the sum into `x`, which nobody else holds.
pub(in crate::model::ops) fn of_sum(
    x: Tensor,
    y: &Tensor,
    weight: &Tensor,
    eps: f64,
) -> Result<(Tensor, Tensor)> {
    let (x, y, weight) = (x.contiguous()?, y.contiguous()?, weight.contiguous()?);
    let normed = unwritten(x.shape(), x.dtype(), x.device().as_cuda_device()?)?;
    along_rows("rms_norm_of_sum", &x, &weight, eps, &[&y, &normed])?;
    Ok((x, normed))
}

/// See [`crate::model::ops::rms_norm::add_backward`]: into `grad_x`, which nobody else holds.
pub(in crate::model::ops) fn add_backward(
    grad_x: Tensor,
    x: &Tensor,
    weight: &Tensor,
    grad_y: &Tensor,
    eps: f64,
) -> Result<Tensor> {
    let (grad_x, grad_y) = (grad_x.contiguous()?, grad_y.contiguous()?);
    along_rows("add_rms_norm_backward", &x.contiguous()?, &weight.contiguous()?, eps, &[&grad_y, &grad_x])?;
    Ok(grad_x)
}

/// Launches `name` over the rows of `x`; `others` are the matrices behind the weight in its signature.
fn along_rows(name: &str, x: &Tensor, weight: &Tensor, eps: f64, others: &[&Tensor]) -> Result<()> {
    let (rows, width) = x.dims2()?;
    expect(weight, width, x.dtype())?;
    let what = Launch {
        module: "tezgah_rms_norm",
        ptx: ptx::RMS_NORM,
        name: &format!("{name}_{}", suffix(x.dtype())?),
        blocks: (rows, 1),
        threads: threads(width),
        shared: 0,
    };
    let mut arguments = vec![
        Argument::Whole(narrow(width)?),
        Argument::Number(eps as f32),
        Argument::Address(address(x)?),
        Argument::Address(address(weight)?),
    ];
    for other in others {
        expect(other, (rows, width), x.dtype())?;
        arguments.push(Argument::Address(address(other)?));
    }
    launch(x.device().as_cuda_device()?, what, &arguments)
}

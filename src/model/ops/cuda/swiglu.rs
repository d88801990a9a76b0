//! `swiglu.cu`: the sigmoid is made where it is used, and the gradients take the place of gate and up.

use super::rows::{expect, narrow, threads};
use super::{Argument, Launch, address, launch, ptx, suffix, unwritten};
use candle_core::{Result, Tensor};

/// See [`crate::model::ops::swiglu::swiglu`].
pub(in crate::model::ops) fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    let gate_up = gate_up.contiguous()?;
    let (rows, both) = gate_up.dims2()?;
    let y = unwritten((rows, both / 2), gate_up.dtype(), gate_up.device().as_cuda_device()?)?;
    along_rows("swiglu", &y, [&gate_up, &y])?;
    Ok(y)
}

/// See [`crate::model::ops::swiglu::backward`]: into `gate_up`, which nobody else holds.
pub(in crate::model::ops) fn backward(gate_up: Tensor, grad_y: &Tensor) -> Result<Tensor> {
    let (gate_up, grad_y) = (gate_up.contiguous()?, grad_y.contiguous()?);
    let (rows, both) = gate_up.dims2()?;
    expect(&grad_y, (rows, both / 2), gate_up.dtype())?;
    along_rows("swiglu_backward", &grad_y, [&grad_y, &gate_up])?;
    Ok(gate_up)
}

/// Launches `name` over the rows of `y`, with the operands in the order of its signature.
fn along_rows(name: &str, y: &Tensor, operands: [&Tensor; 2]) -> Result<()> {
    let (rows, width) = y.dims2()?;
    let threads = threads(width);
    let what = Launch {
        module: "tezgah_swiglu",
        ptx: ptx::SWIGLU,
        name: &format!("{name}_{}", suffix(y.dtype())?),
        blocks: (rows, width.div_ceil(8 * threads as usize)),
        threads,
        shared: 0,
    };
    let [first, second] = operands;
    let arguments = [
        Argument::Whole(narrow(width)?),
        Argument::Address(address(first)?),
        Argument::Address(address(second)?),
    ];
    launch(y.device().as_cuda_device()?, what, &arguments)
}

//! What launches along the rows of a matrix share.

use candle_core::{DType, Result, Shape, Tensor, bail};

/// Threads of a block that goes through `numbers` side by side: a thread moves up to eight at once.
pub(super) fn threads(numbers: usize) -> u32 {
    numbers.div_ceil(8).next_multiple_of(32).clamp(32, 256) as u32
}

/// A width as kernels take it.
///
/// # Errors
/// One that 32 bits do not hold, or so little below that a step beyond it would not be held.
pub(super) fn narrow(width: usize) -> Result<u32> {
    match i32::try_from(width) {
        Ok(width) => Ok(width as u32),
        Err(_) => bail!("rows of {width} numbers are too long for a kernel"),
    }
}

/// Refuses an operand that is not of `shape` and `dtype`: a kernel trusts its addresses.
///
/// # Errors
/// Another shape or type.
pub(super) fn expect(operand: &Tensor, shape: impl Into<Shape>, dtype: DType) -> Result<()> {
    let shape = shape.into();
    if operand.shape() != &shape || operand.dtype() != dtype {
        bail!("expected {dtype:?} {shape:?}, got {:?} {:?}", operand.dtype(), operand.shape())
    }
    Ok(())
}

//! Rows of a matrix by their places: y_i = x_{place i}. Token embeddings, and the tokens whose output is wanted.

#[cfg(feature = "cuda")]
use super::cuda;
use candle_core::{Result, Tensor};

/// The rows of `x` at `places`, u32. candle's own lookup tells a card the shape of the places at every call.
///
/// # Shapes
/// (P, width), (N) -> (N, width)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn lookup(x: &Tensor, places: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if cuda::takes(x) {
        return cuda::lookup::lookup(x, places);
    }
    x.index_select(places, 0)
}

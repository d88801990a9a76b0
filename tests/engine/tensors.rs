//! A tensor's values, to compare with others.

use candle_core::{DType, Tensor};

/// In order, exact in f64 whatever they are stored in.
pub(crate) fn values(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).and_then(|t| t.flatten_all()?.to_vec1()).expect("values")
}

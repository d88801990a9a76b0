//! A tensor's values, to compare with others.

use candle_core::{DType, Device, Tensor};

/// In order, exact in f64 whatever they are stored in and wherever they lie.
pub(crate) fn values(tensor: &Tensor) -> Vec<f64> {
    let here = tensor.to_device(&Device::Cpu);
    here.and_then(|t| t.to_dtype(DType::F64)?.flatten_all()?.to_vec1()).expect("values")
}

//! GGML's simple block types to f32, on all threads.
//!
//! candle dequantizes on one thread, and a pass dequantizes every weight once or twice. Blocks of 32 weights, as ggml lays
//! them out: Q4_0 x = (q - 8) d, Q4_1 x = q d + m, Q8_0 x = q d, with d and m in f16; a byte of the 4-bit types holds
//! weight j of the block's first half in its low bits and of its second half in its high bits.

use crate::model::ops::dispatch;
use candle_core::quantized::GgmlDType;
use half::f16;
use rayon::prelude::*;

/// Weights of a block.
const BLOCK: usize = 32;
/// Blocks of one rayon task.
const BLOCKS_PER_TASK: usize = 128;

/// Writes the weights of `blocks` to `values`, the bits that candle would write; false where the type is none of the
/// three and nothing was written.
///
/// # Panics
/// Where `blocks` does not hold as many weights as `values`: a bug of the caller, who made both from one shape.
pub(super) fn dequantize(dtype: GgmlDType, blocks: &[u8], values: &mut [f32]) -> bool {
    let decode = match dtype {
        GgmlDType::Q4_0 => q4_0,
        GgmlDType::Q4_1 => q4_1,
        GgmlDType::Q8_0 => q8_0,
        _ => return false,
    };
    let size = dtype.type_size();
    assert_eq!(blocks.len() / size * BLOCK, values.len(), "weights of a quantized tensor");
    let tasks = blocks.par_chunks(size * BLOCKS_PER_TASK);
    values.par_chunks_mut(BLOCK * BLOCKS_PER_TASK).zip(tasks).for_each(|(values, blocks)| {
        for (values, block) in values.as_chunks_mut::<BLOCK>().0.iter_mut().zip(blocks.chunks_exact(size)) {
            decode(block, values);
        }
    });
    true
}

fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

fn q4_0(block: &[u8], values: &mut [f32; BLOCK]) {
    let d = half_at(block, 0);
    nibbles(&block[2..], values, |q| (q as i32 - 8) as f32 * d);
}

fn q4_1(block: &[u8], values: &mut [f32; BLOCK]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    nibbles(&block[4..], values, |q| q as f32 * d + m);
}

fn q8_0(block: &[u8], values: &mut [f32; BLOCK]) {
    let d = half_at(block, 0);
    for (value, &q) in values.iter_mut().zip(&block[2..]) {
        *value = q as i8 as f32 * d;
    }
}

#[inline(always)]
fn nibbles(bytes: &[u8], values: &mut [f32; BLOCK], weight: impl Fn(u8) -> f32) {
    dispatch(
        #[inline(always)]
        || {
            let (low, high) = values.split_at_mut(BLOCK / 2);
            for ((low, high), &byte) in low.iter_mut().zip(high).zip(bytes) {
                *low = weight(byte & 15);
                *high = weight(byte >> 4);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::quantized::QTensor;
    use candle_core::{Device, Tensor};

    /// candle's own dequantization, bit for bit; more blocks than a task holds.
    #[test]
    fn weights_are_those_of_candle() {
        let count = 3 * BLOCK * BLOCKS_PER_TASK / 2;
        let dense: Vec<f32> = (0..count).map(|i| ((i * 7919) % 1013) as f32 / 300.0 - 1.6).collect();
        let dense = Tensor::from_vec(dense, (3, count / 3), &Device::Cpu).expect("matrix");
        for dtype in [GgmlDType::Q4_0, GgmlDType::Q4_1, GgmlDType::Q8_0] {
            let quantized = QTensor::quantize(&dense, dtype).expect("quantized");
            let theirs = quantized.dequantize(&Device::Cpu).and_then(|t| t.flatten_all()?.to_vec1::<f32>());
            let mut ours = vec![f32::NAN; count];
            assert!(dequantize(dtype, &quantized.data().expect("blocks"), &mut ours), "{dtype:?}");
            assert!(ours == theirs.expect("values"), "{dtype:?}");
        }
        assert!(!dequantize(GgmlDType::Q4K, &[], &mut []));
    }
}

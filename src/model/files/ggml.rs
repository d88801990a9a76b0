//! GGML's block types: their names, their blocks as tensors, and the simple ones to f32 on all threads.
//!
//! candle dequantizes on one thread, and a pass dequantizes every weight once or twice. Blocks of 32 weights, as ggml lays
//! them out: Q4_0 x = (q - 8) d, Q4_1 x = q d + m, Q8_0 x = q d, with d and m in f16; a byte of the 4-bit types holds
//! weight j of the block's first half in its low bits and of its second half in its high bits.

use crate::error::Result;
use crate::model::ops::dispatch;
use crate::recipe::Quantization;
use candle_core::Device;
use candle_core::quantized::ggml_file::qtensor_from_ggml;
use candle_core::quantized::{GgmlDType, QTensor};
use half::f16;
use rayon::prelude::*;
use std::borrow::Cow;

/// Weights of a block.
const BLOCK: usize = 32;
/// Blocks of one rayon task.
const BLOCKS_PER_TASK: usize = 128;

/// The name that ggml gives a type.
pub(super) fn name(dtype: GgmlDType) -> &'static str {
    match dtype {
        GgmlDType::F32 => "F32",
        GgmlDType::F16 => "F16",
        GgmlDType::BF16 => "BF16",
        GgmlDType::Q4_0 => "Q4_0",
        GgmlDType::Q4_1 => "Q4_1",
        GgmlDType::Q5_0 => "Q5_0",
        GgmlDType::Q5_1 => "Q5_1",
        GgmlDType::Q8_0 => "Q8_0",
        GgmlDType::Q8_1 => "Q8_1",
        GgmlDType::Q2K => "Q2_K",
        GgmlDType::Q3K => "Q3_K",
        GgmlDType::Q4K => "Q4_K",
        GgmlDType::Q5K => "Q5_K",
        GgmlDType::Q6K => "Q6_K",
        GgmlDType::Q8K => "Q8_K",
    }
}

/// The number that GGUF has for a type.
pub(super) fn number(dtype: GgmlDType) -> u32 {
    match dtype {
        GgmlDType::F32 => 0,
        GgmlDType::F16 => 1,
        GgmlDType::Q4_0 => 2,
        GgmlDType::Q4_1 => 3,
        GgmlDType::Q5_0 => 6,
        GgmlDType::Q5_1 => 7,
        GgmlDType::Q8_0 => 8,
        GgmlDType::Q8_1 => 9,
        GgmlDType::Q2K => 10,
        GgmlDType::Q3K => 11,
        GgmlDType::Q4K => 12,
        GgmlDType::Q5K => 13,
        GgmlDType::Q6K => 14,
        GgmlDType::Q8K => 15,
        GgmlDType::BF16 => 30,
    }
}

/// The GGML type of a scheme; none for those that are no single one.
pub(super) fn of_scheme(quantization: Quantization) -> Option<GgmlDType> {
    match quantization {
        Quantization::Q4_0 => Some(GgmlDType::Q4_0),
        Quantization::Q4_1 => Some(GgmlDType::Q4_1),
        Quantization::Q4K => Some(GgmlDType::Q4K),
        Quantization::Q8_0 => Some(GgmlDType::Q8_0),
        Quantization::None | Quantization::AsIs | Quantization::Nf4 | Quantization::Nf4Double => None,
    }
}

/// A tensor of blocks as a file holds them.
///
/// # Errors
/// `Error::Tensor` where their number is not the shape's, or from the device.
pub(super) fn tensor(dtype: GgmlDType, blocks: &[u8], shape: &[usize], device: &Device) -> Result<QTensor> {
    let aligned = Aligned::new(blocks);
    Ok(qtensor_from_ggml(dtype, aligned.as_slice(), shape.to_vec(), device)?)
}

/// Bytes at an address that every GGML block type may be read from; candle casts them without looking.
struct Aligned<'a> {
    bytes: Cow<'a, [u8]>,
    start: usize,
    size: usize,
}

/// The strictest of the block types holds f32.
const ALIGNMENT: usize = 8;

impl<'a> Aligned<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let size = bytes.len();
        if bytes.as_ptr().align_offset(ALIGNMENT) == 0 {
            return Aligned { bytes: Cow::Borrowed(bytes), start: 0, size };
        }
        let mut copy = vec![0; size + ALIGNMENT];
        let start = copy.as_ptr().align_offset(ALIGNMENT);
        copy[start..start + size].copy_from_slice(bytes);
        Aligned { bytes: Cow::Owned(copy), start, size }
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.size]
    }
}

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

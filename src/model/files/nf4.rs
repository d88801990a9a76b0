//! NormalFloat4, bitsandbytes' 4-bit type (Dettmers et al., 2023), code for code.
//!
//! The flattened weight is cut into blocks of 64. A block stores its largest magnitude as a scale, and for each weight
//! the number of its nearest code: x is represented by codebook\[code\] x scale. 4 + 32/64 = 4.5 bits a weight.
//!
//! Double quantization stores the scales, less their mean, in 8 bits each: blocks of 256 scales with a scale
//! of their own and a map of 256 values, finest around 0. 4 + 8/64 + 32/(64 x 256) = 4.127 bits a weight.
//!
//! The arithmetic is that of bitsandbytes' reference kernels: everything in f32, a division as a product with the
//! reciprocal, a tie to the lower code.

pub mod device;

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;
use std::sync::LazyLock;

/// Weights that share a scale.
const BLOCK: usize = 64;
/// Scales that share a scale, under double quantization.
const SCALE_BLOCK: usize = 256;

/// The 16 values: quantiles of a normal distribution, 0 among them, scaled to [-1, 1].
pub const CODEBOOK: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// The two weights of each byte, before their scale.
static PAIRS: LazyLock<[[f32; 2]; 256]> =
    LazyLock::new(|| std::array::from_fn(|byte| [CODEBOOK[byte >> 4], CODEBOOK[byte & 15]]));

/// Blocks that one rayon task dequantizes.
const BLOCKS_PER_TASK: usize = 64;

/// Code of the value 0, which also fills the last byte of an odd count.
const ZERO: u8 = 7;

/// The 256 values of an 8-bit scale, ascending: seven decades of each sign, the means of ever finer divisions of
/// [0.1, 1], and 0 and 1.
pub static DYNAMIC_MAP: LazyLock<Vec<f32>> = LazyLock::new(|| {
    let mut map = vec![0f32, 1.0];
    for decade in 0..7 {
        let boundaries = (1usize << decade) + 1;
        let step = (1.0f32 - 0.1) / (boundaries - 1) as f32;
        // torch.linspace counts from either end, in one rounding.
        let boundary = |k: usize| {
            if k < boundaries / 2 {
                step.mul_add(k as f32, 0.1)
            } else {
                (-step).mul_add((boundaries - 1 - k) as f32, 1.0)
            }
        };
        let power = 10f64.powi(decade - 6) as f32;
        for k in 0..boundaries - 1 {
            let value = (boundary(k) + boundary(k + 1)) / 2.0 * power;
            map.extend([value, -value]);
        }
    }
    map.sort_by(f32::total_cmp);
    map
});

/// A matrix in NF4.
pub struct Nf4 {
    /// Two codes a byte, the first in the high half.
    codes: Vec<u8>,
    scales: Scales,
    shape: (usize, usize),
}

/// The scales of the blocks.
#[derive(Debug, Clone, PartialEq)]
pub enum Scales {
    /// One f32 a block.
    Plain(Vec<f32>),
    /// Quantized again.
    Double(DoubleScales),
}

impl Scales {
    #[inline(always)]
    fn scale(&self, block: usize) -> f32 {
        match self {
            Scales::Plain(scales) => scales[block],
            Scales::Double(scales) => scales.scale(block),
        }
    }
}

/// Scales in 8 bits: [`DYNAMIC_MAP`]\[code\] x nested + offset.
#[derive(Debug, Clone, PartialEq)]
pub struct DoubleScales {
    /// One a block of weights.
    pub codes: Vec<u8>,
    /// One a block of scales.
    pub nested: Vec<f32>,
    /// The mean that was taken off.
    pub offset: f32,
}

/// Number of midpoints between neighbours that lie below `x`: the nearest value, the lower of a tie.
fn nearest(values: &[f32], x: f32) -> u8 {
    let (mut low, mut high) = (0, values.len() - 1);
    while low < high {
        let middle = (low + high) / 2;
        if x > (values[middle] + values[middle + 1]) / 2.0 { low = middle + 1 } else { high = middle }
    }
    low as u8
}

fn largest_magnitude(values: &[f32]) -> f32 {
    values.iter().fold(0f32, |top, x| top.max(x.abs()))
}

impl DoubleScales {
    /// Quantizes scales with a given offset.
    pub fn quantize(scales: &[f32], offset: f32) -> Self {
        let (mut codes, mut nested) = (Vec::with_capacity(scales.len()), Vec::new());
        for block in scales.chunks(SCALE_BLOCK) {
            let centred: Vec<f32> = block.iter().map(|scale| scale - offset).collect();
            let top = largest_magnitude(&centred);
            let inverse = if top > 0.0 { 1.0 / top } else { 0.0 };
            codes.extend(centred.iter().map(|x| nearest(&DYNAMIC_MAP, (x * inverse).clamp(-1.0, 1.0))));
            nested.push(top);
        }
        DoubleScales { codes, nested, offset }
    }

    fn scale(&self, block: usize) -> f32 {
        DYNAMIC_MAP[self.codes[block] as usize] * self.nested[block / SCALE_BLOCK] + self.offset
    }
}

impl Nf4 {
    /// Quantizes a row-major matrix; `double` quantizes the scales too.
    pub fn quantize(values: &[f32], shape: (usize, usize), double: bool) -> Self {
        let blocks: Vec<(f32, Vec<u8>)> = values.par_chunks(BLOCK).map(quantize_block).collect();
        let scales: Vec<f32> = blocks.iter().map(|block| block.0).collect();
        let mut codes: Vec<u8> = blocks.into_iter().flat_map(|block| block.1).collect();
        if codes.len() % 2 == 1 {
            codes.push(ZERO);
        }
        let scales = if double {
            let mean = scales.iter().map(|&scale| scale as f64).sum::<f64>() / scales.len().max(1) as f64;
            Scales::Double(DoubleScales::quantize(&scales, mean as f32))
        } else {
            Scales::Plain(scales)
        };
        Nf4 { codes: codes.chunks(2).map(|pair| (pair[0] << 4) | pair[1]).collect(), scales, shape }
    }

    /// A matrix from its stored parts, as [`Nf4::codes`] and [`Nf4::scales`] gave them.
    ///
    /// `None` where the parts have not the sizes that the shape asks for.
    pub(super) fn from_parts(codes: Vec<u8>, scales: Scales, shape: (usize, usize)) -> Option<Self> {
        let count = shape.0 * shape.1;
        let blocks = count.div_ceil(BLOCK);
        let fits = match &scales {
            Scales::Plain(scales) => scales.len() == blocks,
            Scales::Double(scales) => {
                scales.codes.len() == blocks && scales.nested.len() == blocks.div_ceil(SCALE_BLOCK)
            }
        };
        (fits && codes.len() == count.div_ceil(2)).then_some(Nf4 { codes, scales, shape })
    }

    /// The matrix in f32, on the host.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub fn dequantize(&self) -> Result<Tensor> {
        let mut values = vec![0f32; self.elem_count()];
        self.write(&mut values);
        Tensor::from_vec(values, self.shape, &Device::Cpu)
    }

    /// Writes the matrix, row after row, to `values`.
    pub(super) fn write(&self, values: &mut [f32]) {
        let pairs = &*PAIRS;
        let tasks = self.codes.par_chunks(BLOCK / 2 * BLOCKS_PER_TASK);
        values.par_chunks_mut(BLOCK * BLOCKS_PER_TASK).zip(tasks).enumerate().for_each(
            |(task, (values, codes))| {
                let blocks = values.chunks_mut(BLOCK).zip(codes.chunks(BLOCK / 2));
                for (block, (values, codes)) in blocks.enumerate() {
                    let scale = self.scales.scale(task * BLOCKS_PER_TASK + block);
                    for (pair, &code) in values.chunks_mut(2).zip(codes) {
                        pair.copy_from_slice(&pairs[code as usize][..pair.len()]);
                    }
                    values.iter_mut().for_each(|value| *value *= scale);
                }
            },
        );
    }

    /// Two codes a byte, the first in the high half.
    pub fn codes(&self) -> &[u8] {
        &self.codes
    }

    /// The scales as stored.
    pub fn scales(&self) -> &Scales {
        &self.scales
    }

    /// Weights.
    pub fn elem_count(&self) -> usize {
        self.shape.0 * self.shape.1
    }

    /// Bytes held: codes and scales.
    pub fn bytes(&self) -> usize {
        self.codes.len()
            + match &self.scales {
                Scales::Plain(scales) => 4 * scales.len(),
                Scales::Double(scales) => scales.codes.len() + 4 * scales.nested.len() + 4,
            }
    }
}

fn quantize_block(values: &[f32]) -> (f32, Vec<u8>) {
    let scale = largest_magnitude(values);
    if scale == 0.0 {
        return (0.0, vec![ZERO; values.len()]);
    }
    let inverse = 1.0 / scale;
    (scale, values.iter().map(|x| nearest(&CODEBOOK, (x * inverse).clamp(-1.0, 1.0))).collect())
}

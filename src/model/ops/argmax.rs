//! The greatest number of each row: what a greedy text goes on with.

use super::{is_fast, read, simd};
use candle_core::{D, DType, Result, Tensor};
use rayon::prelude::*;

/// Numbers whose greatest is found before their place is looked for.
const CHUNK: usize = 1024;

/// Where the greatest number of each row stands; of equals the first.
///
/// # Shapes
/// (N, V) -> N numbers below V
///
/// # Errors
/// A tensor that is no matrix; a device that fails.
pub fn argmax(x: &Tensor) -> Result<Vec<u32>> {
    if !is_fast(x) || x.dtype() != DType::F32 {
        return x.argmax(D::Minus1)?.to_vec1();
    }
    let width = x.dims2()?.1;
    read([&x.contiguous()?], |[x]: [&[f32]; 1]| Ok(x.par_chunks_exact(width).map(of_row).collect()))
}

fn of_row(row: &[f32]) -> u32 {
    let mut greatest = (f32::NEG_INFINITY, 0);
    for (index, chunk) in row.chunks(CHUNK).enumerate() {
        let top = simd::dispatch(
            #[inline(always)]
            || simd::maximum(chunk),
        );
        if top > greatest.0 {
            greatest = (top, index);
        }
    }
    let first = greatest.1 * CHUNK;
    let place = row[first..].iter().position(|&number| number == greatest.0).unwrap_or(0);
    (first + place) as u32
}

#[cfg(test)]
mod tests {
    use super::argmax;
    use candle_core::{D, Device, Tensor};

    #[test]
    fn the_first_of_the_greatest_is_taken_as_candle_takes_it() {
        // Rows longer than a chunk, of few different numbers, so that the greatest comes more than once.
        let rows: Vec<f32> =
            (0..7 * 2500u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 26) as f32 - 70.0).collect();
        let x = Tensor::from_vec(rows, (7, 2500), &Device::Cpu).unwrap();
        for x in [x.clone(), (x * -1.0).unwrap()] {
            let expected: Vec<u32> = x.argmax(D::Minus1).unwrap().to_vec1().unwrap();
            assert_eq!(argmax(&x).unwrap(), expected);
        }
    }
}

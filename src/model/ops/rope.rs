//! Rotary position embedding, the rotate-half form of Hugging Face checkpoints (Su et al., 2021).
//!
//! Element i of the first half of a head is paired with element i of the second half and turned by
//! position x inverse_frequency(i).

#[cfg(feature = "cuda")]
use super::cuda;
use super::{Element, ROWS_PER_TASK, by_type, dispatch, in_place, is_fast};
use candle_core::{DType, Device, Result, Tensor};
use rayon::prelude::*;
use std::sync::{Mutex, PoisonError};

/// Cosines and sines of the tokens of a batch, as places in tables of P of them.
pub struct Angles {
    /// Cosines, (P, D / 2).
    pub(super) cos: Tensor,
    /// Sines, (P, D / 2).
    pub(super) sin: Tensor,
    /// Where those of each token stand, (N).
    pub(super) places: Tensor,
}

impl Angles {
    /// The angles of tokens at `positions`, computed in f64.
    ///
    /// # Errors
    /// A device that has no memory left.
    pub fn new(
        positions: &[usize],
        inverse_frequencies: &[f64],
        dtype: DType,
        device: &Device,
    ) -> Result<Self> {
        let shape = (positions.len(), inverse_frequencies.len());
        let table = |turn: fn(f64) -> f64| {
            let values: Vec<f64> = positions
                .iter()
                .flat_map(|&position| inverse_frequencies.iter().map(move |f| turn(position as f64 * f)))
                .collect();
            // The tables stay 32-bit under bf16 activations: the turn is computed in f32 and rounded once.
            let dtype = if dtype == DType::F64 { DType::F64 } else { DType::F32 };
            Tensor::from_vec(values, shape, &Device::Cpu)?.to_dtype(dtype)?.to_device(device)
        };
        let places = Tensor::arange(0, positions.len() as u32, &Device::Cpu)?.to_device(device)?;
        Ok(Angles { cos: table(f64::cos)?, sin: table(f64::sin)?, places })
    }

    /// Those of each token, (N, D / 2).
    fn of_tokens(&self) -> Result<[Tensor; 2]> {
        Ok([self.cos.index_select(&self.places, 0)?, self.sin.index_select(&self.places, 0)?])
    }
}

/// The angles of the positions that passes have had so far: computed once for all passes, so that a card is told of
/// positions alone.
pub(crate) struct AngleTable {
    inverse_frequencies: Vec<f64>,
    dtype: DType,
    device: Device,
    /// Of the positions from 0 on; grows by doubling.
    known: Mutex<Option<Angles>>,
}

impl AngleTable {
    /// A table of no position yet, for activations of `dtype`.
    pub(crate) fn new(inverse_frequencies: Vec<f64>, dtype: DType, device: &Device) -> Self {
        AngleTable { inverse_frequencies, dtype, device: device.clone(), known: Mutex::new(None) }
    }

    /// The angles of tokens at `positions`, those of [`Angles::new`].
    ///
    /// # Errors
    /// A device that has no memory left.
    pub(crate) fn at(&self, positions: &[usize]) -> Result<Angles> {
        let longest = positions.iter().max().map_or(0, |last| last + 1);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let angles = match known.take() {
            Some(angles) if angles.cos.dim(0)? >= longest => angles,
            _ => {
                let all: Vec<usize> = (0..longest.next_power_of_two().max(FIRST_POSITIONS)).collect();
                Angles::new(&all, &self.inverse_frequencies, self.dtype, &self.device)?
            }
        };
        let Angles { cos, sin, .. } = known.insert(angles);
        let places: Vec<u32> = positions.iter().map(|&position| position as u32).collect();
        Ok(Angles { cos: cos.clone(), sin: sin.clone(), places: Tensor::new(places, &self.device)? })
    }
}

/// Positions of a table that begins: few rows of a training are longer.
const FIRST_POSITIONS: usize = 1024;

/// Which way to turn.
#[derive(Clone, Copy)]
pub enum Direction {
    /// The forward pass.
    Forward,
    /// Its transpose: the inverse rotation.
    Backward,
}

/// Turns the first `heads` heads of each row, consuming `x`: on the CPU and on CUDA it is turned in place.
///
/// # Shapes
/// (N, at least heads x D) -> the same
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn rope(x: Tensor, angles: &Angles, heads: usize, direction: Direction) -> Result<Tensor> {
    let sign = match direction {
        Direction::Forward => 1f32,
        Direction::Backward => -1f32,
    };
    #[cfg(feature = "cuda")]
    if cuda::takes(&x) {
        let Angles { cos, sin, places } = angles;
        return cuda::rope::rope(x, [cos, sin, places], heads, sign); // here, where it is owned
    }
    if !is_fast(&x) {
        return device::rope(&x, angles, heads, sign as f64);
    }
    by_type!(x.dtype(), E => kernel::<E>(&x, angles, heads, sign)?);
    Ok(x)
}

fn kernel<E: Element>(x: &Tensor, angles: &Angles, heads: usize, sign: f32) -> Result<()> {
    let (rows, width) = x.dims2()?;
    let half = angles.cos.dim(1)?;
    let places = angles.places.to_vec1::<u32>()?;
    in_place(x, [&angles.cos, &angles.sin], |x: &mut [E], [cos, sin]: [&[f32]; 2]| {
        let task = ROWS_PER_TASK * width;
        x[..rows * width].par_chunks_mut(task).enumerate().for_each(|(index, x)| {
            dispatch(
                #[inline(always)]
                || {
                    for (row, x) in x.chunks_exact_mut(width).enumerate() {
                        let at = places[index * ROWS_PER_TASK + row] as usize * half;
                        let (cos, sin) = (&cos[at..at + half], &sin[at..at + half]);
                        for head in x[..heads * 2 * half].chunks_exact_mut(2 * half) {
                            let (first, second) = head.split_at_mut(half);
                            for i in 0..half {
                                let (p, q) = (first[i].wide(), second[i].wide());
                                first[i] = E::narrowed(p * cos[i] - sign * q * sin[i]);
                                second[i] = E::narrowed(q * cos[i] + sign * p * sin[i]);
                            }
                        }
                    }
                },
            )
        });
    })
}

/// The same in candle operations, on any device.
pub mod device {
    use super::*;

    /// See [`super::rope`]; `sign` is 1 forward, -1 backward.
    ///
    /// # Errors
    /// As there.
    pub fn rope(x: &Tensor, angles: &Angles, heads: usize, sign: f64) -> Result<Tensor> {
        let (rows, width) = x.dims2()?;
        let half = angles.cos.dim(1)?;
        let turned = heads * 2 * half;
        let [cos, sin] = angles.of_tokens()?;
        let cos = cos.reshape((rows, 1, half))?;
        let sin = (sin.reshape((rows, 1, half))? * sign)?;
        let heads_of = x.narrow(1, 0, turned)?.contiguous()?.reshape((rows, heads, 2 * half))?;
        let heads_of = heads_of.to_dtype(cos.dtype())?;
        let (first, second) = (heads_of.narrow(2, 0, half)?, heads_of.narrow(2, half, half)?);
        let new_first = (first.broadcast_mul(&cos)? - second.broadcast_mul(&sin)?)?;
        let new_second = (second.broadcast_mul(&cos)? + first.broadcast_mul(&sin)?)?;
        let heads_of =
            Tensor::cat(&[new_first, new_second], 2)?.reshape((rows, turned))?.to_dtype(x.dtype())?;
        if turned == width {
            return Ok(heads_of);
        }
        Tensor::cat(&[heads_of, x.narrow(1, turned, width - turned)?], 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that grows, and one that is long enough, give what is computed for the positions themselves.
    #[test]
    fn a_table_holds_the_angles_of_its_positions() {
        let frequencies = vec![1.0, 0.1, 0.003];
        let table = AngleTable::new(frequencies.clone(), DType::BF16, &Device::Cpu);
        for positions in [vec![0, 1, 2, 0, 1], vec![900, 0, 17], vec![1024, 1023], vec![5, 1024]] {
            let looked_up = table.at(&positions).expect("angles");
            let computed = Angles::new(&positions, &frequencies, DType::BF16, &Device::Cpu).expect("angles");
            let [ours, theirs] = [looked_up, computed].map(|angles| {
                let of_tokens = angles.of_tokens().expect("tables");
                of_tokens.map(|table| table.to_vec2::<f32>().expect("f32"))
            });
            assert_eq!(ours, theirs);
        }
    }
}

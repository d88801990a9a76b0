//! SwiGLU: y = silu(gate) * up, silu(g) = g sigmoid(g) (Shazeer, 2020).

#[cfg(feature = "cuda")]
use super::cuda;
use super::{Element, ROWS_PER_TASK, by_type, create, dispatch, in_place, is_fast, simd};
use candle_core::{DType, Result, Tensor};
use rayon::prelude::*;

/// # Shapes
/// gate and up side by side (N, 2F) -> (N, F)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
    if !is_fast(gate_up) {
        return device::swiglu(gate_up);
    }
    by_type!(gate_up.dtype(), E => kernel::<E>(gate_up))
}

fn kernel<E: Element>(gate_up: &Tensor) -> Result<Tensor> {
    let (rows, both) = gate_up.dims2()?;
    let width = both / 2;
    create((rows, width), [gate_up], |y: &mut [E], [gate_up]: [&[E]; 1]| {
        let tasks = gate_up[..rows * both].par_chunks(ROWS_PER_TASK * both);
        y.par_chunks_mut(ROWS_PER_TASK * width).zip(tasks).for_each(|(y, gate_up)| {
            dispatch(
                #[inline(always)]
                || {
                    for (y, row) in y.chunks_exact_mut(width).zip(gate_up.chunks_exact(both)) {
                        let (gate, up) = row.split_at(width);
                        for ((y, g), u) in y.iter_mut().zip(gate).zip(up) {
                            let g = g.wide();
                            *y = E::narrowed(g * u.wide() / (1.0 + simd::exp(-g)));
                        }
                    }
                },
            )
        });
    })
}

/// The gradient of gate and up, consuming them: on the CPU and on CUDA it is written in their place.
///
/// d gate = g u (sigma + silu (1 - sigma)), d up = g silu.
///
/// # Shapes
/// (N, 2F), (N, F) -> (N, 2F)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn backward(gate_up: Tensor, grad_y: &Tensor) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if cuda::takes(&gate_up) {
        return cuda::swiglu::backward(gate_up, grad_y); // here, where it is owned
    }
    if !is_fast(&gate_up) {
        return device::backward(&gate_up, grad_y);
    }
    by_type!(gate_up.dtype(), E => backward_kernel::<E>(&gate_up, grad_y)?);
    Ok(gate_up)
}

fn backward_kernel<E: Element>(gate_up: &Tensor, grad_y: &Tensor) -> Result<()> {
    let (rows, both) = gate_up.dims2()?;
    let width = both / 2;
    in_place(gate_up, [grad_y], |gate_up: &mut [E], [grad_y]: [&[E]; 1]| {
        let tasks = grad_y[..rows * width].par_chunks(ROWS_PER_TASK * width);
        gate_up[..rows * both].par_chunks_mut(ROWS_PER_TASK * both).zip(tasks).for_each(
            |(gate_up, grad_y)| {
                dispatch(
                    #[inline(always)]
                    || {
                        for (row, grad_y) in gate_up.chunks_exact_mut(both).zip(grad_y.chunks_exact(width)) {
                            let (gate, up) = row.split_at_mut(width);
                            // By registers: two results in the places of two operands keep the compiler from it.
                            let ((gates, gate), (ups, up)) = (gate.as_chunks_mut(), up.as_chunks_mut());
                            let (grads, grad_y) = grad_y.as_chunks();
                            for ((gate, up), d) in gates.iter_mut().zip(ups).zip(grads) {
                                let (mut g, mut u, d) = (simd::load(gate), simd::load(up), simd::load(d));
                                for lane in 0..simd::LANES {
                                    (g[lane], u[lane]) = gradient(g[lane], u[lane], d[lane]);
                                }
                                simd::store(g, gate);
                                simd::store(u, up);
                            }
                            for ((gate, up), d) in gate.iter_mut().zip(up).zip(grad_y) {
                                let (g, u) = gradient(gate.wide(), up.wide(), d.wide());
                                (*gate, *up) = (E::narrowed(g), E::narrowed(u));
                            }
                        }
                    },
                )
            },
        );
    })
}

/// The gradients of one gate and its up.
#[inline(always)]
fn gradient(g: f32, u: f32, d: f32) -> (f32, f32) {
    let sigma = 1.0 / (1.0 + simd::exp(-g));
    let silu = g * sigma;
    (d * u * (sigma + silu * (1.0 - sigma)), d * silu)
}

/// The same on a device: by a kernel on CUDA, elsewhere in candle operations.
pub mod device {
    use super::*;

    /// gate and up in f32 at least: the sigmoid alone would be rounded four times in bf16, where PyTorch rounds once.
    fn halves(gate_up: &Tensor) -> Result<(Tensor, Tensor)> {
        let (width, wide) =
            (gate_up.dim(1)? / 2, if gate_up.dtype() == DType::F64 { DType::F64 } else { DType::F32 });
        let half = |first| gate_up.narrow(1, first, width)?.contiguous()?.to_dtype(wide);
        Ok((half(0)?, half(width)?))
    }

    fn sigmoid(x: &Tensor) -> Result<Tensor> {
        (x.neg()?.exp()? + 1.0)?.recip()
    }

    /// See [`super::swiglu`].
    ///
    /// # Errors
    /// As there.
    pub fn swiglu(gate_up: &Tensor) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if cuda::takes(gate_up) {
            return cuda::swiglu::swiglu(gate_up);
        }
        let (gate, up) = halves(gate_up)?;
        ((&gate * sigmoid(&gate)?)? * up)?.to_dtype(gate_up.dtype())
    }

    /// See [`super::backward`]; in candle operations everywhere, since what is lent is not overwritten.
    ///
    /// # Errors
    /// As there.
    pub fn backward(gate_up: &Tensor, grad_y: &Tensor) -> Result<Tensor> {
        let (gate, up) = halves(gate_up)?;
        let grad_y = &grad_y.to_dtype(gate.dtype())?;
        let sigma = sigmoid(&gate)?;
        let silu = (&gate * &sigma)?;
        let slope = (&sigma + (&silu * (1.0 - &sigma)?)?)?;
        let narrow = |gradient: Tensor| gradient.to_dtype(gate_up.dtype());
        Tensor::cat(&[narrow(((grad_y * up)? * slope)?)?, narrow((grad_y * silu)?)?], 1)
    }
}

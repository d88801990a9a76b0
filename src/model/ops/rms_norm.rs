//! RMSNorm: y = x / sqrt(mean(x^2) + eps) * w (Zhang and Sennrich, 2019).

#[cfg(feature = "cuda")]
use super::cuda;
use super::matmul::add;
use super::{Element, ROWS_PER_TASK, by_type, create, dispatch, in_place, is_fast, simd};
use candle_core::{D, Result, Tensor};
use rayon::prelude::*;

/// # Shapes
/// (N, H), (H) -> (N, H)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    if !is_fast(x) {
        return device::rms_norm(x, weight, eps);
    }
    by_type!(x.dtype(), E => kernel::<E>(x, weight, eps))
}

fn kernel<E: Element>(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let task = ROWS_PER_TASK * width;
    create((rows, width), [x, weight], |y: &mut [E], [x, weight]: [&[E]; 2]| {
        let weight = &weight[..width];
        y.par_chunks_mut(task).zip(x[..rows * width].par_chunks(task)).for_each(|(y, x)| {
            dispatch(
                #[inline(always)]
                || {
                    for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
                        let scale = inverse_rms(x, eps);
                        for ((y, x), w) in y.iter_mut().zip(x).zip(weight) {
                            *y = E::narrowed(x.wide() * scale * w.wide());
                        }
                    }
                },
            )
        });
    })
}

/// The sum of x and y, consuming x, and the norm of it.
///
/// # Shapes
/// (N, H), (N, H), (H) -> (N, H) twice
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn of_sum(x: Tensor, y: &Tensor, weight: &Tensor, eps: f64) -> Result<(Tensor, Tensor)> {
    #[cfg(feature = "cuda")]
    if cuda::takes(&x) {
        return cuda::rms_norm::of_sum(x, y, weight, eps);
    }
    let sum = add(x, y)?;
    let normed = rms_norm(&sum, weight, eps)?;
    Ok((sum, normed))
}

/// grad_x + the gradient that `grad_y` sends through the norm, consuming grad_x. The weight is frozen.
///
/// With s = 1 / rms(x): dx = s (w g - x s^2 mean(w g x)).
///
/// # Shapes
/// all (N, H) but the weight (H)
///
/// # Errors
/// Operands whose shapes do not fit together, or that lie on different devices.
pub fn add_backward(
    grad_x: Tensor,
    x: &Tensor,
    weight: &Tensor,
    grad_y: &Tensor,
    eps: f64,
) -> Result<Tensor> {
    if !is_fast(x) {
        return device::add_backward(grad_x, x, weight, grad_y, eps);
    }
    by_type!(x.dtype(), E => add_backward_kernel::<E>(&grad_x, x, weight, grad_y, eps)?);
    Ok(grad_x)
}

fn add_backward_kernel<E: Element>(
    grad_x: &Tensor,
    x: &Tensor,
    weight: &Tensor,
    grad_y: &Tensor,
    eps: f64,
) -> Result<()> {
    let (rows, width) = x.dims2()?;
    let (task, count) = (ROWS_PER_TASK * width, rows * width);
    in_place(grad_x, [x, weight, grad_y], |grad_x: &mut [E], [x, weight, grad_y]: [&[E]; 3]| {
        let weight = &weight[..width];
        let rows = x[..count].par_chunks(task).zip(grad_y[..count].par_chunks(task));
        grad_x[..count].par_chunks_mut(task).zip(rows).for_each(|(grad_x, (x, grad_y))| {
            dispatch(
                #[inline(always)]
                || {
                    let rows = x.chunks_exact(width).zip(grad_y.chunks_exact(width));
                    for (grad_x, (x, grad_y)) in grad_x.chunks_exact_mut(width).zip(rows) {
                        let scale = inverse_rms(x, eps);
                        let along = simd::dot3(grad_y, weight, x) * scale * scale / width as f32;
                        for i in 0..width {
                            let through = grad_y[i].wide() * weight[i].wide() - x[i].wide() * along;
                            grad_x[i] = E::narrowed(grad_x[i].wide() + scale * through);
                        }
                    }
                },
            )
        });
    })
}

#[inline(always)]
fn inverse_rms<E: Element>(x: &[E], eps: f64) -> f32 {
    1.0 / (simd::dot(x, x) / x.len() as f32 + eps as f32).sqrt()
}

/// The same on a device: by a kernel on CUDA, elsewhere in candle operations. bf16 is widened: a sum of squares does not
/// survive 8 bits.
pub mod device {
    use super::*;
    use candle_core::DType;

    fn widened(x: &Tensor) -> Result<Tensor> {
        if x.dtype() == DType::F64 { Ok(x.clone()) } else { x.to_dtype(DType::F32) }
    }

    fn inverse_rms(x: &Tensor, eps: f64) -> Result<Tensor> {
        (x.sqr()?.mean_keepdim(D::Minus1)? + eps)?.sqrt()?.recip()
    }

    /// See [`super::rms_norm`].
    ///
    /// # Errors
    /// As there.
    pub fn rms_norm(x: &Tensor, weight: &Tensor, eps: f64) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if cuda::takes(x) {
            return cuda::rms_norm::rms_norm(x, weight, eps);
        }
        let wide = widened(x)?;
        wide.broadcast_mul(&inverse_rms(&wide, eps)?)?.broadcast_mul(&widened(weight)?)?.to_dtype(x.dtype())
    }

    /// See [`super::add_backward`].
    ///
    /// # Errors
    /// As there.
    pub fn add_backward(
        grad_x: Tensor,
        x: &Tensor,
        weight: &Tensor,
        grad_y: &Tensor,
        eps: f64,
    ) -> Result<Tensor> {
        #[cfg(feature = "cuda")]
        if cuda::takes(x) {
            return cuda::rms_norm::add_backward(grad_x, x, weight, grad_y, eps);
        }
        let wide = widened(x)?;
        let scale = inverse_rms(&wide, eps)?;
        let normed = wide.broadcast_mul(&scale)?;
        let weighted = widened(grad_y)?.broadcast_mul(&widened(weight)?)?;
        let along = (&weighted * &normed)?.mean_keepdim(D::Minus1)?;
        let through = (weighted - normed.broadcast_mul(&along)?)?.broadcast_mul(&scale)?;
        grad_x + through.to_dtype(x.dtype())?
    }
}

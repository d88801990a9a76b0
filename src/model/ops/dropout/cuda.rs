//! The kernels of `dropout.cu`: the mask is made where it is used, and never lies in memory.

use super::{DropoutMask, Kernel};
use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::{
    CudaSlice, CudaView, DevicePtr, DevicePtrMut, LaunchConfig, PushKernelArg,
};
use candle_core::cuda_backend::{CudaStorageSlice, WrapErr};
use candle_core::{
    CpuStorage, CudaDevice, CudaStorage, CustomOp1, DType, InplaceOp2, Layout, Result, Shape, Tensor, bail,
};

#[allow(unreachable_pub, reason = "the build script writes the constants")]
mod ptx {
    include!(concat!(env!("OUT_DIR"), "/ptx.rs"));
}

/// Whether there is a kernel for this tensor.
pub(super) fn takes(x: &Tensor) -> bool {
    x.device().is_cuda() && matches!(x.dtype(), DType::F32 | DType::BF16)
}

/// See [`super::dropout`].
pub(super) fn dropout(x: &Tensor, mask: DropoutMask) -> Result<Tensor> {
    x.contiguous()?.apply_op1_no_bwd(&Masked(Kernel::new(mask)))
}

/// See [`super::add_backward`]: into `grad_x`, which nobody else holds.
pub(super) fn add_backward(grad_x: Tensor, grad_y: &Tensor, mask: DropoutMask) -> Result<Tensor> {
    grad_x.inplace_op2(&grad_y.contiguous()?, &Masked(Kernel::new(mask)))?;
    Ok(grad_x)
}

struct Masked(Kernel);

impl Masked {
    /// Launches `name` over the elements of `x`, which go into or onto `y`.
    fn launch<T>(
        &self,
        device: &CudaDevice,
        name: &str,
        x: &CudaView<T>,
        y: &mut CudaSlice<T>,
        at: usize,
    ) -> Result<()>
    where
        T: candle_core::cuda_backend::cudarc::driver::DeviceRepr,
        for<'a> CudaView<'a, T>: DevicePtr<T>,
        CudaSlice<T>: DevicePtrMut<T>,
    {
        let count = x.len();
        if count == 0 {
            return Ok(()); // a launch of no block is an error
        }
        let Kernel { threshold, scale, keys } = self.0;
        let function = device.get_or_load_custom_func(name, "tezgah_dropout", ptx::DROPOUT)?;
        let mut y = y.slice_mut(at..at + count);
        let mut call = function.builder();
        call.arg(&count).arg(&threshold).arg(&scale).arg(&keys.0).arg(&keys.1).arg(x).arg(&mut y);
        let blocks = count.div_ceil(THREADS as usize) as u32;
        let config =
            LaunchConfig { grid_dim: (blocks, 1, 1), block_dim: (THREADS, 1, 1), shared_mem_bytes: 0 };
        #[allow(unsafe_code, reason = "a launch trusts its arguments")]
        // SAFETY: they are those of the kernel's signature, and both buffers hold `count` elements.
        unsafe { call.launch(config) }.w()?;
        Ok(())
    }
}

const THREADS: u32 = 256;

/// The elements of a contiguous tensor in its storage.
fn range(layout: &Layout) -> Result<std::ops::Range<usize>> {
    match layout.contiguous_offsets() {
        Some((first, end)) => Ok(first..end),
        None => bail!("dropout takes contiguous tensors"),
    }
}

impl CustomOp1 for Masked {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn cpu_fwd(&self, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        bail!("the CPU has a kernel of its own")
    }

    fn cuda_fwd(&self, x: &CudaStorage, layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (device, count) = (x.device().clone(), layout.shape().elem_count());
        #[allow(unsafe_code, reason = "the kernel writes every element of the new buffer")]
        // SAFETY: as the reason says.
        let slice = match &x.slice {
            CudaStorageSlice::F32(x) => {
                let mut y = unsafe { device.alloc::<f32>(count)? };
                self.launch(&device, "dropout_f32", &x.slice(range(layout)?), &mut y, 0)?;
                CudaStorageSlice::F32(y)
            }
            CudaStorageSlice::BF16(x) => {
                let mut y = unsafe { device.alloc::<half::bf16>(count)? };
                self.launch(&device, "dropout_bf16", &x.slice(range(layout)?), &mut y, 0)?;
                CudaStorageSlice::BF16(y)
            }
            _ => bail!("no dropout kernel for {:?}", x.dtype()),
        };
        Ok((CudaStorage { slice, device }, layout.shape().clone()))
    }
}

impl InplaceOp2 for Masked {
    fn name(&self) -> &'static str {
        "add_dropout"
    }

    fn cpu_fwd(&self, _: &mut CpuStorage, _: &Layout, _: &CpuStorage, _: &Layout) -> Result<()> {
        bail!("the CPU has a kernel of its own")
    }

    fn cuda_fwd(&self, sum: &mut CudaStorage, to: &Layout, x: &CudaStorage, from: &Layout) -> Result<()> {
        let (device, at) = (x.device().clone(), range(to)?.start);
        match (&mut sum.slice, &x.slice) {
            (CudaStorageSlice::F32(sum), CudaStorageSlice::F32(x)) => {
                self.launch(&device, "add_dropout_f32", &x.slice(range(from)?), sum, at)
            }
            (CudaStorageSlice::BF16(sum), CudaStorageSlice::BF16(x)) => {
                self.launch(&device, "add_dropout_bf16", &x.slice(range(from)?), sum, at)
            }
            _ => bail!("no dropout kernel for {:?}", x.dtype()),
        }
    }
}

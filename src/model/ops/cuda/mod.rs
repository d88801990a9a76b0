//! Kernels of our own for CUDA, an operation a file: `<operation>.cu` with the formula at its head, and `<operation>.rs` beside it,
//! which launches it. The operation's own file decides by [`takes`] and falls back on its candle form.
//!
//! All work of a device is on one stream (`device/cuda.rs`), in the order of the calls: an address is of a buffer for as long as its
//! tensor lives, and memory that is given back is not used again before what was launched earlier has ended.

mod rows;
pub(super) mod lookup;
pub(super) mod dropout;
pub(crate) mod weights;
pub(crate) mod nf4;
pub(crate) mod ggml;
pub(crate) mod adamw;
pub(super) mod rms_norm;
pub(super) mod rope;
pub(super) mod swiglu;
pub(super) mod product;
pub(super) mod padding;
pub(super) mod softmax;
pub(super) mod attention;
pub(super) mod cross_entropy;

use candle_core::cuda_backend::cudarc::driver::{DevicePtr, LaunchConfig, PushKernelArg};
use candle_core::cuda_backend::{CudaStorageSlice, WrapErr};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, DType, Result, Shape, Storage, Tensor, bail};

/// The compiled kernels: a constant a file, by its name.
#[allow(unreachable_pub, reason = "the build script writes the constants")]
pub(super) mod ptx {
    include!(concat!(env!("OUT_DIR"), "/ptx.rs"));
}

/// Whether kernels here take this tensor.
pub(super) fn takes(x: &Tensor) -> bool {
    x.device().is_cuda() && matches!(x.dtype(), DType::F32 | DType::BF16)
}

/// How the kernels for numbers of `dtype` end: `_f32`, `_bf16`.
///
/// # Errors
/// Another type.
pub(super) fn suffix(dtype: DType) -> Result<&'static str> {
    match dtype {
        DType::F32 => Ok("f32"),
        DType::BF16 => Ok("bf16"),
        other => bail!("no kernel for {other:?}"),
    }
}

/// Where the first element of a contiguous tensor lies on its card.
///
/// # Errors
/// A tensor with gaps, or one of another device.
pub(super) fn address(tensor: &Tensor) -> Result<u64> {
    let (storage, layout) = tensor.storage_and_layout();
    let (Some((first, _)), Storage::Cuda(storage)) = (layout.contiguous_offsets(), &*storage) else {
        bail!("a kernel takes contiguous tensors of a card, got {layout:?}")
    };
    let stream = storage.device.cuda_stream();
    let begin = match &storage.slice {
        CudaStorageSlice::F32(values) => values.device_ptr(&stream).0,
        CudaStorageSlice::BF16(values) => values.device_ptr(&stream).0,
        CudaStorageSlice::U32(values) => values.device_ptr(&stream).0,
        CudaStorageSlice::U8(values) => values.device_ptr(&stream).0,
        _ => bail!("a kernel takes f32, bf16, u32 or u8, got {:?}", tensor.dtype()),
    };
    Ok(begin + (first * tensor.dtype().size_in_bytes()) as u64)
}

/// A tensor whose numbers nobody has written: the launch that follows writes every one.
///
/// # Errors
/// A type that no kernel writes; a card without memory left.
pub(super) fn unwritten(shape: impl Into<Shape>, dtype: DType, device: &CudaDevice) -> Result<Tensor> {
    let (shape, device) = (shape.into(), device.clone());
    let count = shape.elem_count();
    #[allow(unsafe_code, reason = "the launch that follows writes every element")]
    // SAFETY: as the reason says.
    let slice = unsafe {
        match dtype {
            DType::F32 => CudaStorageSlice::F32(device.alloc::<f32>(count)?),
            DType::BF16 => CudaStorageSlice::BF16(device.alloc::<half::bf16>(count)?),
            other => bail!("no kernel writes {other:?}"),
        }
    };
    let storage = Storage::Cuda(CudaStorage { slice, device });
    Ok(Tensor::from_storage(storage, shape, BackpropOp::none(), false))
}

/// A number that a kernel is given, in the order of its signature.
#[derive(Clone, Copy)]
pub(super) enum Argument {
    /// `T *`, by [`address`].
    Address(u64),
    /// `size_t`
    Count(usize),
    /// `unsigned`
    Whole(u32),
    /// `float`
    Number(f32),
}

/// Which kernel, and over what.
pub(super) struct Launch<'a> {
    /// The module's name, that of its file.
    pub(super) module: &'static str,
    /// What the file was compiled to.
    pub(super) ptx: &'static str,
    /// The kernel.
    pub(super) name: &'a str,
    /// Blocks, along x and y.
    pub(super) blocks: (usize, usize),
    /// Threads a block.
    pub(super) threads: u32,
    /// Bytes of shared memory a block, besides what the kernel declares.
    pub(super) shared: usize,
}

/// Launches a kernel. A launch of no block does nothing.
///
/// # Errors
/// A card that refuses it.
pub(super) fn launch(device: &CudaDevice, what: Launch, arguments: &[Argument]) -> Result<()> {
    if what.blocks.0 == 0 || what.blocks.1 == 0 {
        return Ok(());
    }
    let function = device.get_or_load_custom_func(what.name, what.module, what.ptx)?;
    let mut call = function.builder();
    for argument in arguments {
        match argument {
            Argument::Address(value) => call.arg(value),
            Argument::Count(value) => call.arg(value),
            Argument::Whole(value) => call.arg(value),
            Argument::Number(value) => call.arg(value),
        };
    }
    let config = LaunchConfig {
        grid_dim: (what.blocks.0 as u32, what.blocks.1 as u32, 1),
        block_dim: (what.threads, 1, 1),
        shared_mem_bytes: what.shared as u32,
    };
    #[allow(unsafe_code, reason = "a launch trusts its arguments")]
    // SAFETY: each caller gives those of its kernel's signature, and buffers as large as the kernel goes through.
    unsafe { call.launch(config) }.w()?;
    Ok(())
}

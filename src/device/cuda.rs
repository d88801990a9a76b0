//! A CUDA card as this program uses it: one stream, no events, a memory pool that keeps what it was given.

use crate::record::CardFacts;
use candle_core::cuda_backend::cudarc::driver::{CudaContext, DriverError, result, sys};
use candle_core::{Device, Result};
use std::ffi::c_void;
use std::sync::Arc;

/// The compute capability from which on a card multiplies bf16.
const BF16: (i32, i32) = (8, 0);

/// Opens the card `index` with one stream of its own.
///
/// candle's `Device::new_cuda` takes the per-thread default stream, which is another stream in every thread of the host:
/// work of two threads would be in no order. With one stream nothing has to be ordered by events, and cudarc, which would
/// record two of them for each tensor and operation, is told so before there is a tensor.
pub(super) fn open(index: usize) -> Result<Device> {
    let device = Device::new_cuda_with_stream(index)?;
    let card = device.as_cuda_device()?;
    #[allow(unsafe_code, reason = "cudarc leaves it to the caller that no second stream uses a tensor")]
    // SAFETY: the program makes no other stream, and every tensor of the device lives on this one.
    unsafe {
        card.disable_event_tracking();
    }
    let stream = card.cuda_stream();
    let context = stream.context();
    // By default the driver gives freed memory back at each synchronization, and the next step asks for it again. A pool
    // of another kind of driver is as good, only slower: its refusal is no error.
    let _ = set(context, Attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, u64::MAX);
    // The peak is to be this run's, not that of one before it in the same process.
    let _ = set(context, Attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0);
    Ok(device)
}

/// The context of `device`, where it is a card.
pub(super) fn context(device: &Device) -> Option<Arc<CudaContext>> {
    device.as_cuda_device().ok().map(|card| card.cuda_stream().context().clone())
}

/// Free memory of the card in bytes; what its pool holds and does not use is free too.
pub(super) fn free_memory(context: &CudaContext) -> Option<u64> {
    let (free, _) = context.mem_get_info().ok()?;
    let reserved = attribute(context, Attribute::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT).unwrap_or(0);
    let used = attribute(context, Attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT).unwrap_or(0);
    Some(free as u64 + reserved.saturating_sub(used))
}

/// The most bytes of the card that were in use at once.
pub(super) fn peak_memory(context: &CudaContext) -> Option<u64> {
    attribute(context, Attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH).ok()
}

/// `NVIDIA GeForce RTX 4090 24 GB`; some names tell their memory themselves: `NVIDIA H100 80GB HBM3`.
pub(super) fn name(context: &CudaContext) -> Option<String> {
    let (name, bytes) = (context.name().ok()?, context.total_mem().ok()?);
    let name = name.trim();
    match name.contains("GB") {
        true => Some(name.to_string()),
        false => Some(format!("{name} {:.0} GB", bytes as f64 / (1u64 << 30) as f64)),
    }
}

/// What the driver says of the card.
pub(super) fn facts(context: &CudaContext) -> Option<CardFacts> {
    let (major, minor) = context.compute_capability().ok()?;
    let mut version = 0; // 13000 is 13.0
    #[allow(unsafe_code, reason = "the driver's function takes a pointer to where the number goes")]
    // SAFETY: the pointer is that of a number of the type it writes.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().ok()?;
    Some(CardFacts {
        memory_bytes: context.total_mem().ok()? as u64,
        compute_capability: format!("{major}.{minor}"),
        driver: format!("CUDA {}.{}", version / 1000, version % 1000 / 10),
    })
}

/// The sentence why the card does not take bf16; none where it does.
pub(super) fn without_bf16(context: &CudaContext) -> Option<String> {
    let (major, minor) = context.compute_capability().ok()?;
    ((major, minor) < BF16).then(|| {
        format!("bf16 needs a card of compute capability {}.{}, this one has {major}.{minor}", BF16.0, BF16.1)
    })
}

type Attribute = sys::CUmemPool_attribute;

/// Gives a number of bytes to the card's memory pool.
fn set(context: &CudaContext, which: Attribute, mut bytes: u64) -> std::result::Result<(), DriverError> {
    #[allow(unsafe_code, reason = "the driver's function takes a pointer to the attribute's value")]
    // SAFETY: the pool is the card's own, and the attributes set here are 64 bits wide.
    unsafe {
        let pool = result::device::get_default_mem_pool(context.cu_device())?;
        sys::cuMemPoolSetAttribute(pool, which, (&raw mut bytes).cast::<c_void>()).result()
    }
}

/// A number of bytes that the card's memory pool knows.
fn attribute(context: &CudaContext, which: Attribute) -> std::result::Result<u64, DriverError> {
    let mut bytes = 0u64;
    #[allow(unsafe_code, reason = "the driver's function takes a pointer to where the value goes")]
    // SAFETY: the pool is the card's own, and the attributes asked for here are 64 bits wide.
    unsafe {
        let pool = result::device::get_default_mem_pool(context.cu_device())?;
        sys::cuMemPoolGetAttribute(pool, which, (&raw mut bytes).cast::<c_void>()).result()?;
    }
    Ok(bytes)
}

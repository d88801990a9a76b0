//! The device of a run, and what to do where it is not there.

use crate::error::{Error, Result};
use candle_core::{DType, Device};

/// Opens `auto`, `cpu`, `cuda`, `cuda:N` or `metal`. `auto` takes a GPU where the build and the machine have
/// one, else the CPU. The process's allocator is set up for a run on the way.
///
/// # Errors
/// `Error::Device` with the remedy: an unknown name, a build without the feature, no such device.
pub fn open(name: &str) -> Result<Device> {
    keep_freed_memory();
    let wrong = |message: String| Error::Device { device: name.to_string(), message };
    let (kind, index) = match name.split_once(':') {
        Some((kind, index)) => {
            let index = index.parse::<usize>();
            (kind, index.map_err(|_| wrong("expected cuda:N with N a whole number from 0 on".into()))?)
        }
        None => (name, 0),
    };
    match kind {
        "auto" => Ok(Device::new_cuda(0).or_else(|_| Device::new_metal(0)).unwrap_or(Device::Cpu)),
        "cpu" if !name.contains(':') => Ok(Device::Cpu),
        "cuda" if !cfg!(feature = "cuda") => {
            Err(wrong("this build has no CUDA; build with `--features cuda`, or use --device cpu".into()))
        }
        "cuda" => Device::new_cuda(index).map_err(|error| {
            wrong(format!(
                "no such GPU ({error}); see `nvidia-smi`, or use --device cpu",
                error = first_line(&error)
            ))
        }),
        "metal" if !cfg!(feature = "metal") => {
            Err(wrong("this build has no Metal; build with `--features metal`, or use --device cpu".into()))
        }
        "metal" => Device::new_metal(index)
            .map_err(|error| wrong(format!("no Metal device ({}); use --device cpu", first_line(&error)))),
        _ => Err(wrong("expected auto, cpu, cuda, cuda:N or metal".into())),
    }
}

/// Lets the allocator keep freed memory for the next buffer of the process. By default glibc maps every large buffer anew
/// and unmaps it, and the kernel clears each page again: a fifth of a training step (`benches/README.md`).
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "mallopt is a C function; it sets two numbers of the allocator")]
fn keep_freed_memory() {
    // SAFETY: mallopt may be called at any time and from any thread; a value that it refuses changes nothing.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_freed_memory() {}

/// Memory that a run on `device` could have, in bytes: the GPU's own where it says how much is free, else the machine's.
pub(crate) fn free_memory(device: &Device) -> u64 {
    match device {
        #[cfg(feature = "cuda")]
        Device::Cuda(_) => candle_core::cuda_backend::cudarc::driver::result::mem_get_info()
            .map(|(free, _)| free as u64)
            .unwrap_or(u64::MAX),
        // Metal's memory is the machine's.
        _ => crate::record::environment::available_memory(),
    }
}

fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

/// The dtype that `auto` means on `device`.
pub(crate) fn default_dtype(device: &Device) -> DType {
    if device.is_cpu() { DType::F32 } else { DType::BF16 }
}

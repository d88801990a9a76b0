//! The device of a run, and what to do where it is not there.

#[cfg(feature = "cuda")]
mod cuda;
pub(crate) mod processor;
#[cfg_attr(not(all(target_os = "linux", target_env = "gnu")), path = "no_heap.rs")]
pub(crate) mod heap;
mod threads;

use crate::error::{Error, Result};
use crate::record::{CardFacts, environment};
use candle_core::{DType, Device};
use processor::Bf16Instructions;
pub use threads::among_threads;

/// A device, and what there is to say of the choice.
pub struct Opened {
    /// Where the tensors of the run live.
    pub device: Device,
    /// Why `auto` took the CPU although the build has a GPU's code, and the way out.
    pub fallback: Option<String>,
}

/// Opens `auto`, `cpu`, `cuda`, `cuda:N` or `metal`. `auto` takes a GPU where the build and the machine have
/// one, else the CPU; the others are that device or an error. The process's allocator is set up for a run on the way.
///
/// # Errors
/// `Error::Device` with the remedy: an unknown name, a build without the feature, no such device.
pub fn open(name: &str) -> Result<Opened> {
    heap::keep_freed();
    let wrong = |message: String| Error::Device { device: name.to_string(), message };
    let only = |device: Device| Ok(Opened { device, fallback: None });
    let (kind, index) = match name.split_once(':') {
        Some((kind, index)) => {
            let index = index.parse::<usize>();
            (kind, index.map_err(|_| wrong("expected cuda:N with N a whole number from 0 on".into()))?)
        }
        None => (name, 0),
    };
    match kind {
        "auto" => Ok(best()),
        "cpu" if !name.contains(':') => only(Device::Cpu),
        "cuda" if !cfg!(feature = "cuda") => {
            Err(wrong("this build has no CUDA; build with `--features cuda`, or use --device cpu".into()))
        }
        "cuda" => open_cuda(index)
            .map_err(|error| {
                let error = first_line(&error);
                wrong(format!("no such GPU ({error}); see `nvidia-smi`, or use --device cpu"))
            })
            .and_then(only),
        "metal" if !cfg!(feature = "metal") => {
            Err(wrong("this build has no Metal; build with `--features metal`, or use --device cpu".into()))
        }
        "metal" => Device::new_metal(index)
            .map_err(|error| wrong(format!("no Metal device ({}); use --device cpu", first_line(&error))))
            .and_then(only),
        _ => Err(wrong("expected auto, cpu, cuda, cuda:N or metal".into())),
    }
}

/// The GPU of this build, else the CPU.
fn best() -> Opened {
    let (gpu, kind) = match cfg!(feature = "metal") {
        true => (Device::new_metal(0), "Metal"),
        false => (open_cuda(0), "CUDA"),
    };
    let has_code = cfg!(any(feature = "cuda", feature = "metal"));
    match gpu {
        Ok(device) => Opened { device, fallback: None },
        Err(error) => Opened {
            device: Device::Cpu,
            fallback: has_code.then(|| {
                format!(
                    "{kind} cannot be used ({}): running on the CPU; see `nvidia-smi`, or say --device cpu",
                    first_line(&error)
                )
            }),
        },
    }
}

#[cfg(feature = "cuda")]
fn open_cuda(index: usize) -> candle_core::Result<Device> {
    cuda::open(index)
}

#[cfg(not(feature = "cuda"))]
fn open_cuda(_: usize) -> candle_core::Result<Device> {
    candle_core::bail!("this build has no CUDA")
}

/// What a GPU says of itself; each is absent on a CPU, and where the driver does not know.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Card {
    /// Its name with its memory, `NVIDIA GeForce RTX 4090 24 GB`.
    pub name: Option<String>,
    /// What its driver says of it.
    pub facts: Option<CardFacts>,
    /// Bytes that are free.
    pub free_memory: Option<u64>,
    /// The most bytes that were in use at once.
    pub peak_memory: Option<u64>,
    /// The sentence why it does not take bf16; absent where it does.
    pub without_bf16: Option<String>,
}

/// What is known of the card behind `device`.
pub fn card(device: &Device) -> Card {
    #[cfg(feature = "cuda")]
    if let Some(context) = cuda::context(device) {
        return Card {
            name: cuda::name(&context),
            facts: cuda::facts(&context),
            free_memory: cuda::free_memory(&context),
            peak_memory: cuda::peak_memory(&context),
            without_bf16: cuda::without_bf16(&context),
        };
    }
    let _ = device; // Metal and the CPU say nothing
    Card::default()
}

/// Memory that a run on `device` could have, in bytes: the GPU's own where it says how much is free, else the machine's.
pub(crate) fn free_memory(device: &Device) -> u64 {
    // Metal's memory is the machine's.
    card(device).free_memory.unwrap_or_else(environment::available_memory)
}

/// Half of what the card behind `device` has free, in bytes: the other half is for what is done there. Nothing on a host,
/// which shares its memory with what else a person does.
pub(crate) fn half_of_free(device: &Device) -> u64 {
    card(device).free_memory.unwrap_or(0) / 2
}

/// The most memory that the run has used so far, in bytes: the GPU's own where it says so, else the process's.
pub fn peak_memory(device: &Device) -> u64 {
    card(device).peak_memory.unwrap_or_else(environment::peak_memory)
}

fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_string()
}

/// The dtype that `auto` means on `device`.
pub(crate) fn default_dtype(device: &Device) -> DType {
    let has_bf16 = match device.is_cpu() {
        true => Bf16Instructions::of_this_machine().is_some(),
        false => card(device).without_bf16.is_none(),
    };
    if has_bf16 { DType::BF16 } else { DType::F32 }
}

/// What the processor multiplies bf16 with, where it is the device of the run and does.
pub(crate) fn fast_bf16(device: &Device) -> Option<&'static str> {
    let instructions = Bf16Instructions::of_this_machine().filter(|_| device.is_cpu());
    instructions.map(Bf16Instructions::name)
}

//! What the processor multiplies bf16 with.

/// Instructions that add products of bf16 to sums in f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bf16Instructions {
    /// TDPBF16PS, on tiles of 16 x 16 sums.
    Amx,
    /// VDPBF16PS, on registers of 16 sums.
    Avx512,
}

impl Bf16Instructions {
    /// The best that processor and operating system allow; none where there are none.
    pub(crate) fn of_this_machine() -> Option<Self> {
        static FOUND: std::sync::OnceLock<Option<Bf16Instructions>> = std::sync::OnceLock::new();
        *FOUND.get_or_init(find)
    }

    /// As a line of the terminal names them.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Bf16Instructions::Amx => "AMX",
            Bf16Instructions::Avx512 => "AVX-512 BF16",
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn find() -> Option<Bf16Instructions> {
    use Bf16Instructions::{Amx, Avx512};
    // Tiles are packed by AVX-512.
    let has_avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw");
    let pairs = (has_avx512 && is_x86_feature_detected!("avx512bf16")).then_some(Avx512);
    match std::env::var("TEZGAH_BF16").as_deref() {
        Ok("none") => None,
        Ok("avx512") => pairs,
        _ if has_avx512 && has_tiles() && are_tiles_permitted() => Some(Amx),
        _ => pairs,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn find() -> Option<Bf16Instructions> {
    None
}

/// CPUID.(EAX=7, ECX=0):EDX, bits 22 (AMX-BF16) and 24 (AMX-TILE).
#[cfg(target_arch = "x86_64")]
fn has_tiles() -> bool {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const BITS: u32 = (1 << 22) | (1 << 24);
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & BITS == BITS
}

/// Linux gives the tiles' state to processes that ask for it (arch_prctl(2), ARCH_REQ_XCOMP_PERM).
#[cfg(all(target_arch = "x86_64", target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "a call of the kernel that takes two numbers")]
fn are_tiles_permitted() -> bool {
    const REQUEST: libc::c_long = 0x1023;
    const TILE_DATA: libc::c_long = 18;
    // SAFETY: the call touches no memory of this process.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) == 0 }
}

#[cfg(all(target_arch = "x86_64", not(all(target_os = "linux", target_env = "gnu"))))]
fn are_tiles_permitted() -> bool {
    false
}

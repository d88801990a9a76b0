//! The clock, the machine and git: the only place that reads them.

use crate::record::{CardFacts, Environment};
use candle_core::Device;
use std::path::Path;
use std::process::Command;

/// The moment, RFC 3339 with the offset of the place, to the second.
#[allow(clippy::disallowed_methods, reason = "the record's clock")]
pub fn now() -> String {
    chrono::Local::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

/// An RFC 3339 moment as seconds since 1970; 0 where it is none.
pub(crate) fn unix_seconds(moment: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(moment).map_or(0, |moment| moment.timestamp())
}

/// Where this process runs: on `device`, which is the accelerator of that name and `card`, or a CPU. `repository` is where
/// git is asked for the commit.
pub(crate) fn capture(
    device: &Device,
    accelerator: Option<String>,
    card: Option<CardFacts>,
    repository: &Path,
) -> Environment {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(repository).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
    };
    Environment {
        started_at: now(),
        finished_at: None,
        tezgah_version: env!("CARGO_PKG_VERSION").to_string(),
        git_commit: git(&["rev-parse", "HEAD"]),
        // What runs wrote is no change of the program: the second of five levels finds the first one's files.
        git_dirty: git(&["status", "--porcelain", "--", ".", ":(exclude)reports"])
            .is_some_and(|changes| !changes.is_empty()),
        command: command(),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        cpu: cpu_name(),
        threads: rayon::current_num_threads(),
        memory_bytes: total_memory(),
        device: device_name(device),
        accelerator,
        card,
    }
}

/// The command line without the folders of the program itself.
fn command() -> Vec<String> {
    let mut arguments: Vec<String> = std::env::args().collect();
    if let Some(program) = arguments.first_mut() {
        let name = Path::new(program.as_str()).file_name().map(|name| name.to_string_lossy().into_owned());
        *program = name.unwrap_or_default();
    }
    arguments
}

/// `cpu`, `cuda:0`, `metal:0`.
pub(crate) fn device_name(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".into(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

/// Name of this machine in its network.
pub fn host() -> String {
    sysinfo::System::host_name().unwrap_or_else(|| "this machine".into())
}

fn cpu_name() -> String {
    let system = sysinfo::System::new_with_specifics(
        sysinfo::RefreshKind::nothing().with_cpu(sysinfo::CpuRefreshKind::nothing()),
    );
    let name = system.cpus().first().map(|cpu| cpu.brand().trim().to_string());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| std::env::consts::ARCH.into())
}

fn memory() -> sysinfo::System {
    sysinfo::System::new_with_specifics(
        sysinfo::RefreshKind::nothing().with_memory(sysinfo::MemoryRefreshKind::nothing().with_ram()),
    )
}

/// Memory of the machine, in bytes.
pub(crate) fn total_memory() -> u64 {
    memory().total_memory()
}

/// Memory that a new process could have, in bytes.
pub(crate) fn available_memory() -> u64 {
    memory().available_memory()
}

/// Highest resident memory of this process so far, in bytes; 0 where the platform does not say.
#[cfg(unix)]
pub fn peak_memory() -> u64 {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF);
    let peak = usage.map(|usage| usage.max_rss().max(0) as u64).unwrap_or(0);
    // Linux counts in KiB, macOS in bytes.
    if cfg!(target_os = "macos") { peak } else { peak * 1024 }
}

/// Highest resident memory of this process so far, in bytes; 0 where the platform does not say.
#[cfg(not(unix))]
pub fn peak_memory() -> u64 {
    0
}

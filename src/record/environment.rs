//! The clock, the machine and git: the only place that reads them.

use crate::record::{CardFacts, Environment};
use candle_core::Device;
use std::path::{Path, PathBuf};
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

/// The command line without the folders of the program itself, and without the name of its user.
fn command() -> Vec<String> {
    let mut arguments: Vec<String> =
        std::env::args_os().map(|argument| from_home(&argument.to_string_lossy())).collect();
    if let Some(program) = arguments.first_mut() {
        let name = Path::new(program.as_str()).file_name().map(|name| name.to_string_lossy().into_owned());
        *program = name.unwrap_or_default();
    }
    arguments
}

/// `text` with `~` for the user's folder: a record is published, the name of an account need not be.
pub(crate) fn from_home(text: &str) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    shortened(text, home.trim_end_matches('/'))
}

/// The other way: a path of a record, on this machine.
pub(crate) fn to_home(text: &str) -> String {
    match (text.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{}/{rest}", home.trim_end_matches('/')),
        _ => text.to_string(),
    }
}

fn shortened(text: &str, home: &str) -> String {
    match home.len() > 1 {
        true => text.replace(&format!("{home}/"), "~/"),
        false => text.to_string(),
    }
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

/// Memory that this process could still have, in bytes: what the machine has free, and no more than its control groups
/// (Docker, Slurm) leave it.
pub(crate) fn available_memory() -> u64 {
    let own = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let left = left_to_group(&own, Path::new("/sys/fs/cgroup"));
    memory().available_memory().min(left.unwrap_or(u64::MAX))
}

/// What the group that `own` (`/proc/self/cgroup`, version 2) names, and those around it, may still take; none where no
/// group has a limit.
fn left_to_group(own: &str, root: &Path) -> Option<u64> {
    let name = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let number = |path: PathBuf| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let group = root.join(name);
    let groups = group.ancestors().take_while(|group| group.starts_with(root));
    // `max` is no number: a group without a limit.
    let left = |group: &Path| {
        let used = number(group.join("memory.current")).unwrap_or(0);
        Some(number(group.join("memory.max"))?.saturating_sub(used))
    };
    groups.filter_map(left).min()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_group_around_a_process_limits_it() {
        let root = tempfile::tempdir().expect("a folder");
        let group = root.path().join("slurm/job_7");
        std::fs::create_dir_all(&group).expect("folders");
        let write = |name: &str, text: &str| std::fs::write(root.path().join(name), text).expect("written");
        assert_eq!(left_to_group("0::/slurm/job_7\n", root.path()), None, "no limit anywhere");
        write("slurm/job_7/memory.max", "max\n");
        write("slurm/memory.max", "4000\n");
        write("slurm/memory.current", "1000\n");
        assert_eq!(left_to_group("0::/slurm/job_7\n", root.path()), Some(3000));
        write("slurm/job_7/memory.max", "500\n");
        write("slurm/job_7/memory.current", "600\n");
        assert_eq!(left_to_group("0::/slurm/job_7\n", root.path()), Some(0), "over its limit");
        assert_eq!(left_to_group("4:memory:/old\n", root.path()), None, "version 1 is not read");
    }

    #[test]
    fn the_name_of_an_account_is_left_out() {
        assert_eq!(shortened("/home/ayse/veri/a1.json", "/home/ayse"), "~/veri/a1.json");
        assert_eq!(shortened("--data=/home/ayse/a1.json", "/home/ayse"), "--data=~/a1.json");
        assert_eq!(shortened("/home/aysel/a1.json", "/home/ayse"), "/home/aysel/a1.json");
        assert_eq!(shortened("/veri/a1.json", ""), "/veri/a1.json");
    }
}

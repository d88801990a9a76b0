//! A sweep on Slurm, without one: programs of its names stand in PATH and answer as Slurm 22.05.8 did. The script is run by bash as a
//! node would run it. `.ci/slurm-check` does the same with Slurm itself.
#![cfg(target_os = "linux")]

use crate::program::{json, program, read, record};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Steps enough that a task can be met on its way.
const STEPS: &str = "train.max_steps=60";

/// A folder with the sweep and the programs in it.
struct Cluster {
    folder: tempfile::TempDir,
}

impl Cluster {
    fn new() -> Cluster {
        let cluster = Cluster { folder: tempfile::tempdir().expect("folder") };
        let log = cluster.path("log");
        cluster.has("sbatch", &format!("echo \"sbatch $*\" >> '{log}'\necho 7\n"));
        cluster.has(
            "scontrol",
            &format!("echo \"scontrol $*\" >> '{log}'\necho 'MaxArraySize            = 1001'\n"),
        );
        cluster.has("sacct", "echo 'Slurm accounting storage is disabled' >&2\nexit 1\n");
        cluster.queue("");
        cluster
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8 path").to_string()
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("sweep")
    }

    /// Puts a program into PATH.
    fn has(&self, name: &str, lines: &str) {
        let bin = self.folder.path().join("bin");
        std::fs::create_dir_all(&bin).expect("folder");
        let path = bin.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{lines}")).expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
    }

    /// What `squeue` says from now on.
    fn queue(&self, text: &str) {
        std::fs::write(self.path("queue"), text).expect("written");
        self.has("squeue", &format!("cat '{}'\n", self.path("queue")));
    }

    fn command(&self, mut command: Command) -> Command {
        let path = std::env::var("PATH").expect("PATH");
        command.env("PATH", format!("{}:{path}", self.path("bin"))).env("RAYON_NUM_THREADS", "1");
        command
    }

    /// Exit code, and all that the program said.
    fn sweep(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.command(program("sweep")).args(arguments).output().expect("the example is built");
        (output.status.code(), whole(&output))
    }

    fn plan(&self, more: &[&str]) -> (Option<i32>, String) {
        let out = self.path("sweep");
        let fixed = ["--levels", "a1", "--seeds", "3407,1", "--engine", "slurm", "--out", &out];
        let run = ["--smoke", "--samples", "0", "--quiet", "--set", STEPS];
        self.sweep(&[&fixed[..], &run[..], more].concat())
    }

    fn status(&self) -> String {
        let (code, text) = self.sweep(&["status", &self.path("sweep")]);
        assert_eq!(code, Some(0), "{text}");
        text
    }

    /// Begins an element of the array, as a node does.
    fn begin(&self, index: usize) -> Child {
        let mut command = self.command(Command::new("bash"));
        command.arg(self.out().join("slurm/job.sh")).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("SLURM_ARRAY_JOB_ID", "7").env("SLURM_ARRAY_TASK_ID", index.to_string());
        command.env("SLURM_CPUS_PER_TASK", "1").spawn().expect("bash")
    }
}

fn whole(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat()
}

fn line_of<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {text}"))
}

/// Until the run has made a step.
fn wait_for_a_step(folder: &Path) {
    let began = Instant::now();
    let has_step =
        || std::fs::read_to_string(folder.join("events.jsonl")).is_ok_and(|text| text.contains("\"step\""));
    while !has_step() {
        assert!(began.elapsed() < Duration::from_secs(120), "no step in {}", folder.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn signal(name: &str, child: &Child) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(child.id().to_string()).status();
    assert!(sent.expect("kill").success());
}

/// The time limit is near: the task is told, saves, is queued again, goes on, and ends with the bytes of the run made directly.
#[test]
fn a_task_is_signalled_requeued_and_ends_as_the_direct_run() {
    let cluster = Cluster::new();
    let (code, text) = cluster.plan(&["--submit"]);
    assert_eq!(code, Some(0), "{text}");
    let script = cluster.out().join("slurm/job.sh");
    assert_eq!(std::fs::metadata(&script).expect("the script").permissions().mode() & 0o777, 0o755);
    assert!(read(&script).contains("\n#SBATCH --array=0-1\n"), "{}", read(&script));
    assert!(read(Path::new(&cluster.path("log"))).contains("sbatch --parsable "), "submitted");
    let submission = json(&cluster.out().join("slurm/jobs.jsonl"));
    assert_eq!((submission["job"].as_u64(), submission["indices"].to_string()), (Some(7), "[0,1]".into()));

    cluster.queue("7_0|RUNNING|None|0:04\n7_1|PENDING|Priority|0:00\n");
    let text = cluster.status();
    assert!(line_of(&text, "a1-seed-3407 ").contains(" running "), "{text}");
    assert!(line_of(&text, "a1-seed-1 ").contains(" queued       PENDING (Priority)"), "{text}");

    let mut task = cluster.begin(1);
    wait_for_a_step(&cluster.out().join("a1-seed-1"));
    cluster.queue("7_1|RUNNING|None|0:04\n");
    let text = cluster.status();
    assert!(line_of(&text, "a1-seed-1 ").contains(" of 60, since "), "{text}");
    signal("USR1", &task);
    assert_eq!(task.wait().expect("ended").code(), Some(143));
    assert!(read(Path::new(&cluster.path("log"))).contains("scontrol requeue 7_1\n"), "requeued");
    assert_eq!(record(&cluster.out().join("a1-seed-1"))["status"], "interrupted");
    cluster.queue("7_1|PENDING|BeginTime|0:00\n");
    let text = cluster.status();
    let line = line_of(&text, "a1-seed-1 ");
    assert!(line.contains(" queued ") && line.contains("goes on after step "), "{line}");

    assert!(cluster.begin(1).wait().expect("ended").success());
    cluster.queue("");
    let text = cluster.status();
    assert!(line_of(&text, "a1-seed-1 ").ends_with(" done"), "{text}");
    assert!(text.contains("\n2 runs: 1 done, 1 not begun\n"), "{text}");
    let direct = cluster.path("direct");
    let mut command = cluster.command(program("a1"));
    command.args(["--smoke", "--samples", "0", "--quiet", "--set", STEPS]);
    command.args(["--set", "train.seed=1", "--out", &direct]);
    assert!(command.status().expect("the example is built").success());
    let bytes =
        |folder: &Path| std::fs::read(folder.join("adapter/adapter_model.safetensors")).expect("an adapter");
    assert!(bytes(&cluster.out().join("a1-seed-1")) == bytes(Path::new(&direct)));

    // What is done is not submitted again.
    let (code, text) = cluster.plan(&[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(read(&script).contains("\n#SBATCH --array=0\n"), "{}", read(&script));
}

/// A task that is killed leaves a record that says running: no process holds it, and Slurm knows how it ended, for a while.
#[test]
fn a_killed_task_is_failed_while_slurm_knows_it_and_stopped_after() {
    let cluster = Cluster::new();
    let (code, text) = cluster.plan(&["--submit"]);
    assert_eq!(code, Some(0), "{text}");
    let folder = cluster.out().join("a1-seed-3407");
    let mut command = cluster.command(program("sweep"));
    command.args(["task", &cluster.path("sweep"), "0"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut task = command.spawn().expect("the example is built");
    wait_for_a_step(&folder);
    task.kill().expect("killed");
    task.wait().expect("ended");
    assert_eq!(record(&folder)["status"], "running");

    std::fs::write(cluster.out().join("slurm/logs/0.log"), "Killed\n").expect("written");
    cluster.queue("7_0|FAILED|NonZeroExitCode|0:04\n");
    let text = cluster.status();
    assert!(
        line_of(&text, "a1-seed-3407 ").contains(" failed       FAILED (NonZeroExitCode), step "),
        "{text}"
    );
    assert!(line_of(&text, "log of a1-seed-3407: ").ends_with("slurm/logs/0.log"), "{text}");
    // One job alone that has left the queue.
    cluster.has("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2\nexit 1\n");
    let text = cluster.status();
    assert!(line_of(&text, "a1-seed-3407 ").contains(" stopped      step "), "{text}");
    cluster.has("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2\nexit 1\n");
    let text = cluster.status();
    assert!(text.contains("Slurm does not answer (slurm_load_jobs error: Unable to contact"), "{text}");
}

#[test]
fn what_slurm_would_refuse_is_said_in_one_line() {
    let cluster = Cluster::new();
    let refusal = |more: &[&str]| {
        let (code, text) = cluster.plan(more);
        assert_eq!(code, Some(2), "{text}");
        text.lines().last().unwrap_or_default().to_string()
    };
    let file = cluster.path("slurm.toml");
    std::fs::write(&file, "time = \"8:00:00\"\npartition = \"a b\"\n").expect("written");
    let line = refusal(&["--slurm", &file]);
    assert!(
        line.contains("slurm.toml: partition: expected one word") && line.contains("got 'a b'"),
        "{line}"
    );

    cluster.has("scontrol", "echo 'MaxArraySize            = 1'\n");
    let line = refusal(&["--submit"]);
    assert!(line.contains("expected indices below 1, this Slurm's MaxArraySize, got 1"), "{line}");

    cluster.has("scontrol", "exit 1\n");
    cluster.has(
        "sbatch",
        "echo 'sbatch: error: invalid partition specified: nosuch' >&2\n\
         echo 'sbatch: error: Batch job submission failed: Invalid partition name specified' >&2\nexit 1\n",
    );
    let line = refusal(&["--submit"]);
    assert!(line.contains("invalid partition specified: nosuch; sbatch: error: Batch job"), "{line}");
    assert!(!cluster.out().join("slurm/jobs.jsonl").exists());
}

//! What Slurm says of a job array's elements: `squeue`, which knows them until `MinJobAge` after their end, and `sacct`, which knows
//! them for ever where the cluster keeps accounts.

use std::collections::BTreeMap;
use std::process::Command;

/// Elements of job arrays, by the job's number and their index, and what Slurm says of each.
pub(in crate::series::sweep) type Elements = BTreeMap<(u64, usize), Element>;

/// One element, as Slurm sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::series::sweep) struct Element {
    /// `PENDING`, `RUNNING`, `OUT_OF_MEMORY`: in Slurm's words.
    pub(in crate::series::sweep) state: String,
    /// Why it waits, or by what code or signal it ended; empty where there is nothing to say.
    pub(in crate::series::sweep) reason: String,
}

/// How far an element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::series::sweep) enum Phase {
    /// It waits, for the first time or again.
    Waiting,
    /// It has a node.
    Running,
    /// It ended, well or as it was told to.
    Ended,
    /// It ended and should not have.
    Broken,
}

impl Element {
    /// How far it is. States that this program does not know are those of an element that waits: a new Slurm may have them.
    pub(in crate::series::sweep) fn phase(&self) -> Phase {
        match self.state.as_str() {
            "RUNNING" | "COMPLETING" | "SIGNALING" | "STAGE_OUT" | "STOPPED" | "SUSPENDED" => Phase::Running,
            "COMPLETED" | "CANCELLED" | "PREEMPTED" | "REVOKED" => Phase::Ended,
            "FAILED" | "TIMEOUT" | "OUT_OF_MEMORY" | "NODE_FAIL" | "BOOT_FAIL" | "DEADLINE" => Phase::Broken,
            _ => Phase::Waiting,
        }
    }

    /// Its state and its reason: `PENDING (Priority)`.
    pub(in crate::series::sweep) fn words(&self) -> String {
        match self.reason.is_empty() {
            true => self.state.clone(),
            false => format!("{} ({})", self.state, self.reason),
        }
    }
}

/// What Slurm knows of `jobs`.
///
/// # Errors
/// One line: what `squeue` said, or that there is none. That `sacct` does not answer is no error.
pub(in crate::series::sweep) fn ask(jobs: &[u64]) -> Result<Elements, String> {
    let list: Vec<String> = jobs.iter().map(u64::to_string).collect();
    let list = list.join(",");
    let mut elements = Elements::new();
    // Accounts first: the queue is the newer of the two.
    if let Ok(text) = output("sacct", &["-n", "-P", "-X", "-j", &list, "-o", "JobID,State,ExitCode"]) {
        elements.extend(in_accounts(&text));
    }
    match output("squeue", &["-h", "-r", "--states=all", "-j", &list, "-o", "%i|%T|%r|%M"]) {
        Ok(text) => join(&mut elements, in_queue(&text)),
        // What it says of a job alone that has left the queue.
        Err(message) if message.contains("Invalid job id") => {}
        Err(message) => return Err(message),
    }
    Ok(elements)
}

/// The output of a program of Slurm's.
///
/// # Errors
/// One line: its own words, or that it could not be started.
pub(super) fn output(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [] => Err(format!("{program}: {}", output.status)),
        lines => Err(lines.join("; ")),
    }
}

/// The queue's word counts, but for how an element ended: that the accounts know better.
fn join(elements: &mut Elements, queue: Elements) {
    for (place, element) in queue {
        let has_ended = matches!(element.phase(), Phase::Ended | Phase::Broken);
        let is_known = elements.get(&place).is_some_and(|known| known.state == element.state);
        if !(has_ended && is_known) {
            elements.insert(place, element);
        }
    }
}

/// The lines of `squeue -h -r -o "%i|%T|%r|%M"`: `7_3|PENDING|Resources|0:00`.
fn in_queue(text: &str) -> Elements {
    let element = |line: &str| {
        let [id, state, reason, _] = fields(line)?;
        let reason = if reason == "None" { "" } else { reason };
        Some((place(id)?, Element { state: state.to_string(), reason: reason.to_string() }))
    };
    text.lines().filter_map(element).collect()
}

/// The lines of `sacct -n -P -X -o JobID,State,ExitCode`: `7_0|FAILED|3:0`, the exit code and the signal.
fn in_accounts(text: &str) -> Elements {
    let element = |line: &str| {
        let [id, state, code] = fields(line)?;
        // `CANCELLED by 1000`.
        let state = state.split_whitespace().next()?;
        let reason = match code.split_once(':')? {
            ("0", "0") => String::new(),
            ("0", signal) => format!("signal {signal}"),
            (code, _) => format!("exit code {code}"),
        };
        Some((place(id)?, Element { state: state.to_string(), reason }))
    };
    text.lines().filter_map(element).collect()
}

fn fields<const N: usize>(line: &str) -> Option<[&str; N]> {
    line.split('|').map(str::trim).collect::<Vec<_>>().try_into().ok()
}

/// `7_3`: job 7, element 3. Elements that Slurm has not told apart yet, `7_[4-9]`, are those of which it knows nothing.
fn place(id: &str) -> Option<(u64, usize)> {
    let (job, index) = id.split_once('_')?;
    Some((job.parse().ok()?, index.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slurm 22.05.8: job 7 with an element that exits with 3, one that kills itself, one that was requeued by `scontrol requeue`, two
    /// that sleep, one of them held too late; job 12 after `scancel`; job 15 with `--array=0-7%2`.
    const QUEUE: &str = "\
7_2|FAILED|JobLaunchFailure|0:00
7_0|FAILED|NonZeroExitCode|0:00
7_1|PENDING|BeginTime|0:00
7_3|RUNNING|None|0:04
7_7|RUNNING|JobHeldAdmin|0:01
12_0|COMPLETED|None|0:01
12_1|CANCELLED|BeginTime|0:00
15_3|PENDING|JobArrayTaskLimit|0:00
";

    /// Written after sacct's manual (JobID, State, ExitCode), since the Slurm at hand keeps no accounts.
    const ACCOUNTS: &str = "\
7_0|FAILED|3:0
7_1|COMPLETED|0:0
7_2|OUT_OF_MEMORY|0:125
7_4|CANCELLED by 1000|0:0
7_5|TIMEOUT|0:0
7_[8-9]|PENDING|0:0
";

    #[test]
    fn the_queue_is_read_as_slurm_prints_it() {
        let queue = in_queue(QUEUE);
        assert_eq!(queue.len(), 8);
        let words = |job, index| queue[&(job, index)].words();
        assert_eq!(words(7, 0), "FAILED (NonZeroExitCode)");
        assert_eq!(words(7, 1), "PENDING (BeginTime)");
        assert_eq!(words(7, 3), "RUNNING");
        assert_eq!(words(15, 3), "PENDING (JobArrayTaskLimit)");
        let phases = [(7, 1), (7, 3), (12, 0), (12, 1), (7, 2)].map(|place| queue[&place].phase());
        assert_eq!(phases, [Phase::Waiting, Phase::Running, Phase::Ended, Phase::Ended, Phase::Broken]);
        // Without -r: nothing is known of single elements.
        assert_eq!(in_queue("7_[3,7]|PENDING|Resources|0:00\n\nslurm_load_jobs error\n"), Elements::new());
    }

    #[test]
    fn accounts_know_how_an_element_ended_and_the_queue_what_goes_on() {
        let mut elements = in_accounts(ACCOUNTS);
        assert_eq!(elements[&(7, 2)].words(), "OUT_OF_MEMORY (signal 125)");
        assert_eq!(elements[&(7, 4)].words(), "CANCELLED");
        assert_eq!(elements[&(7, 5)].phase(), Phase::Broken);
        assert!(!elements.contains_key(&(7, 8)));
        join(&mut elements, in_queue(QUEUE));
        // Both know of its end: the code is the accounts'.
        assert_eq!(elements[&(7, 0)].words(), "FAILED (exit code 3)");
        // It ended once, and waits again.
        assert_eq!(elements[&(7, 1)].words(), "PENDING (BeginTime)");
        assert_eq!(elements[&(7, 2)].words(), "FAILED (JobLaunchFailure)");
    }
}

//! The state of one run, of what its folder and Slurm say.

use super::super::slurm::queue::{Element, Phase};
use crate::record::Status;

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Done,
    Running,
    Queued,
    Interrupted,
    Stopped,
    Failed,
    NotBegun,
}

impl State {
    /// All, in the order in which they are counted.
    pub(super) const ALL: [State; 7] = [
        State::Done,
        State::Running,
        State::Queued,
        State::Interrupted,
        State::Stopped,
        State::Failed,
        State::NotBegun,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            State::Done => "done",
            State::Running => "running",
            State::Queued => "queued",
            State::Interrupted => "interrupted",
            State::Stopped => "stopped",
            State::Failed => "failed",
            State::NotBegun => "not begun",
        }
    }
}

/// What is known of one run.
pub(super) struct Seen {
    pub(super) record: Recorded,
    /// Its task, where it has one that Slurm knows.
    pub(super) element: Option<Element>,
    /// A process holds the folder.
    pub(super) is_held: bool,
}

/// What its folder says.
pub(super) enum Recorded {
    Nothing,
    Unreadable(String),
    Run(Facts),
}

/// What the table shows of a record.
pub(super) struct Facts {
    pub(super) status: Status,
    pub(super) failure: Option<String>,
    pub(super) started_at: String,
    pub(super) step: usize,
    pub(super) total_steps: usize,
}

impl Facts {
    fn progress(&self) -> String {
        format!("step {} of {}", self.step, self.total_steps)
    }
}

/// The state of a run, and what there is to say of it.
pub(super) fn judged(seen: &Seen) -> (State, String) {
    let phase = seen.element.as_ref().map(Element::phase);
    let words = || seen.element.as_ref().map(Element::words).unwrap_or_default();
    match (&seen.record, phase) {
        (Recorded::Run(Facts { status: Status::Completed, .. }), _) => (State::Done, String::new()),
        (record, Some(Phase::Running)) => (State::Running, going(record)),
        (record, Some(Phase::Waiting)) => (State::Queued, waiting(record, &words())),
        (record, _) if seen.is_held => (State::Running, going(record)),
        (Recorded::Unreadable(message), _) => (State::Failed, message.clone()),
        (Recorded::Nothing, Some(Phase::Broken)) => (State::Failed, words()),
        (Recorded::Nothing, _) => (State::NotBegun, words()),
        (Recorded::Run(facts), phase) => match (facts.status, phase) {
            (Status::Failed, _) => (State::Failed, facts.failure.clone().unwrap_or_default()),
            (Status::Interrupted, _) => (State::Interrupted, joined(&facts.progress(), &words())),
            (_, Some(Phase::Broken)) => (State::Failed, joined(&words(), &facts.progress())),
            _ => (State::Stopped, joined(&facts.progress(), &words())),
        },
    }
}

/// Of a run that goes on. The record of an earlier start stands until the new one has read its data.
fn going(record: &Recorded) -> String {
    match record {
        Recorded::Run(facts) if facts.status == Status::Running => {
            format!("{}, since {}", facts.progress(), facts.started_at)
        }
        _ => "begins".into(),
    }
}

/// Of a run that waits, with the commonest of Slurm's reasons in words.
fn waiting(record: &Recorded, words: &str) -> String {
    let meaning = [
        ("(Priority)", "others go first"),
        ("(Resources)", "no node is free"),
        ("(BeginTime)", "Slurm lets a requeued task rest for two minutes"),
        ("(JobArrayTaskLimit)", "at_once others are running"),
        ("(JobHeldUser)", "held: scontrol release"),
        ("(JobHeldAdmin)", "held by an administrator"),
        ("(PartitionTimeLimit)", "its time is longer than the partition allows"),
        ("QOSMax", "a limit of the account"),
        ("Assoc", "a limit of the account"),
    ];
    let meaning =
        meaning.iter().find(|(reason, _)| words.contains(reason)).map_or("", |(_, meaning)| meaning);
    let words = joined(words, meaning);
    match record {
        Recorded::Run(facts) => format!("{words}; goes on after {}", facts.progress()),
        _ => words,
    }
}

fn joined(first: &str, second: &str) -> String {
    [first, second].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(status: Status) -> Recorded {
        let failure = (status == Status::Failed).then(|| "training diverged at step 3: loss".to_string());
        let started_at = "2026-11-27T02:44:12+03:00".into();
        Recorded::Run(Facts { status, failure, started_at, step: 12, total_steps: 40 })
    }

    fn of(record: Recorded, state: &str, reason: &str) -> (State, String) {
        let element = Element { state: state.into(), reason: reason.into() };
        judged(&Seen { record, element: (!state.is_empty()).then_some(element), is_held: false })
    }

    #[test]
    fn the_folder_and_slurm_together_say_how_far_a_run_is() {
        use Recorded::Nothing;
        let cases = [
            (of(run(Status::Completed), "FAILED", ""), State::Done, ""),
            (
                of(run(Status::Running), "RUNNING", ""),
                State::Running,
                "step 12 of 40, since 2026-11-27T02:44:12+03:00",
            ),
            (of(run(Status::Interrupted), "RUNNING", ""), State::Running, "begins"),
            (of(Nothing, "PENDING", "Priority"), State::Queued, "PENDING (Priority), others go first"),
            (of(Nothing, "PENDING", "Dependency"), State::Queued, "PENDING (Dependency)"),
            (
                of(run(Status::Interrupted), "PENDING", "BeginTime"),
                State::Queued,
                "PENDING (BeginTime), Slurm lets a requeued task rest for two minutes; goes on after step 12 of 40",
            ),
            (of(run(Status::Interrupted), "", ""), State::Interrupted, "step 12 of 40"),
            (of(run(Status::Interrupted), "CANCELLED", ""), State::Interrupted, "step 12 of 40, CANCELLED"),
            (
                of(run(Status::Failed), "FAILED", "exit code 1"),
                State::Failed,
                "training diverged at step 3: loss",
            ),
            (of(run(Status::Running), "OUT_OF_MEMORY", ""), State::Failed, "OUT_OF_MEMORY, step 12 of 40"),
            (of(run(Status::Running), "", ""), State::Stopped, "step 12 of 40"),
            (of(Nothing, "FAILED", "exit code 2"), State::Failed, "FAILED (exit code 2)"),
            (of(Nothing, "", ""), State::NotBegun, ""),
            (
                of(Recorded::Unreadable("record a: no JSON".into()), "", ""),
                State::Failed,
                "record a: no JSON",
            ),
        ];
        for (place, (judged, state, detail)) in cases.into_iter().enumerate() {
            assert_eq!(judged, (state, detail.to_string()), "case {place}");
        }
        let held = Seen { record: run(Status::Running), element: None, is_held: true };
        assert_eq!(judged(&held).0, State::Running);
    }
}

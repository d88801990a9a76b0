//! Facts that change from run to run by nature, and the sentences that follow them.

use super::words::{self, Piece};
use crate::error::Result;
use crate::paths::{leaves, paired};
use crate::record::RunRecord;
use crate::report::profile::Profile;
use crate::report::{document, files};
use serde::Serialize;
use serde_json::Value;

/// A group of facts that no rerun is asked to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatile {
    /// How long the training took.
    TrainingTime,
    /// When the run began and ended.
    Clock,
    /// Processor, accelerator, threads, operating system.
    Machine,
    /// Memory and tokens a second.
    Load,
    /// Version and commit of this program.
    Program,
    /// Files and command line.
    Paths,
}

impl Volatile {
    /// Every group; the training time first, the only one that a thesis section always states.
    pub const ALL: [Volatile; 6] = [
        Volatile::TrainingTime,
        Volatile::Clock,
        Volatile::Machine,
        Volatile::Load,
        Volatile::Program,
        Volatile::Paths,
    ];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Volatile::TrainingTime => "training time",
            Volatile::Clock => "start and end",
            Volatile::Machine => "machine",
            Volatile::Load => "memory and throughput",
            Volatile::Program => "program version",
            Volatile::Paths => "files and command",
        }
    }

    /// Gives `to` the facts of `from`.
    fn copy(self, from: &RunRecord, to: &mut RunRecord) {
        let (source, target) = (&from.environment, &mut to.environment);
        match self {
            Volatile::TrainingTime => to.training.seconds = from.training.seconds,
            Volatile::Clock => {
                target.started_at.clone_from(&source.started_at);
                target.finished_at.clone_from(&source.finished_at);
            }
            Volatile::Machine => {
                target.platform.clone_from(&source.platform);
                target.cpu.clone_from(&source.cpu);
                target.threads = source.threads;
                target.device.clone_from(&source.device);
                target.accelerator.clone_from(&source.accelerator);
                target.card.clone_from(&source.card);
            }
            Volatile::Load => {
                target.memory_bytes = source.memory_bytes;
                to.training.tokens_per_second = from.training.tokens_per_second;
                to.training.peak_memory_bytes = from.training.peak_memory_bytes;
            }
            Volatile::Program => {
                target.tezgah_version.clone_from(&source.tezgah_version);
                target.git_commit.clone_from(&source.git_commit);
                target.git_dirty = source.git_dirty;
            }
            Volatile::Paths => {
                target.command.clone_from(&source.command);
                to.dataset.source.clone_from(&from.dataset.source);
                to.model.source.clone_from(&from.model.source);
                // Which outputs there are, and of what type, is no accident; where they lie and how long they are is.
                let kinds = |record: &RunRecord| -> Vec<String> {
                    record.outputs.iter().map(|output| output.kind.clone()).collect()
                };
                if kinds(from) == kinds(to) {
                    for (source, target) in from.outputs.iter().zip(&mut to.outputs) {
                        target.path.clone_from(&source.path);
                        target.bytes = source.bytes;
                    }
                }
            }
        }
    }
}

/// A volatile fact that differs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VolatileFact {
    /// Its group.
    pub group: Volatile,
    /// Its record path.
    pub path: String,
    /// In the old run; absent where its record has none.
    pub old: Option<Value>,
    /// In the new run.
    pub new: Option<Value>,
}

/// A sentence of a thesis section that follows volatile facts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AllowedSentence {
    /// The section's file.
    pub file_name: String,
    /// What it follows.
    pub group: Volatile,
    /// The old sentence and the new, word by word.
    pub pieces: Vec<Piece>,
}

/// `new` as if it had met the volatile facts of `old`.
pub(super) fn steadied(new: &RunRecord, old: &RunRecord) -> RunRecord {
    let mut steady = new.clone();
    for group in Volatile::ALL {
        group.copy(old, &mut steady);
    }
    steady
}

/// The volatile facts in which the two differ; the seconds of single steps are not among them.
pub(super) fn facts(old: &RunRecord, new: &RunRecord) -> Vec<VolatileFact> {
    let tree = |record: &RunRecord| {
        serde_json::to_value(record).expect("a record is plain numbers, names and lists")
    };
    let after = tree(&outline(new));
    let mut facts = Vec::new();
    for group in Volatile::ALL {
        let mut moved = outline(new);
        group.copy(old, &mut moved);
        let moved = tree(&moved);
        let sides =
            paired(&leaves(&moved), &leaves(&after)).into_iter().filter(|sides| sides.old != sides.new);
        facts.extend(sides.map(|sides| VolatileFact {
            group,
            path: sides.path,
            old: sides.old.cloned(),
            new: sides.new.cloned(),
        }));
    }
    facts
}

/// Without the long lists, in which nothing is volatile.
fn outline(record: &RunRecord) -> RunRecord {
    let mut outline = record.clone();
    outline.training.steps.clear();
    outline.training.evals.clear();
    outline.evaluation = Default::default();
    outline.texts = None;
    outline.samples.clear();
    outline
}

/// The sentences that a group alone moves. Found by rendering: no list of Turkish sentences could stay complete.
pub(super) fn sentences(old: &RunRecord, new: &RunRecord, profile: &Profile) -> Result<Vec<AllowedSentence>> {
    let facts = facts(old, new);
    let mut sentences = Vec::new();
    for group in Volatile::ALL {
        if !facts.iter().any(|fact| fact.group == group) {
            continue;
        }
        // Both sides are the new run; only the group's facts are the old one's and its own.
        let mut before = new.clone();
        group.copy(old, &mut before);
        let before = document::render(&before, &[], profile)?;
        let sections = words::compare(&before, &document::render(new, &[], profile)?);
        // The appendix has a table of these facts, as the page has one.
        for section in sections.into_iter().filter(|section| section.file_name != files::APPENDIX) {
            sentences.extend(section.changes.into_iter().map(|change| AllowedSentence {
                file_name: section.file_name.clone(),
                group,
                pieces: change.pieces,
            }));
        }
    }
    Ok(sentences)
}

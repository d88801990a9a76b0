//! What changed between two runs, and what of it a thesis must follow.
//!
//! ```text
//! identity     which rows, model, recipe, code, machine -> can the numbers be compared at all?
//! metrics      same | within noise | changed, each with its reason
//! conclusions  findings, criteria, significance and signs that turned
//! digits       numbers that print in another way
//! words        the sections, word by word
//! ```
//! Facts that change from run to run by nature (times, host, memory, throughput, paths: [`Volatile`]) are kept out
//! of all of this: the second run is looked at as if it had met the first one's. What they alone move is listed
//! as allowed to change.
//!
//! Both texts are rendered from the records by this program, so that a changed template is no difference.

mod words;
mod volatile;
mod measured;
mod noise;
mod texts;
mod metrics;
mod conclusions;
mod digits;
mod page;

pub use crate::paint::Paint;
pub use crate::record::identity::{Effect, Fact, Subject};
pub use conclusions::{Conclusion, ConclusionKind};
pub use digits::Digit;
pub use measured::MetricVerdict;
pub use metrics::Metric;
pub use noise::SeedNoise;
pub use page::print;
pub use volatile::{AllowedSentence, Volatile, VolatileFact};
pub use words::{Change, Piece, PieceKind, Section};

use crate::error::{Error, Result};
use crate::record::folder::RunFolder;
use crate::record::{RunRecord, identity, store};
use crate::report::document;
use crate::report::profile::Profile;
use serde::Serialize;
use std::path::Path;

/// Everything that sets two runs apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The answer in one word.
    pub verdict: Verdict,
    /// What kind of runs the two were, where they differ in it.
    pub identity: Vec<Fact>,
    /// Every measured number of the two.
    pub metrics: Vec<Metric>,
    /// Claims that hold for one run only.
    pub conclusions: Vec<Conclusion>,
    /// Numbers that the documents print in another way.
    pub digits: Vec<Digit>,
    /// The three thesis sections; those without a change are left out.
    pub sections: Vec<Section>,
    /// Volatile facts that differ.
    pub volatile: Vec<VolatileFact>,
    /// Sentences of the sections that follow a volatile fact: the only ones that may differ between equal runs.
    pub allowed: Vec<AllowedSentence>,
}

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every metric is equal at full precision, and no text changes but by volatile facts.
    Same,
    /// Some metrics differ by no more than noise, and no text changes.
    WithinNoise,
    /// A metric changed beyond noise, or a text must.
    Changed,
    /// The two were not measured on the same thing.
    Incomparable,
}

impl Verdict {
    /// Exit code of the tool: 0 where nothing has to be done, 1 where something changed, 2 where the two cannot be
    /// compared.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Same | Verdict::WithinNoise => 0,
            Verdict::Changed => 1,
            Verdict::Incomparable => 2,
        }
    }
}

/// A record by its file, or by the folder of the run.
///
/// # Errors
/// As [`store::read`].
pub fn read(path: &Path) -> Result<RunRecord> {
    if path.is_dir() { RunFolder::new(path).read() } else { store::read(path) }
}

/// Compares two runs. `noise`, from runs that differ in their seed alone, is a second yardstick beside the paired
/// rows; `profile` is the typography in which the numbers are printed.
///
/// # Errors
/// `Error::Report` where a record cannot be rendered, naming which.
pub fn compare(
    old: &RunRecord,
    new: &RunRecord,
    noise: Option<&SeedNoise>,
    profile: &Profile,
) -> Result<Difference> {
    let steady = volatile::steadied(new, old);
    // Without charts: drawing them is slow, and no chart says what the text does not.
    let rendered = |record: &RunRecord, name: &str| {
        document::render(record, &[], profile)
            .map_err(|error| Error::Report(format!("the {name} record: {error}")))
    };
    let (before, after) = (rendered(old, "old")?, rendered(&steady, "new")?);

    let identity = identity::facts(old, new);
    let is_comparable = identity.iter().all(|fact| fact.effect != Effect::Incomparable);
    let metrics = metrics::compare(old, new, noise, is_comparable);
    let conclusions = conclusions::compare(old, new, &steady, profile)?;
    let digits = digits::compare(&before, &after);
    let sections = words::compare(&before, &after);

    let has = |verdict| metrics.iter().any(|metric| metric.verdict == verdict);
    let is_text_changed = !digits.is_empty()
        || !sections.is_empty()
        || conclusions.iter().any(|conclusion| !conclusion.is_allowed);
    let verdict = if !is_comparable {
        Verdict::Incomparable
    } else if has(MetricVerdict::Changed) || is_text_changed {
        Verdict::Changed
    } else if has(MetricVerdict::WithinNoise) {
        Verdict::WithinNoise
    } else {
        Verdict::Same
    };
    let allowed = volatile::sentences(old, new, profile)?;
    let volatile = volatile::facts(old, new);
    Ok(Difference { verdict, identity, metrics, conclusions, digits, sections, volatile, allowed })
}

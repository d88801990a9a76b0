//! What the findings of a run come to, in one word.

use super::{Finding, Kind};
use crate::report::finding::{Claim, Severity};
use crate::report::measures::Mask;
use serde::Serialize;

/// The answer to whether the fine-tuning lowered the response loss on the held-out rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The numbers are no result of a thesis, whatever they are.
    Unusable,
    /// It did, and no finding puts that in doubt.
    Supported,
    /// It did, and a finding forbids to conclude much from it.
    Reserved,
    /// The loss is lower; no test was made.
    Untested,
    /// It did not, or not beyond what chance explains, or nobody looked.
    NotSupported,
}

/// The verdict that `findings`, those of one run, allow.
pub fn verdict(findings: &[Finding]) -> Verdict {
    let severity = |finding: &Finding| finding.kind.severity();
    if findings.iter().any(|finding| severity(finding) == Severity::Disqualification) {
        return Verdict::Unusable;
    }
    let is_direction = |finding: &&Finding| {
        finding.mask == Some(Mask::Masked) && finding.kind != Kind::BaselineWorseThanUniform
    };
    match findings.iter().find(is_direction).map(|finding| finding.kind) {
        Some(Kind::Improved) if findings.iter().any(|finding| severity(finding) > Severity::Caution) => {
            Verdict::Reserved
        }
        Some(Kind::Improved) => Verdict::Supported,
        Some(Kind::ImprovedUntested) => Verdict::Untested,
        _ => Verdict::NotSupported,
    }
}

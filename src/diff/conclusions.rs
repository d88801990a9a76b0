//! Claims that hold for one run only: findings, success criteria, significance, signs.

use crate::error::Result;
use crate::paths::paired;
use crate::record::RunRecord;
use crate::report::document::{self, Sentences};
use crate::report::finding::{Claim, name};
use crate::report::findings::{self, Finding, criteria};
use crate::report::measures::{self, Mask};
use crate::report::profile::Profile;
use serde::Serialize;

/// A claim that the two runs do not share.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conclusion {
    /// What sort of claim.
    pub kind: ConclusionKind,
    /// What it is about: `comparison (masked)`, `peak_reached`.
    pub subject: String,
    /// What held for the old run; absent where nothing did.
    pub old: Option<String>,
    /// What holds for the new run.
    pub new: Option<String>,
    /// Turkish sentences of the old texts that no longer hold.
    pub withdrawn: Vec<String>,
    /// Turkish sentences that hold now.
    pub stated: Vec<String>,
    /// Only a volatile fact moved it (whether the working copy was clean, say): no measurement did.
    pub is_allowed: bool,
}

/// What sort of claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConclusionKind {
    /// A finding of the report.
    Finding,
    /// A success criterion.
    Criterion,
    /// Whether a difference between base and fine-tuned model counts as significant.
    Significance,
    /// Which way a number went.
    Sign,
}

impl ConclusionKind {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            ConclusionKind::Finding => "finding",
            ConclusionKind::Criterion => "criterion",
            ConclusionKind::Significance => "significance",
            ConclusionKind::Sign => "sign",
        }
    }
}

/// The claims in which the two differ; `steady` is the new run with the old one's volatile facts.
pub(super) fn compare(
    old: &RunRecord,
    new: &RunRecord,
    steady: &RunRecord,
    profile: &Profile,
) -> Result<Vec<Conclusion>> {
    let measured = differing(old, steady, profile)?;
    let mut all = differing(old, new, profile)?;
    for conclusion in &mut all {
        let is_measured =
            measured.iter().any(|other| other.kind == conclusion.kind && other.subject == conclusion.subject);
        conclusion.is_allowed = !is_measured;
    }
    Ok(all)
}

fn differing(old: &RunRecord, new: &RunRecord, profile: &Profile) -> Result<Vec<Conclusion>> {
    let mut conclusions = of_findings(old, new, profile)?;
    let turned = [
        (ConclusionKind::Criterion, outcomes(old, profile), outcomes(new, profile)),
        (ConclusionKind::Significance, significance(old), significance(new)),
        (ConclusionKind::Sign, signs(old), signs(new)),
    ];
    for (kind, before, after) in turned {
        let pairs = paired(&before, &after).into_iter().filter(|pair| pair.old != pair.new);
        conclusions.extend(pairs.map(|pair| Conclusion {
            kind,
            subject: pair.path,
            old: pair.old,
            new: pair.new,
            withdrawn: Vec::new(),
            stated: Vec::new(),
            is_allowed: false,
        }));
    }
    Ok(conclusions)
}

/// Findings of one run only; two on the same topic and loss are one that turned.
fn of_findings(old: &RunRecord, new: &RunRecord, profile: &Profile) -> Result<Vec<Conclusion>> {
    let is_in = |finding: &Finding, others: &[Finding]| {
        others.iter().any(|other| other.kind == finding.kind && other.mask == finding.mask)
    };
    let (before, after) = (findings::findings(old, profile.limits), findings::findings(new, profile.limits));
    if before.iter().all(|finding| is_in(finding, &after))
        && after.iter().all(|finding| is_in(finding, &before))
    {
        return Ok(Vec::new());
    }
    let lost =
        document::finding_sentences(old, profile)?.into_iter().filter(|(finding, _)| !is_in(finding, &after));
    let mut gained: Vec<(Finding, Sentences)> = document::finding_sentences(new, profile)?
        .into_iter()
        .filter(|(finding, _)| !is_in(finding, &before))
        .collect();
    let mut conclusions: Vec<Conclusion> = lost
        .map(|lost| {
            let about = |finding: &Finding| (finding.kind.topic(), finding.mask);
            let place = gained.iter().position(|(finding, _)| about(finding) == about(&lost.0));
            of_finding(Some(lost), place.map(|place| gained.remove(place)))
        })
        .collect();
    conclusions.extend(gained.into_iter().map(|gained| of_finding(None, Some(gained))));
    Ok(conclusions)
}

fn of_finding(lost: Option<(Finding, Sentences)>, gained: Option<(Finding, Sentences)>) -> Conclusion {
    let kind = |side: &Option<(Finding, Sentences)>| side.as_ref().map(|(finding, _)| finding.kind.name());
    let (old, new) = (kind(&lost), kind(&gained));
    let subject =
        lost.as_ref().or(gained.as_ref()).map_or_else(String::new, |(finding, _)| match finding.mask {
            Some(mask) => format!("{} ({})", name(finding.kind.topic()), mask.name()),
            None => name(finding.kind.topic()),
        });
    let lines = |side: Option<(Finding, Sentences)>| -> Vec<String> {
        side.map(|(_, said)| [said.results, said.discussion].concat()).unwrap_or_default()
    };
    Conclusion {
        kind: ConclusionKind::Finding,
        subject,
        old,
        new,
        withdrawn: lines(lost),
        stated: lines(gained),
        is_allowed: false,
    }
}

fn outcomes(record: &RunRecord, profile: &Profile) -> Vec<(String, String)> {
    let findings = findings::findings(record, profile.limits);
    criteria::criteria(record, &findings)
        .into_iter()
        .map(|criterion| (name(criterion.name), name(criterion.outcome)))
        .collect()
}

fn significance(record: &RunRecord) -> Vec<(String, String)> {
    let Some(statistics) = &record.evaluation.statistics else { return Vec::new() };
    [(Mask::Masked, &statistics.masked), (Mask::Full, &statistics.full)]
        .into_iter()
        .map(|(mask, comparison)| {
            let verdict = if comparison.is_significant() { "significant" } else { "not significant" };
            (format!("base against fine-tuned ({})", mask.name()), verdict.into())
        })
        .collect()
}

/// Which way the numbers went of which a text says that they fell or rose.
fn signs(record: &RunRecord) -> Vec<(String, String)> {
    let mut signs = Vec::new();
    let mut push = |name: &str, change: f64| {
        let direction = match change {
            change if change < 0.0 => "fell",
            change if change > 0.0 => "rose",
            _ => "stayed",
        };
        signs.push((name.to_string(), direction.to_string()));
    };
    for mask in Mask::ALL {
        if let Some(pair) = measures::both_scores(record, mask) {
            push(&format!("{} loss", mask.name()), pair.fine_tuned.loss - pair.baseline.loss);
        }
    }
    let training = &record.training;
    if let [first, .., last] = training.steps.as_slice() {
        push("training loss", last.loss - first.loss);
    }
    if let [first, .., last] = training.evals.as_slice() {
        push("evaluation loss", last.loss - first.loss);
    }
    signs
}

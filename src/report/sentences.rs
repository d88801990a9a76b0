//! From findings and criteria to Turkish sentences, for the documents and for readers outside them.
//!
//! A kind `k` has the macros `k_sonuc` (results), `k_tartisma` (discussion) and, where a document must begin with it,
//! `k_uyari`; a criterion `c` has `c_olcut` (what is asked), and `c_dayanak` (the evidence) or `c_eksik` (what the
//! record lacks).

use super::engine::{Macros, View};
use super::finding::{Claim, Finding, Severity, name};
use super::findings::Kind;
use super::findings::criteria::{Criterion, Outcome};
use super::findings::verdict::verdict;
use super::quantity::{Quantities, Quantity};
use super::{quantity, trace, turkish};
use crate::error::Result;
use crate::level::Level;
use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;
use std::collections::BTreeMap;

/// The Turkish sentences of one finding, or of all findings of a topic.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sentences {
    /// What was seen.
    pub results: Vec<String>,
    /// What it means.
    pub discussion: Vec<String>,
}

fn of<K: Claim>(macros: &mut Macros<'_>, finding: &Finding<K>) -> Result<Sentences> {
    let name = finding.kind.name();
    Ok(Sentences {
        results: macros.say(&format!("{name}_sonuc"), evidence(finding))?,
        discussion: macros.say(&format!("{name}_tartisma"), evidence(finding))?,
    })
}

/// Each finding with its sentences as they are read, without the marks of the trace.
pub(super) fn plain<K: Claim>(
    macros: &mut Macros<'_>,
    findings: Vec<Finding<K>>,
) -> Result<Vec<(Finding<K>, Sentences)>> {
    let read = |lines: Vec<String>| lines.iter().map(|line| trace::plain(line)).collect();
    findings
        .into_iter()
        .map(|finding| {
            let Sentences { results, discussion } = of(macros, &finding)?;
            Ok((finding, Sentences { results: read(results), discussion: read(discussion) }))
        })
        .collect()
}

/// What a template sees of the findings: the sentences by topic (`said`), what a document begins with (`warnings`),
/// and for each finding to be minded its discussion (`notes`).
pub(super) fn of_findings<K: Claim>(macros: &mut Macros<'_>, findings: &[Finding<K>]) -> Result<View> {
    let mut said: BTreeMap<String, Sentences> =
        K::TOPICS.iter().map(|topic| (name(topic), Sentences::default())).collect();
    let mut notes = Vec::new();
    for finding in findings {
        let sentences = of(macros, finding)?;
        let topic = said.entry(name(finding.kind.topic())).or_default();
        for (lines, more) in
            [(&mut topic.results, &sentences.results), (&mut topic.discussion, &sentences.discussion)]
        {
            more.iter().for_each(|line| push_new(lines, line.clone()));
        }
        // What is only good to know stands in the discussion and need not stand twice.
        if finding.kind.severity() > Severity::Note && !sentences.discussion.is_empty() {
            push_new(&mut notes, sentences.discussion);
        }
    }
    let warnings = warnings(macros, findings)?;
    Ok(View::from([
        ("said", Value::from(Serde(&said))),
        ("warnings", Value::from(warnings)),
        ("notes", Value::from(notes)),
    ]))
}

/// What a document begins with: why nothing in it is a result of a thesis, where that is so.
pub(super) fn warnings<K: Claim>(macros: &mut Macros<'_>, findings: &[Finding<K>]) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    for finding in findings.iter().filter(|finding| finding.kind.severity() == Severity::Disqualification) {
        warnings.extend(macros.say(&format!("{}_uyari", finding.kind.name()), evidence(finding))?);
    }
    Ok(warnings)
}

/// Two findings, on both losses say, may lead to the same remark: once is enough.
fn push_new<T: PartialEq>(list: &mut Vec<T>, new: T) {
    if !list.contains(&new) {
        list.push(new);
    }
}

/// What a template sees of the criteria: group, question, outcome and evidence of each.
pub(super) fn of_criteria(macros: &mut Macros<'_>, criteria: &[Criterion]) -> Result<Value> {
    let mut say = |criterion: &Criterion, part: &str, argument: Value| -> Result<Value> {
        let lines = macros.say(&format!("{}_{part}", name(criterion.name)), argument)?;
        Ok(Value::from(lines.join("\n")))
    };
    criteria
        .iter()
        .map(|criterion| {
            let evidence = match criterion.outcome {
                Outcome::Undetermined => say(criterion, "eksik", Value::from(()))?,
                _ => say(criterion, "dayanak", quantity::named(&criterion.evidence))?,
            };
            Ok(Value::from_pairs([
                ("group", Value::from(name(criterion.name.group()))),
                ("asked", say(criterion, "olcut", Value::from(()))?),
                ("outcome", Value::from(name(criterion.outcome))),
                ("evidence", evidence),
            ]))
        })
        .collect::<Result<Vec<Value>>>()
        .map(Value::from)
}

/// The closing sentences: how many criteria were met, and the verdict.
pub(super) fn closing(
    macros: &mut Macros<'_>,
    findings: &[Finding<Kind>],
    criteria: &[Criterion],
) -> Result<View> {
    let count = |name: &'static str, is_counted: &dyn Fn(Outcome) -> bool| {
        let count = criteria.iter().filter(|criterion| is_counted(criterion.outcome)).count();
        (name, Quantity::new(format!("count(criteria {name})"), count))
    };
    let counts: Quantities = [
        count("all", &|_| true),
        count("met", &|outcome| outcome == Outcome::Met),
        count("not_met", &|outcome| outcome == Outcome::NotMet),
        count("undetermined", &|outcome| outcome == Outcome::Undetermined),
    ]
    .into();
    let counted = macros.say("sayim", quantity::named(&counts))?;
    let verdict = macros.say(&format!("{}_hukum", name(verdict(findings))), Value::from(()))?;
    Ok(View::from([
        ("counted", Value::from(counted.join("\n"))),
        ("verdict", Value::from(verdict.join("\n"))),
    ]))
}

/// What a finding's sentences see: its numbers, `mask` where it speaks of one loss, its levels and its list.
fn evidence<K>(finding: &Finding<K>) -> Value {
    let numbers = finding.evidence.iter().map(|(name, quantity)| (*name, Value::from(quantity.clone())));
    let items = finding
        .items
        .iter()
        .map(|item| {
            let texts = [("text", &item.text), ("path", &item.path)];
            let texts = texts.map(|(name, text)| (name, Value::from(text.as_str())));
            Value::from_pairs(which(&item.levels).into_iter().chain(texts))
        })
        .collect();
    let mask = finding.mask.map(|mask| ("mask", Value::from(mask.name())));
    Value::from_pairs(numbers.chain(which(&finding.levels)).chain([("items", items)]).chain(mask))
}

/// The levels as text, and whether they are several, or all there are: their names need not be listed in every
/// sentence.
fn which(levels: &[Level]) -> [(&'static str, Value); 3] {
    [
        ("levels", Value::from(listed(levels))),
        ("many", Value::from(levels.len() > 1)),
        ("all", Value::from(levels.len() == Level::ALL.len())),
    ]
}

/// `A1, A2 ve B1`.
pub(super) fn listed(levels: &[Level]) -> String {
    turkish::listed(&levels.iter().map(|level| level.label().to_string()).collect::<Vec<_>>())
}

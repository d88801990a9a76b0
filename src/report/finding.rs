//! A claim that was checked, with its evidence; what it may claim is listed in `report::findings` for one run and in
//! `report::levels::findings` for several levels.
//!
//! A finding is a typed value. Its Turkish sentences stand in a template as macros of its kind's name; the templates
//! print what is found and decide nothing.

use super::measures::Mask;
use super::quantity::{Quantities, Quantity};
use crate::level::Level;
use minijinja::Value;
use minijinja::value::Serde;
use serde::Serialize;

/// One claim that holds for a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding<K> {
    /// What is claimed.
    pub kind: K,
    /// Which loss it speaks of, where it speaks of one.
    pub mask: Option<Mask>,
    /// The levels that it holds for, from A1 to C1; none where it speaks of one run.
    pub levels: Vec<Level>,
    /// What it lists beyond numbers: models, settings, pairs of levels.
    pub items: Vec<Item>,
    /// The numbers that make it true, by the names that its sentences use, with their record paths.
    pub evidence: Quantities,
}

/// One thing of a list: levels, and what is said of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The levels.
    pub levels: Vec<Level>,
    /// A model's name, a setting's path with its values, or nothing.
    pub text: String,
    /// Where in the record the text stands, where a sentence quotes it from there.
    pub path: String,
}

impl Item {
    /// Levels, and nothing said of them.
    pub(super) fn of(levels: Vec<Level>) -> Self {
        Item { levels, text: String::new(), path: String::new() }
    }
}

/// How much a reader must mind a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Narrows what may be concluded.
    Caution,
    /// Forbids a conclusion.
    Warning,
    /// Makes the numbers no result of a thesis, or not yet: the first lines of a document must say it.
    Disqualification,
}

/// What can be claimed of one sort of record; `kinds!` declares it.
pub trait Claim: Copy + PartialEq + Serialize + 'static {
    /// Where sentences belong.
    type Topic: Copy + PartialEq + Serialize + 'static;

    /// Every topic, in the order of the text.
    const TOPICS: &'static [Self::Topic];
    /// Every kind.
    const ALL: &'static [Self];

    /// Where its sentences belong.
    fn topic(self) -> Self::Topic;

    /// How much a reader must mind it.
    fn severity(self) -> Severity;

    /// Its name in templates: `peak_never_reached`.
    fn name(self) -> String {
        name(self)
    }

    /// The claim for one run.
    fn with<const N: usize>(self, evidence: [(&'static str, Quantity); N]) -> Finding<Self> {
        Finding { kind: self, mask: None, levels: Vec::new(), items: Vec::new(), evidence: evidence.into() }
    }

    /// The claim for `levels`, with their number as `count`.
    fn of(self, levels: Vec<Level>) -> Finding<Self> {
        let count = Quantity::new("len(levels the finding holds for)", levels.len());
        Finding { levels, ..self.with([("count", count)]) }
    }
}

impl<K> Finding<K> {
    /// With more evidence.
    pub(super) fn with<const N: usize>(mut self, evidence: [(&'static str, Quantity); N]) -> Self {
        self.evidence.extend(evidence);
        self
    }

    pub(super) fn on(self, mask: Mask) -> Self {
        Finding { mask: Some(mask), ..self }
    }

    pub(super) fn listing(self, items: Vec<Item>) -> Self {
        Finding { items, ..self }
    }
}

/// The name that one of several choices has in records and templates, by serde's `snake_case`, which keeps digits
/// attached: `tokens_within512`.
pub(crate) fn name(choice: impl Serialize) -> String {
    Value::from(Serde(choice)).to_string()
}

/// Declares what can be claimed, once: the topics, and for each kind when it holds, its topic and its severity.
macro_rules! kinds {
    (
        topics { $($(#[$topic_doc:meta])+ $topic_name:ident,)+ }
        $($(#[$doc:meta])+ $kind:ident: $topic:ident, $severity:ident;)+
    ) => {
        /// Where the sentences of a finding belong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Topic {
            $($(#[$topic_doc])+ $topic_name,)+
        }

        /// What a finding claims.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $($(#[$doc])+ $kind,)+
        }

        impl $crate::report::finding::Claim for Kind {
            type Topic = Topic;

            const TOPICS: &'static [Topic] = &[$(Topic::$topic_name,)+];
            const ALL: &'static [Kind] = &[$(Kind::$kind,)+];

            fn topic(self) -> Topic {
                match self { $(Kind::$kind => Topic::$topic,)+ }
            }

            fn severity(self) -> $crate::report::finding::Severity {
                match self { $(Kind::$kind => $crate::report::finding::Severity::$severity,)+ }
            }
        }
    };
}
pub(super) use kinds;

//! What the texts cite: one typed list, from which the citations, the list of references, `kaynakca.bib` and the
//! bibliography of `tez.tex` are made.
//!
//! A citation is traced like a number, with `kaynak:` and the work's key in place of a record path; so a text's list of
//! references is what its citations say, and a work stands in it exactly where it is cited.

mod works;
mod forms;

use super::trace::{self, Stretch};
use std::collections::BTreeSet;
pub use works::WORKS;

/// Begins the path of a citation; the key follows.
const CITED: &str = "kaynak:";
/// Begins the path of a work's first words in a list of references.
const LISTED: &str = "kaynakca:";

/// A published work. Its entries were compared with the publisher's or the authors' own, or with the entries of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Its name in templates and in `kaynakca.bib`: `hu2022lora`.
    pub key: &'static str,
    /// Family and given names in their order; a body has no given name.
    pub authors: &'static [(&'static str, &'static str)],
    /// The last of more than twenty authors, of which `authors` are the first nineteen.
    pub last_author: Option<(&'static str, &'static str)>,
    /// Year of publication.
    pub year: u16,
    /// As printed, with the capitals of a sentence.
    pub title: &'static str,
    /// Where it was published.
    pub venue: Venue,
    /// Where it is found: a DOI's address, or another.
    pub url: Option<&'static str>,
}

/// Where a work was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Venue {
    /// A journal: name, volume, number, pages or article.
    Journal(&'static str, &'static str, Option<&'static str>, &'static str),
    /// A conference's proceedings, with pages where there are some.
    Proceedings(&'static str, Option<&'static str>),
    /// A book's publisher.
    Book(&'static str),
    /// A preprint's number in arXiv.
    Arxiv(&'static str),
    /// A page of the web.
    Web,
}

/// How a reader meets what a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Citation<'a> {
    /// The work of that key is cited here.
    Cited(&'a str),
    /// It is listed here.
    Listed(&'a str),
}

/// What a traced path cites; nothing where it is a record's.
pub fn of_path(path: &str) -> Option<Citation<'_>> {
    let cited = path.strip_prefix(CITED).map(Citation::Cited);
    cited.or_else(|| path.strip_prefix(LISTED).map(Citation::Listed))
}

/// The work of that key.
pub fn work(key: &str) -> Option<&'static Work> {
    WORKS.iter().find(|work| work.key == key)
}

/// The works that traced texts cite, in the order of a list of references: by author, then year.
pub fn cited<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<&'static Work> {
    let keys: BTreeSet<&str> = texts
        .into_iter()
        .flat_map(trace::stretches)
        .filter_map(|stretch| match stretch {
            Stretch::Number { path, .. } => path.strip_prefix(CITED),
            Stretch::Text(_) => None,
        })
        .collect();
    let mut works: Vec<&Work> = WORKS.iter().filter(|work| keys.contains(work.key)).collect();
    works.sort_by_key(|work| (work.authors[0].0.to_lowercase(), work.year, work.key));
    works
}

/// The list of references of a traced text under a heading of that depth; nothing where it cites nothing.
pub(super) fn references(traced: &str, depth: usize) -> String {
    let works = cited([traced]);
    if works.is_empty() {
        return String::new();
    }
    let entries = works.iter().map(|work| format!("- {}\n", work.listed())).collect::<String>();
    format!("\n{} Kaynaklar\n\n{entries}", "#".repeat(depth))
}

/// A BibTeX file of `works`.
pub(super) fn bibtex(works: &[&Work]) -> String {
    works.iter().map(|work| work.bibtex()).collect::<Vec<_>>().join("\n")
}

//! What is cited is listed, what is listed is cited, and both stand in `kaynakca.bib`.

use super::each_document;
use crate::fixtures::fixture;
use std::collections::BTreeSet;
use tezgah::report::citations::{self, Citation};
use tezgah::report::profile::Profile;
use tezgah::report::trace::{self, Stretch};

/// The keys of a traced text that are cited, and those that are listed, each as often as it is.
fn keys(traced: &str) -> (Vec<&str>, Vec<&str>) {
    let (mut cited, mut listed) = (Vec::new(), Vec::new());
    for stretch in trace::stretches(traced) {
        let Stretch::Number { path, .. } = stretch else { continue };
        match citations::of_path(path) {
            Some(Citation::Cited(key)) => cited.push(key),
            Some(Citation::Listed(key)) => listed.push(key),
            None => {}
        }
    }
    (cited, listed)
}

#[test]
fn a_work_is_listed_once_where_it_is_cited() {
    each_document(|_, document| {
        let (cited, listed) = keys(&document.traced);
        let unique: BTreeSet<&str> = cited.iter().copied().collect();
        assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), unique);
        assert_eq!(listed.len(), unique.len(), "a work that is listed twice");
        // The list ends the document, and no name or year stands in a text without its key.
        assert_eq!(document.markdown.contains("Kaynaklar\n"), !cited.is_empty());
        let text = document.traced.split("Kaynaklar\n").next().expect("a text");
        let untraced: String = trace::stretches(text)
            .into_iter()
            .filter_map(|stretch| match stretch {
                Stretch::Text(text) => Some(text),
                Stretch::Number { .. } => None,
            })
            .collect();
        assert!(!untraced.contains(" vd."), "a citation without a key");
    });
}

#[test]
fn the_bibliography_holds_what_the_documents_cite() {
    let report = tezgah::report::render(&fixture("iyi"), &Profile::default()).expect("a report");
    let files = report.files().expect("files");
    let bib = files.iter().find(|file| file.path == "kaynakca.bib").expect("a bibliography");
    let bib = String::from_utf8(bib.bytes.clone()).expect("text");
    let entries: BTreeSet<&str> =
        bib.lines().filter_map(|line| line.strip_prefix('@')?.split_once('{')?.1.strip_suffix(',')).collect();
    let cited: BTreeSet<&str> =
        report.documents.iter().flat_map(|document| keys(&document.traced).0).collect();
    assert_eq!(entries, cited);
    assert!(cited.contains("allal2025smollm2") && !cited.contains("grattafiori2024llama3"), "{cited:?}");
}

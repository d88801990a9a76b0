//! The Turkish documents of one run: `A1_FINE_TUNING_RESULTS.md`, the three sections that a thesis takes over, and the
//! appendix of all of them.
//!
//! ```text
//! record -> findings, criteria -> view -> templates/*.md.j2 -> tidy Markdown
//! ```
//! Nothing is read or written here: the templates are in the program, and the caller saves the documents.

use super::engine::{Engine, View};
use super::findings::criteria::{self, Criterion};
use super::findings::{self, Finding};
use super::layout::Layout;
use super::model_name::ModelName;
pub use super::numbering::ChartReference;
use super::numbering::Numbering;
use super::profile::Profile;
pub use super::sentences::Sentences;
use super::{citations, files, markdown, sentences, trace, view};
use crate::error::Result;
use crate::record::RunRecord;

/// The sentences of findings, and those of criteria.
const FINDINGS: &str = "bulgular.md.j2";
const CRITERIA: &str = "olcutler.md.j2";

/// What goes into the thesis: template, file, and depth of the headings below the title, where there is one.
const SECTIONS: [(&str, &str, usize); 4] = [
    ("yontem.md.j2", files::METHOD, 1),
    ("sonuclar.md.j2", files::RESULTS, 1),
    ("tartisma.md.j2", files::DISCUSSION, 1),
    ("ekler.md.j2", files::APPENDIX, 2),
];

/// One document, ready to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name below the output folder.
    pub file_name: String,
    /// Name of the record that it is rendered from.
    pub record: &'static str,
    /// Its text.
    pub markdown: String,
    /// The same text with the record path of each number; see [`trace`] for the marks.
    pub traced: String,
}

impl Document {
    /// The document that a template printed, with a list of what it cites; `depth` is that of the list's heading.
    pub(super) fn new(
        file_name: impl Into<String>,
        record: &'static str,
        printed: &str,
        depth: usize,
    ) -> Self {
        let traced = markdown::tidy(printed);
        let traced = format!("{traced}{}", citations::references(&traced, depth));
        Document { file_name: file_name.into(), record, markdown: trace::plain(&traced), traced }
    }
}

/// Renders all documents of `record`, the whole one first.
///
/// `charts` are those that were drawn for this record; a text refers to no other.
///
/// # Errors
/// `Error::Report`, naming template, line and value: an undefined name, a number without a filter, a null, a
/// number that is not finite. A record that `record::store` has accepted gives none of them.
pub fn render(record: &RunRecord, charts: &[ChartReference], profile: &Profile) -> Result<Vec<Document>> {
    let findings = findings::findings(record, profile.limits);
    let criteria = criteria::criteria(record, &findings);
    let layout = Layout::of(charts);
    let mut view = view::common(record)?;
    view.extend(layout.view(profile));

    let thesis = engine(record, profile, layout.in_thesis(record, profile))?;
    view.extend(said(&thesis, &findings, &criteria)?);
    let mut documents = Vec::new();
    for (template, file_name, depth) in SECTIONS {
        documents.push(Document::new(file_name, files::RECORD, &thesis.print(template, &view)?, depth));
    }

    let whole = engine(record, profile, layout.in_whole(record, profile))?;
    view.extend(said(&whole, &findings, &criteria)?);
    let printed = whole.print("belge.md.j2", &view)?;
    documents.insert(0, Document::new(files::whole(record.level), files::RECORD, &printed, 2));
    Ok(documents)
}

/// The sentences of all findings of `record`, in their order, for readers outside the documents.
///
/// # Errors
/// As [`render`].
pub fn finding_sentences(record: &RunRecord, profile: &Profile) -> Result<Vec<(Finding, Sentences)>> {
    let engine = engine(record, profile, Layout::of(&[]).in_thesis(record, profile))?;
    sentences::plain(&mut engine.macros(FINDINGS)?, findings::findings(record, profile.limits))
}

/// What a page about `record` must begin with, as traced Markdown.
///
/// # Errors
/// As [`render`].
pub(super) fn warnings(record: &RunRecord, profile: &Profile) -> Result<Vec<String>> {
    let engine = engine(record, profile, Layout::of(&[]).in_thesis(record, profile))?;
    sentences::warnings(&mut engine.macros(FINDINGS)?, &findings::findings(record, profile.limits))
}

fn engine(record: &RunRecord, profile: &Profile, numbering: Numbering) -> Result<Engine> {
    let model = ModelName::new(&record.model.name, record.model.demonstration, profile);
    Engine::new(model, profile, numbering)
}

/// The part of the view that quotes the numbers of tables and figures, and so is another in each engine.
fn said(engine: &Engine, findings: &[Finding], criteria: &[Criterion]) -> Result<View> {
    let mut view = sentences::of_findings(&mut engine.macros(FINDINGS)?, findings)?;
    let mut macros = engine.macros(CRITERIA)?;
    view.insert("checks", sentences::of_criteria(&mut macros, criteria)?);
    view.extend(sentences::closing(&mut macros, findings, criteria)?);
    Ok(view)
}

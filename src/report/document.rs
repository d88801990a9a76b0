//! The Turkish documents of one run: `A1_FINE_TUNING_RESULTS.md` and the three sections a thesis takes over.
//!
//! ```text
//! record -> findings, criteria -> view -> templates/*.md.j2 -> tidy Markdown
//! ```
//! Nothing is read or written here: the templates are in the program, and the caller saves the documents.

use super::filters;
use super::findings::criteria::{self, Criterion};
use super::findings::{self, Finding, Severity, Topic};
use super::markdown;
pub use super::numbering::ChartReference;
use super::numbering::Numbering;
use super::profile::{Chapter, Profile};
use super::quantity;
use super::trace;
use super::turkish::{self, Case};
use super::view::{self, Shape};
use crate::error::{Error, Result};
use crate::record::RunRecord;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Kwargs, Serde};
use minijinja::{Environment, State, UndefinedBehavior, Value};
use serde::Serialize;
use std::collections::BTreeMap;

/// One document, ready to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Its name below the output folder.
    pub file_name: String,
    /// Its text.
    pub markdown: String,
    /// The same text with the record path of each number; see [`trace`] for the marks.
    pub traced: String,
}

/// The templates, by the names under which they include each other.
const TEMPLATES: [(&str, &str); 13] = [
    ("belge.md.j2", include_str!("../../templates/belge.md.j2")),
    ("yontem.md.j2", include_str!("../../templates/yontem.md.j2")),
    ("sonuclar.md.j2", include_str!("../../templates/sonuclar.md.j2")),
    ("tartisma.md.j2", include_str!("../../templates/tartisma.md.j2")),
    ("tablolar/veri.md.j2", include_str!("../../templates/tablolar/veri.md.j2")),
    ("tablolar/parametreler.md.j2", include_str!("../../templates/tablolar/parametreler.md.j2")),
    ("tablolar/karsilastirma.md.j2", include_str!("../../templates/tablolar/karsilastirma.md.j2")),
    ("tablolar/testler.md.j2", include_str!("../../templates/tablolar/testler.md.j2")),
    ("uyari.md.j2", include_str!("../../templates/uyari.md.j2")),
    (SENTENCES, include_str!("../../templates/bulgular.md.j2")),
    (CRITERIA, include_str!("../../templates/olcutler.md.j2")),
    ("karsilastirma.md.j2", include_str!("../../templates/karsilastirma.md.j2")),
    ("duzey_bulgulari.md.j2", include_str!("../../templates/duzey_bulgulari.md.j2")),
];

const SENTENCES: &str = "bulgular.md.j2";
const CRITERIA: &str = "olcutler.md.j2";

/// The sections for the thesis: template, file and key in the view of the whole document.
const SECTIONS: [(&str, &str, &str); 3] = [
    ("yontem.md.j2", "yontem.md", "method"),
    ("sonuclar.md.j2", "sonuclar.md", "results"),
    ("tartisma.md.j2", "tartisma.md", "discussion"),
];

/// Renders all documents of `record`, the whole one first.
///
/// `charts` are those that were drawn for this record; a text refers to no other.
///
/// # Errors
/// `Error::Report`, naming template, line and value: an undefined name, a number without a filter, a null, a
/// number that is not finite. A record that `record::store` has accepted gives none of them.
pub fn render(record: &RunRecord, charts: &[ChartReference], profile: &Profile) -> Result<Vec<Document>> {
    let findings = findings::findings(record);
    let criteria = criteria::criteria(record, &findings);
    let base = view::common(record)?;
    let shape = Shape::of(record);
    let charts = Placed::of(charts);

    let thesis = room(name(record), profile, thesis_numbering(shape, &charts, profile))?;
    let mut view = base.clone();
    view.extend(sentences(&thesis, &findings, &criteria)?);
    view.extend(layout(profile, &charts));
    let mut documents = Vec::new();
    let mut embedded = BTreeMap::new();
    for (template, file_name, key) in SECTIONS {
        view.extend([("h1", Value::from("#")), ("h2", Value::from("##")), ("standalone", Value::from(true))]);
        documents.push(document(file_name.to_string(), &print(&thesis, template, &view)?));
        view.extend([
            ("h1", Value::from("####")),
            ("h2", Value::from("#####")),
            ("standalone", Value::from(false)),
        ]);
        embedded.insert(key, print(&thesis, template, &view)?);
    }

    let whole = room(name(record), profile, whole_numbering(shape, &charts, profile))?;
    view.extend(sentences(&whole, &findings, &criteria)?);
    view.insert("sections_text", Value::from(Serde(&embedded)));
    let name = format!("{}_FINE_TUNING_RESULTS.md", record.level.label());
    documents.insert(0, document(name, &print(&whole, "belge.md.j2", &view)?));
    Ok(documents)
}

/// The Turkish sentences of one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentences {
    /// What was seen.
    pub results: Vec<String>,
    /// What it means.
    pub discussion: Vec<String>,
}

/// The sentences of all findings of `record`, in their order, for readers outside the documents.
///
/// # Errors
/// As [`render`].
pub fn finding_sentences(record: &RunRecord, profile: &Profile) -> Result<Vec<(Finding, Sentences)>> {
    let charts = Placed::of(&[]);
    let room = room(name(record), profile, thesis_numbering(Shape::of(record), &charts, profile))?;
    let lines = |finding: &Finding, part: &str| -> Result<Vec<String>> {
        let text =
            say(&room, SENTENCES, &format!("{}_{part}", finding.kind.name()), view::evidence_view(finding))?;
        Ok(text.lines().map(trace::plain).collect())
    };
    findings::findings(record)
        .into_iter()
        .map(|finding| {
            let sentences =
                Sentences { results: lines(&finding, "sonuc")?, discussion: lines(&finding, "tartisma")? };
            Ok((finding, sentences))
        })
        .collect()
}

/// Where each chart stands.
struct Placed {
    data: Vec<ChartReference>,
    training: Vec<ChartReference>,
    comparison: Vec<ChartReference>,
}

impl Placed {
    /// The charts of `report::charts` by what they show; one that is not known here stands with the training.
    fn of(charts: &[ChartReference]) -> Self {
        const DATA: [&str; 2] = ["token_uzunluklari", "kelime_uzunluklari"];
        const COMPARISON: [&str; 2] = ["temel_ince_ayarli", "satir_kayiplari"];
        let mut placed = Placed { data: Vec::new(), training: Vec::new(), comparison: Vec::new() };
        for chart in charts {
            let place = match chart.name.as_str() {
                name if DATA.contains(&name) => &mut placed.data,
                name if COMPARISON.contains(&name) => &mut placed.comparison,
                _ => &mut placed.training,
            };
            place.push(chart.clone());
        }
        placed
    }
}

const METHOD_TABLES: [&str; 2] = ["veri", "parametreler"];

/// The thesis counts tables and figures in each chapter.
fn thesis_numbering(shape: Shape, charts: &Placed, profile: &Profile) -> Numbering {
    let mut numbering = Numbering::new(profile);
    numbering.chapter(Some(profile.method), &METHOD_TABLES, &charts.data);
    let tables = [("karsilastirma", shape.comparison), ("testler", shape.statistics)];
    let figures = [charts.training.as_slice(), charts.comparison.as_slice()].concat();
    numbering.chapter(Some(profile.results), &present(&tables), &figures);
    numbering
}

/// The whole document counts through, so that its numbers are not taken for the thesis's.
fn whole_numbering(shape: Shape, charts: &Placed, profile: &Profile) -> Numbering {
    let tables = [
        ("veri", true),
        ("parametreler", true),
        ("adimlar", shape.steps),
        ("karsilastirma", shape.comparison),
        ("testler", shape.statistics),
        ("dosyalar", shape.outputs),
        ("olcutler", true),
        ("kosu", true),
    ];
    let figures = [charts.data.as_slice(), charts.training.as_slice(), charts.comparison.as_slice()].concat();
    let mut numbering = Numbering::new(profile);
    numbering.chapter(None, &present(&tables), &figures);
    numbering
}

fn present(tables: &[(&'static str, bool)]) -> Vec<&'static str> {
    tables.iter().filter(|(_, is_present)| *is_present).map(|(id, _)| *id).collect()
}

/// Section numbers and chart names for the templates: text, not numbers of the record.
fn layout(profile: &Profile, charts: &Placed) -> BTreeMap<&'static str, Value> {
    let sections = |chapter: Chapter| -> Value {
        (0..9)
            .map(|index| Value::from(format!("{}.{}", chapter.chapter, chapter.first_section + index)))
            .collect()
    };
    let names =
        |charts: &[ChartReference]| -> Value { charts.iter().map(|chart| chart.name.clone()).collect() };
    let chapters =
        [profile.method, profile.results, profile.discussion].map(|chapter| chapter.chapter.to_string());
    BTreeMap::from([
        ("chapters", Value::from_pairs(["method", "results", "discussion"].into_iter().zip(chapters))),
        (
            "numbers",
            Value::from_pairs([
                ("method", sections(profile.method)),
                ("results", sections(profile.results)),
                ("discussion", sections(profile.discussion)),
            ]),
        ),
        (
            "charts",
            Value::from_pairs([
                ("data", names(&charts.data)),
                ("training", names(&charts.training)),
                ("comparison", names(&charts.comparison)),
            ]),
        ),
    ])
}

/// The base model's name for the text. The demonstration model has none that a reader would know.
fn name(record: &RunRecord) -> &str {
    name_of(&record.model.name, record.model.demonstration)
}

/// See [`name`].
pub(super) fn name_of(name: &str, is_demonstration: bool) -> &str {
    if is_demonstration { DEMONSTRATION } else { name }
}

/// What stands before "modeli" where the text names the demonstration model.
const DEMONSTRATION: &str = "gösterim";

/// The engine with templates, filters and the names that belong to one document; `model` is the record's name of
/// the base model, which a profile may name otherwise.
pub(super) fn room(model: &str, profile: &Profile, numbering: Numbering) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // In release builds too: the name of what is undefined comes from the debug information.
    environment.set_debug(true);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .map_err(|error| fault(&error))?;
    environment.set_syntax(syntax);
    filters::install(&mut environment, profile);

    let (name, reading) = match &profile.model {
        Some(model) => (model.name.clone(), model.reading.clone()),
        None => (model.to_string(), None),
    };
    environment
        .add_function("model", move |case: Option<String>| model_name(&name, reading.as_deref(), case));
    let labels = numbering.clone();
    environment.add_function("tablo", move |id: &str| labels.table(id).map_err(refusal));
    let labels = numbering.clone();
    environment.add_function("sekil", move |name: &str| labels.figure(name).map_err(refusal));
    let labels = numbering.clone();
    environment.add_function(
        "sekiller",
        move |names: Vec<String>| -> std::result::Result<String, minijinja::Error> {
            let labels: Result<Vec<String>> = names.iter().map(|name| labels.figure(name)).collect();
            Ok(view::listed(&labels.map_err(refusal)?))
        },
    );
    let labels = numbering.clone();
    environment.add_function("grafik", move |name: &str| labels.captioned_figure(name).map_err(refusal));
    environment.add_function(
        "cizelge",
        move |state: &mut State,
              id: &str,
              caption: &str,
              kwargs: Kwargs|
              -> std::result::Result<String, minijinja::Error> {
            let body: Value = kwargs.get("caller")?;
            let body = body.call(state, &[])?;
            numbering.captioned_table(id, caption, &body.to_string()).map_err(refusal)
        },
    );
    for (name, source) in TEMPLATES {
        environment.add_template(name, source).map_err(|error| fault(&error))?;
    }
    Ok(environment)
}

/// The model's name with a suffix: on the name where its reading is known, else on the word "modeli".
fn model_name(
    name: &str,
    reading: Option<&str>,
    case: Option<String>,
) -> std::result::Result<String, minijinja::Error> {
    let refused = |error: turkish::Error| filters::refused(format!("model: {error}"));
    let is_demonstration = name == DEMONSTRATION && reading.is_none();
    let name = markdown::escaped(name);
    let Some(case) = case else {
        return Ok(if is_demonstration { format!("{name} modeli") } else { name });
    };
    let case: Case = case.parse().map_err(refused)?;
    match reading {
        Some(reading) => turkish::suffix_with_reading(&name, reading, case).map_err(refused),
        None => {
            let ending = match case {
                Case::Dative => "ne",
                Case::Accusative => "ni",
                Case::Genitive => "nin",
                Case::Locative => "nde",
                Case::Ablative => "nden",
                Case::Instrumental => "yle",
                Case::Lik | Case::Ordinal | Case::Possessive => {
                    return Err(filters::refused(format!("model: a name takes no {case} suffix")));
                }
            };
            Ok(format!("{name} modeli{ending}"))
        }
    }
}

/// The sentences of a topic's findings.
#[derive(Debug, Default, Serialize)]
struct Said {
    results: Vec<String>,
    discussion: Vec<String>,
}

/// Sentences of findings by topic, and of criteria, for the view.
fn sentences(
    room: &Environment<'_>,
    findings: &[Finding],
    criteria: &[Criterion],
) -> Result<BTreeMap<&'static str, Value>> {
    let mut by_topic: BTreeMap<&'static str, Said> =
        Topic::ALL.into_iter().map(|topic| (topic.name(), Said::default())).collect();
    let (mut warnings, mut notes) = (Vec::new(), Vec::<Vec<String>>::new());
    for finding in findings {
        let said = by_topic.entry(finding.kind.topic().name()).or_default();
        for (lines, part) in [(&mut said.results, "sonuc"), (&mut said.discussion, "tartisma")] {
            let name = format!("{}_{part}", finding.kind.name());
            let text = say(room, SENTENCES, &name, view::evidence_view(finding))?;
            for line in text.lines() {
                // Both losses may lead to the same remark: once is enough.
                if !lines.iter().any(|said| said == line) {
                    lines.push(line.to_string());
                }
            }
        }
        let remarks =
            say(room, SENTENCES, &format!("{}_tartisma", finding.kind.name()), view::evidence_view(finding))?;
        let remarks: Vec<String> = remarks.lines().map(str::to_string).collect();
        // What is only good to know stands in the discussion and need not stand twice.
        let is_note = finding.kind.severity() > Severity::Note;
        if is_note && !remarks.is_empty() && !notes.contains(&remarks) {
            notes.push(remarks);
        }
        if finding.kind.is_warning_on_top() {
            let name = format!("{}_uyari", finding.kind.name());
            let text = say(room, SENTENCES, &name, view::evidence_view(finding))?;
            warnings.extend(text.lines().map(str::to_string));
        }
    }
    let checks = criteria
        .iter()
        .map(|criterion| {
            let outcome = Value::from(Serde(criterion.outcome));
            let name = Value::from(Serde(criterion.name)).to_string();
            let evidence = match criterion.outcome {
                criteria::Outcome::Undetermined => {
                    say(room, CRITERIA, &format!("{name}_eksik"), Value::from(()))?
                }
                _ => say(room, CRITERIA, &format!("{name}_dayanak"), quantity::named(&criterion.evidence))?,
            };
            let asked = say(room, CRITERIA, &format!("{name}_olcut"), Value::from(()))?;
            Ok(Value::from_pairs([
                ("group", Value::from(Serde(criterion.name.group()))),
                ("asked", Value::from(asked)),
                ("outcome", outcome),
                ("evidence", Value::from(evidence)),
            ]))
        })
        .collect::<Result<Vec<Value>>>()?;
    Ok(BTreeMap::from([
        ("said", Value::from(Serde(&by_topic))),
        ("warnings", Value::from(warnings)),
        ("notes", Value::from(notes)),
        ("checks", Value::from(checks)),
    ]))
}

/// Calls a macro: its lines, each a sentence, without empty ones.
pub(super) fn say(room: &Environment<'_>, template: &str, name: &str, argument: Value) -> Result<String> {
    let mut captured = room
        .get_template(template)
        .and_then(|template| template.render_captured(()))
        .map_err(|error| fault(&error))?;
    let text =
        captured.with_state_mut(|state| state.call_macro(name, &[argument])).map_err(|error| match error
            .line()
        {
            Some(_) => fault(&error),
            None => Error::Report(format!("templates/{template}: no macro '{name}'")),
        })?;
    Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n"))
}

pub(super) fn print(
    room: &Environment<'_>,
    template: &str,
    view: &BTreeMap<&'static str, Value>,
) -> Result<String> {
    let context = Value::from_pairs(view.iter().map(|(name, value)| (*name, value.clone())));
    room.get_template(template).and_then(|template| template.render(context)).map_err(|error| fault(&error))
}

pub(super) fn document(file_name: String, rendered: &str) -> Document {
    let traced = markdown::tidy(rendered);
    Document { file_name, markdown: trace::plain(&traced), traced }
}

fn refusal(error: Error) -> minijinja::Error {
    filters::refused(error.to_string())
}

/// The innermost error that knows its line: `templates/sonuclar.md.j2, line 12: ...`.
pub(super) fn fault(error: &minijinja::Error) -> Error {
    let mut innermost = error;
    while let Some(cause) = std::error::Error::source(innermost).and_then(|cause| cause.downcast_ref()) {
        innermost = cause;
    }
    let message = innermost.detail().map_or_else(|| innermost.kind().to_string(), str::to_string);
    match (innermost.name(), innermost.line()) {
        (Some(name), Some(line)) => Error::Report(format!("templates/{name}, line {line}: {message}")),
        _ => Error::Report(message),
    }
}

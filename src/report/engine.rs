//! The template engine of one document: the templates, the filters, and the names that only this document gives.
//!
//! | function | prints |
//! |---|---|
//! | `model()`, `model("in")` | the base model's name, with a suffix |
//! | `tablo("veri")` | Tablo 3.1 |
//! | `sekiller(names)` | Şekil 4.1, Şekil 4.2 ve Şekil 4.3 |
//! | `grafik(name)` | a chart with its number and caption |
//! | `{% call cizelge("veri", "caption") %}` | a table with its number and caption |
//! | `atif("hu2022lora")`, `atif_metin("hu2022lora")` | Hu vd., 2022 and Hu vd. (2022) |

use super::citations::{self, Work};
use super::filters::{self, refused};
use super::model_name::ModelName;
use super::numbering::Numbering;
use super::profile::Profile;
use super::turkish::{self, Case};
use crate::error::{Error, Result};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Kwargs;
use minijinja::{Captured, Environment, State, UndefinedBehavior, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The templates, by the names under which they include each other.
const TEMPLATES: [(&str, &str); 22] = [
    ("belge.md.j2", include_str!("../../templates/belge.md.j2")),
    ("yontem.md.j2", include_str!("../../templates/yontem.md.j2")),
    ("sonuclar.md.j2", include_str!("../../templates/sonuclar.md.j2")),
    ("tartisma.md.j2", include_str!("../../templates/tartisma.md.j2")),
    ("ekler.md.j2", include_str!("../../templates/ekler.md.j2")),
    ("ornek.md.j2", include_str!("../../templates/ornek.md.j2")),
    ("tablolar/parametre_obekleri.md.j2", include_str!("../../templates/tablolar/parametre_obekleri.md.j2")),
    ("tablolar/veri.md.j2", include_str!("../../templates/tablolar/veri.md.j2")),
    ("tablolar/parametreler.md.j2", include_str!("../../templates/tablolar/parametreler.md.j2")),
    ("tablolar/karsilastirma.md.j2", include_str!("../../templates/tablolar/karsilastirma.md.j2")),
    ("tablolar/metinler.md.j2", include_str!("../../templates/tablolar/metinler.md.j2")),
    ("tablolar/olcu_adlari.md.j2", include_str!("../../templates/tablolar/olcu_adlari.md.j2")),
    ("tablolar/puanlar.md.j2", include_str!("../../templates/tablolar/puanlar.md.j2")),
    ("degerlendirme.md.j2", include_str!("../../templates/degerlendirme.md.j2")),
    ("tablolar/testler.md.j2", include_str!("../../templates/tablolar/testler.md.j2")),
    ("uyari.md.j2", include_str!("../../templates/uyari.md.j2")),
    ("bulgular.md.j2", include_str!("../../templates/bulgular.md.j2")),
    ("olcutler.md.j2", include_str!("../../templates/olcutler.md.j2")),
    ("karsilastirma.md.j2", include_str!("../../templates/karsilastirma.md.j2")),
    ("duzey_bulgulari.md.j2", include_str!("../../templates/duzey_bulgulari.md.j2")),
    ("tarama.md.j2", include_str!("../../templates/tarama.md.j2")),
    ("tarama_bulgulari.md.j2", include_str!("../../templates/tarama_bulgulari.md.j2")),
];

/// What templates see, by name.
pub(super) type View = BTreeMap<&'static str, Value>;

/// Templates, filters and functions.
pub(super) struct Engine(Environment<'static>);

impl Engine {
    /// The engine of a document that numbers its tables and figures by `numbering`.
    pub(super) fn new(model: ModelName, profile: &Profile, numbering: Numbering) -> Result<Self> {
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
        filters::install(&mut environment, profile.decimal);
        if profile.italic_p {
            filters::set_p_in_italics(&mut environment, profile.decimal);
        }
        environment.add_function("model", move |case: Option<&str>| named(&model, case));
        number(&mut environment, numbering);
        cite(&mut environment);
        for (name, source) in TEMPLATES {
            environment.add_template(name, source).map_err(|error| fault(&error))?;
        }
        Ok(Engine(environment))
    }

    /// The text of a template.
    pub(super) fn print(&self, template: &str, view: &View) -> Result<String> {
        let context = Value::from_pairs(view.iter().map(|(name, value)| (*name, value.clone())));
        self.0
            .get_template(template)
            .and_then(|template| template.render(context))
            .map_err(|error| fault(&error))
    }

    /// The macros of a template, which is run once for all of them.
    pub(super) fn macros(&self, template: &'static str) -> Result<Macros<'_>> {
        let captured = self
            .0
            .get_template(template)
            .and_then(|template| template.render_captured(()))
            .map_err(|error| fault(&error))?;
        Ok(Macros { template, captured })
    }
}

/// The macros of one template, ready to be called.
pub(super) struct Macros<'engine> {
    template: &'static str,
    captured: Captured<'engine>,
}

impl Macros<'_> {
    /// What a macro says: its lines, each a sentence, without empty ones.
    pub(super) fn say(&mut self, name: &str, argument: Value) -> Result<Vec<String>> {
        let called = self.captured.with_state_mut(|state| state.call_macro(name, &[argument]));
        let text = called.map_err(|error| match error.line() {
            Some(_) => fault(&error),
            None => Error::Report(format!("templates/{}: no macro '{name}'", self.template)),
        })?;
        Ok(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_string).collect())
    }
}

/// What a template's document is of.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Family {
    /// One run.
    Run,
    /// Several levels.
    Levels,
    /// A sweep.
    Sweep,
}

#[cfg(test)]
fn family(template: &str) -> Family {
    match template {
        "karsilastirma.md.j2" | "duzey_bulgulari.md.j2" => Family::Levels,
        "tarama.md.j2" | "tarama_bulgulari.md.j2" => Family::Sweep,
        _ => Family::Run,
    }
}

/// The names that the templates of one family ask for in the map `map`.
#[cfg(test)]
pub(super) fn asked(map: &str, of: Family) -> std::collections::BTreeSet<&'static str> {
    let sources = TEMPLATES.iter().filter(|(name, _)| family(name) == of);
    let ends = |letter: char| !letter.is_ascii_alphanumeric() && letter != '_';
    sources
        .flat_map(|(_, source)| source.split(&format!("{map}.")).skip(1).collect::<Vec<_>>())
        .map(|rest| rest.split(ends).next().unwrap_or_default())
        .collect()
}

/// The keys of the works that templates cite.
#[cfg(test)]
fn cited() -> std::collections::BTreeSet<&'static str> {
    let calls = ["atif(\"", "atif_metin(\""];
    let keys = |source: &'static str| {
        calls
            .into_iter()
            .flat_map(|call| source.split(call).skip(1))
            .filter_map(|rest| rest.split('"').next())
    };
    TEMPLATES.iter().flat_map(|(_, source)| keys(source)).collect()
}

fn named(model: &ModelName, case: Option<&str>) -> std::result::Result<String, minijinja::Error> {
    let Some(case) = case else { return Ok(model.plain()) };
    let suffixed = case.parse().and_then(|case: Case| model.suffixed(case));
    suffixed.map_err(|error: turkish::Error| refused(format!("model: {error}")))
}

/// Adds the functions that know the numbers of tables and figures.
fn number(environment: &mut Environment<'_>, numbering: Numbering) {
    let refusal = |error: Error| refused(error.to_string());
    let numbering = Arc::new(numbering);
    let labels = numbering.clone();
    environment.add_function("tablo", move |id: &str| labels.table(id).map_err(refusal));
    let labels = numbering.clone();
    environment.add_function("sekiller", move |names: Vec<String>| {
        let labels: Result<Vec<String>> = names.iter().map(|name| labels.figure(name)).collect();
        labels.map(|labels| turkish::listed(&labels)).map_err(refusal)
    });
    let labels = numbering.clone();
    environment.add_function("grafik", move |name: &str| labels.captioned_figure(name).map_err(refusal));
    environment.add_function(
        "cizelge",
        move |state: &mut State, id: &str, caption: &str, options: Kwargs| {
            let body: Value = options.get("caller")?;
            let body = body.call(state, &[])?;
            numbering.captioned_table(id, caption, &body.to_string()).map_err(refusal)
        },
    );
}

/// Adds the functions that cite a work.
fn cite(environment: &mut Environment<'_>) {
    let known = |key: &str| {
        citations::work(key)
            .ok_or_else(|| refused(format!("no work '{key}': expected one of report::citations")))
    };
    environment.add_function("atif", move |key: &str| known(key).map(Work::in_brackets));
    environment.add_function("atif_metin", move |key: &str| known(key).map(Work::in_sentence));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::view::MODEL_WORKS;

    /// A work that no text cites is dead; one that is cited and not there stops a document.
    #[test]
    fn the_works_are_those_that_templates_cite() {
        let mut cited = cited();
        cited.extend(MODEL_WORKS.map(|(_, key)| key));
        let known: Vec<&str> = citations::WORKS.iter().map(|work| work.key).collect();
        assert_eq!(known, cited.into_iter().collect::<Vec<_>>());
    }
}

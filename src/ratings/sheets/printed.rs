//! What is read on paper or on the screen: a rater's printable form, and what goes to whom.

use super::layout::{Form, PREFERENCES, TITLE};
use crate::error::{Error, Result};
use crate::ratings::items::Key;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context};

/// The templates; what a model wrote is escaped in the first, and the second shows none of it.
const FORM: (&str, &str) = ("form.html.j2", include_str!("../../../templates/ratings/form.html.j2"));
const README: (&str, &str) = ("okubeni.txt.j2", include_str!("../../../templates/ratings/okubeni.txt.j2"));

/// The printable form of one rater, a page of HTML that needs no other file.
///
/// # Errors
/// `Error::Report` where the template is at fault.
pub(super) fn form(form: &Form) -> Result<String> {
    let lines = form.lines.iter().map(|line| context! { task => &line.task, texts => &line.texts });
    let values = context! {
        title => TITLE,
        rater => form.rater,
        code => form.code,
        questionnaire => Value::from(Serde(form.questionnaire)),
        preferences => PREFERENCES.to_vec(),
        lines => lines.collect::<Vec<_>>(),
    };
    render(FORM, AutoEscape::Html, values)
}

/// What the researcher does with the files of `key`.
///
/// # Errors
/// As [`form`].
pub(super) fn readme(key: &Key) -> Result<String> {
    let raters: Vec<String> = key.sheets.iter().map(|sheet| sheet.rater.clone()).collect();
    render(README, AutoEscape::None, context! { title => TITLE, raters => raters, items => key.items.len() })
}

fn render((name, source): (&str, &str), escape: AutoEscape, values: Value) -> Result<String> {
    let fault = |error: minijinja::Error| Error::Report(format!("{name}: {error}"));
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| escape.clone());
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.map_err(fault)?);
    environment.add_template(name, source).map_err(fault)?;
    environment.get_template(name).and_then(|template| template.render(values)).map_err(fault)
}

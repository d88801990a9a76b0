//! What stands inside a line of the page: escaped text, numbers with their origin, references, formulas.

use super::blocks::{Events, label_at_start};
use crate::error::{Error, Result};
use crate::report::citations::{self, Citation};
use crate::report::trace::{self, Stretch};
use pulldown_cmark::{Event, Tag, TagEnd, html};
use pulldown_latex::config::DisplayMode;
use pulldown_latex::{Parser, RenderConfig, Storage, push_mathml};
use std::collections::BTreeMap;

/// The record paths of a document, taken out of its text: a path like `training.steps[0].loss * 2` is no
/// Markdown, and must not be read as such. The text keeps their numbers.
pub(super) struct Paths(Vec<String>);

impl Paths {
    /// The text with numbers in place of paths, and the paths.
    pub(super) fn taken_from(traced: &str) -> (String, Paths) {
        let mut text = String::with_capacity(traced.len());
        let mut paths = Vec::new();
        for stretch in trace::stretches(traced) {
            match stretch {
                Stretch::Text(plain) => text.push_str(plain),
                Stretch::Number { path, text: number } => {
                    text.push_str(&trace::marked(&paths.len().to_string(), number));
                    paths.push(path.to_string());
                }
            }
        }
        (text, Paths(paths))
    }

    fn of(&self, number: &str) -> &str {
        number.parse().ok().and_then(|index: usize| self.0.get(index)).map_or("", String::as_str)
    }
}

/// Writes the insides of blocks as HTML.
pub(super) struct Writer<'a> {
    /// Origins of the printed numbers.
    pub paths: &'a Paths,
    /// Places that a label of the text leads to: `Tablo 4.1` to `tablo-4-1`.
    pub anchors: &'a BTreeMap<String, String>,
}

impl Writer<'_> {
    /// `events` as HTML, with references as links.
    ///
    /// # Errors
    /// `Error::Report` for a formula that cannot be typeset.
    pub(super) fn html(&self, events: Events<'_>) -> Result<String> {
        self.written(events, true)
    }

    /// `events` as HTML without links, for headings and captions, which are where links lead to.
    ///
    /// # Errors
    /// As [`Writer::html`].
    pub(super) fn html_without_links(&self, events: Events<'_>) -> Result<String> {
        self.written(events, false)
    }

    fn written(&self, events: Events<'_>, has_links: bool) -> Result<String> {
        let mut out = Vec::with_capacity(events.len());
        let (mut is_code, mut is_link_kept) = (false, false);
        for event in events {
            match event {
                // Only a chart on a line of its own is shown; whatever else would be fetched is told in words.
                Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
                Event::Start(Tag::Link { ref dest_url, .. }) => {
                    is_link_kept = has_links && is_followed(dest_url);
                    if is_link_kept {
                        out.push(event);
                    }
                }
                Event::End(TagEnd::Link) if !is_link_kept => {}
                Event::Start(Tag::CodeBlock(_)) => {
                    is_code = true;
                    out.push(event);
                }
                Event::End(TagEnd::CodeBlock) => {
                    is_code = false;
                    out.push(event);
                }
                Event::Text(text) if is_code => out.push(Event::Text(trace::plain(&text).into())),
                Event::Text(text) => {
                    out.push(Event::InlineHtml(self.text(&text, has_links && !is_link_kept).into()))
                }
                Event::Code(text) => out.push(code(&trace::plain(&text))),
                // The documents hold no HTML; what looks like it came in with data and is shown as written.
                Event::Html(text) | Event::InlineHtml(text) => {
                    out.push(Event::InlineHtml(self.text(&text, false).into()));
                }
                Event::InlineMath(latex) => {
                    out.push(Event::InlineHtml(formula(&latex, DisplayMode::Inline)?.into()))
                }
                Event::DisplayMath(latex) => {
                    out.push(Event::InlineHtml(formula(&latex, DisplayMode::Block)?.into()))
                }
                other => out.push(other),
            }
            if matches!(out.last(), Some(Event::End(TagEnd::Link))) {
                is_link_kept = false;
            }
        }
        let mut html = String::new();
        html::push_html(&mut html, out.into_iter());
        Ok(html)
    }

    /// Escaped text; numbers carry their record path, labels lead to their table or figure.
    fn text(&self, text: &str, has_links: bool) -> String {
        let mut html = String::new();
        let mut before = None;
        for stretch in trace::stretches(text) {
            let shown = match stretch {
                Stretch::Text(plain) => {
                    let plain = typographic(before, plain);
                    html.push_str(&if has_links { self.linked(&plain) } else { escaped(&plain) });
                    plain
                }
                Stretch::Number { path, text } => {
                    html.push_str(&number(self.paths.of(path), text, has_links));
                    text.to_string()
                }
            };
            before = shown.chars().last().or(before);
        }
        html
    }

    fn linked(&self, plain: &str) -> String {
        let mut html = String::new();
        let (mut written, mut at) = (0, 0);
        while at < plain.len() {
            let is_word_start = !plain[..at].ends_with(char::is_alphanumeric);
            let label = if is_word_start { label_at_start(&plain[at..]) } else { None };
            match label.and_then(|(label, bytes)| Some((label, bytes, self.anchors.get(label)?))) {
                Some((label, bytes, anchor)) => {
                    html.push_str(&escaped(&plain[written..at]));
                    html.push_str(&format!("<a class=\"atif\" href=\"#{anchor}\">{}</a>", escaped(label)));
                    at += bytes;
                    written = at;
                }
                None => at += plain[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
        html.push_str(&escaped(&plain[written..]));
        html
    }
}

/// Whether a link leads where a reader may go: to the web, or to a document beside this one.
fn is_followed(target: &str) -> bool {
    let is_beside =
        |name: &str| name.chars().all(|character| character.is_ascii_lowercase() || character == '_');
    target.starts_with("https://")
        || target.starts_with("http://")
        || target.strip_suffix(".md").is_some_and(is_beside)
}

/// A printed number: its path as a tooltip, shown as well where the keyboard or a finger reaches it. A citation leads
/// to its work in the list of references.
fn number(path: &str, text: &str, has_links: bool) -> String {
    let place_of = |key: &str| format!("kaynak-{}", escaped(key));
    match citations::of_path(path) {
        Some(Citation::Cited(key)) if has_links => {
            return format!("<a class=\"atif\" href=\"#{}\">{}</a>", place_of(key), escaped(text));
        }
        Some(Citation::Listed(key)) => {
            return format!("<span id=\"{}\">{}</span>", place_of(key), escaped(text));
        }
        Some(Citation::Cited(_)) => return escaped(text),
        None if path.is_empty() => return escaped(text),
        None => {}
    }
    format!("<span class=\"sayi\" tabindex=\"0\" title=\"{}\">{}</span>", escaped(path), escaped(text))
}

/// The apostrophe of print between a word or number and its suffix; others are left alone.
fn typographic(before: Option<char>, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut previous = before;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let follows_word = previous.is_some_and(char::is_alphanumeric);
        let precedes_word = characters.peek().is_some_and(|next| next.is_alphabetic());
        out.push(if character == '\'' && follows_word && precedes_word { '’' } else { character });
        previous = Some(character);
    }
    out
}

/// Code as it stands in a line. A short one, such as the beginning of a hash in a narrow column, stays in one piece.
fn code(text: &str) -> Event<'static> {
    const SHORT: usize = 10;
    if text.chars().count() > SHORT {
        return Event::Code(text.to_owned().into());
    }
    Event::InlineHtml(format!("<code class=\"kisa\">{}</code>", escaped(text)).into())
}

/// Text for an element or an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(character),
        }
    }
    out
}

/// A LaTeX formula as MathML.
///
/// # Errors
/// `Error::Report` with the formula and what its reader did not understand.
pub(super) fn formula(latex: &str, display_mode: DisplayMode) -> Result<String> {
    let failed = |error: &dyn std::fmt::Display| {
        let error = error.to_string();
        Error::Report(format!("formula '{}': {}", latex.trim(), error.lines().next().unwrap_or_default()))
    };
    let storage = Storage::new();
    let events = Parser::new(latex.trim(), &storage)
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| failed(&error))?;
    let config = RenderConfig { display_mode, ..RenderConfig::default() };
    let mut html = String::new();
    push_mathml(&mut html, events.into_iter().map(Ok::<_, std::fmt::Error>), config)
        .map_err(|error| failed(&error))?;
    Ok(html)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::export::blocks::{Block, blocks};

    fn line(traced: &str) -> String {
        let (text, paths) = Paths::taken_from(traced);
        let anchors = BTreeMap::from([("Tablo 4.1".to_string(), "tablo-4-1".to_string())]);
        let writer = Writer { paths: &paths, anchors: &anchors };
        let html: Result<String> = blocks(&text)
            .into_iter()
            .map(|block| match block {
                Block::Other(events) => writer.html(events),
                _ => Ok(String::new()),
            })
            .collect();
        html.expect("no formula").trim().to_string()
    }

    #[test]
    fn numbers_carry_their_path() {
        assert_eq!(
            line("Kayıp \u{E000}a[0].b * c[1]_d_ - \"e\"\u{E001}1,95\u{E002}'ten düştü."),
            "<p>Kayıp <span class=\"sayi\" tabindex=\"0\" title=\"a[0].b * c[1]_d_ - &quot;e&quot;\">1,95</span>’ten düştü.</p>"
        );
        assert_eq!(
            line("\u{E000}p\u{E001}p < 0,001\u{E002}"),
            "<p><span class=\"sayi\" tabindex=\"0\" title=\"p\">p &lt; 0,001</span></p>"
        );
    }

    #[test]
    fn labels_lead_to_their_table() {
        assert_eq!(
            line("Tablo 4.1'de, Tablo 4.11'de ve Tablo 4'te"),
            "<p><a class=\"atif\" href=\"#tablo-4-1\">Tablo 4.1</a>’de, Tablo 4.11’de ve Tablo 4’te</p>"
        );
    }

    #[test]
    fn foreign_markup_is_inert() {
        for (written, expected) in [
            ("a <script>alert(1)</script>", "<p>a &lt;script&gt;alert(1)&lt;/script&gt;</p>"),
            ("![x](https://example.com/x.png) y", "<p>x y</p>"),
            ("[x](javascript:alert) y", "<p>x y</p>"),
            ("`<b>`", "<p><code class=\"kisa\">&lt;b&gt;</code></p>"),
            ("`<b>bolder</b>`", "<p><code>&lt;b&gt;bolder&lt;/b&gt;</code></p>"),
            ("'tek' O'Neil", "<p>'tek' O’Neil</p>"),
        ] {
            assert_eq!(line(written), expected);
        }
        let block = line("<script>alert(1)</script>");
        assert_eq!(block, "&lt;script&gt;alert(1)&lt;/script&gt;");
    }

    #[test]
    fn a_formula_that_no_one_understands_is_an_error() {
        let error = formula("\\frac{1}", DisplayMode::Inline).expect_err("half a fraction");
        assert!(error.to_string().starts_with("report: formula '\\frac{1}': "), "{error}");
        let html = formula("\\alpha", DisplayMode::Inline).expect("a letter");
        assert!(html.contains("<mi>α</mi>"), "{html}");
    }
}

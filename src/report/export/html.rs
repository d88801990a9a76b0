//! The whole document as one HTML file that fetches nothing: charts, formulas and style are inside it.
//!
//! A reader can ask each number where it came from: its record path is its tooltip, and appears as well under
//! the keyboard's focus or a finger. No script runs, and the page's own policy forbids any.

use super::blocks::{Block, Caption, Events, Picture, blocks, plain};
use super::inline::{Paths, Writer, escaped, formula};
use super::shell::{STYLE, TOOLTIPS, shell};
use crate::error::{Error, Result};
use crate::report::charts::Chart;
use crate::report::document::Document;
use crate::report::files;
use crate::report::trace;
use crate::report::turkish;
use pulldown_cmark::HeadingLevel;
use pulldown_latex::config::DisplayMode;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// `document` as one HTML page with those of `charts` that it shows.
///
/// # Errors
/// `Error::Report` for a chart that was not drawn, or a formula that cannot be typeset.
pub fn html(document: &Document, charts: &[Chart]) -> Result<String> {
    let (text, paths) = Paths::taken_from(&document.traced);
    let mut blocks = blocks(&text);
    let mut page = Page::new(&blocks, charts);
    let title = blocks
        .iter()
        .find_map(|block| match block {
            Block::Heading(HeadingLevel::H1, events) => Some(trace::plain(&plain(events))),
            _ => None,
        })
        .unwrap_or_else(|| document.file_name.clone());

    let anchors = page.anchors.clone();
    let writer = Writer { paths: &paths, anchors: &anchors };
    // The title comes before the table of contents, everything else after it.
    let has_title = matches!(blocks.first(), Some(Block::Heading(HeadingLevel::H1, _)));
    let rest = blocks.split_off(usize::from(has_title));
    let head = page.written(&writer, blocks)?;
    let body = page.written(&writer, rest)?;
    let contents = page.contents();
    let record = document.record;
    let main = format!(
        "{head}{body}<p class=\"kunye\">Bu sayfa <code>{record}</code> kaydından üretilmiştir. {TOOLTIPS}</p>\n"
    );
    Ok(shell(&title, "", STYLE, &contents, &main, ""))
}

/// A page while it is written.
pub(super) struct Page<'a> {
    charts: BTreeMap<&'a str, &'a Chart>,
    /// Label of a table or figure, and its place.
    anchors: BTreeMap<String, String>,
    /// Names of places that are taken.
    taken: BTreeSet<String>,
    /// Level, place and text of the headings so far.
    headings: Vec<(usize, String, String)>,
    drawings: usize,
}

impl<'a> Page<'a> {
    pub(super) fn new(blocks: &[Block<'_>], charts: &'a [Chart]) -> Self {
        let mut page = Page {
            charts: charts.iter().map(|chart| (chart.name, chart)).collect(),
            anchors: BTreeMap::new(),
            taken: BTreeSet::new(),
            headings: Vec::new(),
            drawings: 0,
        };
        for block in blocks {
            if let Block::Table(_, Some(caption)) | Block::Figure(_, Some(caption)) = block {
                let place = page.place(&caption.label);
                page.anchors.entry(caption.label.clone()).or_insert(place);
            }
        }
        page
    }

    /// An id that no other place of the page has.
    pub(super) fn place(&mut self, text: &str) -> String {
        let slug = slug(text);
        let numbered = (2..).map(|number| format!("{slug}-{number}"));
        let place = std::iter::once(slug.clone())
            .chain(numbered)
            .find(|place| !self.taken.contains(place))
            .unwrap_or(slug);
        self.taken.insert(place.clone());
        place
    }

    /// The blocks as HTML.
    ///
    /// # Errors
    /// As [`html`].
    pub(super) fn written(&mut self, writer: &Writer<'_>, blocks: Vec<Block<'_>>) -> Result<String> {
        let mut html = String::new();
        let mut is_bibliography = false;
        for block in blocks {
            let after_its_heading = std::mem::take(&mut is_bibliography);
            let block = match block {
                Block::Heading(level, events) => {
                    is_bibliography = plain(&events) == "Kaynaklar";
                    self.heading(writer, level as usize, events)?
                }
                Block::Formula(latex) => equation(&latex)?,
                Block::Table(events, caption) => {
                    let table = writer.html(events)?;
                    self.captioned(
                        "tablo",
                        &format!("<div class=\"kaydir\">{}</div>", table.trim()),
                        writer,
                        caption,
                    )?
                }
                Block::Figure(picture, caption) => {
                    let drawing = self.drawing(&picture)?;
                    self.captioned("sekil", &drawing, writer, caption)?
                }
                Block::Other(events) if after_its_heading => {
                    format!("<div class=\"kaynakca\">\n{}</div>\n", writer.html(events)?)
                }
                Block::Other(events) => writer.html(events)?,
            };
            html.push_str(&block);
        }
        Ok(html)
    }

    fn heading(&mut self, writer: &Writer<'_>, level: usize, events: Events<'_>) -> Result<String> {
        let place = self.place(&trace::plain(&plain(&events)));
        Ok(self.headed(level, place, writer.html_without_links(events)?))
    }

    /// A heading of `text`, which is HTML, at `place`.
    pub(super) fn headed(&mut self, level: usize, place: String, text: String) -> String {
        let html = format!("<h{level} id=\"{place}\">{text}</h{level}>\n");
        self.headings.push((level, place, text));
        html
    }

    fn captioned(
        &mut self,
        class: &str,
        body: &str,
        writer: &Writer<'_>,
        caption: Option<Caption<'_>>,
    ) -> Result<String> {
        let Some(Caption { label, is_above, events, .. }) = caption else {
            return Ok(format!("<figure class=\"{class}\">\n{body}\n</figure>\n"));
        };
        let id = self.anchors.get(&label).map_or_else(String::new, |place| format!(" id=\"{place}\""));
        let caption = format!("<figcaption>{}</figcaption>", writer.html_without_links(events)?);
        let (first, second) = if is_above { (caption.as_str(), body) } else { (body, caption.as_str()) };
        Ok(format!("<figure class=\"{class}\"{id}>\n{first}\n{second}\n</figure>\n"))
    }

    /// Whether the chart of `picture` was drawn.
    pub(super) fn has(&self, picture: &Picture) -> bool {
        files::charted(&picture.path).is_some_and(|name| self.charts.contains_key(name))
    }

    /// The chart of a picture, drawn into the page. A page may show it twice: its ids are made unique.
    fn drawing(&mut self, picture: &Picture) -> Result<String> {
        let name = files::charted(&picture.path);
        let chart = name.and_then(|name| self.charts.get(name)).ok_or_else(|| {
            Error::Report(format!("no chart '{}': expected one of those that were drawn", picture.path))
        })?;
        self.drawings += 1;
        Ok(with_own_ids(chart.svg.trim(), &format!("c{}-", self.drawings)))
    }

    /// Nested lists of the headings below the title, down to the sections of the thesis.
    pub(super) fn contents(&self) -> String {
        const DEEPEST: usize = 4;
        let mut html = String::new();
        let mut open: Vec<usize> = Vec::new();
        for (level, place, text) in self.headings.iter().filter(|(level, ..)| (2..=DEEPEST).contains(level)) {
            while open.last().is_some_and(|last| last > level) {
                html.push_str("</li></ol>\n");
                open.pop();
            }
            match open.last() {
                Some(last) if last == level => html.push_str("</li>\n"),
                _ => {
                    html.push_str("<ol>\n");
                    open.push(*level);
                }
            }
            // A heading may hold a number of the record; its tooltip belongs to the heading itself.
            let text = text.replace(" tabindex=\"0\"", "");
            // Writing to a String cannot fail.
            let _ = write!(html, "<li><a href=\"#{place}\">{text}</a>");
        }
        html.push_str(&"</li></ol>\n".repeat(open.len()));
        html
    }
}

/// A formula on its own line; its number, which the template writes after `\qquad`, goes to the margin.
fn equation(latex: &str) -> Result<String> {
    let (latex, number) = match latex.trim().rsplit_once("\\qquad") {
        Some((formula, number)) if number.trim().starts_with('(') && number.trim().ends_with(')') => {
            (formula, number.trim())
        }
        _ => (latex, ""),
    };
    let formula = formula(latex, DisplayMode::Block)?;
    let number = escaped(&trace::plain(number));
    Ok(format!("<div class=\"esitlik\">{}<span>{number}</span></div>\n", formula.trim()))
}

/// The SVG with `prefix` before each of its ids and before what refers to them.
fn with_own_ids(svg: &str, prefix: &str) -> String {
    svg.replace(" id=\"", &format!(" id=\"{prefix}"))
        .replace("href=\"#", &format!("href=\"#{prefix}"))
        .replace("url(#", &format!("url(#{prefix}"))
}

/// A name for a place in the page: `3.1 İnce Ayar Süreci` gives `3-1-ince-ayar-sureci`.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for character in turkish::lower(text).chars() {
        match character {
            'ç' => slug.push('c'),
            'ğ' => slug.push('g'),
            'ı' => slug.push('i'),
            'ö' => slug.push('o'),
            'ş' => slug.push('s'),
            'ü' => slug.push('u'),
            'â' => slug.push('a'),
            'a'..='z' | '0'..='9' => slug.push(character),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "yer".into() } else { slug.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_ascii_and_their_own() {
        assert_eq!(slug("3.1 İnce Ayar Süreci"), "3-1-ince-ayar-sureci");
        assert_eq!(slug("IŞIK (ğ)"), "isik-g");
        assert_eq!(slug("…"), "yer");
        let mut page = Page::new(&[], &[]);
        assert_eq!(
            ["Parametreler", "Parametreler", "parametreler 2"].map(|text| page.place(text)),
            ["parametreler", "parametreler-2", "parametreler-2-2"]
        );
    }

    #[test]
    fn a_second_copy_of_a_chart_has_ids_of_its_own() {
        assert_eq!(
            with_own_ids(
                "<g id=\"a\"/><use href=\"#a\" xlink:href=\"#a\"/><path clip-path=\"url(#a)\"/>",
                "c2-"
            ),
            "<g id=\"c2-a\"/><use href=\"#c2-a\" xlink:href=\"#c2-a\"/><path clip-path=\"url(#c2-a)\"/>"
        );
    }

    #[test]
    fn an_equation_has_its_number_in_the_margin() {
        let html = equation("\\mathrm{PPL} = e^{\\mathcal{L}} \\qquad (3.3)").expect("a formula");
        assert!(html.ends_with("</math><span>(3.3)</span></div>\n"), "{html}");
        assert!(equation("a \\qquad b").expect("a formula").contains("<span></span>"));
    }
}

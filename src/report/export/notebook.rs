//! The woven experiment as one HTML page that fetches nothing: prose, code, and what each cell gave.
//!
//! Sources, rows and texts of models are foreign: whatever they hold is shown, and none of it is acted on. A formula or a
//! picture of the prose that the page cannot show is shown as it was written: a comment is no reason for a run to fail.

use super::blocks::{Block, Events, blocks, plain};
use super::html::Page;
use super::inline::{Paths, Writer, escaped, formula};
use super::shell::{STYLE, TOOLTIPS, shell};
use crate::error::Result;
use crate::report::charts::Chart;
use crate::report::markdown::foreign;
use crate::report::weave::source::{Colour, coloured};
use crate::report::weave::{self, Given, MaskedRow, Part, Sign};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Tag, TagEnd};
use pulldown_latex::config::DisplayMode;
use std::collections::BTreeMap;
use std::fmt::Write;

const NOTEBOOK_STYLE: &str = include_str!("../../../templates/export/defter.css");

/// What a page of a run that goes on does by itself: it says so when it was not written for too long, since a run that was
/// killed cannot.
const SILENCE: &str = include_str!("../../../templates/export/canli.js");

/// Said lines that are shown without being asked for.
const FEW_LINES: usize = 12;

/// `page` as HTML, with those of `charts` that it shows.
///
/// # Errors
/// `Error::Report` for a chart of a result that was not drawn.
pub fn notebook(page: &weave::Page, charts: &[Chart]) -> Result<String> {
    let mut html = Page::new(&[], charts);
    let mut main = String::new();
    let mut title = None;
    for part in &page.parts {
        match part {
            Part::File(path) => {
                let _ = writeln!(main, "<p class=\"kaynak\"><code>{}</code></p>", escaped(&foreign(path)));
            }
            Part::Prose(markdown) => {
                let markdown = foreign(markdown);
                let mut blocks = shown(&html, blocks(&markdown));
                // What a reader must know first stands under the title.
                if title.is_none()
                    && let Some(Block::Heading(HeadingLevel::H1, events)) = blocks.first()
                {
                    title = Some(plain(events));
                    let rest = blocks.split_off(1);
                    main += &prose(&mut html, blocks)?;
                    main += &head(&mut html, page)?;
                    blocks = rest;
                }
                main += &prose(&mut html, blocks)?;
            }
            Part::Code(code, true) => {
                let code = code_block(code);
                let _ = write!(
                    main,
                    "<details class=\"adlar\">\n<summary>Kullanılan adlar</summary>\n{code}</details>\n"
                );
            }
            Part::Code(code, false) => main += &code_block(code),
            Part::Result(given) => main += &result(&mut html, given)?,
        }
    }
    let title = match title {
        Some(title) => title,
        None => {
            let place = html.place(&page.title);
            let heading = html.headed(1, place, escaped(&page.title));
            main = heading + &head(&mut html, page)? + &main;
            page.title.clone()
        }
    };
    let (again, script) = match &page.live {
        Some(sign) => (refresh(sign.again, ""), SILENCE),
        None => (String::new(), ""),
    };
    Ok(shell(&title, &again, &format!("{STYLE}{NOTEBOOK_STYLE}"), &html.contents(), &main, script))
}

/// A page that leads to the one called `file`: what is left of a page that was written again and again.
pub fn pointer(file: &str) -> String {
    let file = escaped(file);
    let main = format!("<h1>Koşu sona erdi</h1>\n<p>Deney defteri: <a href=\"{file}\">{file}</a></p>\n");
    shell("Koşu sona erdi", &refresh(0, &format!("; url={file}")), STYLE, "", &main, "")
}

/// Has the browser look again, without a script.
fn refresh(seconds: u32, more: &str) -> String {
    format!("<meta http-equiv=\"refresh\" content=\"{seconds}{more}\">\n")
}

/// What stands under the title: where the page comes from, and what a reader must know first.
fn head(html: &mut Page<'_>, page: &weave::Page) -> Result<String> {
    let state = page.live.as_ref().map(state).unwrap_or_default();
    let warnings: Vec<String> = page.warnings.iter().map(|warning| format!("> {warning}\n")).collect();
    let warnings = match warnings.is_empty() {
        true => String::new(),
        false => markdown(html, &format!("> **Uyarı**\\\n{}", warnings.join(">\n")))?,
    };
    Ok(format!(
        "<p class=\"kunye\">Bu sayfa, deneyin kaynağından ve hücrelerinin sonuçlarından programca örülmüştür; \
         açıklamalar kaynağın kendi dilindedir. {TOOLTIPS}</p>\n{state}{warnings}"
    ))
}

/// Whether the run goes on. Without scripts the first of the two is seen, with the moment to judge it by.
fn state(Sign { at, unix_seconds, again, patience }: &Sign) -> String {
    let at = escaped(at);
    format!(
        "<p class=\"durum\" data-an=\"{unix_seconds}\" data-sabir=\"{patience}\">\n\
         <span><strong>Koşu sürüyor.</strong> Sayfa {again} saniyede bir kendini yeniler; son işaret: {at}.</span>\n\
         <span hidden><strong>Yanıt yok:</strong> son işaret {at}. Program sona ermiş olabilir; aynı komut, koşuyu kaldığı \
         yerden sürdürür.</span>\n</p>\n"
    )
}

/// Traced Markdown of the report's own.
fn markdown(html: &mut Page<'_>, traced: &str) -> Result<String> {
    let (text, paths) = Paths::taken_from(traced);
    html.written(&Writer { paths: &paths, anchors: &BTreeMap::new() }, blocks(&text))
}

/// The experiment's Markdown, in whatever language it is.
fn prose(html: &mut Page<'_>, blocks: Vec<Block<'_>>) -> Result<String> {
    let (_, paths) = Paths::taken_from("");
    let text = html.written(&Writer { paths: &paths, anchors: &BTreeMap::new() }, blocks)?;
    Ok(if text.is_empty() { text } else { format!("<div class=\"nesir\" lang=\"\">\n{text}</div>\n") })
}

/// The blocks of the prose, with what cannot be shown as it was written.
fn shown<'a>(html: &Page<'_>, blocks: Vec<Block<'a>>) -> Vec<Block<'a>> {
    let as_code = |latex: &str| {
        let code = Tag::CodeBlock(CodeBlockKind::Indented);
        Block::Other(vec![
            Event::Start(code),
            Event::Text(latex.trim().to_string().into()),
            Event::End(TagEnd::CodeBlock),
        ])
    };
    let show = |block| match block {
        Block::Formula(latex) if formula(&latex, DisplayMode::Block).is_err() => as_code(&latex),
        Block::Figure(picture, _) if !html.has(&picture) => {
            let text = Event::Text(picture.alt.into());
            Block::Other(vec![Event::Start(Tag::Paragraph), text, Event::End(TagEnd::Paragraph)])
        }
        Block::Other(events) => Block::Other(readable(events)),
        Block::Heading(level, events) => Block::Heading(level, readable(events)),
        Block::Table(events, caption) => Block::Table(readable(events), caption),
        other => other,
    };
    blocks.into_iter().map(show).collect()
}

/// Formulas that no one understands as code: a price in dollars reads like the beginning of one.
fn readable(events: Events<'_>) -> Events<'_> {
    let read = |event| match event {
        Event::InlineMath(latex) if formula(&latex, DisplayMode::Inline).is_err() => {
            Event::Code(format!("${latex}$").into())
        }
        Event::DisplayMath(latex) if formula(&latex, DisplayMode::Block).is_err() => {
            Event::Code(format!("$${latex}$$").into())
        }
        other => other,
    };
    events.into_iter().map(read).collect()
}

fn code_block(code: &str) -> String {
    let code = foreign(code);
    let mut html = String::from("<pre class=\"kod\" translate=\"no\"><code>");
    for (colour, text) in coloured(&code) {
        let text = escaped(text);
        let class = match colour {
            Colour::Plain => {
                html += &text;
                continue;
            }
            Colour::Keyword => "anahtar",
            Colour::Text => "metin",
            Colour::Number => "sayisal",
            Colour::Comment => "yorum",
        };
        let _ = write!(html, "<span class=\"{class}\">{text}</span>");
    }
    html + "</code></pre>\n"
}

fn result(html: &mut Page<'_>, given: &Given) -> Result<String> {
    let place = html.place(given.title);
    let mut text = format!("<section class=\"sonuc\" data-hucre=\"{}\">\n", given.cell.name());
    text += &html.headed(3, place, escaped(given.title));
    let _ = writeln!(text, "<p class=\"zaman\">{}</p>", escaped(&given.went));
    text += &markdown(html, &given.traced)?;
    for (index, row) in given.rows.iter().enumerate() {
        text += &masked(index + 1, row);
    }
    if !given.lines.is_empty() {
        let open = if given.lines.len() <= FEW_LINES { " open" } else { "" };
        let lines: Vec<String> = given.lines.iter().map(|line| escaped(&foreign(line))).collect();
        let _ = write!(
            text,
            "<details class=\"satirlar\"{open}>\n<summary>Programın söyledikleri: {} satır</summary>\n<pre>{}</pre>\n\
             </details>\n",
            lines.len(),
            lines.join("\n")
        );
    }
    Ok(text + "</section>\n")
}

/// A row with what is learned from in colour; who sees no colour sees the prompt fainter.
fn masked(number: usize, row: &MaskedRow) -> String {
    let MaskedRow { prompt, response, tokens, targets } = row;
    let text = |text: &str| escaped(&foreign(text));
    format!(
        "<figure class=\"maske\">\n<figcaption>{number}. eğitim örneği: {tokens} belirteç, öğrenilen (renkli): \
         {targets}</figcaption>\n<pre>{}<mark>{}</mark></pre>\n</figure>\n",
        text(prompt),
        text(response)
    )
}

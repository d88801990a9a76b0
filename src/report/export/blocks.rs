//! A document as the blocks that an exporter treats differently: headings, formulas, tables, figures, the rest.
//!
//! Markdown has no captions. Ours are paragraphs that begin with a bold number, `**Tablo 4.1.** Title`, right
//! above or below their table or chart; here the two become one block again.

use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream};
use std::mem;

/// A run of Markdown events.
pub(super) type Events<'a> = Vec<Event<'a>>;

/// A top-level block.
#[derive(Debug, PartialEq)]
pub(super) enum Block<'a> {
    /// A heading: its level from 1, and what stands in it.
    Heading(HeadingLevel, Events<'a>),
    /// A formula on a line of its own.
    Formula(CowStr<'a>),
    /// A table with its caption.
    Table(Events<'a>, Option<Caption<'a>>),
    /// A chart with its caption.
    Figure(Picture, Option<Caption<'a>>),
    /// Anything else, with its opening and closing events.
    Other(Events<'a>),
}

/// The number and title of a table or figure.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Caption<'a> {
    /// `Tablo 4.1`, by which the text refers to it.
    pub label: String,
    /// Whether it stands above what it belongs to.
    pub is_above: bool,
    /// The whole caption, the number included.
    pub events: Events<'a>,
    kind: Captioned,
}

/// An image on a line of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Picture {
    /// Where it is, `charts/egitim_kaybi.svg`.
    pub path: String,
    /// What it shows, in words.
    pub alt: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Captioned {
    Table,
    Figure,
}

/// What a caption's number follows.
const LABEL_WORDS: [(&str, Captioned); 3] =
    [("Tablo", Captioned::Table), ("Çizelge", Captioned::Table), ("Şekil", Captioned::Figure)];

/// The blocks of `markdown`, in their order.
pub(super) fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let events =
        TextMergeStream::new(Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_MATH));
    let mut unpaired: Vec<Unpaired<'_>> = Vec::new();
    let (mut open, mut depth) = (Events::new(), 0usize);
    for event in events {
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            _ => {}
        }
        open.push(event);
        if depth == 0 {
            unpaired.push(Unpaired::of(mem::take(&mut open)));
        }
    }
    paired(unpaired)
}

/// The label that `text` begins with, `Tablo 4.1` of `Tablo 4.1'de`, and how many bytes it takes.
pub(super) fn label_at_start(text: &str) -> Option<(&str, usize)> {
    let (word, _) = LABEL_WORDS.iter().find(|(word, _)| text.starts_with(word))?;
    let number = text[word.len()..].strip_prefix(' ')?;
    // E.1 of the appendix.
    let digits = number.strip_prefix("E.").unwrap_or(number);
    let end = digits
        .find(|character: char| !character.is_ascii_digit() && character != '.')
        .unwrap_or(digits.len());
    let after = digits.len() - digits[..end].trim_end_matches('.').len();
    let bytes = text.len() - after;
    digits.starts_with(|character: char| character.is_ascii_digit()).then(|| (&text[..bytes], bytes))
}

/// A block before it has found its caption.
enum Unpaired<'a> {
    Caption(Caption<'a>),
    Block(Block<'a>),
}

impl<'a> Unpaired<'a> {
    fn of(events: Events<'a>) -> Self {
        let inner = || events[1..events.len() - 1].to_vec();
        match events.as_slice() {
            [Event::Start(Tag::Heading { level, .. }), ..] => {
                Unpaired::Block(Block::Heading(*level, inner()))
            }
            [Event::Start(Tag::Table(_)), ..] => Unpaired::Block(Block::Table(events, None)),
            [Event::Start(Tag::Paragraph), Event::DisplayMath(latex), Event::End(_)] => {
                Unpaired::Block(Block::Formula(latex.clone()))
            }
            [
                Event::Start(Tag::Paragraph),
                Event::Start(Tag::Image { dest_url, .. }),
                alt @ ..,
                Event::End(TagEnd::Image),
                Event::End(_),
            ] if alt.iter().all(|event| matches!(event, Event::Text(_))) => {
                let picture = Picture { path: dest_url.to_string(), alt: plain(alt) };
                Unpaired::Block(Block::Figure(picture, None))
            }
            [
                Event::Start(Tag::Paragraph),
                Event::Start(Tag::Strong),
                Event::Text(number),
                Event::End(TagEnd::Strong),
                ..,
            ] => {
                let number = number.trim_end_matches(['.', ':']);
                match label_at_start(number) {
                    Some((label, bytes)) if bytes == number.len() => Unpaired::Caption(Caption {
                        label: label.to_string(),
                        is_above: false,
                        events: inner(),
                        kind: if label.starts_with("Şekil") { Captioned::Figure } else { Captioned::Table },
                    }),
                    _ => Unpaired::Block(Block::Other(events)),
                }
            }
            _ => Unpaired::Block(Block::Other(events)),
        }
    }
}

impl<'a> Block<'a> {
    fn lacks_caption_of(&self, kind: Captioned) -> bool {
        matches!(
            (self, kind),
            (Block::Table(_, None), Captioned::Table) | (Block::Figure(_, None), Captioned::Figure)
        )
    }

    fn with_caption(self, caption: Caption<'a>) -> Self {
        match self {
            Block::Table(events, _) => Block::Table(events, Some(caption)),
            Block::Figure(picture, _) => Block::Figure(picture, Some(caption)),
            other => other,
        }
    }
}

/// Joins each caption with the table or figure after it, or else with the one before it.
fn paired(unpaired: Vec<Unpaired<'_>>) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut waiting: Option<Caption<'_>> = None;
    for next in unpaired {
        match next {
            Unpaired::Block(block) => match waiting.take() {
                Some(caption) if block.lacks_caption_of(caption.kind) => {
                    blocks.push(block.with_caption(Caption { is_above: true, ..caption }));
                }
                caption => {
                    blocks.extend(caption.map(alone));
                    blocks.push(block);
                }
            },
            Unpaired::Caption(caption) => {
                blocks.extend(waiting.take().map(alone));
                match blocks.pop() {
                    Some(block) if block.lacks_caption_of(caption.kind) => {
                        blocks.push(block.with_caption(caption))
                    }
                    block => {
                        blocks.extend(block);
                        waiting = Some(caption);
                    }
                }
            }
        }
    }
    blocks.extend(waiting.map(alone));
    blocks
}

/// A caption without anything to belong to stays a paragraph.
fn alone(caption: Caption<'_>) -> Block<'_> {
    let mut events = vec![Event::Start(Tag::Paragraph)];
    events.extend(caption.events);
    events.push(Event::End(TagEnd::Paragraph));
    Block::Other(events)
}

/// The text of `events` without their markup.
pub(super) fn plain(events: &[Event<'_>]) -> String {
    events
        .iter()
        .map(|event| match event {
            Event::Text(text) | Event::Code(text) | Event::InlineMath(text) => text,
            Event::SoftBreak | Event::HardBreak => " ",
            _ => "",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(markdown: &str) -> Vec<String> {
        blocks(markdown)
            .iter()
            .map(|block| match block {
                Block::Table(_, Some(caption)) | Block::Figure(_, Some(caption)) => {
                    format!("{} {}", caption.label, if caption.is_above { "above" } else { "below" })
                }
                Block::Table(_, None) | Block::Figure(_, None) => "no caption".into(),
                Block::Other(events) => plain(events),
                Block::Heading(..) => "heading".into(),
                Block::Formula(latex) => latex.trim().to_string(),
            })
            .collect()
    }

    #[test]
    fn captions_find_their_tables_and_figures() {
        let table = "| a |\n|--:|\n| 1 |";
        let figure = "![b](charts/b.svg)";
        let (above, below) = ("**Tablo 4.1.** A", "**Şekil 4.1:** B");
        assert_eq!(
            labels(&format!("{above}\n\n{table}\n\n{figure}\n\n{below}\n")),
            ["Tablo 4.1 above", "Şekil 4.1 below"]
        );
        let second = "**Şekil 4.2**\\\n*B*";
        assert_eq!(
            labels(&format!("{below}\n\n{figure}\n\n{second}\n\n{figure}\n")),
            ["Şekil 4.1 above", "Şekil 4.2 above"]
        );
        assert_eq!(
            labels(&format!("{figure}\n\n{below}\n\n{figure}\n\n{second}\n")),
            ["Şekil 4.1 below", "Şekil 4.2 below"]
        );
    }

    #[test]
    fn a_caption_of_another_kind_stays_text() {
        assert_eq!(labels("**Tablo 4.1.** A\n\n![b](charts/b.svg)\n"), ["Tablo 4.1. A", "no caption"]);
        assert_eq!(labels("**Tablo** 4.1\n"), ["Tablo 4.1"]);
        assert_eq!(labels("**Tablo 4.1.** A\n"), ["Tablo 4.1. A"]);
    }

    #[test]
    fn labels_end_before_suffix_and_stop() {
        assert_eq!(label_at_start("Tablo 4.1'de").map(|(label, _)| label), Some("Tablo 4.1"));
        assert_eq!(label_at_start("Şekil 12. Sonra").map(|(label, _)| label), Some("Şekil 12"));
        assert_eq!(label_at_start("Tablo E.2'de").map(|(label, _)| label), Some("Tablo E.2"));
        assert_eq!(label_at_start("Tablo E.").map(|(label, _)| label), None);
        assert_eq!(label_at_start("Tablo .1"), None);
        assert_eq!(label_at_start("Tablolar"), None);
    }
}

//! The whole document repeats the three thesis sections; what it repeats is shown here and not snapshot again.

use super::render;
use crate::fixtures;
use tezgah::report::document::Document;
use tezgah::report::profile::Profile;

/// A section as the whole document repeats it, which is to differ in two things alone: its headings stand three
/// levels deeper, and the warning, a quote below its first heading, is left out: the whole document has its own.
fn as_embedded(section: &str) -> String {
    let (heading, body) = section.split_once("\n\n").expect("a heading, then a text");
    let body = match body.split_once("\n\n") {
        Some((quote, rest)) if quote.lines().all(|line| line.starts_with("> ")) => rest,
        _ => body,
    };
    let mut fence: Option<&str> = None;
    let mut embedded = format!("###{heading}\n\n");
    for line in body.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match fence {
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None if line.starts_with('#') => embedded.push_str("###"),
            None => {}
        }
        embedded += line;
        embedded.push('\n');
    }
    embedded
}

/// The whole document, the first of all, with one line in place of each section, which must stand in it as
/// [`as_embedded`] says and once.
pub(super) fn without_sections(documents: &[Document], text: impl Fn(&Document) -> &str) -> String {
    let (whole, sections) = documents.split_first().expect("the whole document is the first");
    assert_eq!(sections.len(), 3, "the sections of {}", whole.file_name);
    sections.iter().fold(text(whole).to_string(), |whole_text, section| {
        let name = &section.file_name;
        let embedded = as_embedded(text(section));
        let parts: Vec<&str> = whole_text.split(&embedded).collect();
        let [before, after] = parts[..] else {
            panic!("{} has {name} {} times", whole.file_name, parts.len() - 1);
        };
        format!("{before}[{name}, headings three levels deeper, without its warning]\n{after}")
    })
}

#[test]
fn the_whole_document_repeats_the_sections_to_the_letter() {
    for (_, record) in fixtures::records() {
        for profile in Profile::NAMES {
            let documents = render(&record, profile);
            let whole = without_sections(&documents, |document| &document.markdown);
            assert_eq!(whole.matches(".md, headings three levels deeper").count(), 3);
            // The records' paths too, which the page shows at every number.
            without_sections(&documents, |document| &document.traced);
        }
    }
}

/// The comparison itself: what is left out, moved, or kept because it is no heading.
#[test]
fn a_section_is_embedded_deeper_and_without_its_warning() {
    let section = "# 3.1 A\n\n> **Uyarı**\\\n> Gösterim.\n\nBir.\n\n## 3.1.1 B\n\n````text\n# kod\n```\n````\n\n# 3.2 C\n";
    let expected = "#### 3.1 A\n\nBir.\n\n##### 3.1.1 B\n\n````text\n# kod\n```\n````\n\n#### 3.2 C\n";
    assert_eq!(as_embedded(section), expected);
    assert_eq!(as_embedded("# 3.1 A\n\nBir.\n\n> Alıntı.\n"), "#### 3.1 A\n\nBir.\n\n> Alıntı.\n");
}

//! How the tests read a document: its sentences, its tables, and where a number in it comes from.

use std::collections::BTreeSet;
use tezgah::level::Level;
use tezgah::report::citations::{self, Citation};
use tezgah::report::trace::{self, END, PATH, Stretch, TEXT};

/// Lines outside of code blocks and formulas.
pub(crate) fn prose(text: &str) -> Vec<&str> {
    let mut inside: Option<&str> = None;
    let mut lines = Vec::new();
    for line in text.lines() {
        let fence = if line.starts_with("$$") { "$$" } else { line.trim_end_matches(|c: char| c != '`') };
        match inside {
            Some(open) if line == open => inside = None,
            Some(_) => {}
            None if fence == "$$" || fence.starts_with("```") => {
                inside = Some(if fence == "$$" {
                    "$$"
                } else {
                    &line[..line.len() - line.trim_start_matches('`').len()]
                });
            }
            None => lines.push(line),
        }
    }
    assert_eq!(inside, None, "a block that does not end");
    lines
}

/// Lines that are sentences: no headings, tables, images, captions, list of references.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let text = prose(text);
    let end = text.iter().position(|line| line.ends_with("Kaynaklar"));
    let is_sentence = |line: &&str| {
        !line.is_empty() && !line.starts_with(['#', '|', '!', '*']) && !line.starts_with("> **")
    };
    match end {
        // The whole document goes on after the references of its method section.
        Some(end) => {
            let rest = text[end + 1..].iter().skip_while(|line| !line.starts_with('#'));
            text[..end].iter().chain(rest).copied().filter(|line| is_sentence(line)).collect()
        }
        None => text.into_iter().filter(is_sentence).collect(),
    }
}

/// The text without its traced numbers and without inline code and formulas.
pub(crate) fn without_traced(line: &str) -> String {
    let mut out = String::new();
    let (mut is_traced, mut quote) = (false, None);
    for character in line.chars() {
        match character {
            PATH => is_traced = true,
            END => is_traced = false,
            _ if is_traced => {}
            '`' | '$' if quote == Some(character) => quote = None,
            '`' | '$' if quote.is_none() => quote = Some(character),
            _ if quote.is_some() => {}
            _ => out.push(character),
        }
    }
    out
}

/// The text without the names of levels.
pub(crate) fn without_levels(text: &str) -> String {
    Level::ALL.iter().fold(text.to_string(), |rest, level| rest.replace(level.label(), ""))
}

fn lookup<'a>(tree: &'a serde_json::Value, path: &str) -> Option<&'a serde_json::Value> {
    path.split('.').try_fold(tree, |node, step| {
        let mut parts = step.split('[');
        let node = node.get(parts.next()?)?;
        // loss[0][1]: one index a level of the list.
        parts.try_fold(node, |node, index| node.get(index.trim_end_matches(']').parse::<usize>().ok()?))
    })
}

/// The words of a template that stand between tags, with their lines.
pub(crate) fn words_of(template: &str) -> Vec<(usize, String)> {
    let mut pieces = Vec::new();
    let (mut line, mut rest) = (1, template);
    while !rest.is_empty() {
        let tag = ["{{", "{%", "{#"].iter().filter_map(|open| rest.find(open)).min().unwrap_or(rest.len());
        for (index, words) in rest[..tag].split('\n').enumerate() {
            let words = words.trim();
            if words.chars().filter(|character| character.is_alphabetic()).count() > 2 {
                pieces.push((line + index, words.to_string()));
            }
        }
        let close = match rest.get(tag..tag + 2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some(_) => "#}",
            None => break,
        };
        let end = rest[tag..].find(close).map_or(rest.len(), |end| tag + end + 2);
        line += rest[..end].matches('\n').count();
        rest = &rest[end..];
    }
    pieces
}

/// Every row of a table has as many cells as its first.
#[track_caller]
pub(crate) fn check_tables(text: &str) {
    let mut columns = None;
    for line in prose(text) {
        if !line.starts_with('|') {
            columns = None;
            continue;
        }
        let count = line.replace("\\|", "").matches('|').count();
        assert_eq!(*columns.get_or_insert(count), count, "a row with another number of cells: {line}");
    }
}

/// The paragraphs of a text as their sentences: a heading, a table, a list or an empty line ends one.
pub(crate) fn paragraphs(text: &str) -> Vec<Vec<&str>> {
    let all = prose(text);
    let end = all.iter().position(|line| line.starts_with('#') && line.ends_with("Kaynaklar"));
    let mut paragraphs = vec![Vec::new()];
    for line in &all[..end.unwrap_or(all.len())] {
        if line.is_empty() || line.starts_with(['#', '|', '!', '*', '-', '>']) {
            paragraphs.push(Vec::new());
        } else if let Some(last) = paragraphs.last_mut() {
            last.push(*line);
        }
    }
    paragraphs.retain(|sentences| !sentences.is_empty());
    paragraphs
}

/// How a sentence ends: its predicate's ending with the vowels of all harmonies alike, `miştir` of `bulunmuştur`; the end
/// of its last word where that is another.
pub(crate) fn ending(sentence: &str) -> String {
    let word = sentence.rsplit(' ').next().unwrap_or_default();
    let word: String = word
        .to_lowercase()
        .trim_end_matches(['.', ':', ')'])
        .chars()
        .map(|letter| match letter {
            'ı' | 'u' | 'ü' => 'i',
            'a' => 'e',
            other => other,
        })
        .collect();
    let known = ["miştir", "mektedir", "ecektir", "melidir", "emez", "mez", "tir", "dir", "ir", "er"];
    match known.iter().find(|ending| word.ends_with(*ending)) {
        Some(&"tir") => "dir".into(),
        Some(ending) => ending.to_string(),
        None => word,
    }
}

/// No three sentences in a row have one ending.
#[track_caller]
pub(crate) fn check_endings(text: &str) {
    for paragraph in paragraphs(text) {
        for three in paragraph.windows(3) {
            let endings = [three[0], three[1], three[2]].map(ending);
            assert!(
                endings[0] != endings[1] || endings[1] != endings[2],
                "-{} three times: {three:#?}",
                endings[0]
            );
        }
    }
}

/// No sentence reads a table aloud: at most three of its numbers stand in a table of the same text.
#[track_caller]
pub(crate) fn check_not_read_aloud(traced: &str) {
    let says_where = |path: &str| path.ends_with("step") || path.ends_with(".confidence");
    let paths = |line: &str| -> Vec<String> {
        let numbers = trace::stretches(line).into_iter().filter_map(|stretch| match stretch {
            // What says where and how was measured is no result.
            Stretch::Number { path, .. } if citations::of_path(path).is_none() && !says_where(path) => {
                Some(path.to_string())
            }
            _ => None,
        });
        numbers.collect()
    };
    let of_tables: BTreeSet<String> =
        prose(traced).into_iter().filter(|line| line.starts_with('|')).flat_map(paths).collect();
    for line in sentences(traced) {
        let read = paths(line).into_iter().filter(|path| of_tables.contains(path)).count();
        assert!(read <= 3, "{read} numbers of a table: {}", trace::plain(line));
    }
}

/// Each line of text is one whole sentence, which begins with a capital, a number or a formula.
pub(crate) fn check_sentences(markdown: &str) {
    for line in sentences(markdown) {
        let line = line.trim_start_matches("- ").trim_start_matches("> ");
        assert!(line.ends_with(['.', ':']), "no end of a sentence: {line}");
        let mut words = line.split(' ').peekable();
        while let Some(word) = words.next() {
            let is_end =
                word.ends_with('.') && !word.trim_end_matches('.').ends_with(|c: char| c.is_ascii_digit());
            let is_abbreviation = word == "vd.";
            assert!(!is_end || is_abbreviation || words.peek().is_none(), "a second sentence: {line}");
        }
        let first = line.chars().next().expect("a sentence has letters");
        assert!(first.is_uppercase() || first.is_ascii_digit() || first == '$', "a small letter: {line}");
    }
}

/// No word and no mark that a thesis has not.
pub(crate) fn check_turkish(markdown: &str) {
    let loud = ["başarıyla", "maalesef", "harika", "mükemmel", "dramatik", "kanıtla", "eğitilmemiş) model"];
    let of_programs = ["NaN", "None", "null", "undefined", "True", "False", "Some("];
    for line in prose(markdown) {
        let lower = line.to_lowercase();
        let foreign = loud.iter().find(|word| lower.contains(**word));
        let foreign = foreign.or(of_programs.iter().find(|word| line.contains(**word)));
        assert_eq!(foreign, None, "{line}");
        let is_picture = |c: char| ('\u{2600}'..='\u{27BF}').contains(&c) || c >= '\u{1F000}';
        assert!(!line.contains(is_picture), "an emoji: {line}");
        assert!(!line.contains('!') || line.starts_with("!["), "an exclamation: {line}");
        assert!(!line.contains("  "), "two spaces: {line:?}");
        assert!(!line.contains(" ,") && !line.contains(" ."), "a space before a mark: {line}");
    }
    assert!(!markdown.contains([PATH, TEXT, END]), "a mark in the printed text");
}

/// No sentence that Markdown reads as something else, and a text under every heading.
pub(crate) fn check_markdown(markdown: &str) {
    for line in prose(markdown) {
        let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_ordered = rest.len() < line.len() && (rest.starts_with(". ") || rest.starts_with(") "));
        assert!(!is_ordered, "an ordered list: {line}");
        assert!(!line.starts_with("+ ") && !line.starts_with("* "), "a list: {line}");
        assert!(!line.starts_with([' ', '\t']) && !line.ends_with(' '), "a space at an end: {line:?}");
        assert!(!line.starts_with("===") && !line.starts_with("---"), "a heading by underline: {line}");
    }
    assert!(!markdown.contains("\n\n\n"), "two empty lines");
    // No heading without a text under it, and none that the data left empty.
    let lines: Vec<&str> = markdown.lines().filter(|line| !line.is_empty()).collect();
    for pair in lines.windows(2) {
        let depth = |line: &str| line.len() - line.trim_start_matches('#').len();
        let is_empty = depth(pair[0]) > 0 && depth(pair[1]) > 0 && depth(pair[1]) <= depth(pair[0]);
        assert!(!is_empty, "nothing under {}", pair[0]);
    }
}

/// What is printed for a place of the record stands at that place, and a cited work among the works; a formula has none.
pub(crate) fn check_origins(traced: &str, record: &impl serde::Serialize) {
    let tree = serde_json::to_value(record).expect("a record is JSON");
    for part in traced.split(PATH).skip(1) {
        let (path, text) = part.split_once(TEXT).expect("a path, then its text");
        assert!(text.split_once(END).is_some_and(|(printed, _)| !printed.is_empty()), "nothing for {path}");
        if let Some(Citation::Cited(key) | Citation::Listed(key)) = citations::of_path(path) {
            assert!(citations::work(key).is_some(), "no work {key}");
            continue;
        }
        let is_formula = path.contains([' ', '(', '*']);
        assert!(
            is_formula || lookup(&tree, path).is_some_and(|found| found.is_number() || found.is_string()),
            "no number and no text at {path}"
        );
    }
}

/// What is left of `line` without traced numbers and names has no number but those of tables and figures.
pub(crate) fn check_untraced(rest: &str, line: &str) {
    let mut before = "";
    for word in rest.split(' ') {
        let is_label = ["Tablo", "Çizelge", "Şekil"].iter().any(|label| before.ends_with(label));
        assert!(is_label || !word.contains(|c: char| c.is_ascii_digit()), "'{word}': {line}");
        before = word;
    }
}

/// A blank line between its parts would end a table.
pub(crate) fn check_table_heads(markdown: &str) {
    let raw: Vec<&str> = markdown.lines().collect();
    for pair in raw.windows(3).filter(|lines| !lines[0].starts_with('|') && lines[1].starts_with('|')) {
        assert!(pair[2].starts_with("|:--"), "no table begins with {:?}", &pair[1..]);
    }
}

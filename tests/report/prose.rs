//! How the tests read a document: its sentences, its tables, and where a number in it comes from.

use tezgah::report::trace::{END, PATH};

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

pub(crate) fn lookup<'a>(tree: &'a serde_json::Value, path: &str) -> Option<&'a serde_json::Value> {
    path.split('.').try_fold(tree, |node, step| {
        let mut parts = step.split('[');
        let node = node.get(parts.next()?)?;
        // loss[0][1]: one index a level of the list.
        parts.try_fold(node, |node, index| node.get(index.trim_end_matches(']').parse::<usize>().ok()?))
    })
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

//! A Rust source as prose and code: the comments that lead, and the short pieces between them.
//!
//! Prose is Markdown in line comments that have their lines to themselves:
//!
//! | comment | is prose |
//! |---|---|
//! | `//!`, `///` | outside all braces: the documentation of the file and of its items |
//! | `//` | outside all braces or in a function's own body, after an empty line or the brace that opens the body |
//!
//! Whatever else is a comment belongs to the code around it: a word on the next line, a note inside a literal.

use ra_ap_rustc_lexer::{DocStyle, FrontmatterAllowed, LiteralKind, TokenKind, tokenize};
use std::ops::RangeInclusive;

/// A piece of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: Kind,
    /// Markdown without its comment marks, or code without the indentation that all its lines share.
    pub text: String,
    /// The lines it takes, from 1.
    pub lines: RangeInclusive<u32>,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Markdown.
    Prose,
    /// Code that does something.
    Code,
    /// `use`, `mod` and the file's attributes: what the code needs and a reader rarely.
    Names,
}

/// What a stretch of code is, as far as it is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// A word of the language.
    Keyword,
    /// Text and characters.
    Text,
    /// Numbers.
    Number,
    /// Comments.
    Comment,
    /// All else.
    Plain,
}

/// The pieces of `source`, in its order; each line that is not empty is in one of them. What is no Rust gives pieces too:
/// the lexer knows no errors.
pub fn pieces(source: &str) -> Vec<Piece> {
    let source = source.replace("\r\n", "\n");
    let lines: Vec<&str> = source.lines().collect();
    let leads = leads(&source);
    let mut pieces = Vec::new();
    let mut first = 0;
    while first < lines.len() {
        let style = leads[first];
        let same = leads[first..].iter().take_while(|other| **other == style).count();
        pieces.extend(piece(&lines[first..first + same], first, style));
        first += same;
    }
    pieces
}

/// The piece of `lines`, the first of which has `before` lines above it; none where all are empty.
fn piece(lines: &[&str], before: usize, style: Option<Lead>) -> Option<Piece> {
    let is_written = |line: &&str| !line.trim().is_empty();
    let first = lines.iter().position(is_written)?;
    let last = lines.iter().rposition(is_written)?;
    let lines = &lines[first..=last];
    let (kind, text) = match style {
        Some(lead) => (Kind::Prose, prose(lines, lead)),
        None => {
            let code = dedented(lines);
            (if is_names(&code) { Kind::Names } else { Kind::Code }, code)
        }
    };
    let line = |index: usize| (before + index + 1) as u32;
    Some(Piece { kind, text, lines: line(first)..=line(last) })
}

/// The mark of a comment that is prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    Inner,
    Outer,
    Plain,
}

impl Lead {
    fn mark(self) -> &'static str {
        match self {
            Lead::Inner => "//!",
            Lead::Outer => "///",
            Lead::Plain => "//",
        }
    }
}

/// For each line of `source` whether it is prose, and by which mark.
fn leads(source: &str) -> Vec<Option<Lead>> {
    let mut leads = vec![None; source.lines().count()];
    let (mut at, mut line, mut depth) = (0, 0usize, 0i32);
    // What stands before: the newlines since the last token, and whether that token opens a body.
    let (mut newlines, mut opens, mut previous) = (2, true, None);
    for token in tokenize(source, FrontmatterAllowed::No) {
        let text = &source[at..at + token.len as usize];
        at += token.len as usize;
        let mut lead = None;
        match token.kind {
            TokenKind::Whitespace => {
                let here = text.matches('\n').count();
                (newlines, line) = (newlines + here, line + here);
                continue;
            }
            TokenKind::LineComment { doc_style } if newlines > 0 => {
                lead = match doc_style {
                    Some(DocStyle::Inner) if depth == 0 => Some(Lead::Inner),
                    Some(DocStyle::Outer) if depth == 0 => Some(Lead::Outer),
                    None if depth <= 1 && (newlines > 1 || opens) => Some(Lead::Plain),
                    // The next line of a comment that is prose.
                    None if previous == Some(Lead::Plain) => previous,
                    _ => None,
                };
                if let Some(of_line) = leads.get_mut(line) {
                    *of_line = lead;
                }
            }
            TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket => depth += 1,
            TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => depth -= 1,
            _ => {}
        }
        opens = token.kind == TokenKind::OpenBrace;
        (newlines, previous) = (0, lead);
        line += text.matches('\n').count();
    }
    leads
}

/// The Markdown of comments. A reader of the page follows no path into the crate, and rustdoc's own sections (`# Errors`)
/// are no chapters of the experiment.
fn prose(lines: &[&str], lead: Lead) -> String {
    let mut is_fenced = false;
    let lines = lines.iter().map(|line| {
        let line = line.trim_start().strip_prefix(lead.mark()).unwrap_or(line);
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        is_fenced ^= line.trim_start().starts_with("```");
        match lead {
            _ if is_fenced => line.to_string(),
            Lead::Outer if line.starts_with("# ") => without_paths(&format!("####{line}")),
            _ => without_paths(line),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// ``[`run`]`` as `` `run` ``: a link by a name alone leads somewhere in rustdoc, and nowhere here.
fn without_paths(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find("[`") {
        let Some(end) = rest[start..].find("`]").map(|end| start + end + 1) else { break };
        let leads_somewhere = rest[end + 1..].starts_with(['(', '[', ':']);
        out.push_str(&rest[..start]);
        out.push_str(if leads_somewhere { &rest[start..=end] } else { &rest[start + 1..end] });
        rest = &rest[end + 1..];
    }
    out + rest
}

/// The lines without the indentation that all of them share.
fn dedented(lines: &[&str]) -> String {
    let indentation = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let shared = lines.iter().filter(|line| !line.trim().is_empty()).map(indentation).min().unwrap_or(0);
    lines.iter().map(|line| line.get(shared..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Whether `code` only brings names into the file.
fn is_names(code: &str) -> bool {
    let (mut at, mut depth, mut is_start) = (0, 0i32, true);
    for token in tokenize(code, FrontmatterAllowed::No) {
        let text = &code[at..at + token.len as usize];
        at += token.len as usize;
        match token.kind {
            TokenKind::Whitespace | TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => {
                continue;
            }
            TokenKind::OpenBrace | TokenKind::OpenBracket => depth += 1,
            TokenKind::CloseBrace => depth -= 1,
            TokenKind::CloseBracket => {
                depth -= 1;
                // The end of an attribute, where nothing else has a bracket.
                is_start |= depth == 0;
                continue;
            }
            _ => {}
        }
        if is_start && depth == 0 && !["use", "mod", "pub", "extern", "#"].contains(&text) {
            return false;
        }
        is_start = depth == 0 && (token.kind == TokenKind::Semi || (is_start && text == "pub"));
    }
    true
}

/// `code` in stretches of one colour; together they are the whole of it.
pub fn coloured(code: &str) -> Vec<(Colour, &str)> {
    let mut stretches: Vec<(Colour, usize, usize)> = Vec::new();
    let mut at = 0;
    for token in tokenize(code, FrontmatterAllowed::No) {
        let end = at + token.len as usize;
        let colour = match token.kind {
            TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => Colour::Comment,
            TokenKind::Literal { kind: LiteralKind::Int { .. } | LiteralKind::Float { .. }, .. } => {
                Colour::Number
            }
            TokenKind::Literal { .. } => Colour::Text,
            TokenKind::Ident if KEYWORDS.contains(&&code[at..end]) => Colour::Keyword,
            _ => Colour::Plain,
        };
        match stretches.last_mut() {
            Some((last, _, until)) if *last == colour => *until = end,
            _ => stretches.push((colour, at, end)),
        }
        at = end;
    }
    stretches.into_iter().map(|(colour, start, end)| (colour, &code[start..end])).collect()
}

/// The lexer knows no keywords: to it they are identifiers.
const KEYWORDS: [&str; 36] = [
    "as", "async", "await", "break", "const", "continue", "crate", "dyn", "else", "enum", "extern", "false",
    "fn", "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "ref", "return",
    "self", "static", "struct", "super", "trait", "true", "type", "unsafe", "use", "while",
];

//! Markdown that means what it says: foreign text escaped, and no line that turns into a list by accident.

use super::trace::{self, END, PATH, TEXT};

/// Foreign text inside a line, a table's cell or a picture's words: what Markdown would act on is escaped, so that
/// browsers, Word and TeX show the characters themselves; line ends become spaces.
///
/// An ampersand begins an entity (`&lt;`), a dollar a formula; braces and `@` mean nothing in the dialect that
/// [`super::export`] reads. What begins a line is left to `tidy`.
pub fn escaped(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut is_after_word = false;
    while let Some(character) = characters.next() {
        let is_acted_on = match character {
            // Between letters or digits it marks no emphasis: x86_64 stays readable.
            '_' => !(is_after_word && characters.peek().is_some_and(|next| next.is_alphanumeric())),
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '#' | '$' | '~' | '&' => true,
            _ => false,
        };
        if is_acted_on {
            out.push('\\');
        }
        out.push(character);
        is_after_word = character.is_alphanumeric();
    }
    out
}

/// Code in a cell of a table: there the bar alone must be escaped, inside code as well.
pub fn cell_code(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// Inline code, whatever back-ticks it holds; a dash where there is nothing to show.
pub fn code(text: &str) -> String {
    let text = one_line(text);
    if text.trim().is_empty() {
        return "–".into();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    // CommonMark strips one space on both sides, which a back-tick at the edge needs.
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// A fenced block, whatever back-ticks it holds.
pub(super) fn block(text: &str, language: &str) -> String {
    let text = foreign(text);
    let fence = "`".repeat((longest_run(&text, '`') + 1).max(3));
    format!("{fence}{language}\n{}\n{fence}", text.trim_end_matches('\n'))
}

/// Foreign text may hold our marks: they are taken out, so that it cannot pose as a traced number. So are control
/// characters, which neither Word's XML nor TeX can hold, and the signs that turn the direction of writing.
pub(super) fn foreign(text: &str) -> String {
    let is_kept = |character: char| match character {
        PATH | TEXT | END => false,
        '\n' | '\t' => true,
        '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => false,
        '\u{2028}' | '\u{2029}' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => !character.is_control(),
    };
    text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|character| is_kept(*character)).collect()
}

fn one_line(text: &str) -> String {
    foreign(text).replace(['\n', '\t'], " ")
}

fn longest_run(text: &str, character: char) -> usize {
    text.split(|other| other != character).map(str::len).max().unwrap_or(0)
}

/// The last hand on a rendered document: at most one empty line in a row, none at the ends, no space at line
/// ends, and a back-slash where a sentence begins as a list would (`3. epok`, `+ 2`).
pub(super) fn tidy(traced: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut fence: Option<usize> = None;
    for line in traced.lines() {
        let line = line.trim_end();
        let ticks = line.len() - line.trim_start_matches('`').len();
        match fence {
            Some(opened) if ticks >= opened && ticks == line.len() => fence = None,
            Some(_) => {}
            None if ticks >= 3 => fence = Some(ticks),
            None => {
                let line = without_accidents(line.trim_start_matches([' ', '\t']));
                if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
                    lines.push(line);
                }
                continue;
            }
        }
        lines.push(line.to_string());
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.join("\n") + "\n"
}

/// The line with a back-slash before the mark that would make an ordered list of it, or a `+` or `*` list.
/// A list that is meant begins with `- `.
fn without_accidents(line: &str) -> String {
    let plain = trace::plain(line);
    let digits = plain.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &plain[digits..];
    let is_ordered = (1..=9).contains(&digits)
        && rest.starts_with(['.', ')'])
        && (rest.len() == 1 || rest[1..].starts_with([' ', '\t']));
    let is_bullet = digits == 0 && (plain.starts_with("+ ") || plain.starts_with("* "));
    if !is_ordered && !is_bullet {
        return line.to_string();
    }
    insert_at_plain(line, digits)
}

/// Inserts a back-slash before the visible character number `place`.
fn insert_at_plain(traced: &str, place: usize) -> String {
    let mut out = String::with_capacity(traced.len() + 1);
    let (mut seen, mut is_path, mut is_done) = (0, false, false);
    for character in traced.chars() {
        match character {
            PATH => is_path = true,
            TEXT => is_path = false,
            END => {}
            _ if is_path => {}
            _ => {
                if seen == place && !is_done {
                    out.push('\\');
                    is_done = true;
                }
                seen += 1;
            }
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::quantity::Quantity;

    #[test]
    fn a_sentence_that_begins_with_a_number_is_no_list() {
        for (written, tidied) in [
            ("3. epok bitti.", "3\\. epok bitti.\n"),
            ("2025. yılda", "2025\\. yılda\n"),
            ("12) madde", "12\\) madde\n"),
            ("+ 2 puan", "\\+ 2 puan\n"),
            ("  4. adım", "4\\. adım\n"),
            ("4.1 Eğitim", "4.1 Eğitim\n"),
            ("- madde", "- madde\n"),
            ("1234567890. sıra", "1234567890. sıra\n"),
            ("```\n3. satır\n```", "```\n3. satır\n```\n"),
            ("a  \n\n\n\nb", "a\n\nb\n"),
        ] {
            assert_eq!(tidy(written), tidied);
        }
    }

    #[test]
    fn a_traced_number_is_escaped_after_its_digits() {
        let traced = format!("{}. dönem", Quantity::new("recipe.train.epochs", 3usize).traced("3"));
        assert_eq!(trace::plain(&tidy(&traced)), "3\\. dönem\n");
        assert!(tidy(&traced).contains("recipe.train.epochs"));
    }

    #[test]
    fn foreign_text_cannot_leave_its_place() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code(""), "–");
        assert_eq!(block("```\nx\n", "json"), "````json\n```\nx\n````");
        assert_eq!(escaped("1 * 2 | <b>\n$x$"), "1 \\* 2 \\| \\<b\\> \\$x\\$");
        assert_eq!(escaped("&lt; ![x](y) a_b_ #1 ~2~ \\n"), "\\&lt; !\\[x\\](y) a_b\\_ \\#1 \\~2\\~ \\\\n");
        assert_eq!(escaped("a\r\nb\tc\u{1b}[0m\u{202E}d\0"), "a b c\\[0md");
        assert_eq!(cell_code("a|b"), "`a\\|b`");
        assert_eq!(code("\u{E000}model.name\u{E001}x\u{E002}"), "`model.namex`");
    }
}

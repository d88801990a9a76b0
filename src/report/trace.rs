//! Where a printed number came from, carried in the text itself.
//!
//! A traced number stands between three private-use marks: `U+E000 path U+E001 text U+E002`. [`stretches`] takes a
//! text apart at them, [`plain`] takes them out.

/// Opens a traced number; its record path follows.
pub const PATH: char = '\u{E000}';
/// Ends the path; the printed text follows.
pub const TEXT: char = '\u{E001}';
/// Ends the printed text.
pub const END: char = '\u{E002}';

/// `text`, whose origin is `path`, between the marks.
pub(crate) fn marked(path: &str, text: &str) -> String {
    format!("{PATH}{path}{TEXT}{text}{END}")
}

/// A stretch of a traced text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stretch<'a> {
    /// Text without an origin.
    Text(&'a str),
    /// A printed number.
    Number {
        /// Its record path, or the formula over such paths.
        path: &'a str,
        /// As it is printed.
        text: &'a str,
    },
}

/// The stretches of a traced text, in their order: how an exporter shows each number's origin.
pub fn stretches(traced: &str) -> Vec<Stretch<'_>> {
    let mut stretches = Vec::new();
    for (index, part) in traced.split(PATH).enumerate() {
        let (number, rest) = match part.split_once(END) {
            Some((number, rest)) if index > 0 => (number.split_once(TEXT), rest),
            _ => (None, part),
        };
        stretches.extend(number.map(|(path, text)| Stretch::Number { path, text }));
        if !rest.is_empty() {
            stretches.push(Stretch::Text(rest));
        }
    }
    stretches
}

/// The text as a reader sees it: the marks and the paths between them taken out.
pub fn plain(traced: &str) -> String {
    let mut is_path = false;
    traced
        .chars()
        .filter(|&character| match character {
            PATH => {
                is_path = true;
                false
            }
            TEXT => {
                is_path = false;
                false
            }
            END => false,
            _ => !is_path,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traced_text_comes_apart_into_its_stretches() {
        let text = format!("{}'ten {}.", marked("a.b", "1,95"), marked("c", "1"));
        let expected = [
            Stretch::Number { path: "a.b", text: "1,95" },
            Stretch::Text("'ten "),
            Stretch::Number { path: "c", text: "1" },
            Stretch::Text("."),
        ];
        assert_eq!(stretches(&text), expected);
        assert_eq!(stretches("yalın"), [Stretch::Text("yalın")]);
        assert_eq!(plain(&text), "1,95'ten 1.");
    }
}

//! A difference as a page of Markdown, in colours where it goes to a terminal.

use super::measured::{MetricVerdict, short};
use super::words::{Piece, PieceKind};
use super::{Difference, Verdict};
use crate::paint::{Colour, Paint};
use crate::record::identity::{Effect, Subject};
use serde_json::Value;

/// The page. `names` are the two records as the user called them.
pub fn print(difference: &Difference, names: [&str; 2], paint: Paint) -> String {
    let page = Page { difference, paint };
    let blocks = [
        page.head(names),
        page.identity(),
        page.metrics(),
        page.conclusions(),
        page.digits(),
        page.sections(),
        page.allowed(),
    ];
    blocks.into_iter().filter(|block| !block.is_empty()).collect::<Vec<_>>().join("\n")
}

struct Page<'a> {
    difference: &'a Difference,
    paint: Paint,
}

impl Page<'_> {
    fn head(&self, names: [&str; 2]) -> String {
        let difference = self.difference;
        let count = |verdict| difference.metrics.iter().filter(|metric| metric.verdict == verdict).count();
        let (noisy, changed) = (count(MetricVerdict::WithinNoise), count(MetricVerdict::Changed));
        let edits = difference.digits.len()
            + difference.sections.iter().map(|section| section.changes.len()).sum::<usize>()
            + difference.conclusions.iter().filter(|conclusion| !conclusion.is_allowed).count();
        let texts = if edits == 0 { "no text changes" } else { "texts must change" };
        let (word, colour, meaning) = match difference.verdict {
            Verdict::Same => (
                "same",
                Colour::Green,
                "every metric is equal at full precision; no text changes but by what is allowed to"
                    .to_string(),
            ),
            Verdict::WithinNoise => {
                ("within noise", Colour::Green, format!("{noisy} metrics differ, none beyond noise; {texts}"))
            }
            Verdict::Changed => (
                "changed",
                Colour::Red,
                format!("{changed} metrics changed, {noisy} differ within noise; {texts}"),
            ),
            Verdict::Incomparable => {
                let decisive = difference.identity.iter().filter(|fact| fact.effect == Effect::Incomparable);
                let mut subjects: Vec<&str> = decisive.map(|fact| fact.subject.name()).collect();
                subjects.dedup();
                ("incomparable", Colour::Yellow, format!("the two differ in {}", subjects.join(", ")))
            }
        };
        format!(
            "# Difference between two runs\n\nOld: {}\\\nNew: {}\n\n**Verdict: {}**: {meaning}.\n",
            code(names[0]),
            code(names[1]),
            self.paint.on(colour, word)
        )
    }

    fn identity(&self) -> String {
        let facts = &self.difference.identity;
        let mut block = self.title(2, "Identity");
        let agreed: Vec<&str> = Subject::ALL
            .into_iter()
            .filter(|subject| facts.iter().all(|fact| fact.subject != *subject))
            .map(Subject::name)
            .collect();
        if !agreed.is_empty() {
            block += &format!("Equal: {}.\n", agreed.join(", "));
        }
        for (effect, title) in [
            (Effect::Incomparable, "What makes the metrics incomparable"),
            (Effect::Explains, "What may explain a change"),
            (Effect::Harmless, "What no loss depends on"),
        ] {
            let of_effect: Vec<_> = facts.iter().filter(|fact| fact.effect == effect).collect();
            if of_effect.is_empty() {
                continue;
            }
            block += &format!("\n{title}:\n\n| about | path | old | new | why |\n|:--|:--|:--|:--|:--|\n");
            for fact in of_effect {
                block += &format!(
                    "| {} | {} | {} | {} | {} |\n",
                    fact.subject.name(),
                    code(&fact.path),
                    self.paint.on(Colour::Red, &shown(fact.old.as_ref())),
                    self.paint.on(Colour::Green, &shown(fact.new.as_ref())),
                    fact.reason
                );
            }
        }
        block
    }

    fn metrics(&self) -> String {
        let metrics = &self.difference.metrics;
        let mut block = self.title(2, "Metrics");
        let same = metrics.iter().filter(|metric| metric.verdict == MetricVerdict::Same).count();
        block += &format!("Equal at full precision: {same} of {}.\n", metrics.len());
        if same == metrics.len() {
            return block;
        }
        block += "\n| metric | old | new | verdict | why |\n|:--|--:|--:|:--|:--|\n";
        for metric in metrics.iter().filter(|metric| metric.verdict != MetricVerdict::Same) {
            let colour = match metric.verdict {
                MetricVerdict::Changed => Colour::Red,
                MetricVerdict::WithinNoise | MetricVerdict::Same => Colour::Green,
                MetricVerdict::NotComparable => Colour::Yellow,
            };
            let [old, new] = [metric.old, metric.new]
                .map(|value| value.map_or("absent".into(), |value| value.to_string()));
            block += &format!(
                "| {} | {old} | {new} | {} | {} |\n",
                code(&metric.name),
                self.paint.on(colour, metric.verdict.name()),
                metric.reason
            );
        }
        block
    }

    fn conclusions(&self) -> String {
        let conclusions: Vec<_> =
            self.difference.conclusions.iter().filter(|conclusion| !conclusion.is_allowed).collect();
        let mut block = self.title(2, "What a thesis must change: conclusions");
        if conclusions.is_empty() {
            return block + "None: findings, criteria, significance and signs are the same.\n";
        }
        for conclusion in conclusions {
            let [old, new] =
                [&conclusion.old, &conclusion.new].map(|side| side.as_deref().unwrap_or("nothing"));
            block += &format!(
                "- {} **{}**: {} -> {}\n",
                conclusion.kind.name(),
                conclusion.subject,
                self.paint.on(Colour::Red, old),
                self.paint.on(Colour::Green, new)
            );
            let lines = |lines: &[String], word: &str, colour: Colour| -> String {
                lines.iter().map(|line| format!("  - {word}: {}\n", self.paint.on(colour, line))).collect()
            };
            block += &lines(&conclusion.withdrawn, "no longer", Colour::Red);
            block += &lines(&conclusion.stated, "now", Colour::Green);
        }
        block
    }

    fn digits(&self) -> String {
        let (thesis, whole): (Vec<_>, Vec<_>) =
            self.difference.digits.iter().partition(|digit| digit.is_in_thesis);
        let mut block = self.title(2, "What a thesis must change: printed numbers");
        if thesis.is_empty() && whole.is_empty() {
            return block + "None: every number prints as it did.\n";
        }
        if !thesis.is_empty() {
            block += "| number | old | new | in |\n|:--|--:|--:|:--|\n";
        }
        for digit in &thesis {
            let [old, new] =
                [&digit.old, &digit.new].map(|side| side.as_deref().unwrap_or("absent").replace('|', "\\|"));
            let sign = if digit.is_sign_turned { " (sign turned)" } else { "" };
            block += &format!(
                "| {} | {} | {}{sign} | {} |\n",
                code(&digit.path),
                self.paint.on(Colour::Red, &old),
                self.paint.on(Colour::Green, &new),
                digit.documents.join(", ")
            );
        }
        if !whole.is_empty() {
            block += &format!(
                "{}{} more in the whole document alone; `--json` lists them.\n",
                if thesis.is_empty() { "" } else { "\n" },
                whole.len()
            );
        }
        block
    }

    fn sections(&self) -> String {
        let mut block = self.title(2, "The thesis sections, word by word");
        if self.difference.sections.is_empty() {
            return block + "No difference but in sentences that are allowed to change.\n";
        }
        block += "`[-...-]` is gone, `{+...+}` is new.\n";
        for section in &self.difference.sections {
            block += &format!("\n{}", self.title(3, &section.file_name));
            let mut lines = String::new();
            let mut heading = "";
            for change in &section.changes {
                if change.heading != heading {
                    heading = &change.heading;
                    lines += &format!("@@ {heading}\n");
                }
                lines += &self.words(&change.pieces);
                lines.push('\n');
            }
            block += &fenced(&lines);
        }
        block
    }

    fn allowed(&self) -> String {
        let difference = self.difference;
        let moved: Vec<_> =
            difference.conclusions.iter().filter(|conclusion| conclusion.is_allowed).collect();
        let mut block = self.title(2, "Allowed to change");
        if difference.volatile.is_empty() {
            return block + "Nothing did: times, host, memory, throughput and paths are the same.\n";
        }
        block += "| fact | path | old | new |\n|:--|:--|:--|:--|\n";
        for fact in &difference.volatile {
            let [old, new] = [&fact.old, &fact.new].map(|side| shown(side.as_ref()));
            block += &format!("| {} | {} | {old} | {new} |\n", fact.group.name(), code(&fact.path));
        }
        if difference.allowed.is_empty() {
            block += "\nNo sentence of the three sections follows them.\n";
        }
        for sentence in &difference.allowed {
            let words = self.words(&sentence.pieces);
            block += &format!(
                "\nThe sentence on the {} in {}:\n\n{}",
                sentence.group.name(),
                sentence.file_name,
                fenced(&(words + "\n"))
            );
        }
        for conclusion in moved {
            let [old, new] =
                [&conclusion.old, &conclusion.new].map(|side| side.as_deref().unwrap_or("nothing"));
            block += &format!(
                "\nThe {} {} follows them alone: {old} -> {new}.\n",
                conclusion.kind.name(),
                conclusion.subject
            );
        }
        block
    }

    fn title(&self, depth: usize, text: &str) -> String {
        format!("{}\n\n", self.paint.on(Colour::Bold, &format!("{} {text}", "#".repeat(depth))))
    }

    fn words(&self, pieces: &[Piece]) -> String {
        let mut line = String::new();
        for piece in pieces {
            // Spaces at the end stay outside the marks.
            let word = piece.text.trim_end();
            let spaces = &piece.text[word.len()..];
            line += &match piece.kind {
                PieceKind::Kept => word.to_string(),
                _ if word.is_empty() => String::new(),
                PieceKind::Removed => self.paint.on(Colour::Red, &format!("[-{word}-]")),
                PieceKind::Added => self.paint.on(Colour::Green, &format!("{{+{word}+}}")),
            };
            line += spaces;
        }
        line.trim_end().to_string()
    }
}

/// Code in a table cell.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|").replace('\n', " "))
}

/// A value in a table cell; a long one, such as a digest, by its beginning.
fn shown(value: Option<&Value>) -> String {
    const MOST: usize = 60;
    const DIGEST: usize = 12;
    let text = match value {
        None => return "absent".into(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) if number.is_f64() => {
            number.as_f64().map(short_enough).unwrap_or_default()
        }
        Some(other) => other.to_string(),
    };
    let is_digest = text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let most = if is_digest { DIGEST } else { MOST };
    let mut cut: String = text.chars().take(most).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut.replace('|', "\\|").replace('\n', " ")
}

/// All digits of a choice such as 0.0002; few of a measurement such as 152.40000000000003 tokens a second.
fn short_enough(value: f64) -> String {
    let text = value.to_string();
    if text.len() > 12 { short(value) } else { text }
}

/// A block whose fence is longer than any run of backticks in it.
fn fenced(text: &str) -> String {
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}{fence}\n")
}

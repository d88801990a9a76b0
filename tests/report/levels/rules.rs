//! What holds of every `karsilastirma.md`, whatever is compared.

use super::fixtures::{compared, five, five_levels, incomplete, two_levels};
use super::{document, each_document};
use crate::prose::{
    check_endings, check_not_read_aloud, check_tables, lookup, prose, sentences, without_traced,
};
use tezgah::level::Level;
use tezgah::record::levels::LevelsRecord;
use tezgah::report::citations;
use tezgah::report::levels::{charts, render};
use tezgah::report::numbers::Style;
use tezgah::report::profile::Profile;
use tezgah::report::trace::{END, PATH, TEXT};

#[test]
fn a_line_is_one_whole_sentence() {
    each_document(|_, document| {
        for line in sentences(&document.markdown) {
            let line = line.trim_start_matches("- ").trim_start_matches("> ");
            assert!(line.ends_with(['.', ':']), "no end of a sentence: {line}");
            let mut words = line.split(' ').peekable();
            while let Some(word) = words.next() {
                let is_end = word.ends_with('.')
                    && !word.trim_end_matches('.').ends_with(|c: char| c.is_ascii_digit());
                let is_abbreviation = word == "vd.";
                assert!(!is_end || is_abbreviation || words.peek().is_none(), "a second sentence: {line}");
            }
            let first = line.chars().next().expect("a sentence has letters");
            assert!(first.is_uppercase() || first.is_ascii_digit(), "a small letter: {line}");
        }
    });
}

#[test]
fn the_turkish_is_a_thesis_turkish() {
    each_document(|_, document| {
        for line in prose(&document.markdown) {
            for word in [
                "başarıyla",
                "maalesef",
                "mükemmel",
                "dramatik",
                "kanıtla",
                "NaN",
                "None",
                "null",
                "undefined",
                "Some(",
            ] {
                assert!(!line.contains(word), "'{word}': {line}");
            }
            assert!(!line.contains('!') || line.starts_with("!["), "an exclamation: {line}");
            assert!(
                !line.contains("  ") && !line.ends_with(' ') && !line.starts_with(' '),
                "a space: {line:?}"
            );
            assert!(!line.contains(" ,") && !line.contains(" ."), "a space before a mark: {line}");
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            assert!(digits == 0 || !line[digits..].starts_with(". "), "an ordered list: {line}");
            assert!(!line.starts_with("+ ") && !line.starts_with("* "), "a list: {line}");
        }
        assert!(!document.markdown.contains([PATH, TEXT, END]), "a mark in the printed text");
        assert!(!document.markdown.contains("\n\n\n"), "two empty lines");
        // No heading without a text under it, and none that a level's data left empty.
        let lines: Vec<&str> = document.markdown.lines().filter(|line| !line.is_empty()).collect();
        for pair in lines.windows(2) {
            let depth = |line: &str| line.len() - line.trim_start_matches('#').len();
            let is_empty = depth(pair[0]) > 0 && depth(pair[1]) > 0 && depth(pair[1]) <= depth(pair[0]);
            assert!(!is_empty, "nothing under {}", pair[0]);
        }
    });
}

#[test]
fn every_number_comes_from_the_record() {
    each_document(|record, document| {
        let tree = serde_json::to_value(record).expect("a record is JSON");
        for part in document.traced.split(PATH).skip(1) {
            let (path, text) = part.split_once(TEXT).expect("a path, then its text");
            assert!(
                text.split_once(END).is_some_and(|(printed, _)| !printed.is_empty()),
                "nothing for {path}"
            );
            if citations::of_path(path).is_some() {
                continue;
            }
            let is_formula = path.contains([' ', '(', '*']);
            assert!(
                is_formula || lookup(&tree, path).is_some_and(|found| found.is_number() || found.is_string()),
                "no number and no text at {path}"
            );
        }
        for line in sentences(&document.traced) {
            let mut rest = without_traced(line);
            for entry in &record.levels {
                rest = rest.replace(entry.model.name.as_str(), "");
            }
            rest = rest.replace("Llama-3.2-1B-Instruct", "");
            for level in Level::ALL {
                rest = rest.replace(level.label(), "");
            }
            let mut before = "";
            for word in rest.split(' ') {
                let is_label = ["Tablo", "Çizelge", "Şekil"].iter().any(|label| before.ends_with(label));
                assert!(is_label || !word.contains(|c: char| c.is_ascii_digit()), "'{word}': {line}");
                before = word;
            }
        }
    });
}

#[test]
fn tables_are_whole_and_spoken_of() {
    each_document(|_, document| {
        check_tables(&document.markdown);
        let lines = prose(&document.markdown);
        // A blank line between its parts would end a table.
        let raw: Vec<&str> = document.markdown.lines().collect();
        for pair in raw.windows(3).filter(|lines| !lines[0].starts_with('|') && lines[1].starts_with('|')) {
            assert!(pair[2].starts_with("|:--"), "no table begins with {:?}", &pair[1..]);
        }
        let labels: Vec<String> = lines
            .iter()
            .filter_map(|line| line.strip_prefix("**")?.split_once("**"))
            .map(|(label, _)| label.trim_end_matches(['.', ':']).to_string())
            .filter(|label| label.starts_with("Tablo ") || label.starts_with("Şekil "))
            .collect();
        let tables: Vec<&String> = labels.iter().filter(|label| label.starts_with("Tablo ")).collect();
        let expected: Vec<String> = (1..=tables.len()).map(|number| format!("Tablo 4.{number}")).collect();
        assert_eq!(tables, expected.iter().collect::<Vec<_>>());
        for label in &labels {
            let text = sentences(&document.markdown).join("\n");
            assert!(text.contains(label.as_str()), "{label} is not spoken of");
        }
    });
}

#[test]
fn only_times_change_between_equal_runs() {
    let mut records = five();
    let before = document(&compared(&records, None), "varsayilan").markdown;
    for record in &mut records {
        record.training.seconds = 61.0;
        record.environment.started_at = "2027-01-02T03:04:05+03:00".into();
        record.environment.git_commit = Some("f".repeat(40));
        record.model.source = "/elsewhere".into();
    }
    let after = document(&compared(&records, None), "varsayilan").markdown;
    let facts = before.find("## Koşu Bilgileri").expect("a last block");
    for line in before[..facts].lines() {
        assert!(
            line.starts_with("| Eğitim süresi (saniye) |") || after.lines().any(|other| other == line),
            "{line}"
        );
    }
}

#[test]
fn charts_show_what_was_measured() {
    let names = |record: &LevelsRecord| -> Vec<&'static str> {
        charts(record, Style::default()).expect("drawn").iter().map(|chart| chart.name).collect()
    };
    assert_eq!(names(&five_levels()), ["duzey_kayiplari", "duzey_matrisi"]);
    assert_eq!(names(&compared(&five(), None)), ["duzey_kayiplari"]);
    let drawn = charts(&incomplete(), Style::default()).expect("drawn");
    assert!(!drawn[0].alt.contains("C1"), "a level without an interval: {}", drawn[0].alt);
    // Two adapters on one level's rows: what was not measured has no cell of its own.
    let mut record = two_levels();
    let matrix = record.cross.as_mut().expect("a matrix");
    matrix.eval_sets.truncate(1);
    matrix.base_loss.truncate(1);
    matrix.loss.iter_mut().for_each(|row| row.truncate(1));
    let drawn = charts(&record, Style::default()).expect("drawn");
    assert!(drawn[1].alt.contains("B1 –"), "{}", drawn[1].alt);
    let without = render(&record, &[], &Profile::default()).expect("rendered");
    assert!(!without.markdown.contains("Şekil ") && !without.markdown.contains("](charts/"));
}

#[test]
fn text_of_others_stays_where_it_is_put() {
    let mut records = five()[..2].to_vec();
    let nasty = "a | b `c` {{ x }} <b> $z$ **k** \u{E000}p\u{E001}9\u{E002}\n3. x";
    for record in &mut records {
        record.model.name = nasty.into();
        record.environment.cpu = nasty.into();
        record.environment.git_commit = Some("a|`b".into());
        record.dataset.sha256 = "ş|".into();
    }
    records[1].model.sha256 = "`|".into();
    let document = document(&compared(&records, None), "varsayilan");
    assert!(!document.markdown.contains([PATH, TEXT, END]));
    let rows: Vec<&str> = document.markdown.lines().filter(|line| line.starts_with("| A")).collect();
    assert!(rows.iter().all(|row| row.replace("\\|", "").matches('|').count() == 8), "{rows:?}");
}

#[test]
fn sentences_vary_and_tables_speak_for_themselves() {
    each_document(|_, document| {
        check_endings(&document.markdown);
        check_not_read_aloud(&document.traced);
    });
}

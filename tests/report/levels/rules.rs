//! What holds of every `karsilastirma.md`, whatever is compared.

use super::fixtures::{compared, five, five_levels, incomplete, two_levels};
use super::{document, each_document};
use crate::prose::{
    check_endings, check_markdown, check_not_read_aloud, check_origins, check_sentences, check_table_heads,
    check_tables, check_turkish, check_untraced, prose, sentences, without_levels, without_traced,
};
use tezgah::record::levels::LevelsRecord;
use tezgah::report::levels::{charts, render};
use tezgah::report::numbers::Style;
use tezgah::report::profile::Profile;
use tezgah::report::trace::{END, PATH, TEXT};

#[test]
fn a_line_is_one_whole_sentence() {
    each_document(|_, document| check_sentences(&document.markdown));
}

#[test]
fn the_turkish_is_a_thesis_turkish() {
    each_document(|_, document| check_turkish(&document.markdown));
}

#[test]
fn no_sentence_turns_into_markdown() {
    each_document(|_, document| check_markdown(&document.markdown));
}

#[test]
fn every_number_comes_from_the_record() {
    each_document(|record, document| {
        check_origins(&document.traced, record);
        for line in sentences(&document.traced) {
            let mut rest = without_traced(line);
            for entry in &record.levels {
                rest = rest.replace(entry.model.name.as_str(), "");
            }
            rest = without_levels(&rest.replace("Llama-3.2-1B-Instruct", ""));
            check_untraced(&rest, line);
        }
    });
}

#[test]
fn tables_are_whole_and_spoken_of() {
    each_document(|_, document| {
        check_tables(&document.markdown);
        let lines = prose(&document.markdown);
        check_table_heads(&document.markdown);
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

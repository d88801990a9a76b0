//! What holds of every document, whatever the record: rules that a snapshot would let slip.

use super::each_document;
use crate::fixtures::{self, charts_of, fixture};
use crate::prose::{check_markdown, check_sentences, check_tables, check_turkish, prose, sentences};
use std::collections::BTreeMap;
use tezgah::record::RunRecord;
use tezgah::report::document;
use tezgah::report::profile::Profile;

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

/// How numbers are rounded is said where the thesis takes over the method, and nowhere else.
#[test]
fn rounding_is_told_once() {
    each_document(|_, document| {
        let expected = match document.file_name.as_str() {
            "yontem.md" => 1,
            _ => 0,
        };
        assert_eq!(document.markdown.matches("yuvarlanmıştır").count(), expected);
    });
}

#[test]
fn tables_are_whole_numbered_in_order_and_spoken_of() {
    each_document(|_, document| {
        check_tables(&document.markdown);
        let lines = prose(&document.markdown);
        let mut captioned: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
        for line in &lines {
            let Some(label) = line.strip_prefix("**").and_then(|rest| rest.split_once("**")) else {
                continue;
            };
            let label = label.0.trim_end_matches(['.', ':']);
            let Some((word, number)) = label.split_once(' ') else { continue };
            if ["Tablo", "Çizelge", "Şekil"].contains(&word) {
                let (chapter, number) = number.rsplit_once('.').unwrap_or(("", number));
                let number = number.parse().expect("a label ends in a number");
                captioned.entry((word.into(), chapter.into())).or_default().push(number);
            }
        }
        for ((word, chapter), numbers) in &captioned {
            let expected: Vec<usize> = (1..=numbers.len()).collect();
            assert_eq!(*numbers, expected, "{word} {chapter}");
        }
        for line in sentences(&document.markdown) {
            for word in ["Tablo", "Şekil"] {
                for rest in line.split(&format!("{word} ")).skip(1) {
                    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
                        continue; // The word without a number: "Tablo ve şekil numaraları".
                    }
                    let label: String =
                        rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
                    let (chapter, number) = label.rsplit_once('.').unwrap_or(("", label.as_str()));
                    let key = (word.to_string(), chapter.to_string());
                    let number: usize = number.parse().expect("a label");
                    assert!(
                        captioned.get(&key).is_some_and(|all| all.contains(&number)),
                        "no {word} {label}: {line}"
                    );
                }
            }
        }
    });
}

#[test]
fn only_the_training_time_changes_between_equal_runs() {
    let record = fixture("iyi");
    let mut again = record.clone();
    again.environment.started_at = "2027-01-02T03:04:05+03:00".into();
    again.environment.finished_at = Some("2027-01-02T04:04:05+03:00".into());
    again.environment.command = vec!["a1".into(), "--out".into(), "elsewhere".into()];
    again.environment.git_commit = Some("f".repeat(40));
    again.model.source = "/another/folder/smollm2.gguf".into();
    again.dataset.source = "/another/folder/a1.json".into();
    again.training.seconds = 61.0;
    again.training.tokens_per_second = 900.0;
    again.training.peak_memory_bytes = 1;
    again.training.steps.iter_mut().for_each(|step| step.seconds = 1.0);
    let render = |record: &RunRecord| {
        document::render(record, &charts_of(record), &Profile::default()).expect("a fixture renders")
    };
    for (before, after) in render(&record).into_iter().zip(render(&again)) {
        let changed: Vec<(&str, &str)> =
            before.markdown.lines().zip(after.markdown.lines()).filter(|(a, b)| a != b).collect();
        let name = &before.file_name;
        let before_facts = before.markdown.split("## Koşu Bilgileri").next().expect("a first part");
        for (line, _) in changed {
            let is_time = line.starts_with("Eğitim ") && line.ends_with(" sürmüştür.");
            // The document begins with its date, and its commands are those that were typed; what is pasted has neither.
            let is_head = line.starts_with("**Tarih:**") || line.starts_with("cargo run ");
            let is_allowed = is_time || (name.starts_with("A1_") && is_head);
            assert!(is_allowed || !before_facts.contains(line), "{name}: {line}");
        }
    }
}

#[test]
fn a_document_without_charts_speaks_of_none() {
    for (name, record) in fixtures::records() {
        for document in document::render(&record, &[], &Profile::default()).expect(name) {
            assert!(
                !document.markdown.contains("Şekil ") && !document.markdown.contains("](charts/"),
                "{name}"
            );
        }
    }
}

/// A document that says where details are instead of printing them can be read at one sitting.
#[test]
fn the_whole_document_is_short_and_leaves_nothing_out() {
    each_document(|record, document| {
        if document.file_name != format!("{}_FINE_TUNING_RESULTS.md", record.level) {
            return;
        }
        let lines = document.markdown.lines().count();
        assert!(lines < 350, "{lines} lines");
        for file in ["yontem.md", "sonuclar.md", "tartisma.md", "ekler.md"] {
            assert!(document.markdown.contains(&format!("[{file}]({file})")), "{file} is not named");
        }
    });
}

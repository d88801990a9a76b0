//! Every number of a document comes from the record, and says from where.

use super::each_document;
use crate::prose::{lookup, prose, sentences, without_traced};
use tezgah::report::citations::{self, Citation};
use tezgah::report::trace::{END, PATH, TEXT};

#[test]
fn every_number_of_a_sentence_comes_from_the_record() {
    each_document(|record, document| {
        for line in sentences(&document.traced) {
            let rest = without_traced(line);
            let rest = rest.replace(record.model.name.as_str(), "").replace("Llama-3.2-1B-Instruct", "");
            let rest =
                rest.replace(&record.environment.cpu, "").replace(&record.environment.tezgah_version, "");
            let rest = match &record.environment.accelerator {
                Some(name) => rest.replace(name.as_str(), ""),
                None => rest,
            };
            let mut before = "";
            for word in rest.split(' ') {
                let is_known = before.ends_with("Tablo")
                    || before.ends_with("Çizelge")
                    || before.ends_with("Şekil")
                    || ["A1", "A2", "B1", "B2", "C1"]
                        .iter()
                        .any(|level| word.trim_end_matches([',', '.']) == *level)
                    || word.starts_with('`')
                    || word.starts_with('$')
                    || ["Q4_0", "(Q4_1)", "NF4"].contains(&word);
                let has_digit = word.contains(|c: char| c.is_ascii_digit());
                assert!(!has_digit || is_known, "'{word}' does not come from the record: {line}");
                before = word;
            }
        }
    });
}

/// Tables too: what is a digit and not code, a level or a name of a digest comes from the record.
#[test]
fn every_number_of_a_table_comes_from_the_record() {
    each_document(|record, document| {
        for line in prose(&document.traced).into_iter().filter(|line| line.starts_with('|')) {
            let rest = without_traced(line).replace("(SHA-256)", "").replace(record.level.label(), "");
            assert!(!rest.contains(|c: char| c.is_ascii_digit()), "a number without an origin: {rest}");
        }
    });
}

#[test]
fn every_path_leads_into_the_record() {
    each_document(|record, document| {
        let tree = serde_json::to_value(record).expect("a record is JSON");
        for part in document.traced.split(PATH).skip(1) {
            let (path, text) = part.split_once(TEXT).expect("a path, then its text");
            assert!(
                text.split_once(END).is_some_and(|(printed, _)| !printed.is_empty()),
                "nothing printed for {path}"
            );
            if let Some(Citation::Cited(key) | Citation::Listed(key)) = citations::of_path(path) {
                assert!(citations::work(key).is_some(), "no work {key}");
                continue;
            }
            let is_formula = path.contains([' ', '(', '*']);
            assert!(
                is_formula || lookup(&tree, path).is_some_and(|leaf| leaf.is_number() || leaf.is_string()),
                "nothing at {path}"
            );
        }
    });
}

//! Every number of a document comes from the record, and says from where.

use super::each_document;
use crate::prose::{check_origins, check_untraced, prose, sentences, without_levels, without_traced};

/// Names that are no measurements: of the model, the machine and the ways to store weights.
#[test]
fn every_number_of_a_sentence_comes_from_the_record() {
    each_document(|record, document| {
        let environment = &record.environment;
        let names = [&record.model.name, &environment.cpu, &environment.tezgah_version];
        let names = names.into_iter().chain(&environment.accelerator).map(String::as_str);
        let names: Vec<&str> = names.chain(["Llama-3.2-1B-Instruct", "Q4_0", "Q4_1", "NF4"]).collect();
        for line in sentences(&document.traced) {
            let rest = names.iter().fold(without_traced(line), |rest, name| rest.replace(*name, ""));
            check_untraced(&without_levels(&rest), line);
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
    each_document(|record, document| check_origins(&document.traced, record));
}

//! The documents of one run, over fixture records.

mod snapshots;
mod coverage;
mod rules;
mod style;
mod origins;
mod citations;
mod foreign_text;
mod profiles;

use crate::fixtures::{self, charts_of};
use tezgah::record::RunRecord;
use tezgah::report::document::{self, Document};
use tezgah::report::profile::Profile;

pub(super) fn render(record: &RunRecord, profile: &str) -> Vec<Document> {
    let profile = Profile::ready(profile).expect("a ready profile");
    document::render(record, &charts_of(record), &profile).unwrap_or_else(|error| panic!("{error}"))
}

/// Checks each document of each fixture under each profile; the message names all three.
pub(super) fn each_document(check: impl Fn(&RunRecord, &Document)) {
    for (fixture, record) in fixtures::records() {
        for name in Profile::NAMES {
            let profile = Profile::ready(name).expect("a ready profile");
            let documents = document::render(&record, &charts_of(&record), &profile)
                .unwrap_or_else(|error| panic!("{fixture}, {name}: {error}"));
            for document in documents {
                let place = format!("{fixture}, {name}, {}", document.file_name);
                let caught =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&record, &document)));
                assert!(caught.is_ok(), "in {place}");
            }
        }
    }
}

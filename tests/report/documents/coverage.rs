//! The fixtures reach every branch of every template, every finding and every outcome.

use crate::fixtures::{self, charts_of};
use crate::prose::words_of;
use std::collections::BTreeSet;
use std::path::Path;
use tezgah::record::{Method, RunRecord};
use tezgah::report::document;
use tezgah::report::finding::Claim;
use tezgah::report::findings::{self, Kind, criteria, verdict};
use tezgah::report::profile::{Limits, Profile};

/// Every piece of words in a template is printed for some fixture: no branch is left out.
#[test]
fn fixtures_touch_every_branch_of_every_template() {
    let mut printed = String::new();
    for (name, record) in fixtures::records() {
        for charts in [charts_of(&record), Vec::new()] {
            for document in document::render(&record, &charts, &Profile::default()).expect(name) {
                printed.push_str(&document.markdown);
            }
        }
    }
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/templates"));
    // The documents of levels and of sweeps have their own fixtures.
    let of_several =
        ["karsilastirma.md.j2", "duzey_bulgulari.md.j2", "tarama.md.j2", "tarama_bulgulari.md.j2"];
    let (mut count, mut unprinted) = (0, Vec::new());
    for folder in [folder.to_path_buf(), folder.join("tablolar")] {
        for entry in std::fs::read_dir(folder).expect("templates") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            if !name.ends_with(".j2")
                || (of_several.contains(&name.as_str()) && !path.ends_with(format!("tablolar/{name}")))
            {
                continue;
            }
            for (line, words) in words_of(&std::fs::read_to_string(&path).expect("a template")) {
                count += 1;
                if !printed.contains(&words) {
                    unprinted.push(format!("{name}, line {line}: {words}"));
                }
            }
        }
    }
    assert_eq!(unprinted, Vec::<String>::new());
    assert!(count > 500, "{count} pieces are not all templates");
}

/// What a document says of the method stands in the record: a record of another way is told otherwise.
#[test]
fn every_way_of_the_method_is_said_from_the_record() {
    let text_of = |record: &RunRecord| {
        let documents = document::render(record, &[], &Profile::default()).expect("documents");
        documents.into_iter().map(|document| document.markdown).collect::<String>()
    };
    let records: Vec<RunRecord> = fixtures::records().into_iter().map(|(_, record)| record).collect();
    let ways = serde_json::to_value(Method::CURRENT).expect("a tree");
    for name in ways.as_object().expect("an object").keys() {
        let mut ways = ways.clone();
        ways[name] = "another way".into();
        let method: Method = serde_json::from_value(ways).expect("a method");
        let is_told = records.iter().any(|record| {
            text_of(&RunRecord { method: method.clone(), ..record.clone() }) != text_of(record)
        });
        assert!(is_told, "no document follows method.{name}");
    }
}

#[test]
fn fixtures_touch_every_finding_and_every_outcome() {
    let mut kinds = BTreeSet::new();
    let mut outcomes = BTreeSet::new();
    for (_, record) in fixtures::records() {
        let findings = findings::findings(&record, Limits::default());
        outcomes.insert(format!("verdict {:?}", verdict::verdict(&findings)));
        outcomes.extend(
            criteria::criteria(&record, &findings)
                .into_iter()
                .map(|criterion| format!("{:?} {:?}", criterion.name, criterion.outcome)),
        );
        kinds.extend(findings.into_iter().map(|finding| finding.kind.name()));
    }
    let untouched: Vec<String> =
        Kind::ALL.iter().map(|kind| kind.name()).filter(|name| !kinds.contains(name)).collect();
    assert_eq!(untouched, Vec::<String>::new());
    insta::assert_snapshot!("outcomes", outcomes.into_iter().collect::<Vec<_>>().join("\n"));
}

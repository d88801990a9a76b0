//! What leaves the program for a browser, Word and LaTeX. Whether those open it is seen by .ci/export-check, which
//! has them; here is what can be told without them.

use crate::fixtures::{self, fixture};
use std::collections::BTreeSet;
use std::path::Path;
use tezgah::record::RunRecord;
use tezgah::report::charts::Chart;
use tezgah::report::citations;
use tezgah::report::document::Document;
use tezgah::report::export::{self, Conversion};
use tezgah::report::profile::Profile;
use tezgah::report::trace::{self, Stretch};

/// The documents of a record with the charts that were drawn for it.
fn rendered(record: &RunRecord, profile: &Profile) -> (Vec<Document>, Vec<Chart>) {
    let report = tezgah::report::render(record, profile).expect("a report");
    (report.documents, report.charts)
}

fn page(record: &RunRecord, profile: &str) -> (String, Document, Vec<Chart>) {
    let (documents, charts) = rendered(record, &Profile::ready(profile).expect("a ready profile"));
    let html = export::html(&documents[0], &charts).expect("a page");
    (html, documents[0].clone(), charts)
}

/// What stands between each `before` and the next `after`.
fn all_between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
}

#[test]
fn every_page_is_whole_and_fetches_nothing() {
    for (name, record) in fixtures::records() {
        // One record is enough for the profiles: they change captions, not what is shown.
        let profiles = if name == "iyi" { Profile::NAMES.as_slice() } else { &Profile::NAMES[..1] };
        for profile in profiles {
            let (documents, charts) = rendered(&record, &Profile::ready(profile).expect("a ready profile"));
            // The whole document and the appendix are pages.
            for document in [&documents[0], &documents[4]] {
                check_page(&format!("{name}, {profile}, {}", document.file_name), document, &charts);
            }
        }
    }
}

#[track_caller]
fn check_page(at: &str, document: &Document, charts: &[Chart]) {
    let html = export::html(document, charts).expect("a page");
    // Each chart of the text is drawn, and nothing else would be loaded.
    let shown = document.markdown.matches("](charts/").count();
    assert_eq!(html.matches("<svg ").count(), shown, "{at}");
    for loaded in [" src=", "<img", "<script", "<link rel=\"stylesheet", "@import", "<iframe", "<object"] {
        assert!(!html.contains(loaded), "{at}: {loaded}");
    }
    for url in all_between(&html, "url(", ")") {
        assert!(url.starts_with('#'), "{at}: url({url})");
    }

    // Every reference has one place, and each place is one.
    let ids = all_between(&html, " id=\"", "\"");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "{at}: an id that stands twice");
    for target in all_between(&html, "href=\"#", "\"") {
        assert!(unique.contains(target), "{at}: nothing at #{target}");
    }

    // No mark of the tracing and no formula as source is left.
    assert!(!html.contains([trace::PATH, trace::TEXT, trace::END]), "{at}");
    assert!(!html.contains("$$") && !html.contains("\\frac"), "{at}");
    let formulas = document.markdown.matches("$$").count() / 2;
    assert_eq!(html.matches("<div class=\"esitlik\">").count(), formulas, "{at}");
}

#[test]
fn every_number_tells_where_it_came_from() {
    let (html, document, _) = page(&fixture("iyi"), "varsayilan");
    let mut numbers = 0;
    for piece in trace::stretches(&document.traced) {
        let Stretch::Number { path, text } = piece else { continue };
        if citations::of_path(path).is_some() {
            continue;
        }
        let expected = format!(
            "<span class=\"sayi\" tabindex=\"0\" title=\"{}\">{}</span>",
            path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
            text.replace('<', "&lt;"),
        );
        assert!(html.contains(&expected), "{path}: {text}");
        numbers += 1;
    }
    assert_eq!(html.matches("class=\"sayi\"").count(), numbers);
    assert!(numbers > 100, "{numbers} numbers are too few for the whole document");
}

#[test]
fn rows_of_the_data_stay_text() {
    let attack = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>`` ``` | [a](javascript:alert) \
                  ![b](https://example.com/b.png) $\\frac{1}{2}$ &lt; \u{E000}model.sahte\u{E001}1,95\u{E002}";
    let mut record = fixture("iyi");
    record.dataset.example.instruction = attack.into();
    record.dataset.example.output = attack.into();
    record.dataset.source = attack.into();
    record.model.source = attack.into();
    record.model.name = attack.into();
    record.environment.cpu = attack.into();
    record.environment.platform = attack.into();
    for sample in &mut record.samples {
        for text in
            [&mut sample.instruction, &mut sample.reference, &mut sample.baseline, &mut sample.fine_tuned]
        {
            *text = attack.into();
        }
    }
    assert!(!record.samples.is_empty(), "texts of the model are foreign too");
    let (html, ..) = page(&record, "varsayilan");
    for alive in ["<script", "<img", "javascript:alert\"", "src=x onerror=alert(2)>", "href=\"javascript"] {
        assert!(!html.contains(alive), "{alive}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the text itself is shown");
    assert!(!html.contains("title=\"model.sahte\""), "a foreign text poses as a traced number");
    // The page is as deep at its end as at its start: nothing was closed from inside.
    for element in ["pre", "figure", "table", "main", "ol", "li", "p", "span", "div"] {
        let opened =
            html.matches(&format!("<{element}>")).count() + html.matches(&format!("<{element} ")).count();
        assert_eq!(opened, html.matches(&format!("</{element}>")).count(), "<{element}>");
    }
}

#[test]
fn a_page_without_its_chart_is_refused() {
    let (documents, charts) = rendered(&fixture("iyi"), &Profile::default());
    // The method section shows the first.
    let error = export::html(&documents[1], &charts[1..]).expect_err("a chart is missing");
    let name = charts[0].name;
    assert_eq!(
        error.to_string(),
        format!("report: no chart 'charts/{name}.svg': expected one of those that were drawn")
    );
}

#[test]
fn the_same_record_gives_the_same_page() {
    let record = fixture("sizintili");
    assert_eq!(page(&record, "apa7").0, page(&record, "apa7").0);
}

#[test]
fn without_pandoc_one_line_says_so() {
    let (documents, charts) = rendered(&fixture("iyi"), &Profile::default());
    let program = Path::new("/nowhere/pandoc");
    let outcome = export::sections(program, &documents[1..], &charts, &Profile::default(), 0);
    assert_eq!(outcome, Conversion::NotInstalled);
    assert_eq!(outcome.notices(), ["pandoc is not installed: no .docx and .tex of the sections"]);
    assert!(outcome.files().is_empty());
}

/// A stand-in for pandoc: `body` is what it does when it is to convert.
#[cfg(unix)]
fn stand_in(folder: &Path, version: &str, body: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("pandoc");
    let script = format!("#!/bin/sh\n[ \"$1\" = --version ] && echo 'pandoc {version}' && exit 0\n{body}\n");
    std::fs::write(&path, script).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    path
}

#[cfg(unix)]
#[test]
fn a_failure_of_pandoc_costs_its_file_alone() {
    let (documents, charts) = rendered(&fixture("iyi"), &Profile::default());
    let folder = tempfile::tempdir().expect("a folder");
    let body = "for a; do case $a in --output=*) out=${a#--output=};; esac; done\n\
                case $out in sonuclar.docx) echo 'Error: no room' >&2; echo more >&2; exit 7;; esac\n\
                cat bolum.lua > /dev/null && echo made > $out";
    let pandoc = stand_in(folder.path(), "3.1.2", body);
    let outcome = export::sections(&pandoc, &documents[1..], &charts, &Profile::default(), 0);
    assert_eq!(outcome.notices(), ["sonuclar.docx: pandoc: Error: no room"]);
    let paths: Vec<&str> = outcome.files().iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "yontem.docx",
            "yontem.tex",
            "sonuclar.tex",
            "tartisma.docx",
            "tartisma.tex",
            "ekler.docx",
            "ekler.tex",
            "tez.tex"
        ]
    );
    let wrapper = String::from_utf8(outcome.files()[7].bytes.clone()).expect("text");
    for section in ["\\input{yontem}", "\\input{sonuclar}", "\\input{tartisma}", "\\input{ekler}"] {
        assert!(wrapper.contains(section), "{section}");
    }
}

#[cfg(unix)]
#[test]
fn a_pandoc_that_is_too_old_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for (version, notice) in [
        ("2.9.2.1", "pandoc 2.9.2.1 is too old, expected 2.17 or newer: no .docx and .tex of the sections"),
        ("nonsense", "pandoc --version: expected a version, got 'pandoc nonsense'"),
    ] {
        let pandoc = stand_in(folder.path(), version, "exit 1");
        let outcome = export::sections(&pandoc, &[], &[], &Profile::default(), 0);
        assert_eq!(outcome.notices(), [notice]);
    }
}

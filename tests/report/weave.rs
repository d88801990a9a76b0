//! The woven page: prose and code told apart, each cell's result under the code that called it, nothing foreign acted on.

use crate::fixtures::fixture;
use tezgah::recipe::Cell;
use tezgah::record::RunRecord;
use tezgah::report::export;
use tezgah::report::profile::Profile;
use tezgah::report::weave::source::{Kind, coloured, pieces};
use tezgah::report::weave::{Listing, Live, MaskedRow, Moment, Part, Shown, Went, Woven, weave};

/// An invented experiment.
const SOURCE: &str = r##"//! # Soru
//!
//! Ne kadar?

use tezgah::run::Notebook;

/// ## Koşu
///
/// Hücreler; bkz. [`crate::run`] ve [`page`](https://example.com).
///
/// # Errors
/// As the cells.
fn cells(notebook: Notebook) -> Result<()> {
    // ### Satırlar
    // Sayılır.
    let study = notebook.prepare()?; // a word beside it
    // A word on the next line.
    let text = "
    // no comment
";
    let settings = Settings {
        // A note inside a literal.
        rank: 8,
    };

    // ### Önce
    let measured = study.load()?.evaluate_baseline()?;
    Ok(measured)
}
"##;

const FILE: &str = "experiments/../sources/invented.rs";

#[test]
fn prose_and_code_are_told_apart() {
    let expected = [
        (Kind::Prose, "# Soru\n\nNe kadar?", 1..=3),
        (Kind::Names, "use tezgah::run::Notebook;", 5..=5),
        (
            Kind::Prose,
            "## Koşu\n\nHücreler; bkz. `crate::run` ve [`page`](https://example.com).\n\n##### Errors\nAs the cells.",
            7..=12,
        ),
        (Kind::Code, "fn cells(notebook: Notebook) -> Result<()> {", 13..=13),
        (Kind::Prose, "### Satırlar\nSayılır.", 14..=15),
        (
            Kind::Code,
            "    let study = notebook.prepare()?; // a word beside it\n    // A word on the next line.\n    \
             let text = \"\n    // no comment\n\";\n    let settings = Settings {\n        // A note inside a \
             literal.\n        rank: 8,\n    };",
            16..=24,
        ),
        (Kind::Prose, "### Önce", 26..=26),
        (Kind::Code, "    let measured = study.load()?.evaluate_baseline()?;\n    Ok(measured)\n}", 27..=29),
    ];
    let pieces = pieces(SOURCE);
    let found: Vec<_> =
        pieces.iter().map(|piece| (piece.kind, piece.text.as_str(), piece.lines.clone())).collect();
    assert_eq!(found, expected);
}

/// On the sources of the repository: no line is lost or shown twice, and colours change no letter.
#[test]
fn every_line_of_a_source_is_in_one_piece() {
    let experiments = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("experiments");
    let mut sources = 0;
    for entry in std::fs::read_dir(experiments).expect("a folder") {
        let path = entry.expect("an entry").path();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let pieces = pieces(&text);
        for (index, line) in text.lines().enumerate() {
            let number = index as u32 + 1;
            let holders = pieces.iter().filter(|piece| piece.lines.contains(&number)).count();
            let is_empty = line.trim().is_empty();
            assert!(
                holders == 1 || (is_empty && holders == 0),
                "{}:{number}: {holders} pieces",
                path.display()
            );
        }
        for piece in pieces.iter().filter(|piece| piece.kind != Kind::Prose) {
            let stretches: String = coloured(&piece.text).into_iter().map(|(_, text)| text).collect();
            assert_eq!(stretches, piece.text);
        }
        sources += 1;
    }
    assert!(sources >= 9, "{sources} sources");
}

#[test]
fn what_is_no_rust_gives_pieces_too() {
    for text in ["", "\n\n", "fn (", "\"", "/*", "'", "// x", "r#\"", "}}}}\n// y", "\u{0}\u{feff}é\n///"] {
        let lines: u32 = pieces(text).iter().map(|piece| piece.lines.end() - piece.lines.start() + 1).sum();
        let written = text.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines as usize >= written, "{text:?}");
    }
}

fn shown(cell: Cell, line: u32, went: Went) -> Shown {
    Shown { cell, place: (FILE, line), went, lines: vec![format!("said in {}", cell.name())] }
}

fn moment() -> Moment {
    Moment { at: "2026-11-26T09:58:00+03:00".into(), seconds: 93.2 }
}

/// The page of `record` after these cells.
fn page(
    record: &RunRecord,
    source: &'static str,
    cells: &[Shown],
    live: Option<Live<'_>>,
) -> (Vec<Part>, String) {
    let profile = Profile::ready("varsayilan").expect("a ready profile");
    let charts = tezgah::report::render(record, &profile).expect("a report").charts;
    let rows = [MaskedRow { prompt: "<b>Soru".into(), response: "Yanıt</b>".into(), tokens: 7, targets: 4 }];
    let sources = [Listing { file: FILE, text: source }; 2];
    let woven =
        Woven { sources: &sources, cells, rows: &rows, record, charts: &charts, profile: &profile, live };
    let page = weave(&woven).expect("a page");
    let html = export::notebook(&page, &charts).expect("HTML");
    (page.parts, html)
}

#[test]
fn a_cell_stands_once_under_the_code_that_called_it() {
    let cells = [
        shown(Cell::Rows, 16, Went::Computed(moment())),
        shown(Cell::BaseModel, 27, Went::Kept(moment())),
        shown(Cell::Baseline, 27, Went::Computed(moment())),
        Shown { place: ("elsewhere.rs", 3), ..shown(Cell::Training, 0, Went::Begun) },
    ];
    let (parts, html) = page(&fixture("iyi"), SOURCE, &cells, None);
    let outline: Vec<String> = parts
        .iter()
        .map(|part| match part {
            Part::File(path) => path.clone(),
            Part::Prose(text) => text.lines().next().unwrap_or_default().to_string(),
            Part::Code(code, _) => code.lines().next().unwrap_or_default().trim().to_string(),
            Part::Result(given) => format!("{}: {}", given.cell.name(), given.went),
        })
        .collect();
    let went = "26 Kasım 2026, 09.58 · süre: 93 saniye";
    assert_eq!(
        outline,
        [
            "sources/invented.rs",
            "# Soru",
            "use tezgah::run::Notebook;",
            "## Koşu",
            "fn cells(notebook: Notebook) -> Result<()> {",
            "### Satırlar",
            "let study = notebook.prepare()?; // a word beside it",
            &format!("rows: hesaplandı: {went}"),
            "### Önce",
            "let measured = study.load()?.evaluate_baseline()?;",
            &format!("base_model: önceki bir çağrıdan: {went}"),
            &format!("baseline: hesaplandı: {went}"),
            "training: bitmedi",
        ]
    );
    // The numbers are the record's, each with its place, and the curve is drawn.
    let record = fixture("iyi");
    let loss = record.evaluation.baseline.expect("a baseline").masked.loss;
    let printed = format!("{loss:.4}").replace('.', ",");
    assert!(
        html.contains(&format!("title=\"evaluation.baseline.masked.loss\">{printed}</span>")),
        "{printed}"
    );
    assert_eq!(html.matches("<svg ").count(), 1);
    assert!(html.contains("<mark>Yanıt&lt;/b&gt;</mark>") && html.contains("said in baseline"));
    assert!(html.contains("<span class=\"anahtar\">let</span> study"));
    assert!(!html.contains("http-equiv=\"refresh\""));
}

#[test]
fn a_run_that_goes_on_is_looked_at_again_and_its_end_leads_to_the_page() {
    let live = Live { now: "2026-11-26T10:00:05+03:00", again: 5, patience: 600 };
    let cells = [shown(Cell::Training, 16, Went::Begun)];
    let (_, html) = page(&fixture("suren"), SOURCE, &cells, Some(live));
    assert!(html.contains("<meta http-equiv=\"refresh\" content=\"5\">"));
    assert!(
        html.contains("<strong>Koşu sürüyor.</strong>")
            && html.contains("son işaret: 26 Kasım 2026, 10.00.05.")
    );
    // Of a run that was killed the reader's clock tells, by what `date -u -d 2026-11-26T07:00:05Z +%s` prints.
    assert!(html.contains("class=\"durum\" data-an=\"1795676405\" data-sabir=\"600\""));
    assert!(html.contains("<span hidden><strong>Yanıt yok:</strong> son işaret 26 Kasım 2026, 10.00.05."));
    // Nothing else runs: `openssl dgst -sha256 -binary templates/export/canli.js | base64`.
    assert!(html.contains("script-src 'sha256-FkS7ciNspp/jf0/4GX2wjH7HZGDwEbfJ0c4M3Ig6kOQ='; "));
    assert_eq!(html.matches("<script>").count(), 1);
    assert!(html.contains("Koşu henüz sona ermemiştir"), "the warning of the documents");
    let end = export::pointer("defter.html");
    assert!(!end.contains("script"), "what has ended needs none");
    assert!(end.contains("content=\"0; url=defter.html\"") && end.contains("<a href=\"defter.html\">"));
}

#[test]
fn a_foreign_source_and_foreign_texts_are_shown_and_not_acted_on() {
    const ATTACK: &str = "</pre><script>alert(1)</script><img src=x onerror=alert(2)>";
    const FOREIGN: &str = "//! # <script>alert(1)</script>\n//! Costs $5 and $6; ![x](http://example.com/x.png)\n//! \n//! \
                           ![y](charts/none.svg)\n//!\n//! $$\\unknown{$$\n//!\n//! [z](javascript:alert(3)) \
                           \u{E000}model.name\u{E001}1\u{E002}\n\nfn f() { \"</code></pre><script>alert(4)</script>\"; }\n";
    let mut record = fixture("iyi");
    for sample in &mut record.samples {
        for text in [&mut sample.instruction, &mut sample.baseline, &mut sample.fine_tuned] {
            *text = format!("``` {ATTACK}");
        }
    }
    record.dataset.source = format!("{ATTACK}|`");
    let lines = vec![ATTACK.to_string(), "\u{1b}[31mred\u{1b}[0m".to_string()];
    let went = || Went::Computed(moment());
    let cells =
        [Cell::Rows, Cell::Texts].map(|cell| Shown { lines: lines.clone(), ..shown(cell, 10, went()) });
    let (_, html) = page(&record, FOREIGN, &cells, None);
    for alive in ["<script", "<img", "javascript:", "\u{1b}", "title=\"model.name\"", "http://example.com"] {
        assert!(!html.contains(alive), "{alive}");
    }
    assert!(html.contains("&lt;script&gt;alert(4)&lt;/script&gt;"), "the code itself is shown");
    assert!(html.contains("\\unknown{"), "a formula that no one understands is shown as it was written");
    for element in ["pre", "code", "section", "figure", "table", "main", "details", "div", "span", "p"] {
        let opened =
            html.matches(&format!("<{element}>")).count() + html.matches(&format!("<{element} ")).count();
        assert_eq!(opened, html.matches(&format!("</{element}>")).count(), "<{element}>");
    }
}

//! Sheets for raters and what comes back, as a researcher makes and reads them.
//!
//! The raters here go by what they read and by nothing else: a text with the fine-tuned model's mark gets 4, one with the base
//! model's 2, and any other, a reference, 5. What `ratings.json` has by system must come from the sheets' sides.

use crate::program::*;
use calamine::{Reader, Xlsx, open_workbook};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

type Cells = Vec<Vec<String>>;
type Change<'a> = &'a dyn Fn(&mut Cells);

const SHEET: &str = "Değerlendirme";
/// What stands in the texts of the fine-tuned model, and in those of the base model.
const MARKS: [&str; 2] = ["lemon", "pepper"];
const SCORES: std::ops::Range<usize> = 4..12;
const PREFERENCE: usize = 12;
const CODE: usize = 14;

/// A finished run of the tiny model, its texts replaced: with what spreadsheets take for formulas, refuse or escape.
fn finished(folder: &Path) -> String {
    let out = text(folder.join("run"));
    let settings = ["samples.count=10", "samples.max_new_tokens=2", "train.max_steps=2"];
    let settings: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    said("a1", &with_out(&tiny_arguments(), &out, &settings));
    rewrite(Path::new(&out), "");
    out
}

/// Puts a text with the system's mark in the place of each, `more` at its end.
fn rewrite(out: &Path, more: &str) {
    let mut record = record(out);
    for row in record["texts"]["rows"].as_array_mut().expect("texts") {
        let mark = MARKS[usize::from(row["system"] != "fine_tuned")];
        let number = row["row"].as_u64().expect("a row");
        row["text"] =
            format!("={mark}+{number}\r\n<b>I & \u{1b}you</b> _x0041_ \"çay\"; {number}{more}").into();
    }
    std::fs::write(out.join("record.json"), record.to_string()).expect("written");
}

fn prepared(out: &str, folder: &Path, more: &[&str]) -> PathBuf {
    let folder = folder.to_path_buf();
    let to = text(folder.clone());
    let arguments =
        ["prepare", "--run", out, "--raters", "2", "--items", "9", "--against", "baseline", "--out", &to];
    said("ratings", &[&arguments, more].concat());
    folder
}

/// The cells of a rater's sheet.
fn cells(folder: &Path, rater: usize) -> Cells {
    let mut workbook: Xlsx<_> =
        open_workbook(folder.join(format!("degerlendirici_{rater}.xlsx"))).expect("a workbook");
    let range = workbook.worksheet_range(SHEET).expect("the sheet of items");
    range.rows().map(|row| row.iter().map(|cell| cell.to_string()).collect()).collect()
}

/// The sheet as a rater sends it back who goes by the marks.
fn answered(folder: &Path, rater: usize) -> Cells {
    let mut cells = cells(folder, rater);
    for row in &mut cells[1..] {
        let score = |text: &str| {
            if text.contains(MARKS[0]) {
                4
            } else if text.contains(MARKS[1]) {
                2
            } else {
                5
            }
        };
        let (first, second) = (score(&row[2]), score(&row[3]));
        for column in SCORES {
            row[column] = if column % 2 == 0 { first } else { second }.to_string();
        }
        row[PREFERENCE] = if first > second { "A" } else { " b" }.into();
    }
    cells
}

fn write_csv(path: &Path, cells: &[Vec<String>]) {
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_path(path).expect("a file");
    cells.iter().for_each(|row| writer.write_record(row).expect("written"));
    writer.flush().expect("written");
}

/// Scores as numbers, as a spreadsheet keeps them.
fn write_workbook(path: &Path, cells: &[Vec<String>]) {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet().set_name(SHEET).expect("a name");
    for (row, texts) in cells.iter().enumerate() {
        for (column, text) in texts.iter().enumerate() {
            let (row, column) = (row as u32, column as u16);
            match text.parse::<f64>() {
                Ok(number) => sheet.write_number(row, column, number),
                Err(_) => sheet.write_string(row, column, text),
            }
            .expect("written");
        }
    }
    workbook.save(path).expect("written");
}

fn bytes_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| (path.file_name().expect("a name").into(), std::fs::read(&path).expect("bytes")))
        .collect()
}

#[test]
fn sheets_are_the_same_again_blind_and_balanced() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = finished(folder.path());
    let sheets = prepared(&out, &folder.path().join("1"), &[]);
    let first = bytes_of(&sheets);
    assert_eq!(first.len(), 6);
    assert!(first == bytes_of(&prepared(&out, &folder.path().join("2"), &[])), "another run, other bytes");
    let other = prepared(&out, &folder.path().join("3"), &["--seed", "7"]);
    let order = |folder: &Path| cells(folder, 1).into_iter().map(|row| row[2].clone()).collect::<Vec<_>>();
    assert_ne!(order(&sheets), order(&other), "another seed, the same order");

    // The fine-tuned text is A as often as B, and of two raters one sees it first.
    let sides = |rater: usize| -> BTreeMap<String, Vec<bool>> {
        let mut sides = BTreeMap::<String, Vec<bool>>::new();
        for row in &cells(&sheets, rater)[1..] {
            let pair = [&row[2], &row[3]].map(|text| MARKS.iter().any(|mark| text.contains(mark)));
            if pair == [true, true] {
                let number = row[2].rsplit(' ').next().expect("a number").to_string();
                sides.entry(number).or_default().push(row[2].contains(MARKS[0]));
            }
        }
        sides
    };
    let (one, two) = (sides(1), sides(2));
    let once: Vec<bool> = one.values().map(|seen| seen[0]).collect();
    assert_eq!(once.len(), 9);
    let repeated: Vec<&Vec<bool>> = one.values().filter(|seen| seen.len() == 2).collect();
    assert_eq!(repeated.len(), 2);
    assert!(repeated.iter().all(|seen| seen[0] != seen[1]), "a repeat with the same sides");
    assert!([4, 5].contains(&once.iter().filter(|is_first| **is_first).count()), "{once:?}");
    assert!(one.iter().all(|(number, seen)| seen[0] != two[number][0]), "{one:?} {two:?}");

    let names = ["fine_tuned", "baseline", "prompted", "reference"];
    let blind = |place: &str, text: &str| {
        names.iter().for_each(|name| assert!(!text.contains(name), "'{name}' stands in {place}"));
    };
    for rater in ["1", "2"] {
        let html = read(&sheets.join(format!("degerlendirici_{rater}.html")));
        blind("the form", &html);
        assert!(html.contains("&lt;b&gt;I &amp; \u{fffd}you") && !html.contains("<b>"), "{html}");
        let file =
            std::fs::File::open(sheets.join(format!("degerlendirici_{rater}.xlsx"))).expect("a workbook");
        let mut archive = zip::ZipArchive::new(file).expect("an archive");
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).expect("an entry");
            let (name, mut xml) = (entry.name().expect("UTF-8").to_string(), String::new());
            entry.read_to_string(&mut xml).expect("XML");
            if !name.contains("theme") {
                blind(&name, &xml);
            }
            assert!(!xml.contains("<f>"), "a formula in {name}");
        }
    }
}

#[test]
fn answers_come_back_by_system() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = finished(folder.path());
    let sheets = prepared(&out, &Path::new(&out).join("ratings"), &[]);
    let returned = folder.path().join("returned");
    std::fs::create_dir(&returned).expect("a folder");
    // The untouched sheets lie beside the answered ones, and Excel's mark of an open file.
    for name in ["degerlendirici_1.xlsx", "degerlendirici_2.xlsx"] {
        std::fs::copy(sheets.join(name), returned.join(name)).expect("copied");
    }
    std::fs::write(returned.join("~$degerlendirici_1.xlsx"), "x").expect("written");
    write_workbook(&returned.join("a.xlsx"), &answered(&sheets, 1));
    let mut second = answered(&sheets, 2);
    second[1..4].iter_mut().for_each(|row| row[SCORES.start..=PREFERENCE].fill(String::new()));
    second[4][5] = String::new();
    second[5][PREFERENCE] = "EŞİT".into();
    second[6..].reverse();
    write_csv(&returned.join("b.csv"), &second);

    let output = run("ratings", &["collect", "--run", &out, &text(returned)]);
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for line in
        ["degerlendirici_2.xlsx: no answer in it", "rater 2: 10 of 13 items answered, 1 of them in part"]
    {
        assert!(printed.contains(line), "'{line}' is not in {printed}");
    }
    assert!(!printed.contains("rater 1:"), "{printed}");

    let ratings = json(&Path::new(&out).join("ratings.json"));
    let answers = ratings["panels"][0]["answers"].as_array().expect("answers");
    let count = |rater: u64| answers.iter().filter(|answer| answer["rater"] == rater).count();
    assert_eq!((count(0), count(1)), (13, 10));
    let places: Vec<(u64, u64)> = answers
        .iter()
        .map(|answer| (answer["rater"].as_u64().unwrap(), answer["item"].as_u64().unwrap()))
        .collect();
    assert!(places.is_sorted(), "{places:?}");
    for answer in answers.iter().filter(|answer| answer["rater"] == 0) {
        let (other, preferred) = if answer["kind"] == "ceiling" { (5, "other") } else { (2, "fine_tuned") };
        assert_eq!(answer["fine_tuned"], serde_json::json!([4, 4, 4, 4]), "{answer}");
        assert_eq!(answer["other"], serde_json::json!(vec![other; 4]), "{answer}");
        assert_eq!(answer["preferred"], preferred, "{answer}");
    }
    let of_second = |is_wanted: &dyn Fn(&Value) -> bool| {
        answers.iter().filter(|answer| answer["rater"] == 1 && is_wanted(answer)).count()
    };
    assert_eq!(of_second(&|answer| answer["preferred"] == "equal"), 1);
    let has_none = |scores: &Value| scores.as_array().is_some_and(|scores| scores.contains(&0.into()));
    assert_eq!(of_second(&|answer| has_none(&answer["fine_tuned"]) || has_none(&answer["other"])), 1);
}

#[test]
fn every_fault_of_a_sheet_is_one_line_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = finished(folder.path());
    let sheets = prepared(&out, &Path::new(&out).join("ratings"), &[]);
    let good = answered(&sheets, 1);
    let at = |name: &str| folder.path().join(name);
    write_csv(&at("good.csv"), &good);
    said("ratings", &["collect", "--run", &out, &text(at("good.csv"))]);
    let kept = std::fs::read(Path::new(&out).join("ratings.json")).expect("ratings");
    let refuses = |paths: &[PathBuf], words: &str| {
        let paths: Vec<String> = paths.iter().cloned().map(text).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let (said, code) = refused("ratings", &[&["collect", "--run", &out], &paths[..]].concat());
        assert_eq!((said.lines().count(), code), (1, Some(2)), "{said}");
        assert!(said.contains(words), "'{words}' is not in {said}");
        assert!(kept == std::fs::read(Path::new(&out).join("ratings.json")).expect("ratings"), "{words}");
    };
    let other = prepared(&out, &at("other"), &["--seed", "7"]);
    let foreign = answered(&other, 1);
    let second = answered(&sheets, 2);
    let changed = |change: Change| {
        let mut cells = good.clone();
        change(&mut cells);
        write_csv(&at("bad.csv"), &cells);
        write_workbook(&at("bad.xlsx"), &cells);
    };
    let cases: [(Change, &str); 10] = [
        (&|cells| cells[6][5] = "x".into(), "cell F7: expected 1, 2, 3, 4 or 5, got 'x'"),
        (&|cells| cells[1][4] = "6".into(), "cell E2: expected 1, 2, 3, 4 or 5, got '6'"),
        (&|cells| cells[2][PREFERENCE] = "C".into(), "cell M3: expected A, B or Eşit, got 'C'"),
        (&|cells| cells[3][2] += " more", "cell C4: expected the text as it was sent, after"),
        (&|cells| cells[3][1] = "Write.".into(), "cell B4: expected the text as it was sent"),
        (&|cells| cells[0][6] = "Grammar".into(), "cell G1: expected the text as it was sent"),
        (&|cells| drop(cells.remove(5)), "expected all 13 lines, got none with the number 5"),
        (&|cells| cells.push(cells[5].clone()), "cell A15: expected each line once, got the number 5 twice"),
        (&|cells| cells[4][CODE] = second[4][CODE].clone(), "cell O5: expected D1-"),
        (
            &|cells| cells[1..].iter_mut().for_each(|row| row[CODE] = foreign[1][CODE].clone()),
            "cell O2: expected a code",
        ),
    ];
    for (change, words) in cases {
        changed(change);
        refuses(&[at("bad.csv")], words);
        refuses(&[at("bad.xlsx")], &format!("bad.xlsx: sheet '{SHEET}'"));
        refuses(&[at("bad.xlsx")], words);
    }
    changed(&|_| {});
    refuses(&[at("good.csv"), at("bad.xlsx")], "expected each rater once, got rater 1 twice");
    refuses(&[at("good.csv"), at("nowhere.csv")], "nowhere.csv");
    refuses(std::slice::from_ref(&sheets), "expected at least one answer, got none in 2 sheets");
    std::fs::write(at("plain.csv"), b"No;G\xF6rev\r\n").expect("written");
    refuses(&[at("plain.csv")], "save the sheet as 'CSV UTF-8'");
    std::fs::write(at("large.xlsx"), vec![0; (8 << 20) + 1]).expect("written");
    refuses(&[at("large.xlsx")], "expected a sheet of at most 8 MB");
    rewrite(Path::new(&out), " more");
    refuses(&[at("good.csv")], "setting key: expected the key of the texts of");

    let arguments = ["prepare", "--run", &out, "--raters", "2", "--items", "9", "--seed", "8"];
    let (said, code) = refused("ratings", &arguments);
    assert_eq!((said.lines().count(), code), (1, Some(2)), "{said}");
    assert!(said.contains("expected a folder without another key"), "{said}");
}

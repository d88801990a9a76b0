//! Files of rows: what is refused and in which words, every dialect, the bytes that are hashed and written.

use super::{row, tiny};
use tezgah::data::alpaca::{parse, read, to_json};
use tezgah::sha256;

const TEXT_WANTED: &str = "expected a string with text in it";

fn check_refused(cases: Vec<(&[u8], String)>) {
    for (bytes, message) in cases {
        let error = parse("f.json", bytes).expect_err(&format!("{:?}", String::from_utf8_lossy(bytes)));
        assert_eq!(error.to_string(), message);
    }
}

#[test]
fn refuses_bad_files_in_these_words() {
    let cases: Vec<(&[u8], String)> = vec![
        (b"", "f.json: expected at least one row, got none".into()),
        (b" \r\n ", "f.json: expected at least one row, got none".into()),
        (b"[]", "f.json: expected at least one row, got none".into()),
        (b"[\xff]", "f.json: expected UTF-8, got the byte 0xFF at byte 1".into()),
        (
            "[\"é".as_bytes().split_last().unwrap().1,
            "f.json: expected UTF-8, got the byte 0xC3 at byte 2".into(),
        ),
        (b"hello", "f.json: expected JSON, got a fault at line 1, column 1: expected value".into()),
        (
            b"[\n  {\"instruction\": \"a\",}\n]",
            "f.json: expected JSON, got a fault at line 2, column 23: trailing comma".into(),
        ),
        (
            b"[{\"instruction\"",
            "f.json: expected JSON, got a fault at line 1, column 15: EOF while parsing an object".into(),
        ),
        (
            b"{\"data\": []}",
            "f.json: expected a JSON array of rows, or JSONL with a row a line, got an object".into(),
        ),
        (b"\"x\"", "f.json: expected a JSON array of rows, or JSONL with a row a line, got a string".into()),
        (b"7", "f.json: expected a JSON array of rows, or JSONL with a row a line, got the number 7".into()),
        (
            br#"[{"instruction": "a", "output": "b"}, ["a", "b"]]"#,
            "f.json, row 2: expected an object with instruction and output, got an array".into(),
        ),
        (
            br#"[{"instruction": "a", "text": "b"}]"#,
            format!("f.json, row 1: field output: {TEXT_WANTED}, got only instruction, text"),
        ),
        (b"[{}]", format!("f.json, row 1: field instruction: {TEXT_WANTED}, got an object without fields")),
        (
            br#"[{"instruction": "", "output": "b"}]"#,
            format!("f.json, row 1: field instruction: {TEXT_WANTED}, got an empty one"),
        ),
        (
            br#"[{"instruction": "a", "output": " \n\t"}]"#,
            format!("f.json, row 1: field output: {TEXT_WANTED}, got white space alone"),
        ),
        (
            br#"[{"instruction": "a", "output": 7}]"#,
            format!("f.json, row 1: field output: {TEXT_WANTED}, got the number 7"),
        ),
        (
            br#"[{"instruction": null, "output": "b"}]"#,
            format!("f.json, row 1: field instruction: {TEXT_WANTED}, got null"),
        ),
        (
            br#"[{"instruction": "a", "input": ["x"], "output": "b"}]"#,
            "f.json, row 1: field input: expected a string, got an array".into(),
        ),
    ];
    check_refused(cases);
}

#[test]
fn refuses_bad_lines_in_these_words() {
    // JSONL: the line is that of the file, the row leaves blank lines out.
    let cases: Vec<(&[u8], String)> = vec![
        (
            b"{\"instruction\": \"a\", \"output\": \"b\"}\n\n{\"instruction\": \"a\", }\n",
            "f.json, row 2: expected JSON, got a fault at line 3, column 22: trailing comma".into(),
        ),
        (
            b"{\"instruction\": \"a\", \"output\": \"b\"}\r\n\r\n{\"instruction\": \"a\", \"output\": true}\r\n",
            format!("f.json, row 2: field output: {TEXT_WANTED}, got true"),
        ),
        (
            b"{\"instruction\": \"a\", \"output\": \"b\"}\n\"b\"",
            "f.json, row 2: expected an object with instruction and output, got a string".into(),
        ),
    ];
    check_refused(cases);
}

#[test]
fn a_missing_file_is_named() {
    let error = read("no/such/rows.json").unwrap_err().to_string();
    assert!(error.starts_with("no/such/rows.json: "), "{error}");
}

#[test]
fn reads_every_dialect_alike() {
    let wanted = vec![row("Say hi.", "", "Hi, Ayşe!"), row("Translate.", "merhaba", " hello\n")];
    let array = r#"[{"instruction": "Say hi.", "output": "Hi, Ayşe!"},
{"id": 4, "instruction": "Translate.", "input": "merhaba", "output": " hello\n"}]"#;
    let lines = "{\"instruction\": \"Say hi.\", \"input\": null, \"output\": \"Hi, Ayşe!\"}\n\
                 \n{\"output\": \" hello\\n\", \"input\": \"merhaba\", \"instruction\": \"Translate.\"}\n";
    let dialects = |text: &str| {
        let crlf = text.replace('\n', "\r\n");
        [
            text.to_string(),
            crlf.clone(),
            format!("\u{feff}{text}"),
            format!("\u{feff}{crlf}"),
            format!("\n{text}"),
        ]
    };
    for text in dialects(array).into_iter().chain(dialects(lines)) {
        let file = parse("rows", text.as_bytes()).unwrap();
        assert_eq!(file.rows, wanted, "{text:?}");
        assert_eq!(file.sha256, sha256::of(text.as_bytes()));
    }
    let single = parse("rows", br#"{"instruction": "a", "output": "b"}"#).unwrap();
    assert_eq!(single.rows, [row("a", "", "b")]);
}

#[test]
fn hashes_the_bytes_of_the_file() {
    // sha256sum tests/reference/tiny/train.json
    let file = read(tiny("train.json")).unwrap();
    assert_eq!(file.sha256, "02440d8b36c190369801bbf34dd71127a3df51d6a2d96d8d7c141e2776bdfd35");
    assert_eq!(file.rows.len(), 38);
}

#[test]
fn split_files_come_back_as_they_were_written() {
    let rows = vec![row("Söyle \"hi\".", "", "Hi!\r\n\tBye \\ \u{1}"), row("Translate.", "merhaba", "hello")];
    let written = to_json(&rows);
    assert_eq!(parse("split", written.as_bytes()).unwrap().rows, rows);
    assert_eq!(
        to_json(&rows[1..]),
        "[\n  {\n    \"instruction\": \"Translate.\",\n    \"input\": \"merhaba\",\n    \"output\": \"hello\"\n  }\n]\n"
    );
    assert!(!written.split("Translate").next().unwrap().contains("input"), "{written}");
}

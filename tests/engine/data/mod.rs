//! The data room: what it refuses and in which words, how it splits, counts and encodes.
#![allow(clippy::unwrap_used, reason = "a test may stop where a fixture is not what it must be")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tezgah::data::alpaca::{Row, RowFile, parse, read, to_json};
use tezgah::data::checks::{Checks, check, lengths, word_lengths};
use tezgah::data::encode::{RowEncoder, prompt, summarize};
use tezgah::data::split::{evaluation_rows, permutation, split};
use tezgah::data::{Source, prepare};
use tezgah::random;
use tezgah::recipe::DataRecipe;
use tezgah::sha256;
use tokenizers::Tokenizer;

fn tiny(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/tiny").join(file)
}

fn json(file: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(tiny(file)).unwrap()).unwrap()
}

fn tokenizer() -> Tokenizer {
    Tokenizer::from_file(tiny("model/tokenizer.json")).unwrap()
}

/// The tiny tokenizer with another post-processor, as `tokenizer.json` would write it.
fn tokenizer_with(post_processor: Value) -> Tokenizer {
    let mut file = json("model/tokenizer.json");
    file["post_processor"] = post_processor;
    serde_json::from_value(file).unwrap()
}

fn row(instruction: &str, input: &str, output: &str) -> Row {
    Row { instruction: instruction.into(), input: input.into(), output: output.into() }
}

fn numbered(count: usize) -> RowFile {
    let rows =
        (0..count).map(|number| row(&format!("Write {number}."), "", &format!("Text {number}."))).collect();
    RowFile { name: "rows.json".into(), sha256: sha256::of(b""), rows }
}

// ---- alpaca ----

#[test]
fn refuses_bad_files_in_these_words() {
    let text_wanted = "expected a string with text in it";
    let cases: Vec<(&[u8], String)> = vec![
        (b"", "f.json: expected at least one row, got none".into()),
        (b" \r\n ", "f.json: expected at least one row, got none".into()),
        (b"[]", "f.json: expected at least one row, got none".into()),
        (b"[\xff]", "f.json: expected UTF-8, got the byte 0xFF at byte 1".into()),
        ("[\"é".as_bytes().split_last().unwrap().1, "f.json: expected UTF-8, got the byte 0xC3 at byte 2".into()),
        (b"hello", "f.json: expected JSON, got a fault at line 1, column 1: expected value".into()),
        (
            b"[\n  {\"instruction\": \"a\",}\n]",
            "f.json: expected JSON, got a fault at line 2, column 23: trailing comma".into(),
        ),
        (b"[{\"instruction\"", "f.json: expected JSON, got a fault at line 1, column 15: EOF while parsing an object".into()),
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
            format!("f.json, row 1: field output: {text_wanted}, got only instruction, text"),
        ),
        (b"[{}]", format!("f.json, row 1: field instruction: {text_wanted}, got an object without fields")),
        (
            br#"[{"instruction": "", "output": "b"}]"#,
            format!("f.json, row 1: field instruction: {text_wanted}, got an empty one"),
        ),
        (
            br#"[{"instruction": "a", "output": " \n\t"}]"#,
            format!("f.json, row 1: field output: {text_wanted}, got white space alone"),
        ),
        (
            br#"[{"instruction": "a", "output": 7}]"#,
            format!("f.json, row 1: field output: {text_wanted}, got the number 7"),
        ),
        (
            br#"[{"instruction": null, "output": "b"}]"#,
            format!("f.json, row 1: field instruction: {text_wanted}, got null"),
        ),
        (
            br#"[{"instruction": "a", "input": ["x"], "output": "b"}]"#,
            "f.json, row 1: field input: expected a string, got an array".into(),
        ),
        // JSONL: the line is that of the file, the row leaves blank lines out.
        (
            b"{\"instruction\": \"a\", \"output\": \"b\"}\n\n{\"instruction\": \"a\", }\n",
            "f.json, row 2: expected JSON, got a fault at line 3, column 22: trailing comma".into(),
        ),
        (
            b"{\"instruction\": \"a\", \"output\": \"b\"}\r\n\r\n{\"instruction\": \"a\", \"output\": true}\r\n",
            format!("f.json, row 2: field output: {text_wanted}, got true"),
        ),
        (
            b"{\"instruction\": \"a\", \"output\": \"b\"}\n\"b\"",
            "f.json, row 2: expected an object with instruction and output, got a string".into(),
        ),
    ];
    for (bytes, message) in cases {
        let error = parse("f.json", bytes).expect_err(&format!("{:?}", String::from_utf8_lossy(bytes)));
        assert_eq!(error.to_string(), message);
    }
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

// ---- random and split; the numbers are printed by tests/reference/permutation.py ----

#[test]
fn streams_are_chacha8_keyed_by_name_and_seed() {
    use rand_chacha::rand_core::Rng;
    let mut dropout = random::stream(3407, "dropout");
    let drawn: Vec<u64> = (0..3).map(|_| dropout.next_u64()).collect();
    assert_eq!(drawn, [2628049916102066459, 13558634651421076235, 3250566180310499461]);
}

#[test]
fn the_permutation_never_changes() {
    assert_eq!(permutation(20, 42), [2, 3, 9, 11, 19, 1, 7, 5, 18, 4, 0, 8, 14, 10, 13, 12, 6, 16, 15, 17]);
    assert_eq!(permutation(20, 0), [18, 17, 7, 13, 1, 11, 6, 2, 9, 8, 15, 0, 12, 5, 16, 14, 19, 10, 3, 4]);
    let order = permutation(2000, 42);
    assert_eq!(order[..8], [603, 106, 1818, 810, 224, 1348, 58, 441]);
    let printed: Vec<String> = order.iter().map(usize::to_string).collect();
    assert_eq!(
        sha256::of(printed.join(",").as_bytes()),
        "51386d43577d6c5136b0dbd796ffef854cd6c7087507c461e1f150202fbc3f20"
    );
}

#[test]
fn every_order_is_equally_likely() {
    // 6 orders, 60 000 shuffles: chi-square with 5 degrees of freedom; scipy.stats.chi2.ppf(0.9999, 5) = 25.74.
    // Swapping with any of all places, the usual mistake, gives about 740.
    let mut generator = random::stream(1, "test");
    let mut counts = std::collections::BTreeMap::<[u8; 3], f64>::new();
    for _ in 0..60_000 {
        let mut items = [0, 1, 2];
        random::shuffle(&mut generator, &mut items);
        *counts.entry(items).or_default() += 1.0;
    }
    let chi_square: f64 = counts.values().map(|count| (count - 10_000.0f64).powi(2) / 10_000.0).sum();
    assert_eq!(counts.len(), 6);
    assert!(chi_square < 25.74, "{chi_square}");
}

#[test]
fn draws_reach_the_whole_range_and_no_more() {
    let mut generator = random::stream(7, "test");
    let reached: BTreeSet<u64> = (0..200).map(|_| random::below(&mut generator, 7)).collect();
    assert_eq!(reached, (0..7).collect());
    assert_eq!(random::below(&mut generator, 1), 0);
    // Three quarters of all draws: without the rejection the lowest third would come half of the time.
    let bound = 3u64 << 62;
    let low = (0..3000).filter(|_| random::below(&mut generator, bound) < bound / 3).count();
    assert!((870..1130).contains(&low), "{low}");
}

#[test]
fn a_split_is_disjoint_and_covers_all_rows() {
    let file = numbered(2000);
    let parts = split(&file, 0.1, 42).unwrap();
    assert_eq!((parts.train.len(), parts.evaluation.len()), (1800, 200));
    let both: BTreeSet<&Row> = parts.train.iter().chain(&parts.evaluation).collect();
    assert_eq!(both, file.rows.iter().collect());

    // Both parts keep the permuted order; the evaluation rows come first in it.
    assert_eq!(parts.evaluation[0], file.rows[603]);
    assert_eq!(parts.evaluation[1], file.rows[106]);
    assert_eq!(parts.train[0], file.rows[permutation(2000, 42)[200]]);
    assert_ne!(split(&file, 0.1, 43).unwrap(), parts);
}

#[test]
fn held_out_rows_are_rounded_half_up_and_leave_both_parts_filled() {
    let counts = [
        (2000, 0.1, 200),
        (25, 0.1, 3),
        (24, 0.1, 2),
        (50, 0.29, 15),
        (2, 0.99, 1),
        (3, 0.001, 1),
        (10, 0.99, 9),
    ];
    for (rows, fraction, held_out) in counts {
        assert_eq!(evaluation_rows(rows, fraction), held_out, "{rows} x {fraction}");
        let parts = split(&numbered(rows), fraction, 1).unwrap();
        assert_eq!((parts.train.len(), parts.evaluation.len()), (rows - held_out, held_out));
    }
}

#[test]
fn refuses_what_cannot_be_split() {
    let message = |count, fraction| split(&numbered(count), fraction, 42).unwrap_err().to_string();
    let expected = "rows.json: expected at least 2 rows, one to train on and one to evaluate on, got 1";
    assert_eq!(message(1, 0.1), expected);
    assert_eq!(message(9, 1.0), "setting data.eval_fraction: expected between 0 and 1, got 1");
    assert_eq!(message(9, f64::NAN), "setting data.eval_fraction: expected between 0 and 1, got NaN");
}

// ---- checks ----

#[test]
fn counts_repeats_over_all_rows_and_leaks_by_answer() {
    let train =
        [row("a", "", "One two."), row("a", "", "One two."), row("b", "", "Three."), row("a", "x", "Four.")];
    let evaluation = [
        row("a", "", "One two."),          // a repeat and a leak
        row("other", "", " One\r\ntwo. "), // a leak: the same answer under another task
        row("b", "", "Five."),             // neither
        row("a", "y", "Six."),             // neither
        row("b", "", "Five."),             // a repeat inside the evaluation rows
    ];
    assert_eq!(check(&train, &evaluation), Checks { duplicate_rows: 3, leaked_rows: 2 });
    assert_eq!(check(&train, &[]), Checks { duplicate_rows: 1, leaked_rows: 0 });
}

#[test]
fn counts_words_as_python_does() {
    // w = [len(r["output"].split()) for r in train + eval]; sum(w) / len(w), min(w), max(w)
    let rows: Vec<Row> =
        ["train.json", "eval.json"].iter().flat_map(|file| read(tiny(file)).unwrap().rows).collect();
    let words = word_lengths(&rows);
    assert_eq!((words.mean, words.min, words.max), (4749.0 / 48.0, 72, 131));
}

#[test]
fn histograms_have_round_edges_and_hold_every_row() {
    let of = |values: &[usize]| lengths(values).histogram;
    assert_eq!((of(&[7]).first, of(&[7]).width, of(&[7]).counts), (7, 1, vec![1]));
    let words = of(&(77..=134).collect::<Vec<_>>());
    assert_eq!((words.first, words.width, words.counts.len()), (76, 2, 30));
    assert_eq!((words.counts[0], words.counts[1], words.counts[29]), (1, 2, 1));
    for spread in [29, 30, 31, 59, 60, 149, 150, 1999, 123_456] {
        let values: Vec<usize> = (0..=spread).step_by(1 + spread / 997).map(|value| value + 13).collect();
        let histogram = of(&values);
        assert_eq!(histogram.counts.iter().sum::<usize>(), values.len());
        assert!((11..=30).contains(&histogram.counts.len()), "{spread}: {}", histogram.counts.len());
        assert_eq!(histogram.first % histogram.width, 0);
        assert!(histogram.counts[0] > 0 && histogram.counts[histogram.counts.len() - 1] > 0);
    }
    let empty = lengths(&[]);
    assert_eq!((empty.mean, empty.min, empty.max, empty.histogram.counts), (0.0, 0, 0, vec![]));
}

// ---- encode ----

#[test]
fn encodes_the_first_rows_as_the_python_stack_does() {
    let encoder = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let rows = read(tiny("train.json")).unwrap().rows;
    let expected = json("expected.json");
    let tokens = expected["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 4);
    for (row, wanted) in rows.iter().zip(tokens) {
        let encoded = encoder.encode(row).unwrap();
        let mask: Vec<u8> =
            (0..encoded.ids.len()).map(|index| u8::from(index >= encoded.prompt_len)).collect();
        assert_eq!(serde_json::json!(encoded.ids), wanted["input_ids"]);
        assert_eq!(serde_json::json!(mask), wanted["response_mask"]);
        assert_eq!(encoded.targets(), mask.iter().filter(|&&bit| bit == 1).count());
        assert_eq!(encoded.full_targets(), encoded.ids.len() - 1);
        assert_eq!(encoded.prompt_bytes, prompt(row).len());
        assert_eq!(encoded.response_bytes, row.output.len());
    }
}

#[test]
fn a_row_with_an_input_shows_it_between() {
    // transformers 5.23: t = PreTrainedTokenizerFast(tokenizer_file=".../tiny/model/tokenizer.json");
    // t("### Instruction:\nWrite about food.\n\n### Input:\nAyşe likes tea.\n\n### Response:\n").input_ids
    let encoder = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let with_input = row("Write about food.", "Ayşe likes tea.", "Ayşe likes tea.");
    let wanted = [
        0, 306, 363, 27, 200, 56, 279, 85, 70, 259, 67, 304, 85, 272, 277, 69, 15, 200, 200, 306, 356, 81,
        86, 85, 27, 200, 34, 90, 131, 255, 70, 324, 76, 266, 261, 70, 66, 15, 200, 200, 306, 364, 27, 200,
    ];
    assert_eq!(encoder.encode_prompt(&with_input).unwrap(), wanted);
    let encoded = encoder.encode(&with_input).unwrap();
    assert_eq!(encoded.ids[..encoded.prompt_len], wanted);
    assert_eq!(encoded.ids[encoded.prompt_len..], [34, 90, 131, 255, 70, 324, 76, 266, 261, 70, 66, 15, 1]);
    let blank = row("a", " \n", "b");
    assert_eq!(prompt(&blank), "### Instruction:\na\n\n### Response:\n");
}

#[test]
fn special_tokens_spelled_in_a_text_are_read_as_the_python_stack_reads_them() {
    // t("Hi <|end_of_text|> you", add_special_tokens=False).input_ids, t as above
    let encoder = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let spelled = encoder.encode(&row("Say hi.", "", "Hi <|end_of_text|> you")).unwrap();
    assert_eq!(spelled.ids[spelled.prompt_len..], [41, 74, 222, 1, 222, 90, 304, 1]);
    assert_eq!(spelled.special_in_text, 1);
    let plain = encoder.encode(&row("Say hi.", "", "Hi you")).unwrap();
    assert_eq!(plain.special_in_text, 0);
    assert_eq!(summarize([&spelled, &plain], 2048).rows_with_special_text, 1);
}

/// `single` as a TemplateProcessing step; both special tokens are declared.
fn template(single: Value) -> Value {
    let special = |name: &str, id: u32| serde_json::json!({"id": name, "ids": [id], "tokens": [name]});
    serde_json::json!({
        "type": "TemplateProcessing",
        "single": single,
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            "<|begin_of_text|>": special("<|begin_of_text|>", 0),
            "<|end_of_text|>": special("<|end_of_text|>", 1),
        },
    })
}

#[test]
fn one_bos_where_the_post_processor_sets_one_and_one_eos_always() {
    let bos = || serde_json::json!({"SpecialToken": {"id": "<|begin_of_text|>", "type_id": 0}});
    let eos = || serde_json::json!({"SpecialToken": {"id": "<|end_of_text|>", "type_id": 0}});
    let text = || serde_json::json!({"Sequence": {"id": "A", "type_id": 0}});
    let byte_level = serde_json::json!(
        {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true});
    let llama3 = serde_json::json!(
        {"type": "Sequence", "processors": [byte_level, template(serde_json::json!([bos(), text()]))]});
    let cases = [
        (llama3, Some(0)),
        (Value::Null, None),
        (byte_level, None),
        (template(serde_json::json!([text()])), None),
        (template(serde_json::json!([text(), eos()])), None),
        (template(serde_json::json!([bos(), text(), eos()])), Some(0)),
    ];
    let sentence = row("Say hi.", "", "The cat is happy.");
    let bare = RowEncoder::new(tokenizer_with(Value::Null), 1, 2048).unwrap().encode(&sentence).unwrap();
    for (post_processor, bos) in cases {
        let encoder = RowEncoder::new(tokenizer_with(post_processor.clone()), 1, 2048).unwrap();
        assert_eq!(encoder.bos(), bos, "{post_processor}");
        let encoded = encoder.encode(&sentence).unwrap();
        let wanted: Vec<u32> = bos.into_iter().chain(bare.ids.iter().copied()).collect();
        assert_eq!(encoded.ids, wanted, "{post_processor}");
        assert_eq!(encoded.ids.iter().filter(|&&id| id == 1).count(), 1);
        assert_eq!(encoded.prompt_len, bare.prompt_len + usize::from(bos.is_some()));
        assert_eq!((encoded.prompt_bytes, encoded.response_bytes), (bare.prompt_bytes, bare.response_bytes));
    }
    let doubled = tokenizer_with(template(serde_json::json!([bos(), bos(), text()])));
    let error = RowEncoder::new(doubled, 1, 2048).unwrap_err().to_string();
    assert_eq!(
        error,
        "model tokenizer: expected at most one token before a text, got [0, 0, 66] for a text whose tokens are [66]"
    );
}

#[test]
fn truncation_and_padding_of_the_tokenizer_file_are_switched_off() {
    let mut file = json("model/tokenizer.json");
    file["truncation"] =
        serde_json::json!({"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0});
    file["padding"] = serde_json::json!({"strategy": {"Fixed": 900}, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 1, "pad_type_id": 0, "pad_token": "<|end_of_text|>"});
    let cut = RowEncoder::new(serde_json::from_value(file).unwrap(), 1, 2048).unwrap();
    let plain = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let sentence = row("Say hi.", "", "The cat is happy.");
    assert_eq!(cut.bos(), Some(0));
    assert_eq!(cut.encode(&sentence).unwrap(), plain.encode(&sentence).unwrap());
}

#[test]
fn an_unknown_end_of_sequence_is_refused() {
    let error = RowEncoder::new(tokenizer(), 384, 2048).unwrap_err().to_string();
    assert_eq!(
        error,
        "model tokenizer: expected an end-of-sequence token that it knows, got the id 384; \
         its vocabulary has 384 tokens"
    );
}

#[test]
fn rows_are_cut_from_the_right_at_every_length() {
    let whole_row = &read(tiny("train.json")).unwrap().rows[0];
    let whole = RowEncoder::new(tokenizer(), 1, 2048).unwrap().encode(whole_row).unwrap();
    for max_seq_len in 1..=whole.ids.len() + 1 {
        let encoder = RowEncoder::new(tokenizer(), 1, max_seq_len).unwrap();
        let cut = encoder.encode(whole_row).unwrap();
        let kept = max_seq_len.min(whole.ids.len());
        assert_eq!(cut.ids, whole.ids[..kept]);
        assert_eq!(cut.untruncated_len, whole.ids.len());
        assert_eq!(cut.is_truncated(), max_seq_len < whole.ids.len());
        assert_eq!(cut.targets(), kept.saturating_sub(whole.prompt_len));
        assert_eq!(cut.prompt_len + cut.targets(), kept);

        // What the kept ids decode to has as many bytes, but for a character cut in two (ş is two tokens here).
        let decode = |ids: &[u32]| encoder.tokenizer().decode(ids, true).unwrap();
        let response = decode(&cut.ids[cut.prompt_len..]);
        if !response.ends_with('\u{fffd}') {
            assert_eq!(cut.response_bytes, response.len(), "{max_seq_len}");
        }
        assert_eq!(cut.prompt_bytes, decode(&cut.ids[..cut.prompt_len]).len(), "{max_seq_len}");

        let summary = summarize([&cut], max_seq_len);
        assert_eq!(summary.truncated_rows, usize::from(cut.is_truncated()));
        assert_eq!(summary.tokens.over_max_seq_len, summary.truncated_rows);
        assert_eq!(summary.rows_without_target, usize::from(kept <= whole.prompt_len));
        assert_eq!((summary.tokens.min, summary.tokens.max), (whole.ids.len(), whole.ids.len()));
    }
}

// ---- the whole way ----

const RECIPE: DataRecipe = DataRecipe { split_seed: 42, eval_fraction: 0.1, max_seq_len: 2048 };

#[test]
fn prepares_one_file_for_the_record() {
    let encoder = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let long = row("Say it long.", "", &"The cat is happy. ".repeat(200));
    let file = RowFile { rows: [numbered(18).rows, vec![long.clone(), long]].concat(), ..numbered(1) };
    let prepared = prepare(Source::OneFile { file, synthetic: true }, &RECIPE, &encoder).unwrap();
    let dataset = &prepared.dataset;
    assert_eq!((dataset.rows, dataset.train_rows, dataset.eval_rows), (20, 18, 2));
    assert_eq!(
        (dataset.source.as_str(), dataset.synthetic, dataset.split_seed),
        ("rows.json", true, Some(42))
    );
    assert_eq!((dataset.duplicate_rows, dataset.leaked_rows), (1, 0));
    assert_eq!((dataset.words.min, dataset.words.max), (2, 800));
    assert_eq!((dataset.tokens.over_512, dataset.tokens.over_max_seq_len), (2, 0));
    assert_eq!((dataset.truncated_rows, dataset.rows_without_target), (0, 0));
    assert_eq!(dataset.train_sha256, sha256::of(to_json(&prepared.split.train).as_bytes()));
    assert_eq!(dataset.example.instruction, prepared.split.train[0].instruction);
    assert_eq!((prepared.train.len(), prepared.evaluation.len()), (18, 2));
    assert_eq!(prepared.evaluation[1], encoder.encode(&prepared.split.evaluation[1]).unwrap());
}

#[test]
fn keeps_the_order_of_the_users_own_split() {
    let encoder = RowEncoder::new(tokenizer(), 1, 2048).unwrap();
    let source = Source::two_files(tiny("train.json"), tiny("eval.json")).unwrap();
    let prepared = prepare(source, &RECIPE, &encoder).unwrap();
    assert_eq!(prepared.split.train, read(tiny("train.json")).unwrap().rows);
    assert_eq!(prepared.split.evaluation, read(tiny("eval.json")).unwrap().rows);
    assert_eq!(prepared.dataset.split_seed, None);
    assert!(prepared.dataset.source.ends_with("eval.json"), "{}", prepared.dataset.source);
    // cat train.json eval.json | sha256sum
    assert_eq!(prepared.dataset.sha256, "6080aa2b154c40bf33ee2a12dd727f5a297e52de8dc6424c714c4a1a4a4b13c7");
}

#[test]
fn refuses_a_length_that_leaves_nothing_to_learn() {
    let encoder = RowEncoder::new(tokenizer(), 1, 8).unwrap();
    let source = Source::OneFile { file: numbered(20), synthetic: false };
    let error = prepare(source, &RECIPE, &encoder).unwrap_err().to_string();
    assert_eq!(
        error,
        "rows.json: expected a training row with a response left at data.max_seq_len 8, got none"
    );
}

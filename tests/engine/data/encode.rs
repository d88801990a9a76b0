//! Token ids and masks as the Python stack has them; special tokens; rows that are cut.

use super::{json, row, tiny, tokenizer};
use serde_json::Value;
use tezgah::data::alpaca::read;
use tezgah::data::encode::{RowEncoder, prompt, summarize};
use tezgah::data::tokenizer::Tokenizer;

/// The tiny tokenizer with another post-processor, as `tokenizer.json` would write it.
fn tokenizer_with(post_processor: Value) -> Tokenizer {
    let mut file = json("model/tokenizer.json");
    file["post_processor"] = post_processor;
    Tokenizer::from_json(&file.to_string()).unwrap()
}

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
    let cut = RowEncoder::new(Tokenizer::from_json(&file.to_string()).unwrap(), 1, 2048).unwrap();
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

//! A model's own chat template against transformers' rendering of it (tests/reference/generation/make_chat.py).

use crate::support::reference_folder;
use serde_json::{Value, json};
use std::path::Path;
use tezgah::model::files::source::{BaseModel, ModelSource, open};

fn expected() -> Value {
    let text = std::fs::read_to_string(reference_folder().join("generation/chat.json")).expect("chat.json");
    serde_json::from_str(&text).expect("JSON")
}

/// The tiny model with a tokenizer_config.json of its own.
fn model(folder: &Path, config: &Value) -> BaseModel {
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(reference_folder().join("tiny/model").join(name), folder.join(name)).expect("copied");
    }
    std::fs::write(folder.join("tokenizer_config.json"), config.to_string()).expect("written");
    open(&ModelSource::Folder(folder.into())).expect("a model")
}

fn chat(model: &BaseModel, request: &str) -> tezgah::error::Result<Option<String>> {
    model.chat_template()?.map(|template| template.render(request)).transpose()
}

#[test]
fn templates_are_rendered_as_transformers_renders_them() {
    let expected = expected();
    let request = expected["request"].as_str().expect("a request");
    for case in expected["cases"].as_array().expect("cases") {
        let folder = tempfile::tempdir().expect("a folder");
        let config = json!({
            "bos_token": {"content": expected["bos"]},
            "eos_token": expected["eos"],
            "chat_template": case["template"],
        });
        let rendered = chat(&model(folder.path(), &config), request);
        match case["rendered"].as_str() {
            Some(theirs) => assert_eq!(rendered.expect("text").as_deref(), Some(theirs), "{}", case["name"]),
            None => {
                let error = rendered.expect_err("a template that refuses").to_string();
                assert!(error.contains("chat_template") && error.contains("System role expected"), "{error}");
            }
        }
    }
}

/// transformers reads `chat_template.jinja` before the field of tokenizer_config.json (`PreTrainedTokenizerBase`).
#[test]
fn a_template_in_a_file_of_its_own_counts_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let template = "{{ bos_token }}file: {{ messages[0].content }}";
    std::fs::write(folder.path().join("chat_template.jinja"), template).expect("written");
    let (bos, eos) = (expected()["bos"].clone(), expected()["eos"].clone());
    let config = json!({"bos_token": bos, "eos_token": eos, "chat_template": "field"});
    let rendered = chat(&model(folder.path(), &config), "Hello").expect("a text");
    assert_eq!(rendered, Some(format!("{}file: Hello", bos.as_str().expect("a token"))));
    std::fs::remove_file(folder.path().join("chat_template.jinja")).expect("removed");
    let rendered = chat(&model(folder.path(), &config), "Hello").expect("a text");
    assert_eq!(rendered.as_deref(), Some("field"));
}

#[test]
fn of_several_templates_the_default_is_taken_and_none_is_no_error() {
    let expected = expected();
    let cases = [
        (
            json!([{"name": "tool_use", "template": "no"}, {"name": "default", "template": "yes"}]),
            Some("yes"),
        ),
        (json!([{"name": "tool_use", "template": "no"}]), None),
        (Value::Null, None),
    ];
    for (template, rendered) in cases {
        let folder = tempfile::tempdir().expect("a folder");
        let config = json!({"eos_token": expected["eos"], "chat_template": template});
        assert_eq!(chat(&model(folder.path(), &config), "x").expect("no error").as_deref(), rendered);
    }
}

//! config.json: both of its dialects, what is left out, what is not computed.

use super::{check_message, config_with, folder, reference};
use serde_json::json;
use tezgah::model::files::config::LlamaConfig;

fn close(got: f64, expected: f64) -> bool {
    (got / expected - 1.0).abs() < 1e-6
}

/// transformers 5.23, `LlamaRotaryEmbedding(LlamaConfig(...)).inv_freq`, with
/// rope_parameters = {rope_type: "llama3", factor: 32, low_freq_factor: 1, high_freq_factor: 4, ...}.
#[test]
fn rotary_frequencies_are_those_of_transformers() {
    let tiny = folder(&reference()).unwrap().config;
    let expected = [1.0, 0.001175188459455967, 4.4194170186528936e-05, 1.6619674170215148e-06];
    let got = tiny.inverse_frequencies();
    assert_eq!(got.len(), expected.len());
    assert!(got.iter().zip(expected).all(|(&got, expected)| close(got, expected)), "{got:?}");

    // Llama-3.2-1B: theta 500000, head_dim 64, original 8192.
    let scaled = json!({
        "hidden_size": 2048, "num_attention_heads": 32, "head_dim": 64, "max_position_embeddings": 131072,
        "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 32.0, "low_freq_factor": 1.0,
            "high_freq_factor": 4.0, "original_max_position_embeddings": 8192},
    });
    let got = LlamaConfig::from_json("test", &config_with(scaled)).unwrap().inverse_frequencies();
    for (pair, expected) in [
        (0, 1.0),
        (1, 0.663601279258728),
        (13, 0.00483942124992609),
        (14, 0.0032114461064338684),
        (15, 0.0012905480107292533),
        (16, 0.000429556705057621),
        (17, 9.708286233944818e-05),
        (31, 9.418306490260875e-08),
    ] {
        assert!(close(got[pair], expected), "{pair}: {} {expected}", got[pair]);
    }

    // SmolLM2-135M: theta 100000, plain; head_dim is hidden_size / heads.
    let plain = json!({
        "hidden_size": 576, "num_attention_heads": 9, "num_key_value_heads": 3, "head_dim": null,
        "rope_parameters": null, "rope_theta": 100000,
    });
    let got = LlamaConfig::from_json("test", &config_with(plain)).unwrap().inverse_frequencies();
    assert_eq!(got.len(), 32);
    for (pair, expected) in
        [(0, 1.0), (1, 0.6978305578231812), (16, 0.003162277862429619), (31, 1.4330126759887207e-05)]
    {
        assert!(close(got[pair], expected), "{pair}: {} {expected}", got[pair]);
    }
}

#[test]
fn both_dialects_of_config_json_give_one_config() {
    let newer = folder(&reference()).unwrap().config;
    let scaling = |key: &str| {
        json!({key: "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 128})
    };
    for key in ["rope_type", "type"] {
        let older = json!({
            "rope_parameters": null, "dtype": null, "rope_theta": 500000.0, "torch_dtype": "float32",
            "rope_scaling": scaling(key),
        });
        assert_eq!(LlamaConfig::from_json("test", &config_with(older)).unwrap(), newer);
    }
    assert_eq!(LlamaConfig::from_json("test", &newer.to_json()).unwrap(), newer);
    // transformers: `standardize_rope_params` falls back to max_position_embeddings.
    let mut without = scaling("rope_type");
    without.as_object_mut().unwrap().remove("original_max_position_embeddings");
    let config = LlamaConfig::from_json("test", &config_with(json!({"rope_parameters": without}))).unwrap();
    assert_eq!(config.rope_scaling.unwrap().original_max_position_embeddings, 4096);
}

#[test]
fn fields_that_are_left_out_have_the_defaults_of_transformers() {
    let sparse = json!({
        "num_key_value_heads": null, "tie_word_embeddings": null, "rms_norm_eps": null, "rope_parameters": null,
        "max_position_embeddings": null, "eos_token_id": [7, 9], "bos_token_id": null, "architectures": null,
    });
    let config = LlamaConfig::from_json("test", &config_with(sparse)).unwrap();
    assert_eq!(
        (config.num_key_value_heads, config.tie_word_embeddings, config.rms_norm_eps),
        (8, false, 1e-6)
    );
    assert_eq!(
        (config.rope_theta, config.rope_scaling, config.max_position_embeddings),
        (10_000.0, None, 2048)
    );
    assert_eq!((config.bos_token_id, config.eos_token_id), (None, Some(7)));
}

#[test]
fn what_is_not_computed_is_refused_by_name() {
    for (changes, parts) in [
        (json!({"model_type": "mistral"}), ["model_type", "mistral"]),
        (json!({"model_type": null, "architectures": null}), ["model_type", "nothing"]),
        (
            json!({"architectures": ["LlamaForSequenceClassification"]}),
            ["architectures", "SequenceClassification"],
        ),
        (json!({"hidden_act": "gelu"}), ["hidden_act", "gelu"]),
        (json!({"attention_bias": true}), ["attention_bias", "true"]),
        (json!({"mlp_bias": true}), ["mlp_bias", "true"]),
        (
            json!({"quantization_config": {"quant_method": "bitsandbytes"}}),
            ["quantization_config", "bitsandbytes"],
        ),
        (json!({"rope_scaling": {"type": "linear", "factor": 2.0}}), ["rope_scaling.rope_type", "linear"]),
        (json!({"rope_parameters": {"rope_type": "yarn"}}), ["rope_parameters.rope_type", "yarn"]),
        (json!({"rope_parameters": {"rope_type": "llama3"}}), ["rope_parameters.factor", "nothing"]),
        (json!({"partial_rotary_factor": 0.5}), ["partial_rotary_factor", "0.5"]),
        (json!({"num_key_value_heads": 3}), ["num_key_value_heads", "got 3"]),
        (json!({"num_key_value_heads": 0}), ["num_key_value_heads", "got 0"]),
        (json!({"num_attention_heads": 7, "head_dim": null}), ["hidden_size", "got 64"]),
        (json!({"num_attention_heads": 0, "head_dim": null}), ["hidden_size", "heads 0"]),
        (json!({"head_dim": 7}), ["head_dim", "got 7"]),
        (json!({"hidden_size": null}), ["hidden_size", "nothing"]),
        (json!({"hidden_size": -64}), ["hidden_size", "-64"]),
        (json!({"num_hidden_layers": 1_000_000_000}), ["num_hidden_layers", "1000000000"]),
        (json!({"vocab_size": "many"}), ["vocab_size", "many"]),
        (json!({"rms_norm_eps": 0}), ["rms_norm_eps", "got 0"]),
        (json!({"eos_token_id": 384}), ["eos_token_id", "got 384"]),
        (json!({"eos_token_id": []}), ["eos_token_id", "[]"]),
    ] {
        let error = LlamaConfig::from_json("test", &config_with(changes)).unwrap_err();
        check_message(&error, &["model test: config.json: ", "expected", "got", parts[0], parts[1]]);
    }
    for text in ["", "{", "[1]", "\u{feff}nothing"] {
        check_message(&LlamaConfig::from_json("test", text).unwrap_err(), &["config.json"]);
    }
}

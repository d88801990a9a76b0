//! Texts against transformers' greedy `generate` (tests/reference/generation), and a batch against its rows one by one.

#[cfg(feature = "real-model")]
use crate::reference::smollm2;
use crate::reference::{Reference, seed_recipe};
use crate::support::{number, reference_folder};
use candle_core::{DType, Device};
use serde_json::Value;
use std::collections::BTreeSet;
use tezgah::model::generate::{self, Generated, Prompt};
use tezgah::model::network::adapter;
use tezgah::model::network::linear::LoraUse;
use tezgah::model::network::llama::Llama;
use tezgah::recipe::{Quantization, SamplesRecipe};

/// Two logits that are nearer than this may change places between two programs.
const AS_GOOD_AS_NONE: f64 = 1e-4;

/// The prompts of a case, and transformers' texts of one system with their gaps.
struct Expected {
    prompts: Vec<Prompt>,
    texts: Vec<(Generated, Vec<f64>)>,
    how: SamplesRecipe,
}

impl Expected {
    fn read(case: &str, system: &str) -> Self {
        let text =
            std::fs::read_to_string(reference_folder().join("generation/greedy.json")).expect("greedy.json");
        let tree: Value = serde_json::from_str(&text).expect("JSON");
        let ids = |value: &Value| -> Vec<u32> { serde_json::from_value(value.clone()).expect("ids") };
        let eos = number(&tree[case]["eos"]) as u32;
        let rows = tree[case]["systems"][system].as_array().expect("texts").clone();
        let text = |row: &Value| {
            let stopped = row["stopped"].as_bool().expect("stopped");
            (
                Generated { ids: ids(&row["ids"]), stopped },
                serde_json::from_value(row["gap"].clone()).expect("gap"),
            )
        };
        Expected {
            prompts: rows.iter().map(|row| Prompt { ids: ids(&row["prompt"]), eos, seed: 0 }).collect(),
            texts: rows.iter().map(text).collect(),
            how: SamplesRecipe {
                max_new_tokens: number(&tree[case]["tokens"]) as usize,
                ..seed_recipe().samples
            },
        }
    }

    fn batch(&self, model: &Llama, lora: LoraUse) -> Vec<Generated> {
        generate::batch(model, &self.prompts, &self.how, lora, |_| Ok(())).expect("texts")
    }

    /// The same texts token for token, up to a first difference at two logits that are as good as equal, which is named.
    fn check(&self, name: &str, ours: &[Generated]) {
        for (row, (ours, (theirs, gap))) in ours.iter().zip(&self.texts).enumerate() {
            let differing = ours.ids.iter().zip(&theirs.ids).position(|(ours, theirs)| ours != theirs);
            let ends = (ours.ids.len() != theirs.ids.len()).then(|| ours.ids.len().min(theirs.ids.len()));
            match differing.or(ends) {
                None => assert_eq!(ours.stopped, theirs.stopped, "{name}, row {row}"),
                Some(at) if gap[at] < AS_GOOD_AS_NONE => {
                    println!("{name}, row {row}: another token {at}, {} apart", gap[at])
                }
                Some(at) => panic!("{name}, row {row}: another token {at}, {} apart: {ours:?}", gap[at]),
            }
        }
    }

    /// The texts one at a time.
    fn alone(&self, model: &Llama, lora: LoraUse) -> Vec<Generated> {
        let one = |prompt: &Prompt| {
            generate::batch(model, std::slice::from_ref(prompt), &self.how, lora, |_| Ok(()))
                .expect("a text")
                .remove(0)
        };
        self.prompts.iter().map(one).collect()
    }
}

fn tuned(reference: &Reference, dtype: DType) -> Llama {
    let mut model = reference.model_on(&Device::Cpu, Quantization::None, dtype);
    adapter::load(&mut model, &reference.folder.join("adapter_final")).expect("the trained adapter");
    model
}

#[test]
fn texts_are_those_of_transformers() {
    let reference = Reference::tiny();
    // In f64 the keys and values are kept by candle's operations, as on a device.
    for dtype in [DType::F32, DType::F64] {
        let model = tuned(&reference, dtype);
        for (system, lora) in [("baseline", LoraUse::Ignored), ("fine_tuned", LoraUse::Applied)] {
            let expected = Expected::read("tiny", system);
            expected.check(&format!("{system} {dtype:?}"), &expected.batch(&model, lora));
            expected.check(&format!("{system} {dtype:?} alone"), &expected.alone(&model, lora));
        }
    }
}

/// Rows that end leave the batch at different times, and the others do not notice.
#[test]
fn a_text_ends_where_its_token_comes() {
    let reference = Reference::tiny();
    let model = tuned(&reference, DType::F32);
    let mut expected = Expected::read("tiny", "fine_tuned");
    let whole = expected.batch(&model, LoraUse::Applied);
    let mut lengths = BTreeSet::new();
    for (row, prompt) in expected.prompts.iter_mut().enumerate() {
        prompt.eos = whole[row].ids[7 * row % whole[row].ids.len()];
    }
    for (row, ended) in expected.batch(&model, LoraUse::Applied).into_iter().enumerate() {
        let eos = expected.prompts[row].eos;
        let before: Vec<u32> = whole[row].ids.iter().copied().take_while(|id| *id != eos).collect();
        lengths.insert(before.len());
        assert_eq!(ended, Generated { ids: before, stopped: true }, "row {row}");
    }
    assert!(lengths.len() > 2, "rows that leave at {lengths:?} show little");
}

/// Draws follow the row's own seed, not its neighbours; a penalty and a small share of the probability change the text.
#[test]
fn drawn_texts_are_those_of_their_seeds() {
    let reference = Reference::tiny();
    let model = tuned(&reference, DType::F32);
    let mut expected = Expected::read("tiny", "fine_tuned");
    let greedy = expected.batch(&model, LoraUse::Applied);
    expected.how.temperature = 1.0;
    for (seed, prompt) in expected.prompts.iter_mut().enumerate() {
        prompt.seed = seed as u64;
    }
    let drawn = expected.batch(&model, LoraUse::Applied);
    assert_eq!(drawn, expected.alone(&model, LoraUse::Applied));
    assert_ne!(drawn, greedy);
    let changed = |how: SamplesRecipe| {
        Expected { how, ..Expected::read("tiny", "fine_tuned") }.batch(&model, LoraUse::Applied)
    };
    // The likeliest token alone has more than nothing: so little leaves no other.
    assert_eq!(changed(SamplesRecipe { top_p: 1e-6, ..expected.how.clone() }), greedy);
    let penalized =
        changed(SamplesRecipe { temperature: 0.0, repetition_penalty: 1.5, ..expected.how.clone() });
    let distinct = |texts: &[Generated]| {
        texts.iter().map(|text| text.ids.iter().collect::<BTreeSet<_>>().len()).sum::<usize>()
    };
    assert!(distinct(&penalized) > distinct(&greedy));
}

/// Weights that are held dense for a generation are those that are dequantized for each pass.
#[test]
fn held_weights_write_the_same_texts() {
    let reference = Reference::tiny();
    for scheme in [Quantization::Nf4Double, Quantization::Nf4] {
        let mut model = reference.model_on(&Device::Cpu, scheme, DType::F32);
        let expected = Expected::read("tiny", "baseline");
        let texts = expected.batch(&model, LoraUse::Applied);
        model.hold_dense(u64::MAX).expect("memory");
        assert_eq!(expected.batch(&model, LoraUse::Applied), texts, "{scheme:?}");
    }
}

#[cfg(feature = "real-model")]
#[test]
fn smollm2_writes_what_transformers_lets_it_write() {
    let mut model = smollm2::reference().model(Quantization::AsIs, DType::F32);
    model.hold_dense(u64::MAX).expect("memory");
    let expected = Expected::read("smollm2", "baseline");
    expected.check("smollm2", &expected.batch(&model, LoraUse::Ignored));
    expected.check("smollm2 alone", &expected.alone(&model, LoraUse::Ignored));
}

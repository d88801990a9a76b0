//! What the record spells in another way than the text does.

use super::{commands, tree};
use crate::level::Level;
use crate::recipe::Quantization;
use crate::record::RunRecord;
use crate::report::{markdown, sentences, turkish};
use minijinja::Value;

/// Names for a text.
pub(super) fn names(record: &RunRecord) -> Value {
    let modules = record.recipe.lora.target_modules.iter().map(|module| format!("`{}`", module.name()));
    let others: Vec<Level> = Level::ALL.into_iter().filter(|level| *level != record.level).collect();
    let next = others.iter().copied().find(|level| *level > record.level).unwrap_or(others[0]);
    let device = record.environment.accelerator.as_deref().unwrap_or(&record.environment.cpu);
    Value::from_pairs([
        ("level", Value::from(record.level.label())),
        ("modules", Value::from(turkish::listed(&modules.collect::<Vec<_>>()))),
        ("quantization", Value::from(quantization(record))),
        ("device", Value::from(device)),
        ("seeded", Value::from(seeded(record))),
        ("model_work", Value::from(model_work(record))),
        ("level_name", Value::from(level_name(record.level))),
        ("command", Value::from(commands::own(record))),
        ("train_file", Value::from(file(record, "train_split").unwrap_or_default())),
        (
            "eval_file",
            Value::from(file(record, "eval_split").or(file(record, "test_split")).unwrap_or_default()),
        ),
        ("example", Value::from(example(record))),
        ("template", Value::from(template(record))),
        ("other_levels", Value::from(sentences::listed(&others))),
        ("next_level", Value::from(next.label())),
        ("next_experiment", Value::from(format!("experiments/{}.rs", next.slug()))),
        ("other_commands", Value::from(commands::of_level(record, next))),
        ("tree", Value::from(tree::tree(record))),
        ("outputs", record.outputs.iter().map(|output| tree::name(&output.kind)).collect()),
    ])
}

/// The works that present a family of models, by what their names hold.
pub(in crate::report) const MODEL_WORKS: [(&str, &str); 3] = [
    ("smollm2", "allal2025smollm2"),
    ("tinyllama", "zhang2024tinyllama"),
    ("llama-3", "grattafiori2024llama3"),
];

/// The key of the work that presents the model; nothing where its name and source tell no family.
fn model_work(record: &RunRecord) -> &'static str {
    let is_of = |family: &str, name: &str| {
        let name = name.to_lowercase().replace([' ', '_'], "-");
        // llama-3.2 and not codellama-34b.
        name.split(family).skip(1).any(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    };
    let names = [&record.model.name, &record.model.source];
    let found = MODEL_WORKS.iter().find(|(family, _)| names.iter().any(|name| is_of(family, name)));
    found.map_or("", |(_, key)| key)
}

/// What the level is called, in Turkish and in English.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::A1 => "Başlangıç, *Beginner*",
        Level::A2 => "Temel, *Elementary*",
        Level::B1 => "Orta, *Intermediate*",
        Level::B2 => "Orta üstü, *Upper Intermediate*",
        Level::C1 => "İleri, *Advanced*",
    }
}

/// The path of an output, where it was written.
fn file<'a>(record: &'a RunRecord, kind: &str) -> Option<&'a str> {
    record.outputs.iter().find(|output| output.kind == kind).map(|output| output.path.as_str())
}

/// How the frozen weights are stored.
fn quantization(record: &RunRecord) -> String {
    let name = match record.model.quantization {
        Quantization::None => "nicemlenmemiş",
        Quantization::Q4_0 => "GGML Q4_0",
        Quantization::Q4_1 => "GGML Q4_1",
        Quantization::Q4K => "GGML Q4_K",
        Quantization::Q8_0 => "GGML Q8_0",
        Quantization::Nf4 => "NF4",
        Quantization::Nf4Double => "ölçekleri de nicemlenmiş NF4",
        Quantization::AsIs => "GGUF dosyasının kendi türleri",
    };
    // Which types those are is known where a merged model was written.
    let own_types = match record.model.quantization {
        Quantization::AsIs => record.outputs.iter().find_map(|output| output.merged_into.as_deref()),
        _ => None,
    };
    match own_types {
        Some(types) => format!("{name} ({})", markdown::escaped(types)),
        None => name.to_string(),
    }
}

/// What the training seed decides, as the beginning of a sentence; nothing where all of it is given.
fn seeded(record: &RunRecord) -> String {
    let recipe = &record.recipe;
    let names = [
        (record.training.init_adapter.is_none(), "adaptörün başlangıç değerleri"),
        (recipe.lora.dropout > 0.0, "seyreltme"),
        (recipe.train.shuffle, "örneklerin sırası"),
    ];
    let names = names.into_iter().filter(|(holds, _)| *holds).map(|(_, name)| name.to_string());
    let listed = turkish::listed(&names.collect::<Vec<_>>());
    turkish::capitalize(&listed)
}

/// The first training row as its file has it.
fn example(record: &RunRecord) -> String {
    let row = &record.dataset.example;
    let mut fields = serde_json::Map::new();
    fields.insert("instruction".into(), row.instruction.clone().into());
    if !row.input.is_empty() {
        fields.insert("input".into(), row.input.clone().into());
    }
    fields.insert("output".into(), row.output.clone().into());
    serde_json::to_string_pretty(&fields).expect("a map of strings is JSON")
}

/// The prompt as the rows are put into it.
fn template(record: &RunRecord) -> String {
    let input = if record.dataset.example.input.is_empty() { "" } else { "{input}" };
    record.dataset.prompt.fill("{instruction}", input) + "{output}"
}

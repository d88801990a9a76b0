//! What the record spells in another way than the text does.

use crate::level::Level;
use crate::recipe::Quantization;
use crate::record::RunRecord;
use crate::report::{files, markdown, sentences, turkish};
use minijinja::Value;

/// Names for a text.
pub(super) fn names(record: &RunRecord) -> Value {
    let modules = record.recipe.lora.target_modules.iter().map(|module| format!("`{}`", module.name()));
    let others: Vec<Level> = Level::ALL.into_iter().filter(|level| *level != record.level).collect();
    let commands = others.iter().map(|level| format!("cargo run --release --example {}", level.slug()));
    let device = record.environment.accelerator.as_deref().unwrap_or(&record.environment.cpu);
    Value::from_pairs([
        ("level", Value::from(record.level.label())),
        ("modules", Value::from(turkish::listed(&modules.collect::<Vec<_>>()))),
        ("quantization", Value::from(quantization(record))),
        ("device", Value::from(device)),
        ("seeded", Value::from(seeded(record))),
        ("command", Value::from(record.environment.command.join(" "))),
        ("example", Value::from(example(record))),
        ("template", Value::from(template(record))),
        ("other_levels", Value::from(sentences::listed(&others))),
        ("other_commands", Value::from(commands.collect::<Vec<_>>().join("\n"))),
        ("tree", Value::from(tree(record))),
        ("outputs", record.outputs.iter().map(|output| output_name(&output.kind)).collect()),
    ])
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

/// The output folder as a reader finds it: the documents, then what the record lists.
fn tree(record: &RunRecord) -> String {
    let whole = files::whole(record.level);
    let page = files::with_ending(&whole, "html");
    let charts = format!("{}/", files::CHARTS);
    let fixed = [
        files::RECORD,
        files::EVENTS,
        &whole,
        &page,
        files::METHOD,
        files::RESULTS,
        files::DISCUSSION,
        &charts,
    ];
    let written = record.outputs.iter().map(|output| {
        let is_folder = ["adapter", "merged", "checkpoint"].contains(&output.kind.as_str());
        format!("{}{}", output.path.trim_end_matches('/'), if is_folder { "/" } else { "" })
    });
    let entries: Vec<String> = fixed.map(str::to_string).into_iter().chain(written).collect();
    let last = entries.len() - 1;
    let branches = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| format!("{} {entry}", if index == last { "└──" } else { "├──" }));
    std::iter::once("çıktı klasörü".to_string()).chain(branches).collect::<Vec<_>>().join("\n")
}

/// What an output is, for a reader.
fn output_name(kind: &str) -> &str {
    match kind {
        "train_split" => "eğitim kümesi",
        "validation_split" => "doğrulama kümesi",
        "eval_split" | "test_split" => "değerlendirme kümesi",
        "adapter" => "LoRA adaptörü",
        "merged" => "adaptörle birleştirilmiş model",
        "checkpoint" => "kayıt noktası",
        other => other,
    }
}

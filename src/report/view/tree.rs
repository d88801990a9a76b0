//! What was written, as a tree that a reader finds on the disk.

use crate::record::RunRecord;
use crate::report::files;

/// The files of an adapter and of a merged model, see [`crate::model`].
const OF_ADAPTER: [&str; 2] = ["adapter_config.json", "adapter_model.safetensors"];
const OF_MERGED: [&str; 3] = ["config.json", "model.safetensors", "tokenizer.json"];

/// A line of the tree: a file or folder, what it is, and what lies in it.
type Entry = (String, String, &'static [&'static str]);

/// The experiment's programs and the output folder: the documents, then what the record lists.
pub(super) fn tree(record: &RunRecord) -> String {
    let slug = record.level.slug();
    let programs = [
        (format!("{slug}.rs"), "bu düzeyin sorusu ve kendi ayarları"),
        ("thesis.rs".to_string(), "bütün düzeylerin ortak ayarları ve işlemi"),
        ("levels.rs".to_string(), "düzeylerin karşılaştırılması"),
    ];
    let programs = programs.map(|(file, says)| (file, says.to_string(), [].as_slice()));
    let written = documents(record).into_iter().chain(record.outputs.iter().map(|output| {
        let inside: &[&str] = match output.kind.as_str() {
            "adapter" | "adapter_bf16" => &OF_ADAPTER,
            "merged" => &OF_MERGED,
            _ => &[],
        };
        let is_folder = !inside.is_empty() || output.kind == "checkpoint";
        let path = format!("{}{}", output.path.trim_end_matches('/'), if is_folder { "/" } else { "" });
        (path, said(record, &output.kind), inside)
    }));
    let folders = [drawn("experiments/", &programs), drawn("çıktı klasörü/", &written.collect::<Vec<_>>())];
    folders.join("\n\n")
}

fn documents(record: &RunRecord) -> Vec<Entry> {
    let whole = files::whole(record.level);
    let page = files::with_ending(&whole, "html");
    let charts = format!("{}/", files::CHARTS);
    [
        (files::RECORD.to_string(), "her ölçümün kaydı"),
        (files::EVENTS.to_string(), "olaylar, oluş sırasıyla"),
        (whole, "bu belge"),
        (page, "bu belge, tek sayfa olarak"),
        (files::METHOD.to_string(), "yöntem"),
        (files::RESULTS.to_string(), "sonuçlar"),
        (files::DISCUSSION.to_string(), "tartışma"),
        (files::APPENDIX.to_string(), "ekler"),
        (charts, "şekiller"),
    ]
    .map(|(path, says)| (path, says.to_string(), [].as_slice()))
    .into()
}

/// What an output is, with the number of its rows.
fn said(record: &RunRecord, kind: &str) -> String {
    match kind {
        "train_split" => format!("{} örnek", record.dataset.train_rows),
        "eval_split" | "test_split" => format!("{} örnek", record.dataset.eval_rows),
        other => name(other).to_string(),
    }
}

/// What an output is, for a reader.
pub(super) fn name(kind: &str) -> &str {
    match kind {
        "train_split" => "eğitim kümesi",
        "validation_split" => "doğrulama kümesi",
        "eval_split" | "test_split" => "değerlendirme kümesi",
        "adapter" => "LoRA adaptörü",
        "merged" => "adaptörle birleştirilmiş model",
        "gguf" => "birleştirilmiş modelin GGUF biçimi",
        "modelfile" => "Ollama için model tanımı",
        "adapter_bf16" => "LoRA adaptörünün yarı boyutlu kopyası",
        "checkpoint" => "kayıt noktası",
        other => other,
    }
}

fn drawn(folder: &str, entries: &[Entry]) -> String {
    let widest = entries.iter().map(|(path, ..)| path.chars().count()).max().unwrap_or(0);
    let mut lines = vec![folder.to_string()];
    for (index, (path, says, inside)) in entries.iter().enumerate() {
        let (branch, below) =
            if index + 1 == entries.len() { ("└──", "   ") } else { ("├──", "│  ") };
        lines.push(format!("{branch} {path:widest$}  {says}").trim_end().to_string());
        for (place, file) in inside.iter().enumerate() {
            let branch = if place + 1 == inside.len() { "└──" } else { "├──" };
            lines.push(format!("{below} {branch} {file}"));
        }
    }
    lines.join("\n")
}

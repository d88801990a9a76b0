//! What templates see of a record: its fields under their own names, what follows from them, and the flags by
//! which a text chooses its sentences. All decisions and all arithmetic are made here or before.

use super::findings::Finding;
use super::markdown;
use super::measures::{self, Mask};
use super::quantity::{self, Quantity};
use crate::error::{Error, Result};
use crate::level::Level;
use crate::recipe::{Checkpointing, Projection, Quantization};
use crate::record::{RunRecord, Status};
use crate::statistics::{Comparison, Performance};
use minijinja::Value;
use std::collections::BTreeMap;

/// What can be said about a record's shape, for the branches of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub steps: bool,
    pub evals: bool,
    pub best: bool,
    pub baseline: bool,
    pub comparison: bool,
    pub statistics: bool,
    pub samples: bool,
    pub outputs: bool,
}

impl Shape {
    pub(super) fn of(record: &RunRecord) -> Self {
        let evaluation = &record.evaluation;
        let comparison = evaluation.baseline.is_some() && evaluation.fine_tuned.is_some();
        Shape {
            steps: !record.training.steps.is_empty(),
            evals: !record.training.evals.is_empty(),
            best: record.training.best.is_some(),
            baseline: evaluation.baseline.is_some(),
            comparison,
            statistics: comparison && evaluation.statistics.is_some(),
            samples: !record.samples.is_empty(),
            outputs: !record.outputs.is_empty(),
        }
    }
}

/// The part of the view that every document shares.
pub(super) fn common(record: &RunRecord) -> Result<BTreeMap<&'static str, Value>> {
    let tree = serde_json::to_value(record).map_err(|error| Error::Report(format!("record: {error}")))?;
    Ok(BTreeMap::from([
        ("record", quantity::view("", &tree)),
        ("derived", derived(record)),
        ("has", has(record)),
        ("names", names(record)),
        ("step_rows", step_rows(record)),
        ("other_seeds", other_seeds(record)),
    ]))
}

/// The training seeds of the replicates besides this run's own.
fn other_seeds(record: &RunRecord) -> Value {
    let runs = record.replicates.iter().flat_map(|replicates| replicates.runs.iter().enumerate());
    runs.filter(|(_, run)| run.seed != record.recipe.train.seed)
        .map(|(index, run)| Value::from(Quantity::new(format!("replicates.runs[{index}].seed"), run.seed)))
        .collect()
}

/// What a finding's sentences see: its numbers, and `mask` where it speaks of one loss.
pub(super) fn evidence_view(finding: &Finding) -> Value {
    let numbers = finding.evidence.iter().map(|(name, number)| (*name, Value::from_object(number.clone())));
    Value::from_pairs(numbers.chain(finding.mask.map(|mask| ("mask", Value::from(mask.name())))))
}

fn derived(record: &RunRecord) -> Value {
    let dataset = &record.dataset;
    let mut quantities: BTreeMap<&'static str, Quantity> = BTreeMap::from([
        ("effective_batch", measures::effective_batch(record)),
        ("lora_scale", measures::lora_scale(record)),
        ("short_limit", measures::short_limit()),
        ("uniform_loss", measures::uniform_loss(record)),
        ("steps_made", measures::steps_made(record)),
        ("sample_count", Quantity::new("len(samples)", record.samples.len())),
    ]);
    let optional = [
        ("train_share", measures::row_share(record, "train_rows", dataset.train_rows)),
        ("eval_share", measures::row_share(record, "eval_rows", dataset.eval_rows)),
        ("first_train_loss", measures::first_train_loss(record)),
        ("last_train_loss", measures::last_train_loss(record)),
        ("highest_learning_rate", measures::highest_learning_rate(record)),
        (
            "last_eval_loss",
            record.training.evals.len().checked_sub(1).and_then(|last| measures::eval_loss(record, last)),
        ),
        (
            "last_eval_step",
            record.training.evals.len().checked_sub(1).and_then(|last| measures::eval_step(record, last)),
        ),
        ("trainable_share", measures::trainable_share(record)),
        ("spared_share", measures::spared_share(record)),
        ("weight_memory_saved", measures::weight_memory_saved(record)),
        ("significance_level", measures::significance_level(record)),
    ];
    quantities.extend(
        optional.into_iter().filter_map(|(name, quantity)| quantity.map(|quantity| (name, quantity))),
    );
    for mask in Mask::ALL {
        if let Some(pair) = measures::both_scores(record, mask) {
            let names = match mask {
                Mask::Masked => ["masked_loss_change", "masked_perplexity_change"],
                Mask::Full => ["full_loss_change", "full_perplexity_change"],
            };
            quantities
                .extend(names.into_iter().zip([pair.signed_loss_change(), pair.signed_perplexity_change()]));
        }
    }
    quantity::named(&quantities)
}

fn has(record: &RunRecord) -> Value {
    let shape = Shape::of(record);
    let recipe = &record.recipe;
    let truth = |mask| {
        measures::both_scores(record, mask).is_some_and(|pair| pair.fine_tuned.loss < pair.baseline.loss)
    };
    let statistics = record.evaluation.statistics.as_ref().map(|both| [&both.masked, &both.full]);
    let both = |test: fn(&Comparison) -> bool| statistics.is_some_and(|pair| pair.into_iter().all(test));
    let performances = |test: fn(&Performance) -> bool| {
        statistics
            .is_some_and(|pair| pair.into_iter().all(|side| test(&side.baseline) && test(&side.fine_tuned)))
    };
    let pairs: [(&str, bool); 41] = [
        ("steps", shape.steps),
        ("evals", shape.evals),
        ("best", shape.best),
        ("baseline", shape.baseline),
        ("comparison", shape.comparison),
        ("statistics", shape.statistics),
        ("samples", shape.samples),
        ("outputs", shape.outputs),
        ("completed", record.status == Status::Completed),
        ("failed", record.status == Status::Failed),
        ("failure", record.failure.is_some()),
        ("split_seed", record.dataset.split_seed.is_some()),
        ("quantized", measures::is_quantized(record)),
        (
            "grouped_heads",
            record.model.architecture.key_value_heads < record.model.architecture.attention_heads,
        ),
        ("tied", record.model.architecture.tied_embeddings),
        ("checkpointing", record.training.gradient_checkpointing),
        ("checkpointing_auto", recipe.train.gradient_checkpointing == Checkpointing::Auto),
        ("dropout", recipe.lora.dropout > 0.0),
        ("warmup", recipe.train.warmup_steps > 0),
        ("accumulation", recipe.train.accumulation_steps > 1),
        ("shuffle", recipe.train.shuffle),
        ("load_best", recipe.train.load_best_at_end),
        ("max_steps", recipe.train.max_steps > 0),
        ("planned", record.training.total_steps > 0),
        ("model_loaded", record.model.parameters > 0),
        ("merged_output", record.outputs.iter().any(|output| output.kind == "merged")),
        ("leak", record.dataset.leaked_rows > 0),
        ("truncated", record.dataset.truncated_rows > 0),
        ("options", record.environment.command.len() > 1),
        ("all_modules", Projection::ALL.iter().all(|module| recipe.lora.target_modules.contains(module))),
        ("as_is", record.model.quantization == Quantization::AsIs),
        ("nf4", matches!(record.model.quantization, Quantization::Nf4 | Quantization::Nf4Double)),
        ("input", !record.dataset.example.input.is_empty()),
        ("masked_improved", truth(Mask::Masked)),
        ("full_improved", truth(Mask::Full)),
        ("wilcoxon", both(|side| side.wilcoxon.is_some())),
        ("effect_size", both(|side| side.effect_size.is_some())),
        ("bits_per_byte", performances(|model| model.bits_per_byte.is_some())),
        ("perplexity_intervals", performances(|model| model.perplexity.is_some())),
        ("commit", record.environment.git_commit.is_some()),
        ("accelerator", record.environment.accelerator.is_some()),
    ];
    Value::from_pairs(
        pairs
            .into_iter()
            .chain([
                ("dirty", record.environment.git_dirty),
                ("finished", record.environment.finished_at.is_some()),
                ("synthetic", record.dataset.synthetic),
                ("demonstration", record.model.demonstration),
                ("embedded_data", record.dataset.source.starts_with("embedded:")),
            ])
            .map(|(name, truth)| (name, Value::from(truth))),
    )
}

/// Names that the record spells in another way than the text does.
fn names(record: &RunRecord) -> Value {
    let modules: Vec<String> =
        record.recipe.lora.target_modules.iter().map(|module| format!("`{}`", module.name())).collect();
    let quantization = match record.model.quantization {
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
    let quantization = match own_types {
        Some(types) => format!("{quantization} ({})", markdown::escaped(types)),
        None => quantization.to_string(),
    };
    let others: Vec<Level> = Level::ALL.into_iter().filter(|level| *level != record.level).collect();
    let device = record.environment.accelerator.as_deref().unwrap_or(&record.environment.cpu);
    Value::from_pairs([
        ("level", Value::from(record.level.label())),
        ("slug", Value::from(record.level.slug())),
        ("modules", Value::from(listed(&modules))),
        ("quantization", Value::from(quantization)),
        ("device", Value::from(device)),
        ("seeded", Value::from(seeded(record))),
        ("command", Value::from(record.environment.command.join(" "))),
        ("example", Value::from(example(record))),
        ("template", Value::from(template(record))),
        (
            "other_levels",
            Value::from(listed(&others.iter().map(|level| level.label().to_string()).collect::<Vec<_>>())),
        ),
        (
            "other_commands",
            Value::from(
                others
                    .iter()
                    .map(|level| format!("cargo run --release --example {}", level.slug()))
                    .collect::<Vec<_>>()
                    .join("\n"),
            ),
        ),
        ("tree", Value::from(tree(record))),
        ("outputs", record.outputs.iter().map(|output| output_name(&output.kind)).collect()),
    ])
}

/// What the training seed decides, as the beginning of a sentence.
fn seeded(record: &RunRecord) -> String {
    let recipe = &record.recipe;
    let mut names = vec!["Adaptörün başlangıç değerleri".to_string()];
    names.extend((recipe.lora.dropout > 0.0).then(|| "seyreltme".into()));
    names.extend(recipe.train.shuffle.then(|| "örneklerin sırası".into()));
    listed(&names)
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
fn template(record: &RunRecord) -> &'static str {
    match record.dataset.example.input.is_empty() {
        true => "### Instruction:\n{instruction}\n\n### Response:\n{output}",
        false => "### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n{output}",
    }
}

/// The output folder as a reader finds it: the documents, then what the record lists.
fn tree(record: &RunRecord) -> String {
    let document = format!("{}_FINE_TUNING_RESULTS.md", record.level.label());
    let page = format!("{}_FINE_TUNING_RESULTS.html", record.level.label());
    let fixed = [
        "record.json",
        "events.jsonl",
        &document,
        &page,
        "yontem.md",
        "sonuclar.md",
        "tartisma.md",
        "charts/",
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
fn output_name(kind: &str) -> String {
    match kind {
        "train_split" => "eğitim kümesi",
        "eval_split" => "değerlendirme kümesi",
        "adapter" => "LoRA adaptörü",
        "merged" => "adaptörle birleştirilmiş model",
        "checkpoint" => "kayıt noktası",
        other => other,
    }
    .to_string()
}

/// `a`, `a ve b`, `a, b ve c`.
pub(super) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} ve {last}", head.join(", ")),
    }
}

/// The steps that a table shows: the first, every tenth, those with an evaluation, and the last.
fn step_rows(record: &RunRecord) -> Value {
    let training = &record.training;
    let last = training.steps.len().saturating_sub(1);
    // About ten rows and the evaluations, whatever the length of the run.
    let stride =
        training.steps.len().div_ceil(10).next_multiple_of(if training.steps.len() > 50 { 10 } else { 5 });
    let eval_of = |step: usize| training.evals.iter().position(|eval| eval.step == step);
    let best = training.best.as_ref().map(|best| best.step);
    training
        .steps
        .iter()
        .enumerate()
        .filter(|(index, step)| {
            *index == 0 || *index == last || step.step % stride == 0 || eval_of(step.step).is_some()
        })
        .map(|(index, step)| {
            let number = |field: &str, value: f64| {
                Value::from(Quantity::new(format!("training.steps[{index}].{field}"), value))
            };
            let eval = eval_of(step.step);
            let mut row = BTreeMap::from([
                ("step", Value::from(Quantity::new(format!("training.steps[{index}].step"), step.step))),
                ("epoch", number("epoch", step.epoch)),
                ("loss", number("loss", step.loss)),
                ("learning_rate", number("learning_rate", step.learning_rate)),
                ("grad_norm", number("grad_norm", step.grad_norm)),
                ("has_eval", Value::from(eval.is_some())),
                ("is_best", Value::from(best == Some(step.step))),
            ]);
            if let Some(quantity) = eval.and_then(|eval| measures::eval_loss(record, eval)) {
                row.insert("eval_loss", Value::from_object(quantity));
            }
            Value::from_pairs(row)
        })
        .collect()
}

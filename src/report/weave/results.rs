//! What a cell gave, from the record: a table, a chart, texts.

use super::{Shown, Went, Woven};
use crate::error::Result;
use crate::recipe::Cell;
use crate::record::{RunRecord, Scores};
use crate::report::numbers::Style;
use crate::report::{charts, files, markdown, trace};
use std::fmt::Write;

/// Decimals of a loss, as the program says it.
const DIGITS: usize = 4;

/// The name of a cell in the thesis's words.
pub(super) fn title(cell: Cell) -> &'static str {
    match cell {
        Cell::Rows => "Örnekler",
        Cell::BaseModel => "Temel model",
        Cell::Baseline => "Temel modelin kaybı",
        Cell::Training => "Eğitim",
        Cell::FineTuned => "Temel ve ince ayarlı modelin kaybı",
        Cell::Texts => "Üretilen metinler",
        Cell::Measures => "Üretilen metinlerin ölçüleri",
        Cell::Export => "Yazılan dosyalar",
    }
}

/// The result of `shown` as traced Markdown. Of a cell on its way only a training has something to show.
///
/// # Errors
/// `Error::Report` for a number that cannot be printed.
pub(super) fn traced(woven: &Woven, shown: &Shown, style: Style) -> Result<String> {
    let record = woven.record;
    let is_done = shown.went != Went::Begun;
    let text = match shown.cell {
        Cell::Training => training(woven, style)?,
        _ if !is_done => String::new(),
        Cell::Rows => rows(record, style)?,
        Cell::BaseModel => base_model(record, style)?,
        Cell::Baseline => baseline(record, style)?,
        Cell::FineTuned => comparison(woven, style)?,
        // The program's own lines say how many; the texts to be read are chosen by their measures.
        Cell::Texts => String::new(),
        Cell::Measures => texts(record),
        Cell::Export => outputs(record, style),
    };
    Ok(markdown::tidy(&text))
}

/// A table of two columns.
fn table(head: [&str; 2], rows: &[(&str, String)]) -> String {
    let mut text = format!("| {} | {} |\n|---|---|\n", head[0], head[1]);
    for (name, value) in rows {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text
}

/// A count with its place in the record.
fn count(path: &str, value: usize, style: Style) -> String {
    trace::marked(path, &style.count(value as u64))
}

/// A measurement with its place in the record.
fn number(path: &str, value: f64, digits: usize, style: Style) -> Result<String> {
    Ok(trace::marked(path, &style.number(value, digits)?))
}

fn rows(record: &RunRecord, style: Style) -> Result<String> {
    let data = &record.dataset;
    let of = |name: &str, value: usize| count(&format!("dataset.{name}"), value, style);
    let lengths = |name: &str, mean: f64, min: usize, max: usize| -> Result<String> {
        Ok(format!(
            "ortalama {}, en az {}, en çok {}",
            number(&format!("dataset.{name}.mean"), mean, 1, style)?,
            of(&format!("{name}.min"), min),
            of(&format!("{name}.max"), max)
        ))
    };
    let validation = data.validation.as_ref().map(|part| of("validation.rows", part.rows));
    let validation = validation.map_or_else(String::new, |rows| format!("{rows} doğrulama + "));
    let (words, tokens) = (&data.words, &data.tokens);
    Ok(table(
        ["Özellik", "Değer"],
        &[
            ("Kaynak", markdown::cell_code(&data.source)),
            (
                "Toplam örnek",
                format!(
                    "{} = {} eğitim + {validation}{} değerlendirme",
                    of("rows", data.rows),
                    of("train_rows", data.train_rows),
                    of("eval_rows", data.eval_rows)
                ),
            ),
            ("Yanıtta kelime", lengths("words", words.mean, words.min, words.max)?),
            ("Örnekte belirteç", lengths("tokens", tokens.mean, tokens.min, tokens.max)?),
            ("Yinelenen örnek", of("duplicate_rows", data.duplicate_rows)),
            ("Eğitim kümesiyle çakışan değerlendirme örneği", of("leaked_rows", data.leaked_rows)),
            ("Uzunluk sınırında kesilen örnek", of("truncated_rows", data.truncated_rows)),
            ("Hedefi kalmayan örnek", of("rows_without_target", data.rows_without_target)),
        ],
    ))
}

fn base_model(record: &RunRecord, style: Style) -> Result<String> {
    let model = &record.model;
    let size = |path: &str, bytes: u64| trace::marked(path, &style.size(bytes));
    Ok(table(
        ["Özellik", "Değer"],
        &[
            ("Ad", markdown::cell_code(&model.name)),
            ("Kaynak", markdown::cell_code(&model.source)),
            ("Parametre", trace::marked("model.parameters", &style.count(model.parameters))),
            (
                "Eğitilen parametre",
                trace::marked("model.trainable_parameters", &style.count(model.trainable_parameters)),
            ),
            ("Ağırlık başına bit", number("model.bits_per_weight", model.bits_per_weight, 2, style)?),
            ("Bellekte", size("model.weight_bytes", model.weight_bytes)),
        ],
    ))
}

/// Losses and perplexities of both masks, in the words of the documents: name, place in the record, value.
fn measures(model: &str, scores: &Scores) -> [(&'static str, String, f64); 4] {
    let of = |mask: &str, measure: &str| format!("evaluation.{model}.{mask}.{measure}");
    [
        ("Yanıt kaybı", of("masked", "loss"), scores.masked.loss),
        ("Yanıt şaşkınlığı", of("masked", "perplexity"), scores.masked.perplexity),
        ("Tam metin kaybı", of("full", "loss"), scores.full.loss),
        ("Tam metin şaşkınlığı", of("full", "perplexity"), scores.full.perplexity),
    ]
}

fn baseline(record: &RunRecord, style: Style) -> Result<String> {
    let Some(scores) = &record.evaluation.baseline else { return Ok(String::new()) };
    let mut text = String::from("| Ölçü | Temel model |\n|---|--:|\n");
    for (name, path, value) in measures("baseline", scores) {
        let _ = writeln!(text, "| {name} | {} |", number(&path, value, DIGITS, style)?);
    }
    Ok(text)
}

fn training(woven: &Woven, style: Style) -> Result<String> {
    let training = &woven.record.training;
    let of = |name: &str, value: usize| count(&format!("training.{name}"), value, style);
    let mut rows = vec![(
        "Adım",
        format!("{} / {}", of("steps.length", training.steps.len()), of("total_steps", training.total_steps)),
    )];
    if let Some(last) = training.steps.last() {
        let path = format!("training.steps[{}].loss", training.steps.len() - 1);
        rows.push(("Son adımın kaybı", number(&path, last.loss, DIGITS, style)?));
    }
    if let Some(best) = &training.best {
        let loss = number("training.best.loss", best.loss, DIGITS, style)?;
        rows.push(("En düşük değerlendirme kaybı", format!("{loss} (adım {})", of("best.step", best.step))));
    }
    if training.tokens_per_second > 0.0 {
        let speed = number("training.tokens_per_second", training.tokens_per_second, 0, style)?;
        rows.push(("Saniyede belirteç", speed));
    }
    Ok(table(["Ölçü", "Değer"], &rows) + &chart(woven, charts::LOSSES))
}

fn comparison(woven: &Woven, style: Style) -> Result<String> {
    let evaluation = &woven.record.evaluation;
    let (Some(before), Some(after)) = (&evaluation.baseline, &evaluation.fine_tuned) else {
        return Ok(String::new());
    };
    let mut text = String::from("| Ölçü | Temel model | İnce ayarlı model |\n|---|--:|--:|\n");
    for (before, after) in measures("baseline", before).iter().zip(measures("fine_tuned", after)) {
        let (name, path, value) = before;
        let before = number(path, *value, DIGITS, style)?;
        let _ = writeln!(text, "| {name} | {before} | {} |", number(&after.1, after.2, DIGITS, style)?);
    }
    Ok(text + &charts::OF_COMPARISON.map(|name| chart(woven, name)).concat())
}

fn texts(record: &RunRecord) -> String {
    let mut text = String::new();
    for (index, sample) in record.samples.iter().enumerate() {
        let capped = |is_capped| if is_capped { " (belirteç sınırında kesildi)" } else { "" };
        let prompt = record.dataset.prompt.fill(&sample.instruction, &sample.input);
        let blocks = [
            (format!("{}. istem", index + 1), prompt),
            ("Temel model".to_string() + capped(sample.baseline_capped), sample.baseline.clone()),
            ("İnce ayarlı model".to_string() + capped(sample.fine_tuned_capped), sample.fine_tuned.clone()),
            ("Kümedeki yanıt".to_string(), sample.reference.clone()),
        ];
        for (name, block) in blocks {
            let block = if block.trim().is_empty() { "(boş)" } else { block.trim_end() };
            let _ = writeln!(text, "**{name}**\n\n{}\n", markdown::block(block, ""));
        }
    }
    text
}

/// The files that the record lists, and the documents that say what they mean.
fn outputs(record: &RunRecord, style: Style) -> String {
    let mut text = String::from("| Dosya | Boyut |\n|---|--:|\n");
    for (index, output) in record.outputs.iter().enumerate() {
        let size = trace::marked(&format!("outputs[{index}].bytes"), &style.size(output.bytes));
        let _ = writeln!(text, "| {} | {size} |", markdown::cell_code(&output.path));
    }
    let whole = files::whole(record.level);
    let sections = [files::METHOD, files::RESULTS, files::DISCUSSION, files::APPENDIX, files::RECORD];
    let documents: Vec<&str> = std::iter::once(whole.as_str()).chain(sections).collect();
    let documents = documents.into_iter().map(markdown::code).collect::<Vec<_>>().join(", ");
    text + &format!("\nBelgeler ve kayıt: {documents}.\n")
}

/// The chart of that name, where it was drawn.
fn chart(woven: &Woven, name: &str) -> String {
    match woven.charts.iter().find(|chart| chart.name == name) {
        Some(chart) => {
            format!("\n![{}]({})\n", chart.alt.replace(['[', ']', '\\'], ""), files::chart(name, "svg"))
        }
        None => String::new(),
    }
}

//! # Five levels, one comparison
//!
//! **Question.** Does the same update teach every level as much, and does it teach the level or only the format? The
//! first is read off the five runs. For the second every adapter is measured on every level's held-out
//! answers: an adapter that learned its level must be better at home than abroad.
//!
//! Runs the experiments of the named levels (all without any), skips a level whose finished record has the
//! same recipe and model, and writes `<out>/<level>/` and `<out>/karsilastirma/`.
//!
//!     cargo run --example levels -- [a1 b2 ...] [the flags of every experiment]
#![allow(clippy::duplicate_mod, reason = "each level's program brings the recipe that they share")]

use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tezgah::cli::Flags;
use tezgah::data::alpaca;
use tezgah::data::batches::Targets;
use tezgah::data::encode::{EncodedRow, RowEncoder};
use tezgah::evaluate::nll;
use tezgah::level::Level;
use tezgah::model::llama::Llama;
use tezgah::model::quantized_file::QuantizedFile;
use tezgah::model::{adapter, source};
use tezgah::notebook::{self, Notebook};
use tezgah::record::comparison::{self, CrossMatrix};
use tezgah::record::run::{RunRecord, Status};
use tezgah::record::store;
use tezgah::report;

#[path = "a1.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod a1;
#[path = "a2.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod a2;
#[path = "b1.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod b1;
#[path = "b2.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod b2;
#[path = "c1.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod c1;

type Experiment = fn(&mut Notebook) -> anyhow::Result<()>;

fn experiment(level: Level) -> (&'static [u8], Experiment) {
    match level {
        Level::A1 => (include_bytes!("../data/a1.json"), a1::experiment),
        Level::A2 => (include_bytes!("../data/a2.json"), a2::experiment),
        Level::B1 => (include_bytes!("../data/b1.json"), b1::experiment),
        Level::B2 => (include_bytes!("../data/b2.json"), b2::experiment),
        Level::C1 => (include_bytes!("../data/c1.json"), c1::experiment),
    }
}

#[derive(Parser)]
struct Arguments {
    /// Levels to run: a1 a2 b1 b2 c1; all without any
    levels: Vec<Level>,
    #[command(flatten)]
    flags: Flags,
}

fn main() -> ExitCode {
    notebook::answer(run(Arguments::parse()))
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let Arguments { mut levels, flags } = arguments;
    if levels.is_empty() {
        levels = Level::ALL.to_vec();
    }
    levels.sort_unstable();
    levels.dedup();
    let out = flags.out.clone().unwrap_or_else(|| PathBuf::from("reports"));

    // ## The runs
    let mut records = Vec::new();
    for &level in &levels {
        let folder = out.join(level.slug());
        let finished = store::read(&folder.join("record.json")).ok().filter(|record| is_done(record, &flags));
        if let Some(record) = finished.filter(|_| !flags.render_only) {
            eprintln!("{level}: done before, in {}", folder.display());
            records.push(record);
            continue;
        }
        eprintln!("{level}");
        let (sample, experiment) = experiment(level);
        let flags = Flags { out: Some(folder.clone()), ..flags.clone() };
        let dry_run = flags.dry_run;
        notebook::run_with(level, a1::recipe(), sample, experiment, flags)?;
        if !dry_run {
            records.push(store::read(&folder.join("record.json"))?);
        }
    }
    if flags.dry_run || records.len() < 2 {
        return Ok(());
    }

    // ## Every adapter on every level
    let folder = out.join("karsilastirma");
    let comparable = records.iter().all(|record| record.model.sha256 == records[0].model.sha256);
    let cross = match (flags.render_only, comparable) {
        (false, true) => Some(cross_matrix(&out, &records, &flags)?),
        _ => None,
    };

    // ## The comparison
    let cross = cross.or_else(|| earlier_matrix(&folder.join("karsilastirma.json")));
    let comparison = comparison::compare(&records, cross)?;
    let mut text = serde_json::to_string_pretty(&comparison)?;
    text.push('\n');
    store::write_file(&folder.join("karsilastirma.json"), text.as_bytes())?;
    let profile = flags.profile(&folder, None)?;
    let report = report::render_comparison(&comparison, &profile)?;
    for chart in &report.charts {
        let path = folder.join("charts").join(chart.name);
        store::write_file(&path.with_extension("svg"), chart.svg.as_bytes())?;
        store::write_file(&path.with_extension("png"), &chart.png)?;
    }
    for document in &report.documents {
        store::write_file(&folder.join(&document.file_name), document.markdown.as_bytes())?;
    }
    eprintln!("{}", folder.display());
    Ok(())
}

/// A finished run of the same model and settings, so that it need not be repeated.
fn is_done(record: &RunRecord, flags: &Flags) -> bool {
    let mut recipe = a1::recipe();
    record.status == Status::Completed
        && record.smoke == flags.smoke
        && record.model.source == flags.model
        && flags.apply(&mut recipe).is_ok()
        && record.recipe == recipe
}

fn earlier_matrix(path: &Path) -> Option<CrossMatrix> {
    let text = std::fs::read(path).ok()?;
    serde_json::from_slice::<comparison::ComparisonRecord>(&text).ok()?.cross
}

/// Masked, token-weighted losses: each adapter over one base model, on the rows that each run held out.
fn cross_matrix(out: &Path, records: &[RunRecord], flags: &Flags) -> anyhow::Result<CrossMatrix> {
    let recipe = &records[0].recipe;
    let base = source::open(&flags.model.parse()?)?;
    let device = tezgah::device::open(&flags.device)?;
    let dtype = tezgah::device::default_dtype(&device);
    let run = out.join(records[0].level.slug()); // the runs' own quantized weights lie beside them
    let say = |line: &str| eprintln!("{line}");
    let quantization = recipe.model.quantization;
    let mut model = QuantizedFile::load_model(&base, quantization, dtype, &device, &run, &say)?;
    let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, recipe.data.max_seq_len)?;
    let levels: Vec<Level> = records.iter().map(|record| record.level).collect();
    let rows: Vec<Vec<EncodedRow>> = levels
        .iter()
        .map(|level| {
            let slug = level.slug();
            let path = out.join(slug).join(format!("split/training_data_{slug}_eval.json"));
            alpaca::read(path)?.rows.iter().map(|row| encoder.encode(row)).collect()
        })
        .collect::<Result<_, tezgah::error::Error>>()?;
    let losses = |model: &Llama, lora_scale: Option<f64>| -> Result<Vec<f64>, tezgah::error::Error> {
        let batch_size = recipe.train.eval_batch_size;
        rows.iter()
            .map(|rows| {
                let sums = nll::rows(model, rows, batch_size, Targets::Response, lora_scale, |_| ())?;
                Ok(nll::eval_loss(&sums, batch_size).loss)
            })
            .collect()
    };
    let base_loss = losses(&model, None)?;
    adapter::attach(&mut model, &recipe.lora, recipe.train.seed)?;
    let scale = recipe.lora.alpha / recipe.lora.rank as f64;
    let mut loss = Vec::new();
    for level in &levels {
        adapter::load(&mut model, &out.join(level.slug()).join("adapter"))?;
        loss.push(losses(&model, Some(scale))?);
        eprintln!("{level}'s adapter on {} levels", levels.len());
    }
    Ok(CrossMatrix { adapters: levels.clone(), eval_sets: levels, base_loss, loss })
}

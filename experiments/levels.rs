//! # Five levels, one comparison
//!
//! **Question.** Does the same update teach every level as much, and does it teach the level or only the format? The
//! first is read off the five runs. For the second every adapter is measured on every level's held-out
//! answers: an adapter that learned its level must be better at home than abroad.
//!
//! | | |
//! |---|---|
//! | reads | what the experiments of the levels read; `--data DIR` with a file for each level |
//! | writes | `reports/<level>` and `reports/karsilastirma`: record, Turkish text, charts |
//! | run | `cargo run --example levels`, or some of them: `-- a1 b2`; all flags of the experiments |
#![allow(clippy::duplicate_mod, reason = "each level's program brings the recipe that they share")]

use anyhow::{Context, bail};
use clap::Parser;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use tezgah::cli::Flags;
use tezgah::data::alpaca;
use tezgah::data::batches::Targets;
use tezgah::data::encode::{EncodedRow, RowEncoder};
use tezgah::error::Result;
use tezgah::evaluate::cross;
use tezgah::evaluate::nll::{self, RowSums};
use tezgah::level::Level;
use tezgah::model::files::source;
use tezgah::model::network::adapter;
use tezgah::model::network::llama::Llama;
use tezgah::recipe::Recipe;
use tezgah::record::levels::{self as levels_record, CrossMatrix, LevelsRecord};
use tezgah::record::store;
use tezgah::record::{RunRecord, Status};
use tezgah::report;
use tezgah::run::{self as notebook, Earlier, Notebook};

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

/// A level's recipe, sample rows and cells.
fn experiment(level: Level) -> (Recipe, &'static [u8], Experiment) {
    match level {
        Level::A1 => (a1::recipe(), include_bytes!("../data/a1.json"), a1::experiment),
        Level::A2 => (a2::recipe(), include_bytes!("../data/a2.json"), a2::experiment),
        Level::B1 => (b1::recipe(), include_bytes!("../data/b1.json"), b1::experiment),
        Level::B2 => (b2::recipe(), include_bytes!("../data/b2.json"), b2::experiment),
        Level::C1 => (c1::recipe(), include_bytes!("../data/c1.json"), c1::experiment),
    }
}

#[derive(Parser)]
#[command(
    about = "Fine-tunes each level and compares them: what is done is skipped, what is missing is named",
    after_help = "For several levels --data names a folder: a1.json or training_data_a1.json (.jsonl), and so on"
)]
struct Arguments {
    /// Levels to run: a1 a2 b1 b2 c1; all without any
    levels: Vec<Level>,
    #[command(flatten)]
    flags: Flags,
}

fn main() -> ExitCode {
    notebook::answer(run(Arguments::parse()))
}

fn run(Arguments { mut levels, flags }: Arguments) -> anyhow::Result<()> {
    if levels.is_empty() {
        levels = Level::ALL.to_vec();
    }
    levels.sort_unstable();
    levels.dedup();
    let out = flags.out.clone().unwrap_or_else(|| PathBuf::from("reports"));
    let say = |line: String| {
        if !flags.quiet {
            eprintln!("{line}");
        }
    };

    // ## Before anything is trained
    // A wrong flag, model or row of the last level must not come to light after hours of the first four.
    let mut notebooks = Vec::new();
    for &level in &levels {
        let (recipe, sample, _) = experiment(level);
        let flags = flags_of(level, &flags, &out, levels.len())?;
        let notebook = Notebook::open(level, recipe, sample, flags.clone())?;
        if !flags.render_only {
            notebook.rows()?;
        }
        notebooks.push((level, flags, notebook));
    }
    if !flags.render_only {
        source::open(&flags.model.parse()?)?;
    }

    // ## The runs
    // A level that fails does not keep the others from running: its record says that it failed, and so does the
    // comparison.
    let (mut records, mut failures) = (Vec::new(), Vec::new());
    for (level, flags, notebook) in &notebooks {
        let folder = notebook.out().display();
        let path = notebook.out().join("record.json");
        if flags.render_only && !path.exists() {
            say(format!("{level}: no record in {folder}"));
            continue;
        }
        let is_asked = !flags.render_only && !flags.dry_run;
        match if is_asked { notebook.earlier()? } else { Earlier::Nothing } {
            Earlier::Same(record) => {
                say(format!("{level}: done before, in {folder} (another --out runs it again)"));
                records.push(*record);
                continue;
            }
            Earlier::Other(why) => say(format!("{level}: {folder} holds another run ({why}); running")),
            Earlier::Nothing => say(level.to_string()),
        }
        let (recipe, sample, experiment) = experiment(*level);
        let outcome = notebook::run_with(*level, recipe, sample, experiment, flags.clone());
        if flags.dry_run {
            outcome?;
            continue;
        }
        let is_failed = outcome.is_err();
        if let Err(error) = outcome {
            say(format!("{level}: {error:#}"));
            failures.push(format!("{level}: {error:#}"));
        }
        // A run that failed before its record was opened has left the one of an earlier run.
        let record = store::read(&path).ok();
        records.extend(record.filter(|record| !is_failed || record.status == Status::Failed));
    }
    if !flags.dry_run {
        compare(&records, &notebooks[0].2, &out, &flags, &say)?;
    }
    match failures.as_slice() {
        [] => Ok(()),
        failures => bail!("{} of {} levels failed: {}", failures.len(), levels.len(), failures.join("; ")),
    }
}

/// The flags of one level among `count`: its own folder, and its own file of rows.
fn flags_of(level: Level, flags: &Flags, out: &Path, count: usize) -> anyhow::Result<Flags> {
    let mut own = Flags { out: Some(out.join(level.slug())), ..flags.clone() };
    if count > 1 && flags.train_file.is_some() {
        bail!("--train-file: expected --data DIR for {count} levels, got one file for all of them");
    }
    let Some(data) = &flags.data else { return Ok(own) };
    if data.is_dir() {
        let names = ["", "training_data_"].map(|before| ["json", "jsonl"].map(|end| (before, end)));
        let mut paths = names
            .as_flattened()
            .iter()
            .map(|(before, end)| data.join(format!("{before}{}.{end}", level.slug())));
        let found = paths.find(|path| path.is_file());
        own.data = Some(found.with_context(|| {
            let (data, slug) = (data.display(), level.slug());
            format!("{data}: expected {slug}.json or training_data_{slug}.json (or .jsonl) for {level}, got neither")
        })?);
    } else if count > 1 {
        bail!("{}: expected a folder with a file for each of {count} levels, got none", data.display());
    }
    Ok(own)
}

/// Writes `karsilastirma/` from the runs that came to their end.
fn compare(
    records: &[RunRecord],
    notebook: &Notebook,
    out: &Path,
    flags: &Flags,
    say: &dyn Fn(String),
) -> anyhow::Result<()> {
    let completed = records.iter().filter(|record| record.status == Status::Completed).count();
    if completed < 2 {
        say(format!(
            "no comparison: it takes two finished levels, {} has {completed} of those asked for",
            out.display()
        ));
        return Ok(());
    }
    let folder = out.join("karsilastirma");
    let path = folder.join(report::files::LEVELS_RECORD);
    let mut comparison = levels_record::compare(records, None)?;

    // ## Every adapter on every level
    // Measured once: the matrix of an earlier comparison of these very runs is theirs.
    let earlier = std::fs::read(&path).ok();
    let earlier = earlier.and_then(|text| serde_json::from_slice::<LevelsRecord>(&text).ok());
    let is_theirs =
        |earlier: &LevelsRecord| earlier.schema == comparison.schema && earlier.levels == comparison.levels;
    let cross = match earlier.filter(is_theirs) {
        Some(LevelsRecord { cross: Some(cross), .. }) => Some(cross),
        _ if flags.render_only => None,
        _ if !comparison.is_one_model() => {
            say("no matrix of adapters and levels: the base models differ".into());
            None
        }
        _ => {
            let levels: Vec<Level> = comparison.levels.iter().map(|entry| entry.level).collect();
            let of_level = |level: &&Level| !out.join(level.slug()).join("adapter").is_dir();
            if let Some(level) = levels.iter().find(of_level) {
                say(format!(
                    "no matrix of adapters and levels: {} is missing; to make it, delete {0}'s record and run again",
                    out.join(level.slug()).join("adapter").display()
                ));
                None
            } else {
                Some(cross_matrix(levels, notebook, out, flags, say)?)
            }
        }
    };
    if cross.is_some() {
        comparison = levels_record::compare(records, cross)?;
    }

    // ## The comparison
    let mut text = serde_json::to_string_pretty(&comparison)?;
    text.push('\n');
    store::write_file(&path, text.as_bytes())?;
    let profile = flags.profile(&folder, None)?;
    let report = report::render_levels(&comparison, &profile)?;
    let newest = comparison.levels.iter().map(|entry| entry.started_at.as_str()).max().unwrap_or_default();
    for notice in notebook::write(&report, &profile, newest, &folder)? {
        say(notice);
    }
    let list = |levels: Vec<Level>| levels.iter().map(Level::to_string).collect::<Vec<_>>().join(", ");
    let compared = list(comparison.levels.iter().map(|entry| entry.level).collect());
    let absent = comparison.missing.iter().copied().chain(comparison.excluded.iter().map(|run| run.level));
    let absent = list(absent.collect());
    let missing = if absent.is_empty() { String::new() } else { format!("; without {absent}") };
    say(format!("{}: {compared}{missing}", folder.display()));
    Ok(())
}

/// Each adapter over one base model, on the answers that each run held out.
fn cross_matrix(
    levels: Vec<Level>,
    notebook: &Notebook,
    out: &Path,
    flags: &Flags,
    say: &dyn Fn(String),
) -> anyhow::Result<CrossMatrix> {
    let recipe = notebook.recipe();
    let base = source::open(&flags.model.parse()?)?;
    let mut model = notebook.base_model(&base)?;
    let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, recipe.data.max_seq_len)?;
    let rows: Vec<Vec<EncodedRow>> = levels
        .iter()
        .map(|level| {
            let slug = level.slug();
            let path = out.join(slug).join(format!("split/training_data_{slug}_eval.json"));
            alpaca::read(path)?.rows.iter().map(|row| encoder.encode(row)).collect()
        })
        .collect::<Result<_>>()?;
    let measured = |model: &Llama, lora_scale: Option<f64>| -> Result<Vec<Vec<RowSums>>> {
        let on = |rows: &Vec<EncodedRow>| {
            nll::rows(model, rows, recipe.train.eval_batch_size, Targets::Response, lora_scale, |_| ())
        };
        rows.iter().map(on).collect()
    };
    let base_sums = measured(&model, None)?;
    adapter::attach(&mut model, &recipe.lora, recipe.train.seed)?;
    let scale = recipe.lora.alpha / recipe.lora.rank as f64;
    let mut adapted = Vec::new();
    for level in &levels {
        adapter::load(&mut model, &out.join(level.slug()).join("adapter"))?;
        adapted.push(measured(&model, Some(scale))?);
        say(format!("{level}'s adapter on {} levels", levels.len()));
    }
    Ok(cross::matrix(&levels, &base_sums, &adapted, recipe.data.split_seed))
}

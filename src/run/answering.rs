//! The texts: the held-out prompts answered by each system that there is, a batch at a time. A batch that is done is kept, so
//! that a run which was interrupted goes on after it, and with the same batches: a text is rounded with its neighbours.

use super::cells::{self, Found, Kept};
use super::interrupt;
use super::prompts::{self, Asked, Prompts};
use super::recording::Run;
use super::weaving::OFTEN;
use crate::data::encode::RowEncoder;
use crate::device;
use crate::error::{Error, Result};
use crate::evaluate::texts::{self, Yardstick};
use crate::model::generate::{self, Generated, Prompt};
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::Llama;
use crate::recipe::Cell;
use crate::record::environment;
use crate::record::folder::RunFolder;
use crate::record::texts::{Absent, Sample, System, Text, Texts};
use crate::report::weave::Moment;
use crate::sha256;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Instant;

/// Lets the systems write, and measures what they wrote.
pub(super) fn answer(run: &mut Run) -> Result<()> {
    if run.record.recipe.samples.count == 0 {
        return run.save();
    }
    let of = run.study.follows_from(Cell::Texts, &run.adapter);
    let written: Texts = run.cell(Cell::Texts, &of, |run| Ok((written(run, &of)?, Vec::new())))?;
    remove_parts(run.folder())?;
    let list = &run.study.notebook.word_list;
    let mut follows = vec![written_sha256(&written)?];
    follows.extend(list.sources().iter().map(|file| file.sha256.clone()));
    let of = run.study.follows_from(Cell::Measures, &follows.concat());
    let (measured, samples) =
        run.cell(Cell::Measures, &of, |run| Ok((measured(run, written)?, Vec::new())))?;
    (run.record.texts, run.record.samples) = (Some(measured), samples);
    run.save()
}

fn written_sha256(texts: &Texts) -> Result<String> {
    let failed = |error: serde_json::Error| Error::Report(error.to_string());
    Ok(sha256::of(serde_json::to_string(&texts.rows).map_err(failed)?.as_bytes()))
}

fn measured(run: &Run, mut texts: Texts) -> Result<(Texts, Vec<Sample>)> {
    let opened = run.study.opened()?;
    let by = Yardstick {
        level: run.record.level,
        list: &run.study.notebook.word_list,
        train: &opened.rows.split.train,
        rows: &opened.rows.split.evaluation,
        seed: run.record.recipe.data.split_seed,
    };
    run.study.notebook.progress.say("measuring the texts");
    let samples = texts::measured(&mut texts, &by);
    let home = environment::from_home;
    texts.word_lists.iter_mut().for_each(|file| file.name = home(&file.name));
    Ok((texts, samples))
}

/// The prompts of a batch, and where it is kept.
struct Batch<'a> {
    system: System,
    prompts: &'a [(usize, usize, Prompt)],
    part: PathBuf,
}

/// What a batch leaves.
#[derive(Serialize, Deserialize)]
struct Answered {
    texts: Vec<Text>,
    seconds: f64,
}

fn batches<'a>(asked: &'a [Asked], folder: &RunFolder, size: usize) -> Vec<Batch<'a>> {
    let of_system = |Asked { system, prompts }: &'a Asked| {
        let system = *system;
        let part = move |index| folder.cell(Cell::Texts).join(format!("{}-{index}", system.name()));
        prompts.chunks(size).enumerate().map(move |(index, prompts)| Batch {
            system,
            prompts,
            part: part(index),
        })
    };
    asked.iter().flat_map(of_system).collect()
}

/// The batches of an earlier call are no longer needed where the cell itself is kept.
fn remove_parts(folder: &RunFolder) -> Result<()> {
    let own = folder.cell(Cell::Texts);
    let failed = |error| Error::file(&own, error);
    for entry in std::fs::read_dir(&own).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            std::fs::remove_dir_all(&path).map_err(|error| Error::file(&path, error))?;
        }
    }
    Ok(())
}

fn written(run: &mut Run, of: &str) -> Result<Texts> {
    let opened = run.study.opened()?;
    let (recipe, level) = (run.record.recipe.samples.clone(), run.record.level);
    let Prompts { asked, absent } = &opened.prompts;
    for Absent { system, reason } in absent {
        run.study.notebook.progress.say(&format!("no texts of the {} system: {reason}", system.name()));
    }
    let batches = batches(asked, run.folder(), recipe.batch_size);
    let total = batches.iter().map(|batch| batch.prompts.len()).sum();
    run.study.notebook.progress.begin("generating texts", total);
    let mut held = false;
    let (mut texts, mut seconds) = (Vec::new(), 0.0);
    for batch in &batches {
        let answered = match cells::find_in::<Answered>(run.folder(), &batch.part, of) {
            Found::Kept(kept) => kept.result,
            Found::Nothing | Found::Unusable(_) => {
                if !std::mem::replace(&mut held, true) {
                    let bytes = device::half_of_free(&run.study.notebook.device);
                    model(run)?.hold_dense(bytes)?;
                }
                let answered = answered(run, batch, texts.len(), &opened.encoder)?;
                let moment = Moment { at: environment::now(), seconds: answered.seconds };
                let mut kept = Kept::new(moment, answered, Vec::new());
                cells::keep_in(run.folder(), &batch.part, of, &mut kept, &[])?;
                kept.result
            }
        };
        seconds += answered.seconds;
        texts.extend(answered.texts);
        run.study.notebook.progress.at(texts.len());
    }
    run.study.notebook.progress.end();
    if held {
        model(run)?.release_dense();
    }
    let tokens: usize = texts.iter().map(|text: &Text| text.tokens).sum();
    let told = asked.iter().any(|asked| asked.system == System::Prompted).then(|| prompts::told(level));
    let tokens_per_second = if seconds > 0.0 { tokens as f64 / seconds } else { 0.0 };
    let said = format!("  {} texts, {tokens} tokens, {tokens_per_second:.0} tok/s", texts.len());
    run.study.notebook.progress.say(&said);
    Ok(Texts { told, absent: absent.clone(), rows: texts, tokens_per_second, ..Texts::default() })
}

/// The model with its update.
fn model(run: &mut Run) -> Result<&mut Llama> {
    let adapter = run.folder().adapter();
    run.held.tuned(&run.study, &run.record.recipe.lora, &adapter)
}

/// Lets one batch be answered; `done` texts were written before.
fn answered(run: &mut Run, batch: &Batch, done: usize, encoder: &RowEncoder) -> Result<Answered> {
    let adapter = run.folder().adapter();
    let Run { study, held, record, page, .. } = run;
    let model = held.tuned(study, &record.recipe.lora, &adapter)?;
    let began = Instant::now();
    let (notebook, mut tokens) = (&study.notebook, 0);
    let observe = |new| {
        tokens += new;
        notebook.progress.rate(done, tokens as f64 / began.elapsed().as_secs_f64().max(1e-9));
        page.look(notebook, record, OFTEN)?;
        interrupt::check()
    };
    let lora = if batch.system == System::FineTuned { LoraUse::Applied } else { LoraUse::Ignored };
    let prompts: Vec<Prompt> = batch.prompts.iter().map(|(.., prompt)| prompt.clone()).collect();
    let generated = generate::batch(model, &prompts, &record.recipe.samples, lora, observe)?;
    let text = |(&(row, draw, _), generated): (&(usize, usize, Prompt), Generated)| {
        let (text, tokens) = (encoder.decode_text(&generated.ids)?, generated.ids.len());
        Ok(Text { row, system: batch.system, draw, text, tokens, stopped: generated.stopped })
    };
    let texts = batch.prompts.iter().zip(generated).map(text).collect::<Result<_>>()?;
    Ok(Answered { texts, seconds: began.elapsed().as_secs_f64() })
}

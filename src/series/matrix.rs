//! Every level's adapter over one base model, on the answers that each run held out, and writing after the same prompts.

use crate::data;
use crate::data::alpaca::{self, Row};
use crate::data::batches::Targets;
use crate::data::encode::{EncodedRow, RowEncoder};
use crate::device;
use crate::error::Result;
use crate::evaluate::nll::{self, RowSums};
use crate::evaluate::{cross, simplicity};
use crate::level::Level;
use crate::model::generate::{self, Prompt};
use crate::model::network::adapter;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::Llama;
use crate::random;
use crate::recipe::SamplesRecipe;
use crate::record::environment;
use crate::record::folder::{Part, RunFolder};
use crate::record::levels::CrossMatrix;
use crate::run::{Notebook, interrupt};
use rand_chacha::rand_core::Rng;
use std::path::Path;

/// Prompts of each level's rows that every adapter answers.
const PROMPTS: usize = 20;

/// Measures the adapters of `levels`, whose runs lie in `reports`. Model, recipe and device are those of `notebook`.
///
/// # Errors
/// As [`Notebook::load`]; `Error::File`, `Error::Record`, `Error::Data` or `Error::Adapter` where a run's record, rows or adapter cannot be read.
pub(super) fn measured(levels: &[Level], notebook: &Notebook, reports: &Path) -> Result<CrossMatrix> {
    let recipe = &notebook.recipe;
    let base = notebook.base()?;
    let mut model = notebook.load(&base)?;
    let bytes = device::half_of_free(&model.device);
    model.hold_dense(bytes)?;
    let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, recipe.data.max_seq_len)?;
    let folders: Vec<RunFolder> = levels.iter().map(|level| RunFolder::of_level(reports, *level)).collect();
    let held_out: Vec<Vec<Row>> = levels
        .iter()
        .zip(&folders)
        .map(|(level, folder)| {
            let part = Part::reported(&folder.read()?.dataset);
            Ok(alpaca::read(folder.split(*level, part))?.rows)
        })
        .collect::<Result<_>>()?;
    let encoded = |rows: &Vec<Row>| rows.iter().map(|row| encoder.encode(row)).collect();
    let rows: Vec<Vec<EncodedRow>> = held_out.iter().map(encoded).collect::<Result<_>>()?;
    let prompts = prompts(&held_out, &rows, &encoder, &recipe.samples)?;
    let measured = |model: &Llama, lora: LoraUse| -> Result<Vec<Vec<RowSums>>> {
        let on = |rows: &Vec<EncodedRow>| {
            nll::rows(model, rows, recipe.train.eval_batch_size, Targets::Response, lora, |_| {
                interrupt::check()
            })
        };
        rows.iter().map(on).collect()
    };
    let base_sums = measured(&model, LoraUse::Ignored)?;
    adapter::attach(&mut model, &recipe.lora, recipe.train.seed)?;
    let (mut adapted, mut written) = (Vec::new(), Vec::new());
    for (level, folder) in levels.iter().zip(&folders) {
        adapter::load(&mut model, &folder.adapter())?;
        adapted.push(measured(&model, LoraUse::Applied)?);
        if !prompts.is_empty() {
            written.push((*level, texts(&model, &prompts, notebook, &encoder)?));
        }
        notebook.progress.say(&format!("{level}'s adapter on {} levels", levels.len()));
    }
    let seed = recipe.data.split_seed;
    let mut matrix = cross::matrix(levels, &base_sums, &adapted, seed);
    matrix.texts = (!written.is_empty()).then(|| simplicity::measured(&written, &notebook.word_list, seed));
    for list in matrix.texts.iter_mut().flat_map(|texts| &mut texts.word_lists) {
        list.name = environment::from_home(&list.name);
    }
    Ok(matrix)
}

/// The first prompts of every level's held-out rows, as many of each.
fn prompts(
    held_out: &[Vec<Row>],
    encoded: &[Vec<EncodedRow>],
    encoder: &RowEncoder,
    samples: &SamplesRecipe,
) -> Result<Vec<Prompt>> {
    let count = samples.count.min(PROMPTS);
    let levels = held_out.iter().zip(encoded);
    let chosen = levels.flat_map(|(rows, encoded)| data::sampled(rows, encoded, count)).map(|(_, row)| row);
    let prompt = |(index, row): (usize, &Row)| {
        let seed = random::stream(samples.seed, &format!("text of every adapter {index}")).next_u64();
        Ok(Prompt { ids: encoder.encode_prompt(row)?, eos: encoder.eos(), seed })
    };
    chosen.enumerate().map(prompt).collect()
}

/// What the model writes after the prompts.
fn texts(
    model: &Llama,
    prompts: &[Prompt],
    notebook: &Notebook,
    encoder: &RowEncoder,
) -> Result<Vec<String>> {
    let samples = &notebook.recipe.samples;
    let mut texts = Vec::new();
    for batch in prompts.chunks(samples.batch_size) {
        for written in generate::batch(model, batch, samples, LoraUse::Applied, |_| interrupt::check())? {
            texts.push(encoder.decode_text(&written.ids)?);
        }
    }
    Ok(texts)
}

//! Every level's adapter over one base model, on the answers that each run held out.

use super::interrupt;
use super::notebook::Notebook;
use crate::data::alpaca;
use crate::data::batches::Targets;
use crate::data::encode::{EncodedRow, RowEncoder};
use crate::error::Result;
use crate::evaluate::cross;
use crate::evaluate::nll::{self, RowSums};
use crate::level::Level;
use crate::model::network::adapter;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::Llama;
use crate::record::folder::{Part, RunFolder};
use crate::record::levels::CrossMatrix;
use std::path::Path;

/// Measures the adapters of `levels`, whose runs lie in `reports`. Model, recipe and device are those of `notebook`.
///
/// # Errors
/// As [`Notebook::load`]; `Error::File`, `Error::Record`, `Error::Data` or `Error::Adapter` where a run's record, rows or adapter cannot be read.
pub(super) fn measured(levels: &[Level], notebook: &Notebook, reports: &Path) -> Result<CrossMatrix> {
    let recipe = &notebook.recipe;
    let base = notebook.base()?;
    let mut model = notebook.load(&base)?;
    let encoder = RowEncoder::new(base.tokenizer.clone(), base.eos_token_id, recipe.data.max_seq_len)?;
    let folders: Vec<RunFolder> = levels.iter().map(|level| RunFolder::of_level(reports, *level)).collect();
    let rows: Vec<Vec<EncodedRow>> = levels
        .iter()
        .zip(&folders)
        .map(|(level, folder)| {
            let part = Part::reported(&folder.read()?.dataset);
            let rows = alpaca::read(folder.split(*level, part))?.rows;
            rows.iter().map(|row| encoder.encode(row)).collect()
        })
        .collect::<Result<_>>()?;
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
    let mut adapted = Vec::new();
    for (level, folder) in levels.iter().zip(&folders) {
        adapter::load(&mut model, &folder.adapter())?;
        adapted.push(measured(&model, LoraUse::Applied)?);
        notebook.progress.say(&format!("{level}'s adapter on {} levels", levels.len()));
    }
    Ok(cross::matrix(levels, &base_sums, &adapted, recipe.data.split_seed))
}

//! What `--dry-run` prints: data checks, step arithmetic, parameters, memory, and one row with its mask.

use super::notebook::{MemoryPlan, Opened, Study};
use crate::data::Prepared;
use crate::data::encode::{EncodedRow, RowEncoder};
use crate::error::{Error, Result};
use crate::model::files::source::BaseModel;
use crate::model::network::llama::Activations;
use crate::recipe::Recipe;
use crate::record::Groups;
use crate::report::weave::MaskedRow;
use crate::train::memory;
use crate::train::schedule::{Plan, learning_rate};
use std::fmt::Write;
use std::io::{IsTerminal, Write as _};

impl Study {
    /// With `--dry-run`: prints what would be done, and says that it is enough.
    ///
    /// # Errors
    /// As [`super::Notebook::base`] and [`crate::data::prepare`]; `Error::Model` where the tokenizer cannot read back its own ids.
    pub fn stops_at_preview(&self) -> Result<bool> {
        if self.notebook.flags.dry_run {
            let text = text(self)?;
            // A reader that has seen enough (`| head`) is no error.
            let _ = std::io::stdout().write_all(text.as_bytes());
        }
        Ok(self.notebook.flags.dry_run)
    }
}

/// The whole preview.
fn text(study: &Study) -> Result<String> {
    let opened = study.opened()?;
    let Opened { base, encoder, rows, memory, .. } = &*opened;
    let recipe = &study.notebook.recipe;
    let mut text = String::new();
    let failed = |_| Error::Report("the preview could not be formatted".into());
    write_data(&mut text, rows).map_err(failed)?;
    write_arithmetic(&mut text, base, rows, recipe).map_err(failed)?;
    write_memory(&mut text, memory).map_err(failed)?;
    write_row(&mut text, rows, encoder)?;
    Ok(text)
}

fn write_data(text: &mut String, rows: &Prepared) -> std::fmt::Result {
    let dataset = &rows.dataset;
    let (words, tokens) = (&dataset.words, &dataset.tokens);
    writeln!(text, "data       {} (sha256 {})", dataset.source, &dataset.sha256[..12])?;
    let parts = match &dataset.validation {
        Some(part) => format!("{} validation + {} test", part.rows, dataset.eval_rows),
        None => format!("{} eval", dataset.eval_rows),
    };
    writeln!(text, "rows       {} = {} train + {parts}", dataset.rows, dataset.train_rows)?;
    if let Some(Groups { count, largest_rows }) = &dataset.groups {
        writeln!(text, "groups     {count}, none of them divided; the largest has {largest_rows} rows")?;
    }
    writeln!(text, "words      mean {:.1}, min {}, max {}", words.mean, words.min, words.max)?;
    writeln!(
        text,
        "tokens     mean {:.1}, min {}, max {}; {} over 512, {} over max_seq_len",
        tokens.mean, tokens.min, tokens.max, tokens.over_512, tokens.over_max_seq_len
    )?;
    writeln!(
        text,
        "checks     {} duplicates, {} leaked, {} truncated, {} without a target",
        dataset.duplicate_rows, dataset.leaked_rows, dataset.truncated_rows, dataset.rows_without_target
    )?;
    let Some(overlap) = &dataset.overlap else { return Ok(()) };
    writeln!(
        text,
        "overlap    {:.1} % of the held-out words stand in {}-grams of the training answers, {:.1} % of the sentences word \
         for word",
        100.0 * overlap.covered_words,
        overlap.n,
        100.0 * overlap.verbatim_sentences
    )
}

fn write_arithmetic(
    text: &mut String,
    base: &BaseModel,
    rows: &Prepared,
    recipe: &Recipe,
) -> std::fmt::Result {
    let plan = Plan::new(rows.train.len(), &recipe.train);
    let train = &recipe.train;
    let peak =
        (1..=plan.total_steps).map(|step| learning_rate(train, plan.total_steps, step)).fold(0f64, f64::max);
    let (base_count, trained) =
        (base.config.parameters(), memory::trainable_parameters(&base.config, &recipe.lora));
    writeln!(
        text,
        "steps      ceil({} / {}) = {} micro-batches an epoch; / {} = {} steps an epoch; {} in all",
        rows.train.len(),
        train.batch_size,
        plan.micro_batches_per_epoch,
        train.accumulation_steps,
        plan.steps_per_epoch,
        plan.total_steps
    )?;
    writeln!(
        text,
        "lr         reaches {peak:.3e} of {:.3e}, warmup {} steps",
        train.learning_rate, train.warmup_steps
    )?;
    writeln!(
        text,
        "parameters {base_count} in the base, {trained} trained ({:.2} % of the base)",
        100.0 * trained as f64 / base_count as f64
    )
}

fn write_memory(
    text: &mut String,
    MemoryPlan { estimate, activations, free }: &MemoryPlan,
) -> std::fmt::Result {
    let policy = if *activations == Activations::Keep { "kept" } else { "recomputed" };
    writeln!(text, "memory     {estimate}")?;
    writeln!(text, "           activations are {policy}; {:.0} MB are free", *free as f64 / 1e6)
}

/// The first training row: prompt tokens dim, targets in colour; without colour, targets between brackets.
fn write_row(text: &mut String, rows: &Prepared, encoder: &RowEncoder) -> Result<()> {
    let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let (plain, target, end) = if colour { ("\x1b[2m", "\x1b[1;32m", "\x1b[0m") } else { ("", "[", "]") };
    let MaskedRow { prompt, response, tokens, targets } = masked(&rows.train[0], encoder)?;
    let reset = if colour { end } else { "" };
    text.push_str(&format!(
        "row 1      {} tokens, {} of them targets (marked):\n{plain}{prompt}{reset}{target}{response}{end}\n",
        tokens, targets
    ));
    Ok(())
}

/// The row as the model meets it, read back from its ids.
///
/// # Errors
/// `Error::Model` where the tokenizer cannot read its own ids.
pub(super) fn masked(row: &EncodedRow, encoder: &RowEncoder) -> Result<MaskedRow> {
    let decode = |ids: &[u32]| {
        encoder.tokenizer().decode(ids, false).map_err(|error| Error::model("tokenizer", error.to_string()))
    };
    Ok(MaskedRow {
        prompt: decode(&row.ids[..row.prompt_len])?,
        response: decode(&row.ids[row.prompt_len..])?,
        tokens: row.ids.len(),
        targets: row.targets(),
    })
}

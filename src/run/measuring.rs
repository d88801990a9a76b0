//! The model on the held-out rows, before and after.

use super::interrupt;
use super::recording::Run;
use super::weaving::OFTEN;
use crate::data::batches::Targets;
use crate::data::encode::EncodedRow;
use crate::error::{Error, Result};
use crate::evaluate::nll::{self, RowSums};
use crate::model::network::linear::LoraUse;
use crate::recipe::Cell;
use crate::record::*;

/// The base model under both masks.
pub(super) fn evaluate_baseline(run: &mut Run) -> Result<()> {
    let of = run.study.follows_from(Cell::Baseline, "");
    let (scores, rows) = run.cell(Cell::Baseline, &of, |run| {
        let sums = evaluate(run, "baseline", LoraUse::Ignored)?;
        let rows = &run.study.opened()?.rows.evaluation;
        let rows: Vec<RowScores> = sums.iter().zip(rows).map(|(sums, row)| of_row(sums, row)).collect();
        Ok(((nll::scores(&sums), rows), Vec::new()))
    })?;
    run.record.evaluation.baseline = Some(scores);
    run.record.evaluation.rows = rows;
    run.save()
}

fn of_row(sums: &RowSums, row: &EncodedRow) -> RowScores {
    RowScores {
        masked_tokens: sums.masked_tokens,
        full_tokens: sums.full_tokens,
        masked_bytes: row.response_bytes,
        full_bytes: row.prompt_bytes + row.response_bytes,
        baseline: sums.nll,
        fine_tuned: None,
    }
}

/// The model with its update under the same masks, and what the difference is worth.
pub(super) fn evaluate_fine_tuned(run: &mut Run) -> Result<()> {
    let of = run.study.follows_from(Cell::FineTuned, &run.adapter);
    run.record.evaluation = run.cell(Cell::FineTuned, &of, |run| {
        let sums = evaluate(run, "fine-tuned", LoraUse::Applied)?;
        let mut evaluation = run.record.evaluation.clone();
        evaluation.fine_tuned = Some(nll::scores(&sums));
        for (row, sums) in evaluation.rows.iter_mut().zip(&sums) {
            row.fine_tuned = Some(sums.nll);
        }
        let seed = run.record.recipe.data.split_seed;
        evaluation.statistics = statistics_of(&evaluation.rows, seed);
        evaluation.least_overlapping = run
            .record
            .dataset
            .overlap
            .as_ref()
            .and_then(|overlap| least_overlapping_of(&evaluation.rows, overlap, seed));
        Ok((evaluation, Vec::new()))
    })?;
    run.save()
}

fn evaluate(run: &mut Run, name: &str, lora: LoraUse) -> Result<Vec<RowSums>> {
    let opened = run.study.opened()?;
    let rows = &opened.rows.evaluation;
    let adapter = run.folder().adapter();
    let Run { study, held, record, page, .. } = run;
    let model = match lora {
        LoraUse::Ignored => held.base(study)?,
        _ => held.tuned(study, &record.recipe.lora, &adapter)?,
    };
    study.notebook.progress.begin(&format!("evaluating {name}"), rows.len());
    let (notebook, progress) = (&study.notebook, &study.notebook.progress);
    let done = |done| {
        progress.at(done);
        page.look(notebook, record, OFTEN)?;
        interrupt::check()
    };
    let sums = nll::rows(model, rows, record.recipe.train.eval_batch_size, Targets::All, lora, done)?;
    progress.end();
    let scores = nll::scores(&sums);
    if !scores.full.loss.is_finite() {
        let message = format!("the loss of the {name} model is no finite number");
        return Err(Error::Diverged { step: record.training.steps.len(), message });
    }
    progress.say(&format!("  masked loss {:.4}  full loss {:.4}", scores.masked.loss, scores.full.loss));
    Ok(sums)
}

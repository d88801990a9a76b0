//! Sums of negative log-likelihood, row by row, under both masks from the same logits.

use crate::data::batches::{Batch, Targets};
use crate::data::encode::EncodedRow;
use crate::error::Result;
use crate::model::network::linear::LoraUse;
use crate::model::network::llama::Llama;
use crate::record::{RowNll, Score, Scores};
use serde::{Deserialize, Serialize};

/// One row's sums and the tokens they run over.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RowSums {
    /// Sums of -ln p, in nats.
    pub nll: RowNll,
    /// Counted response tokens.
    pub masked_tokens: usize,
    /// Counted tokens of the whole text; 0 where only the response was asked for.
    pub full_tokens: usize,
}

/// Evaluates `rows`, `batch_size` at a time, and calls `done` with the number of rows after each batch.
///
/// # Errors
/// A token id outside the vocabulary; a device that has no memory left.
pub fn rows(
    model: &Llama,
    rows: &[EncodedRow],
    batch_size: usize,
    targets: Targets,
    lora: LoraUse,
    mut done: impl FnMut(usize) -> Result<()>,
) -> Result<Vec<RowSums>> {
    let mut sums = Vec::with_capacity(rows.len());
    for chunk in rows.chunks(batch_size) {
        let batch = Batch::new(&chunk.iter().collect::<Vec<_>>(), targets);
        let mut of_chunk = vec![RowSums::default(); chunk.len()];
        let nll = model.nll(&batch, lora)?;
        for ((nll, &row), &in_response) in nll.iter().zip(&batch.row_of_target).zip(&batch.in_response) {
            let sums = &mut of_chunk[row];
            if in_response {
                sums.nll.masked += nll;
                sums.masked_tokens += 1;
            }
            if targets == Targets::All {
                sums.nll.full += nll;
                sums.full_tokens += 1;
            }
        }
        sums.extend(of_chunk);
        done(sums.len())?;
    }
    Ok(sums)
}

/// The evaluation loss of the training course: token-weighted, and as the Trainer averages it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct EvalLoss {
    /// Sum of NLL over sum of tokens.
    pub(crate) loss: f64,
    /// Sum over batches of rows x batch mean, over rows: depends on the batch size.
    pub(crate) trainer_eval_loss: f64,
}

/// Σ NLL and Σ tokens over the responses.
pub(super) fn masked_total(sums: &[RowSums]) -> (f64, usize) {
    sums.iter().fold((0f64, 0usize), |(nll, tokens), row| (nll + row.nll.masked, tokens + row.masked_tokens))
}

/// Both averages of the response loss; rows without a target count in neither.
pub(crate) fn eval_loss(sums: &[RowSums], batch_size: usize) -> EvalLoss {
    let (nll, tokens) = masked_total(sums);
    let (mut weighted, mut rows) = (0f64, 0usize);
    for batch in sums.chunks(batch_size) {
        let (nll, tokens) = masked_total(batch);
        if tokens > 0 {
            weighted += batch.len() as f64 * nll / tokens as f64;
            rows += batch.len();
        }
    }
    EvalLoss { loss: nll / tokens.max(1) as f64, trainer_eval_loss: weighted / rows.max(1) as f64 }
}

/// The 2 x 2 table's half of one model.
pub fn scores(sums: &[RowSums]) -> Scores {
    let score = |nll: f64, tokens: usize| {
        let loss = nll / tokens.max(1) as f64;
        Score { nll, tokens, loss, perplexity: loss.exp() }
    };
    Scores {
        masked: score(
            sums.iter().map(|row| row.nll.masked).sum(),
            sums.iter().map(|row| row.masked_tokens).sum(),
        ),
        full: score(sums.iter().map(|row| row.nll.full).sum(), sums.iter().map(|row| row.full_tokens).sum()),
    }
}

//! Every level's adapter on every level's held-out answers, and how sure it is that an adapter is better at home.

use super::nll::{RowSums, masked_total};
use crate::level::Level;
use crate::record::levels::{CrossMatrix, OwnAdvantage};
use crate::statistics::{PairedRow, compare, holm};

/// The matrix from the rows' sums: `base[set]` of the base model, `adapted[adapter][set]` of each adapter, both in the
/// order of `levels`.
///
/// On each set the own adapter's rows are paired with the mean of the other adapters' sums on the same rows, and
/// resampled as everywhere in [`crate::statistics`]; Holm's adjustment is over the sets. A set whose rows have no
/// response token, or a single adapter, has no such entry.
pub fn matrix(
    levels: &[Level],
    base: &[Vec<RowSums>],
    adapted: &[Vec<Vec<RowSums>>],
    seed: u64,
) -> CrossMatrix {
    let compared: Vec<_> = (0..levels.len())
        .filter_map(|set| {
            let others: Vec<&Vec<RowSums>> = (0..adapted.len())
                .filter(|adapter| *adapter != set)
                .map(|adapter| &adapted[adapter][set])
                .collect();
            let rows: Vec<PairedRow> = adapted[set][set]
                .iter()
                .enumerate()
                .map(|(row, own)| PairedRow {
                    tokens: own.masked_tokens,
                    bytes: 0,
                    baseline_nll: others.iter().map(|sums| sums[row].nll.masked).sum::<f64>()
                        / others.len() as f64,
                    fine_tuned_nll: own.nll.masked,
                })
                .collect();
            // Without another adapter the mean is no number, and there is no comparison.
            Some((levels[set], compare(&rows, seed)?))
        })
        .collect();
    let adjusted = holm(&compared.iter().map(|(_, comparison)| comparison.permutation_p).collect::<Vec<_>>());
    CrossMatrix {
        adapters: levels.to_vec(),
        eval_sets: levels.to_vec(),
        base_loss: base.iter().map(|rows| loss(rows)).collect(),
        loss: adapted.iter().map(|sets| sets.iter().map(|rows| loss(rows)).collect()).collect(),
        advantage: compared
            .iter()
            .zip(adjusted)
            .map(|((level, comparison), p)| OwnAdvantage {
                eval_set: *level,
                difference: comparison.difference,
                confidence: comparison.confidence,
                p,
            })
            .collect(),
        texts: None,
    }
}

/// Σ NLL / Σ tokens over the responses.
fn loss(rows: &[RowSums]) -> f64 {
    let (nll, tokens) = masked_total(rows);
    nll / tokens as f64
}

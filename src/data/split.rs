//! The split into training and evaluation rows: one seeded permutation, cut once.

use super::alpaca::{Row, RowFile};
use crate::error::{Error, Result};
use crate::random;

/// The rows of a file in two parts that share none and together hold all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on, in the permuted order.
    pub train: Vec<Row>,
    /// Rows held out, in the permuted order.
    pub evaluation: Vec<Row>,
}

/// Permutes the rows with the stream `split` of `split_seed`; the first
/// [`evaluation_rows`] of them are held out, the others are trained on.
///
/// The permutation depends on the number of rows and on the seed alone: the training seed, the platform and
/// the texts do not move it.
///
/// # Errors
/// `Error::Data` for a file of one row, which cannot be split; `Error::Setting` for a fraction outside (0,
/// 1).
pub fn split(file: &RowFile, eval_fraction: f64, split_seed: u64) -> Result<Split> {
    if !(eval_fraction > 0.0 && eval_fraction < 1.0) {
        return Err(Error::Setting {
            key: "data.eval_fraction".into(),
            message: format!("expected between 0 and 1, got {eval_fraction}"),
        });
    }
    if file.rows.len() < 2 {
        return Err(Error::Data {
            path: file.name.clone(),
            row: None,
            message: format!(
                "expected at least 2 rows, one to train on and one to evaluate on, got {}",
                file.rows.len()
            ),
        });
    }
    let order = permutation(file.rows.len(), split_seed);
    let (held_out, kept) = order.split_at(evaluation_rows(order.len(), eval_fraction));
    let take = |indices: &[usize]| indices.iter().map(|&index| file.rows[index].clone()).collect();
    Ok(Split { train: take(kept), evaluation: take(held_out) })
}

/// How many of `rows` (2 or more) are held out: rows × fraction, a half rounded up, at least one and not all.
pub fn evaluation_rows(rows: usize, eval_fraction: f64) -> usize {
    // 50 x 0.29 is 14.499999999999998 in binary, a half to whoever typed 0.29: the billionth lifts it over.
    let rounded = (rows as f64 * eval_fraction + 0.5 + 1e-9).floor() as usize;
    rounded.clamp(1, rows - 1)
}

/// The order of the split: the indices 0 to `rows` - 1, shuffled by the stream `split` of the seed.
pub fn permutation(rows: usize, split_seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    random::shuffle(&mut random::stream(split_seed, "split"), &mut order);
    order
}

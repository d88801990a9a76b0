//! Whether a matrix is one of the runs beside it.

use super::matrix::CrossMatrix;
use super::{LevelEntry, refused};
use crate::error::Result;
use crate::statistics::Interval;

/// How far a loss of the matrix may lie from the same loss of the run's own record, as a share of it: the order
/// of the sums may differ on a GPU, another run's adapter shows.
const SAME_LOSS: f64 = 1e-3;

/// Whether the matrix is one of these runs.
pub(super) fn check(cross: &CrossMatrix, levels: &[LevelEntry]) -> Result<()> {
    let checks = [check_shape, check_levels, check_numbers, check_losses];
    checks
        .iter()
        .try_for_each(|check| check(cross, levels))
        .map_err(|message| refused(format!("cross-level matrix: {message}")))
}

type Check = std::result::Result<(), String>;

fn check_shape(cross: &CrossMatrix, _: &[LevelEntry]) -> Check {
    let (rows, columns) = (cross.adapters.len(), cross.eval_sets.len());
    let widths: Vec<usize> = cross.loss.iter().map(Vec::len).collect();
    if widths != vec![columns; rows] || cross.base_loss.len() != columns {
        return Err(format!(
            "expected {rows} rows of {columns} and a base row, got rows of {widths:?} and a base row of {}",
            cross.base_loss.len()
        ));
    }
    Ok(())
}

fn check_levels(cross: &CrossMatrix, levels: &[LevelEntry]) -> Check {
    for named in [&cross.adapters, &cross.eval_sets] {
        for (index, level) in named.iter().enumerate() {
            if named[..index].contains(level) {
                return Err(format!("expected each level once, got {level} twice"));
            }
            if !levels.iter().any(|entry| entry.level == *level) {
                return Err(format!("expected levels that are compared, got {level}"));
            }
        }
    }
    Ok(())
}

fn check_numbers(cross: &CrossMatrix, _: &[LevelEntry]) -> Check {
    for (index, advantage) in cross.advantage.iter().enumerate() {
        let level = advantage.eval_set;
        let is_again = cross.advantage[..index].iter().any(|other| other.eval_set == level);
        if is_again || !cross.eval_sets.contains(&level) || !cross.adapters.contains(&level) {
            return Err(format!("expected one advantage a set with its own adapter, got one of {level}"));
        }
        let Interval { estimate, low, high } = advantage.difference;
        if let Some(number) =
            [estimate, low, high, advantage.p].into_iter().find(|number| !number.is_finite())
        {
            return Err(format!("expected finite advantages, got {number} at {level}"));
        }
    }
    if let Some(loss) = cross.loss.iter().flatten().chain(&cross.base_loss).find(|loss| !loss.is_finite()) {
        return Err(format!("expected finite losses, got {loss}"));
    }
    Ok(())
}

/// The matrix meets the runs' own losses where it measured the same.
fn check_losses(cross: &CrossMatrix, levels: &[LevelEntry]) -> Check {
    if levels.windows(2).any(|pair| pair[0].model != pair[1].model) {
        return Err("expected runs of one base model, got several".into());
    }
    for (column, level) in cross.eval_sets.iter().enumerate() {
        let entry =
            levels.iter().find(|entry| entry.level == *level).expect("check_levels has looked each one up");
        let adapter = cross.adapters.iter().position(|adapter| adapter == level);
        let pairs = [
            ("base model", Some(cross.base_loss[column]), entry.baseline.masked.loss),
            ("adapter", adapter.map(|row| cross.loss[row][column]), entry.fine_tuned.masked.loss),
        ];
        for (what, got, expected) in pairs {
            if let Some(got) = got
                && (got - expected).abs() > SAME_LOSS * expected.abs()
            {
                return Err(format!("expected the {level} {what} to lose {expected} on its rows, got {got}"));
            }
        }
    }
    Ok(())
}

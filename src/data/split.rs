//! The split into training and held-out rows: one seeded permutation, whose groups are dealt out once.

use super::alpaca::{Row, RowFile};
use super::groups;
use crate::error::{Error, Result};
use crate::random;
use crate::recipe::{DataRecipe, GroupBy};
use crate::record::Groups;

/// The rows of a file in parts that share none and together hold all, each in the permuted order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to train on.
    pub train: Vec<Row>,
    /// Rows that the checkpoint is chosen on, where they are others than those that report the result; else none.
    pub validation: Vec<Row>,
    /// Rows that report the result.
    pub evaluation: Vec<Row>,
    /// What was kept together; absent where every row went by itself.
    pub groups: Option<Groups>,
}

/// Permutes the rows with the stream `split` of the recipe's `split_seed` and deals them out in that order: the first
/// rows × `test_fraction` report the result, the next rows × `eval_fraction` are for the choice of the checkpoint, the others
/// are trained on. Without a test part the rows × `eval_fraction` are for both. So a test part has the rows that an
/// evaluation part of its size had before it.
///
/// With groups ([`groups::of`]) a row brings all of its group into the first of these parts that has room for it, and into
/// the training where none has: a held-out part may then have fewer rows than it was to have.
///
/// The permutation depends on the number of rows and on the seed alone: the training seed, the platform and
/// the texts do not move it.
///
/// # Errors
/// `Error::Data` for a file with fewer rows than parts, as [`groups::of`], and where the groups leave a held-out part less
/// than half of its rows; `Error::Setting` for shares that no split has.
pub fn split(file: &RowFile, recipe: &DataRecipe) -> Result<Split> {
    recipe.check_shares()?;
    let refused = |message| Error::Data { path: file.name.clone(), row: None, message };
    let has_test = recipe.test_fraction > 0.0;
    let (least, what) = match has_test {
        true => (3, "one to train on, one to choose on and one to test on"),
        false => (2, "one to train on and one to evaluate on"),
    };
    if file.rows.len() < least {
        return Err(refused(format!("expected at least {least} rows, {what}, got {}", file.rows.len())));
    }
    let group_of = groups::of(file, recipe)?;
    let mut sizes = vec![0; group_of.iter().max().map_or(0, |last| last + 1)];
    group_of.iter().for_each(|&group| sizes[group] += 1);
    let asked = held_out_rows(file.rows.len(), recipe);
    let mut room = asked;
    let mut part_of: Vec<Option<usize>> = vec![None; sizes.len()];
    let mut parts = [Vec::new(), Vec::new(), Vec::new()];
    for row in permutation(file.rows.len(), recipe.split_seed) {
        let size = sizes[group_of[row]];
        let part = *part_of[group_of[row]].get_or_insert_with(|| {
            let held_out = room.iter().position(|&room| room >= size);
            held_out.iter().for_each(|&part| room[part] -= size);
            held_out.unwrap_or(TRAIN)
        });
        parts[part].push(file.rows[row].clone());
    }
    let largest = sizes.iter().copied().max().unwrap_or(0);
    if let Some((part, asked)) = parts.iter().zip(asked).find(|(part, asked)| 2 * part.len() < *asked) {
        return Err(refused(format!(
            "expected groups (data.group_by {}) that fill a part of {asked} rows to the half, got {} rows in it: of {} \
             groups the largest has {largest} rows",
            recipe.group_by,
            part.len(),
            sizes.len()
        )));
    }
    let groups =
        (recipe.group_by != GroupBy::None).then_some(Groups { count: sizes.len(), largest_rows: largest });
    let [tested, chosen_on, train] = parts;
    Ok(match has_test {
        true => Split { train, validation: chosen_on, evaluation: tested, groups },
        false => Split { train, validation: Vec::new(), evaluation: chosen_on, groups },
    })
}

/// The place of the training among the parts: behind those that are held out.
const TRAIN: usize = 2;

/// How many of `rows` (at least one for each part) are to test on, and how many to choose on: rows × fraction each, a half
/// rounded up, at least one where there is such a part, and not all.
fn held_out_rows(rows: usize, recipe: &DataRecipe) -> [usize; 2] {
    // 50 x 0.29 is 14.499999999999998 in binary, a half to whoever typed 0.29: the billionth lifts it over.
    let rounded = |fraction: f64| (rows as f64 * fraction + 0.5 + 1e-9).floor() as usize;
    let tested = match recipe.test_fraction > 0.0 {
        true => rounded(recipe.test_fraction).clamp(1, rows - 2),
        false => 0,
    };
    [tested, rounded(recipe.eval_fraction).clamp(1, rows - tested - 1)]
}

/// The order of the split: the indices 0 to `rows` - 1, shuffled by the stream `split` of the seed.
pub fn permutation(rows: usize, split_seed: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..rows).collect();
    random::shuffle(&mut random::stream(split_seed, "split"), &mut order);
    order
}

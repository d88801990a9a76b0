//! Which rows belong together, so that no split divides them.
//!
//! Two answers are near duplicates where they share more than a given part of the windows of the one that has fewer of them.
//! A window is [`WINDOW`] running words, as in [`super::overlap`]; an answer with fewer words is one window by itself. With A
//! and B the sets of windows, rows a and b are joined where |A ∩ B| > share × min(|A|, |B|), and a group is all that hangs
//! together by such pairs. The fewer count, since a short answer that stands whole in a long one is known from it.

use super::alpaca::{self, Row, RowFile};
use crate::error::{Error, Result};
use crate::recipe::{DataRecipe, GroupBy};
use crate::texts::copying::WINDOW;
use crate::texts::words::Vocabulary;
use std::collections::HashMap;

/// The group of each row of `file`, as the recipe asks, numbered from 0 in the order of their first rows.
///
/// # Errors
/// `Error::Data` with row and field where a row has no value to be grouped by.
pub fn of(file: &RowFile, recipe: &DataRecipe) -> Result<Vec<usize>> {
    match &recipe.group_by {
        GroupBy::None => Ok((0..file.rows.len()).collect()),
        GroupBy::NearDuplicates => Ok(near_duplicates(&file.rows, recipe.near_duplicate_share)),
        GroupBy::Field(name) => {
            let values = (0..file.rows.len()).map(|index| value(file, index, name));
            Ok(numbered(values.collect::<Result<Vec<String>>>()?))
        }
    }
}

/// The groups of near duplicates among the answers of `rows`.
///
/// The rows that share a window are found by an index of the windows, so that rows without one are never compared.
pub fn near_duplicates(rows: &[Row], share: f64) -> Vec<usize> {
    let mut vocabulary = Vocabulary::default();
    let windows: Vec<Vec<Window>> = rows.iter().map(|row| windows(&vocabulary.learn(&row.output))).collect();
    let mut index: HashMap<Window, Vec<usize>> = HashMap::new();
    let mut leaders: Vec<usize> = (0..rows.len()).collect();
    let mut shared = vec![0usize; rows.len()];
    for (row, own) in windows.iter().enumerate() {
        let mut met = Vec::new();
        for window in own {
            let others = index.entry(*window).or_default();
            for &other in others.iter() {
                if shared[other] == 0 {
                    met.push(other);
                }
                shared[other] += 1;
            }
            others.push(row);
        }
        for other in met {
            let fewer = own.len().min(windows[other].len());
            if std::mem::take(&mut shared[other]) as f64 > share * fewer as f64 {
                join(&mut leaders, row, other);
            }
        }
    }
    numbered((0..rows.len()).map(|row| leader(&mut leaders, row)))
}

/// Running words of an answer; where it has fewer, the places that are left hold no word's number.
type Window = [u32; WINDOW];

/// The windows of an answer, each once.
fn windows(ids: &[u32]) -> Vec<Window> {
    let mut padded = ids.to_vec();
    padded.resize(ids.len().max(WINDOW), u32::MAX);
    let mut windows: Vec<Window> =
        padded.windows(WINDOW).map(|window| window.try_into().expect("as wide as a window")).collect();
    windows.sort_unstable();
    windows.dedup();
    windows
}

/// The first row of the group that `row` is in so far.
fn leader(leaders: &mut [usize], mut row: usize) -> usize {
    while leaders[row] != row {
        leaders[row] = leaders[leaders[row]];
        row = leaders[row];
    }
    row
}

fn join(leaders: &mut [usize], one: usize, other: usize) {
    let (one, other) = (leader(leaders, one), leader(leaders, other));
    leaders[one.max(other)] = one.min(other);
}

/// Equal things get one number, from 0 in the order in which they come.
fn numbered<T: std::hash::Hash + Eq>(things: impl IntoIterator<Item = T>) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let number = |thing| {
        let next = numbers.len();
        *numbers.entry(thing).or_insert(next)
    };
    things.into_iter().map(number).collect()
}

/// What row `index` has in the field called `name`, as JSON writes it.
fn value(file: &RowFile, index: usize, name: &str) -> Result<String> {
    use serde_json::Value;
    let row = &file.rows[index];
    let own = [("instruction", &row.instruction), ("input", &row.input), ("output", &row.output)];
    if let Some((_, text)) = own.into_iter().find(|(own, _)| *own == name) {
        return Ok(text.clone());
    }
    match file.others.get(index).and_then(|fields| fields.get(name)) {
        Some(value @ (Value::String(_) | Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        other => {
            let got = other.map_or_else(|| "no such field".into(), alpaca::describe);
            let message =
                format!("field {name}: expected a string or a number to group by (data.group_by), got {got}");
            Err(Error::Data { path: file.name.clone(), row: Some(index + 1), message })
        }
    }
}

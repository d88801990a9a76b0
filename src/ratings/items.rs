//! Which texts stand beside which: drawn by a seed, each rater's sheet in another order, the sides balanced.
//!
//! An item sets the fine-tuned text of one held-out task beside another: the base model's ([`Kind::Compared`]), or the
//! reference ([`Kind::Ceiling`]), the best answer there is, whose score says how high a rater goes. Some compared items come
//! back with their sides exchanged ([`Kind::Repeat`]): what a rater says of them twice is its consistency. A rater sees
//! none of this; the key does.

use super::criteria::Questionnaire;
use super::rated::Rated;
use crate::data::alpaca::Row;
use crate::error::{Error, Result};
use crate::random;
use crate::record::ratings::Kind;
use crate::record::store;
use crate::record::texts::{System, Texts};
use crate::sha256;
use rand_chacha::rand_core::Rng;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The newest layout of a key.
pub const SCHEMA: u32 = 1;

/// Compared items to one ceiling item, begun ones included: 40 give 8, the fewest by which a signed-rank test can find a
/// difference in one of four criteria (p >= 2 / 2^8, four times by Holm).
const COMPARED_PER_CEILING: usize = 5;

/// Compared items to one repeat, begun ones included: a rater's patience is short.
const COMPARED_PER_REPEAT: usize = 8;

/// What is to be rated, and by how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// People who get a sheet, at least 1.
    pub raters: usize,
    /// Compared items, at least 1.
    pub items: usize,
    /// Of the choice, the orders and the sides.
    pub seed: u64,
    /// The system beside the fine-tuned one.
    pub against: System,
}

/// What was shown to whom: the file that raters do not get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Layout number of this file.
    pub schema: u32,
    /// SHA-256 of the run's texts, as [`Texts::sha256`] gives it.
    pub texts: String,
    /// Of the choice, the orders and the sides.
    pub seed: u64,
    /// The system beside the fine-tuned one.
    pub against: System,
    /// What was asked.
    pub questionnaire: Questionnaire,
    /// The items; number 1 is the first.
    pub items: Vec<Item>,
    /// A sheet a rater.
    pub sheets: Vec<Sheet>,
}

/// Two texts of one task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// Its number, from 1.
    pub number: usize,
    /// Row of the texts.
    pub row: usize,
    /// Why it is shown.
    pub kind: Kind,
    /// Number of the item that it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<usize>,
}

/// One rater's items in the order in which they are shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// The rater's name: `1`, `2`.
    pub rater: String,
    /// The items.
    pub shown: Vec<Shown>,
}

/// One item on a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its number in the key.
    pub item: usize,
    /// The fine-tuned text is A; else it is B.
    pub fine_tuned_first: bool,
}

/// What a rater reads of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading<'a> {
    /// The task.
    pub task: &'a Row,
    /// The fine-tuned text.
    pub fine_tuned: &'a str,
    /// The text beside it.
    pub other: &'a str,
}

impl Item {
    /// What stands on a sheet of it.
    ///
    /// # Errors
    /// `Error::Setting` where a text or a row is missing: the key is of other texts.
    pub fn reading<'a>(&self, rated: &'a Rated, against: System) -> Result<Reading<'a>> {
        let missing = |what: &str| {
            let message =
                format!("expected {what} of row {} for item {}, got none", self.row + 1, self.number);
            Error::Setting { key: "run".into(), message }
        };
        let text = |system: System| {
            rated.text(self.row, system).ok_or_else(|| missing(&format!("the {} text", system.name())))
        };
        Ok(Reading {
            task: rated.rows.get(self.row).ok_or_else(|| missing("the task"))?,
            fine_tuned: text(System::FineTuned)?,
            other: text(self.kind.other(against))?,
        })
    }
}

impl Key {
    /// Reads the key at `path`.
    ///
    /// # Errors
    /// `Error::File` where it cannot be read; `Error::Record` where it is no key, of a newer layout, or does not fit together.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
        let refuse = |message: String| Error::Record { path: path.to_path_buf(), message };
        let key: Key = serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))?;
        store::check_schema(key.schema.into(), SCHEMA).and_then(|()| key.check()).map_err(refuse)?;
        Ok(key)
    }

    /// The text of its file.
    ///
    /// # Errors
    /// None in practice: a key holds no number that JSON cannot write.
    pub(super) fn to_json(&self) -> Result<String> {
        store::to_json(self).map_err(Error::Report)
    }

    /// What binds each sheet to this key and tells whose it is: `D2-0f3c5a7be918`. The hash is of the key as written, so of
    /// texts, questions, items and sides, and says nothing about them.
    ///
    /// # Errors
    /// As [`Key::to_json`].
    pub(super) fn codes(&self) -> Result<Vec<String>> {
        let hash = sha256::of(self.to_json()?.as_bytes());
        Ok(self.sheets.iter().map(|sheet| format!("D{}-{}", sheet.rater, &hash[..12])).collect())
    }

    /// Whether a key that may have been changed by hand fits together: items numbered from 1, sheets of different raters, each
    /// with every item once.
    fn check(&self) -> std::result::Result<(), String> {
        self.questionnaire.check()?;
        let all = self.items.len();
        for (index, item) in self.items.iter().enumerate() {
            if item.number != index + 1 {
                return Err(format!(
                    "items[{index}]: expected the number {}, got {}",
                    index + 1,
                    item.number
                ));
            }
            if let Some(origin) = item.repeats.filter(|origin| !(1..=all).contains(origin)) {
                return Err(format!(
                    "items[{index}]: expected to repeat an item from 1 to {all}, got {origin}"
                ));
            }
        }
        for (index, sheet) in self.sheets.iter().enumerate() {
            if self.sheets[..index].iter().any(|other| other.rater == sheet.rater) {
                let rater = sheet.rater.escape_debug();
                return Err(format!("sheets[{index}]: expected a rater of its own, got '{rater}' again"));
            }
            let mut shown: Vec<usize> = sheet.shown.iter().map(|shown| shown.item).collect();
            shown.sort_unstable();
            if !shown.into_iter().eq(1..=all) {
                return Err(format!(
                    "sheets[{index}]: expected each of the {all} items once, got another list"
                ));
            }
        }
        Ok(())
    }
}

/// The system that a comparison is fair with: the base model told to write at the level, else the base model.
pub fn fairest(texts: &Texts) -> System {
    let wrote = |system: System| texts.rows.iter().any(|text| text.system == system);
    if wrote(System::Prompted) { System::Prompted } else { System::Baseline }
}

/// Draws the items of `texts` and the sheets of `plan`.
///
/// The rows are drawn without replacement among those that both systems answered with some text. Ceiling items take further
/// rows where there are some, else compared ones again, in their order. Each sheet has the same items in an order of its
/// own; of every two compared items one shows the fine-tuned text first, and with the raters that changes, so that over two
/// raters each item was shown both ways. A repeat stands in the second half of a sheet, its sides as they were not before.
///
/// # Errors
/// `Error::Setting` where there are fewer answered rows than items, or the plan asks for nothing.
pub fn draw(texts: &Texts, questionnaire: Questionnaire, plan: Plan) -> Result<Key> {
    let refuse = |key: &str, message: String| Err(Error::Setting { key: key.into(), message });
    if plan.raters == 0 || plan.items == 0 {
        return refuse("items", "expected at least one item and one rater, got none".into());
    }
    let is_text = |row, system| texts.first(row, system).is_some_and(|text| !text.text.is_empty());
    let rows = texts.rows.iter().map(|text| text.row + 1).max().unwrap_or(0);
    let mut answered: Vec<usize> =
        (0..rows).filter(|&row| is_text(row, System::FineTuned) && is_text(row, plan.against)).collect();
    if answered.len() < plan.items {
        let against = plan.against.name();
        return refuse(
            "items",
            format!(
                "expected at most the {} rows that fine_tuned and {against} answered, got {}",
                answered.len(),
                plan.items
            ),
        );
    }
    let mut generator = random::stream(plan.seed, "ratings");
    random::shuffle(&mut generator, &mut answered);
    let ceilings = plan.items.div_ceil(COMPARED_PER_CEILING);
    let repeats = plan.items.div_ceil(COMPARED_PER_REPEAT);
    let (compared, further) = answered.split_at(plan.items);
    let ceiling = further.iter().chain(compared).take(ceilings);

    let first = compared.iter().map(|&row| (row, Kind::Compared, None));
    let ceiling = ceiling.map(|&row| (row, Kind::Ceiling, None));
    // The rows are in a random order already: the first come back.
    let repeats = (0..repeats).map(|index| (compared[index], Kind::Repeat, Some(index + 1)));
    let numbered = first.chain(ceiling).chain(repeats).enumerate();
    let items: Vec<Item> = numbered
        .map(|(index, (row, kind, repeats))| Item { number: index + 1, row, kind, repeats })
        .collect();

    let sheets = (0..plan.raters).map(|rater| sheet(&items, rater, &mut generator)).collect();
    let texts = texts.sha256();
    let (seed, against) = (plan.seed, plan.against);
    Ok(Key { schema: SCHEMA, texts, seed, against, questionnaire, items, sheets })
}

/// The sheet of the rater with this index.
fn sheet(items: &[Item], rater: usize, generator: &mut impl Rng) -> Sheet {
    let is_repeat = |item: &&Item| item.kind == Kind::Repeat;
    let mut first: Vec<&Item> = items.iter().filter(|item| !is_repeat(item)).collect();
    random::shuffle(generator, &mut first);
    // What comes back was seen in the first half, and comes back in the second.
    let returning = |item: &&Item| items.iter().any(|other| other.repeats == Some(item.number));
    first.sort_by_key(|item| !returning(item));
    let half = first.len().div_ceil(2);
    random::shuffle(generator, &mut first[..half]);
    let mut second: Vec<&Item> = first.split_off(half);
    second.extend(items.iter().filter(is_repeat));
    random::shuffle(generator, &mut second);

    let side = |item: &Item| {
        let origin = item.repeats.unwrap_or(item.number);
        (origin + rater).is_multiple_of(2) != (item.kind == Kind::Repeat)
    };
    let shown =
        first.into_iter().chain(second).map(|item| Shown { item: item.number, fine_tuned_first: side(item) });
    Sheet { rater: (rater + 1).to_string(), shown: shown.collect() }
}

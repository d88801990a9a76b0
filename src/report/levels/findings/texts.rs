//! Findings on what the adapters write after the same prompts: whether the text grows harder with the level.
//!
//! The question is put to the Flesch-Kincaid grade, the one of the measures that was made for it; the others stand in the
//! table beside it.

use super::{Finding, Kind};
use crate::record::levels::{AdapterTexts, LevelsRecord, TextGap};
use crate::record::texts::Measure;
use crate::report::finding::{Claim, Item};
use crate::report::quantity::Quantity;

/// The measure that decides.
const GRADE: Measure = Measure::FleschKincaid;

pub(super) fn findings(record: &LevelsRecord) -> Option<Finding> {
    let texts = record.texts()?;
    let gaps: Vec<&TextGap> = texts.neighbours.iter().filter(|gap| gap.measure == GRADE).collect();
    let (rising, others): (Vec<&TextGap>, Vec<&TextGap>) = gaps.iter().partition(|gap| gap.surely_rises());
    let kind = match (rising.as_slice(), others.as_slice()) {
        ([], []) => return None,
        (_, []) => Kind::TextsRise,
        ([], _) => Kind::TextsDoNotRise,
        _ => Kind::TextsRiseInPart,
    };
    let grade = |index: usize| {
        let of: &AdapterTexts = &texts.adapters[index];
        let place = of.means.iter().position(|mean| mean.measure == GRADE)?;
        let path = format!("cross.texts.adapters[{index}].means[{place}].mean.estimate");
        let mean = &of.means[place].mean;
        Some(Quantity::new(path, mean.estimate).within(Some(mean)))
    };
    let items = others.iter().map(|gap| Item::of(gap.levels.to_vec()));
    let finding = kind.of(texts.adapters.iter().map(|of| of.level).collect()).listing(items.collect());
    Some(finding.with([
        ("pairs", Quantity::new("count(cross.texts.neighbours of flesch_kincaid)", gaps.len())),
        ("rising", Quantity::new("count(cross.texts.neighbours of flesch_kincaid that rise)", rising.len())),
        ("first", grade(0)?),
        ("last", grade(texts.adapters.len() - 1)?),
    ]))
}

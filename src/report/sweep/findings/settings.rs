//! Findings on which settings matter. Each contrast is in one class, in this order:
//!
//! | holds | class |
//! |---|---|
//! | no pair differs | `Unchanged` |
//! | Holm's p ≤ 5 % | `SettingsMatter` |
//! | p ≤ 5 % | `UnsureTogether` |
//! | 2 / 2^pairs ≤ 5 % | `NotShown`: a difference could have been shown, and was not |
//! | else | `CouldNotShow`: whatever the losses are, so few pairs show nothing |

use super::{Finding, Kind, named};
use crate::record::sweep::{Contrast, SweepRecord};
use crate::report::finding::{Claim, Item};
use crate::report::markdown;
use crate::report::quantity::Quantity;
use crate::report::sweep::settings;

/// A contrast with its place in the record.
type Placed<'a> = (usize, &'a Contrast);

pub(super) fn findings(record: &SweepRecord) -> Vec<Finding> {
    if record.axes.is_empty() {
        return vec![Kind::NoSetting.with([])];
    }
    let mut findings = Vec::new();
    for class in
        [Kind::SettingsMatter, Kind::UnsureTogether, Kind::NotShown, Kind::CouldNotShow, Kind::Unchanged]
    {
        let of_class: Vec<Placed<'_>> =
            record.contrasts.iter().enumerate().filter(|(_, contrast)| class_of(contrast) == class).collect();
        findings.extend(match class {
            Kind::SettingsMatter => matter(record, of_class),
            Kind::CouldNotShow => could_not_show(&of_class),
            _ => (!of_class.is_empty()).then(|| class.with([]).listing(listed(&of_class))),
        });
    }
    findings.extend(unpaired(record));
    findings
}

fn class_of(contrast: &Contrast) -> Kind {
    match contrast.p {
        None => Kind::Unchanged,
        Some(_) if contrast.is_significant() => Kind::SettingsMatter,
        Some(p) if p <= 0.05 => Kind::UnsureTogether,
        Some(_) if contrast.could_be_significant() => Kind::NotShown,
        Some(_) => Kind::CouldNotShow,
    }
}

fn listed(contrasts: &[Placed<'_>]) -> Vec<Item> {
    contrasts.iter().map(|(_, contrast)| named(settings::contrast(contrast))).collect()
}

/// The significant ones, each with its better value, from the largest mean difference on; and that difference.
fn matter(record: &SweepRecord, mut found: Vec<Placed<'_>>) -> Option<Finding> {
    let size = |(_, contrast): &Placed<'_>| contrast.difference.mean.abs();
    found.sort_by(|left, right| size(right).total_cmp(&size(left)));
    let (index, largest) = *found.first()?;
    let item = |(_, contrast): &Placed<'_>| {
        let [first, second] = contrast.values.each_ref();
        let (better, worse) = if contrast.difference.mean > 0.0 { (second, first) } else { (first, second) };
        let path = markdown::code(&contrast.path);
        named(format!("{path}: {}, {} değerinden iyi", settings::value(better), settings::value(worse)))
    };
    let finding = Kind::SettingsMatter.with([
        ("count", Quantity::new("count(contrasts[].holm <= 0.05)", found.len())),
        ("tested", Quantity::new("len(contrasts)", record.contrasts.len())),
        (
            "difference",
            Quantity::new(format!("abs(contrasts[{index}].difference.mean)"), size(&(index, largest))),
        ),
        ("pairs", Quantity::new(format!("contrasts[{index}].pairs"), largest.pairs)),
    ]);
    Some(finding.listing(found.iter().map(item).collect()))
}

/// Those with too few pairs, and the smallest p that the one with the most of them can have.
fn could_not_show(found: &[Placed<'_>]) -> Option<Finding> {
    let (index, most) = *found.iter().max_by_key(|(_, contrast)| contrast.pairs)?;
    let finding = Kind::CouldNotShow.with([
        ("pairs", Quantity::new(format!("contrasts[{index}].pairs"), most.pairs)),
        ("smallest", Quantity::new(format!("contrasts[{index}].smallest_p"), most.smallest_p)),
    ]);
    Some(finding.listing(listed(found)))
}

/// Two values of an axis without a pair of finished runs.
fn unpaired(record: &SweepRecord) -> Option<Finding> {
    let mut items = Vec::new();
    for axis in &record.axes {
        for (index, first) in axis.values.iter().enumerate() {
            for second in &axis.values[index + 1..] {
                let is_paired = record
                    .contrasts
                    .iter()
                    .any(|of| of.path == axis.path && of.values.each_ref() == [first, second]);
                if !is_paired {
                    items.push(named(settings::pair(&axis.path, [first, second])));
                }
            }
        }
    }
    (!items.is_empty()).then(|| Kind::UnpairedValues.with([]).listing(items))
}

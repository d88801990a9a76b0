//! Findings on what people and judges said of the texts, and on how the two and the measures go together. Where a panel was
//! asked by several criteria, the level is the first.

use super::{Finding, Kind};
use crate::record::RunRecord;
use crate::record::ratings::{Correlation, Panel, Ratings, ScoreDifference, Source, Who};
use crate::record::texts::{Measure, System};
use crate::report::charts;
use crate::report::finding::{Claim, Item};
use crate::report::profile::Limits;
use crate::report::quantity::Quantity;
use crate::statistics::Interval;

/// What can be found of a panel, for people and for a judge: more for the fine-tuned texts, less, and neither.
struct Kinds {
    prefers: [Kind; 3],
    finds: [Kind; 3],
}

const PEOPLE: Kinds = Kinds {
    prefers: [Kind::PeoplePreferTuned, Kind::PeoplePreferOther, Kind::PeoplePreferNeither],
    finds: [Kind::PeopleFindNearer, Kind::PeopleFindFarther, Kind::PeopleFindAlike],
};
const JUDGE: Kinds = Kinds {
    prefers: [Kind::JudgePrefersTuned, Kind::JudgePrefersOther, Kind::JudgePrefersNeither],
    finds: [Kind::JudgeFindsNearer, Kind::JudgeFindsFarther, Kind::JudgeFindsAlike],
};

pub(super) fn findings(record: &RunRecord, limits: Limits) -> Vec<Finding> {
    let Some(texts) = &record.texts else { return Vec::new() };
    let panels = record.ratings.as_ref().map_or(&[][..], |ratings| &ratings.panels);
    let mut findings = Vec::new();
    for (index, panel) in panels.iter().enumerate() {
        let of = Of { path: format!("ratings.panels[{index}]"), panel };
        match &panel.who {
            Who::People => findings.extend(of.people(limits)),
            Who::Judge(_) => findings.extend(of.judge()),
        }
    }
    findings.extend(missing(panels, Quantity::new("len(texts.rows)", texts.rows.len())));
    findings.extend(record.ratings.as_ref().map(triangulation).unwrap_or_default());
    findings
}

/// A panel and its place in the record.
struct Of<'a> {
    path: String,
    panel: &'a Panel,
}

impl Of<'_> {
    fn people(&self, limits: Limits) -> Vec<Finding> {
        let mut found = self.both(&PEOPLE);
        found.extend(self.ceiling());
        found.extend(self.agreement(limits));
        let raters = &self.panel.raters;
        let back = raters.iter().filter(|rater| rater.answered == rater.asked).count();
        if back < raters.len() {
            let count = |what: &str, count: usize| {
                Quantity::new(format!("count({}.raters {what})", self.path), count)
            };
            found.push(
                Kind::SheetsIncomplete.with([
                    ("asked", count("asked", raters.len())),
                    ("back", count("who answered all", back)),
                ]),
            );
        }
        found
    }

    fn judge(&self) -> Vec<Finding> {
        let mut found = self.both(&JUDGE);
        let Who::Judge(judge) = &self.panel.who else { return found };
        if let Some(order) = &self.panel.order {
            let at = |field: &str| format!("{}.order.{field}", self.path);
            let follows =
                order.first_place.is_some_and(|share| surely(share.low - 0.5, share.high - 0.5).is_some());
            let kind = if follows { Kind::JudgeFollowsOrder } else { Kind::JudgeKeepsToTexts };
            let mut finding = kind.with([
                ("pairs", Quantity::new(at("pairs"), order.pairs)),
                ("changed", Quantity::new(at("changed"), order.changed)),
            ]);
            if let Some(first) = &order.first_place {
                let share = Quantity::new(at("first_place.estimate"), first.estimate).within(Some(first));
                finding = finding.with([("first", share)]);
            }
            found.push(finding.listing(self.names()));
        }
        if judge.is_of_family {
            let items = Quantity::new(format!("{}.items", self.path), self.panel.items);
            found.push(Kind::JudgeOfFamily.with([("items", items)]).listing(self.names()));
        }
        if judge.malformed > 0 {
            let at = |field: &str| format!("{}.who.judge.{field}", self.path);
            let numbers = [
                ("malformed", Quantity::new(at("malformed"), judge.malformed)),
                ("requests", Quantity::new(at("requests"), judge.requests)),
            ];
            found.push(Kind::JudgeMalformed.with(numbers).listing(self.names()));
        }
        found
    }

    /// The other system's name, and the judge's.
    fn names(&self) -> Vec<Item> {
        let other = Item { text: charts::title(self.panel.against).into(), ..Item::of(Vec::new()) };
        [other].into_iter().chain(named(self.panel, &self.path)).collect()
    }

    /// Preference and level, which every panel was asked for.
    fn both(&self, kinds: &Kinds) -> Vec<Finding> {
        let [more, less, neither] = kinds.prefers;
        let preference = self.panel.preference.as_ref().map(|of| {
            let at = |field: &str| format!("{}.preference.{field}", self.path);
            let sure = surely(of.chance.low - 0.5, of.chance.high - 0.5).filter(|_| of.p <= 0.05);
            let kind = sure.map_or(neither, |up| if up { more } else { less });
            let finding = kind.with([
                ("tuned", Quantity::new(at("fine_tuned"), of.fine_tuned)),
                ("other", Quantity::new(at("other"), of.other)),
                ("equal", Quantity::new(at("equal"), of.equal)),
                ("p", Quantity::new(at("p"), of.p)),
            ]);
            finding.listing(self.names())
        });
        let [more, less, neither] = kinds.finds;
        let level = self.level(self.panel.against, |difference| {
            match (difference.is_significant(), difference.difference.estimate > 0.0) {
                (true, true) => more,
                (true, false) => less,
                (false, _) => neither,
            }
        });
        preference.into_iter().chain(level).collect()
    }

    /// The fine-tuned texts against the references.
    fn ceiling(&self) -> Option<Finding> {
        self.level(System::Reference, |difference| {
            let is_below = difference.is_significant() && difference.difference.estimate < 0.0;
            if is_below { Kind::PeopleBelowReference } else { Kind::PeopleNotBelowReference }
        })
    }

    /// The difference from `against` by the first criterion, as `kind` judges it.
    fn level(&self, against: System, kind: impl Fn(&ScoreDifference) -> Kind) -> Option<Finding> {
        let criterion = &self.panel.level()?.key;
        let place = self
            .panel
            .differences
            .iter()
            .position(|difference| difference.criterion == *criterion && difference.against == against)?;
        let difference = &self.panel.differences[place];
        let at = |field: &str| format!("{}.differences[{place}].{field}", self.path);
        let of = &difference.difference;
        let finding = kind(difference).with([
            ("items_rated", Quantity::new(at("items"), difference.items)),
            ("difference", Quantity::new(at("difference.estimate"), of.estimate).within(Some(of))),
            ("p", Quantity::new(at("adjusted_p"), difference.adjusted_p)),
        ]);
        Some(finding.listing(self.names()))
    }

    fn agreement(&self, limits: Limits) -> Option<Finding> {
        let answered = self.panel.answered();
        if answered == 1 {
            let path = format!("count({}.raters who answered)", self.path);
            return Some(Kind::SingleRater.with([("raters", Quantity::new(path, answered))]));
        }
        let criterion = &self.panel.level()?.key;
        let place = self.panel.agreement.iter().position(|of| of.criterion == *criterion)?;
        let alpha = self.panel.agreement[place].alpha?;
        let limit = f64::from(limits.rater_alpha_percent) / 100.0;
        let kind = match surely(alpha.low - limit, alpha.high - limit) {
            Some(true) => Kind::RatersAgree,
            Some(false) => Kind::RatersDisagree,
            None => Kind::RatersUnsure,
        };
        let path = format!("{}.agreement[{place}].alpha.estimate", self.path);
        Some(kind.with([
            ("alpha", Quantity::new(path, alpha.estimate).within(Some(&alpha))),
            ("limit", Quantity::new("limit(limits.rater_alpha_percent)", limit)),
        ]))
    }
}

/// A judge's name and where it stands; nothing of people.
fn named(panel: &Panel, path: &str) -> Option<Item> {
    let path = format!("{path}.{}", panel.who.path());
    panel.who.name().map(|name| Item { text: name.into(), path, ..Item::of(Vec::new()) })
}

/// Whether an interval lies above 0, or below; none where it holds 0.
fn surely(low: f64, high: f64) -> Option<bool> {
    if low > 0.0 {
        Some(true)
    } else if high < 0.0 {
        Some(false)
    } else {
        None
    }
}

/// What is still to be asked for.
fn missing(panels: &[Panel], texts: Quantity) -> Option<Finding> {
    let is_there = |people: bool| panels.iter().any(|panel| matches!(panel.who, Who::People) == people);
    let kind = match (is_there(true), is_there(false)) {
        (true, true) => return None,
        (false, false) => Kind::NotRated,
        (false, true) => Kind::PeopleMissing,
        (true, false) => Kind::JudgeMissing,
    };
    Some(kind.with([("texts", texts)]))
}

/// People against judges by the level, and the first panel against the words above the level.
fn triangulation(ratings: &Ratings) -> Vec<Finding> {
    let mut found = Vec::new();
    for (index, left, correlation) in ratings.by_level() {
        let is_of_people = matches!(ratings.panels[left].who, Who::People);
        let kinds = match &correlation.right {
            Source::Panel(..) if is_of_people => {
                [Kind::RatingsConverge, Kind::RatingsPart, Kind::RatingsUnsure]
            }
            Source::Measure(Measure::AboveLevel) if left == 0 => {
                [Kind::MeasureParts, Kind::MeasureConverges, Kind::MeasureUnsure]
            }
            _ => continue,
        };
        if let Some(rho) = &correlation.rho {
            let judge = match &correlation.right {
                Source::Panel(right, _) => {
                    named(&ratings.panels[*right], &format!("ratings.panels[{right}]"))
                }
                Source::Measure(_) => None,
            };
            found.push(correlated(index, correlation, rho, kinds, judge));
        }
    }
    found
}

fn correlated(
    index: usize,
    correlation: &Correlation,
    rho: &Interval,
    [up, down, unsure]: [Kind; 3],
    judge: Option<Item>,
) -> Finding {
    let kind = surely(rho.low, rho.high).map_or(unsure, |is_up| if is_up { up } else { down });
    let at = |field: &str| format!("ratings.correlations[{index}].{field}");
    let finding = kind.with([
        ("rho", Quantity::new(at("rho.estimate"), rho.estimate).within(Some(rho))),
        ("texts", Quantity::new(at("texts"), correlation.texts)),
        ("apart", Quantity::new(format!("len({})", at("apart")), correlation.apart.len())),
    ]);
    finding.listing(judge.into_iter().collect())
}

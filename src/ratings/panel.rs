//! From the answers of a panel to its means, tests and agreement.
//!
//! A text's score is the mean of its raters'; an item's difference is the mean over the raters who scored both of its texts.
//! Means, differences and the preference are over the items that set the two systems side by side, the reference's over the
//! ceiling items; repeats tell a rater's consistency and nothing else, so that no text counts twice.

use super::collect::Collected;
use super::criteria::PREFERENCE;
use super::items::Key;
use super::rated::Rated;
use crate::record::ratings::{
    Agreement, Answer, Consistency, Criterion, Judge, Kind, OrderEffect, Panel, Preference, Preferred, Rater,
    ScoreDifference, Strength, SystemScore, Who,
};
use crate::record::texts::System;
use crate::statistics::agreement::{self, Answers};
use crate::statistics::{bradley_terry, holm, mean_interval, median, sign_test, signed_rank};
use std::collections::{BTreeMap, BTreeSet};

/// What people said.
pub fn of_people(rated: &Rated, key: &Key, collected: Collected) -> Panel {
    let mut panel = panel(rated, key, Who::People, collected.raters, collected.answers);
    panel.repeats = count(key, Kind::Repeat);
    panel.consistency = consistency(&panel, key);
    panel
}

/// What a judge said; each rater is one order and one repeat.
pub fn of_judge(rated: &Rated, key: &Key, judge: Judge, raters: Vec<Rater>, answers: Vec<Answer>) -> Panel {
    let mut panel = panel(rated, key, Who::Judge(judge), raters, answers);
    panel.order = order_effect(&panel, rated.seed());
    panel
}

fn count(key: &Key, kind: Kind) -> usize {
    key.items.iter().filter(|item| item.kind == kind).count()
}

fn panel(rated: &Rated, key: &Key, who: Who, raters: Vec<Rater>, answers: Vec<Answer>) -> Panel {
    let seed = rated.seed();
    let criteria = key.questionnaire.criteria.clone();
    let said = Said { criteria: &criteria, against: key.against, answers: &answers, seed };
    Panel {
        who,
        against: key.against,
        items: count(key, Kind::Compared),
        ceiling_items: count(key, Kind::Ceiling),
        repeats: 0,
        scores: said.scores(),
        differences: said.differences(),
        preference: said.preference(),
        agreement: said.agreement(),
        consistency: Vec::new(),
        order: None,
        raters,
        answers,
        criteria,
    }
}

/// The answers of one panel, and how they are read.
struct Said<'a> {
    criteria: &'a [Criterion],
    against: System,
    answers: &'a [Answer],
    seed: u64,
}

/// The item of each text, and its row: a column a rater.
type Table = (Vec<usize>, Vec<Vec<Option<f64>>>);

/// A score that was given.
fn given(scores: &[u8], criterion: usize) -> Option<f64> {
    scores.get(criterion).filter(|score| **score > 0).map(|score| f64::from(*score))
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

impl Said<'_> {
    fn of(&self, kind: Kind) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(move |answer| answer.kind == kind)
    }

    /// The mean of `value` over the raters of each item of `kind`, in the order of rows.
    fn by_row(&self, kind: Kind, value: impl Fn(&Answer) -> Option<f64>) -> Vec<f64> {
        let mut rows: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        for answer in self.of(kind) {
            if let Some(value) = value(answer) {
                rows.entry(answer.row).or_default().push(value);
            }
        }
        rows.values().map(|values| mean(values)).collect()
    }

    fn scores(&self) -> Vec<SystemScore> {
        let of = |criterion: usize, system: System| {
            let values = match system {
                System::FineTuned => {
                    self.by_row(Kind::Compared, |answer| given(&answer.fine_tuned, criterion))
                }
                System::Reference => self.by_row(Kind::Ceiling, |answer| given(&answer.other, criterion)),
                _ => self.by_row(Kind::Compared, |answer| given(&answer.other, criterion)),
            };
            Some(SystemScore {
                criterion: self.criteria[criterion].key.clone(),
                system,
                texts: values.len(),
                mean: mean_interval(&values, self.seed)?,
                median: median(&values)?,
            })
        };
        let systems = [self.against, System::FineTuned, System::Reference];
        let each = |criterion| systems.into_iter().filter_map(move |system| of(criterion, system));
        (0..self.criteria.len()).flat_map(each).collect()
    }

    fn differences(&self) -> Vec<ScoreDifference> {
        let mut all = Vec::new();
        for (against, kind) in [(self.against, Kind::Compared), (System::Reference, Kind::Ceiling)] {
            let of = |criterion: usize| {
                let difference = |answer: &Answer| {
                    Some(given(&answer.fine_tuned, criterion)? - given(&answer.other, criterion)?)
                };
                let values = self.by_row(kind, difference);
                let test = signed_rank(&values);
                Some(ScoreDifference {
                    criterion: self.criteria[criterion].key.clone(),
                    against,
                    items: values.len(),
                    difference: mean_interval(&values, self.seed)?,
                    p: test.as_ref().map_or(1.0, |test| test.p),
                    adjusted_p: 1.0,
                    positive_rank_sum: test.map_or(0.0, |test| test.positive_rank_sum),
                })
            };
            let mut found: Vec<ScoreDifference> = (0..self.criteria.len()).filter_map(of).collect();
            let adjusted = holm(&found.iter().map(|difference| difference.p).collect::<Vec<_>>());
            for (difference, adjusted_p) in found.iter_mut().zip(adjusted) {
                difference.adjusted_p = adjusted_p;
            }
            all.extend(found);
        }
        all
    }

    /// The preferred side of each compared item, and the chance of the fine-tuned one.
    fn preference(&self) -> Option<Preference> {
        let side = |answer: &Answer| answer.preferred.map(points);
        let items = self.by_row(Kind::Compared, side);
        let chance = mean_interval(&items, self.seed)?;
        // An item's mean is above a half where more raters chose the fine-tuned text than the other.
        let fine_tuned = items.iter().filter(|points| **points > 0.5).count();
        let other = items.iter().filter(|points| **points < 0.5).count();
        Some(Preference {
            fine_tuned,
            other,
            equal: items.len() - fine_tuned - other,
            p: sign_test(fine_tuned, other),
            chance,
            strengths: self.strengths(),
        })
    }

    /// Bradley and Terry's strengths over all answers; none where one system won or lost all of its comparisons.
    fn strengths(&self) -> Vec<Strength> {
        let systems = [self.against, System::FineTuned, System::Reference];
        let mut wins = vec![vec![0.0; systems.len()]; systems.len()];
        for (kind, other) in [(Kind::Compared, 0), (Kind::Ceiling, 2)] {
            for points in self.of(kind).filter_map(|answer| answer.preferred.map(points)) {
                wins[1][other] += points;
                wins[other][1] += 1.0 - points;
            }
        }
        let strengths = bradley_terry(&wins).unwrap_or_default();
        systems.into_iter().zip(strengths).map(|(system, strength)| Strength { system, strength }).collect()
    }

    fn agreement(&self) -> Vec<Agreement> {
        let of_criterion = |criterion: usize| {
            let table = self
                .table(|answer| vec![given(&answer.fine_tuned, criterion), given(&answer.other, criterion)]);
            self.agree(&self.criteria[criterion].key, table)
        };
        let preferred = self.table(|answer| vec![answer.preferred.map(|side| 2.0 * points(side))]);
        let all = (0..self.criteria.len()).map(of_criterion);
        all.chain([self.agree(PREFERENCE, preferred)]).flatten().collect()
    }

    /// A row a text that two raters have a value for, a column a rater who answered at all; `values` are those of the texts
    /// of an item.
    fn table(&self, values: impl Fn(&Answer) -> Vec<Option<f64>>) -> Table {
        let raters: BTreeSet<usize> = self.answers.iter().map(|answer| answer.rater).collect();
        let mut texts: BTreeMap<(usize, usize), Vec<Option<f64>>> = BTreeMap::new();
        for answer in self.answers.iter().filter(|answer| answer.kind != Kind::Repeat) {
            let column = raters.range(..answer.rater).count();
            for (place, value) in values(answer).into_iter().enumerate() {
                let row = texts.entry((answer.item, place)).or_insert_with(|| vec![None; raters.len()]);
                row[column] = value;
            }
        }
        let shared = texts.into_iter().filter(|(_, row)| row.iter().flatten().count() >= 2);
        shared.map(|((item, _), row)| (item, row)).unzip()
    }

    fn agree(&self, criterion: &str, (items, table): Table) -> Option<Agreement> {
        let answers = Answers::new(table)?;
        let interval = |figure: fn(&Answers) -> Option<f64>| {
            agreement::with_interval(&answers, &items, self.seed, figure)
        };
        Some(Agreement {
            criterion: criterion.to_string(),
            texts: answers.texts(),
            alpha: interval(agreement::alpha),
            kappa: interval(agreement::kappa),
            icc: interval(agreement::icc),
            kendall_w: interval(agreement::kendall_w),
        })
    }
}

/// What a preference counts for the fine-tuned text: an equal one half a win for each.
fn points(preferred: Preferred) -> f64 {
    match preferred {
        Preferred::FineTuned => 1.0,
        Preferred::Equal => 0.5,
        Preferred::Other => 0.0,
    }
}

/// How far each rater said the same of the repeated items.
fn consistency(panel: &Panel, key: &Key) -> Vec<Consistency> {
    let find = |rater: usize, item: usize| {
        panel.answers.iter().find(|answer| answer.rater == rater && answer.item == item)
    };
    let of = |rater: usize| {
        let twice = key
            .items
            .iter()
            .filter_map(|item| Some((find(rater, item.repeats?)?, find(rater, item.number)?)));
        let (mut distances, mut preferences, mut kept) = (Vec::new(), 0, 0);
        for (first, second) in twice {
            for criterion in 0..panel.criteria.len() {
                for (one, two) in [(&first.fine_tuned, &second.fine_tuned), (&first.other, &second.other)] {
                    let pair = given(one, criterion).zip(given(two, criterion));
                    distances.extend(pair.map(|(one, two)| (one - two).abs()));
                }
            }
            if let (Some(one), Some(two)) = (first.preferred, second.preferred) {
                preferences += 1;
                kept += usize::from(one == two);
            }
        }
        if distances.is_empty() && preferences == 0 {
            return None;
        }
        let equal = distances.iter().filter(|distance| **distance == 0.0).count();
        let pairs = distances.len().max(1) as f64;
        Some(Consistency {
            rater,
            pairs: distances.len(),
            equal: equal as f64 / pairs,
            distance: distances.iter().sum::<f64>() / pairs,
            preferences,
            kept,
        })
    };
    (0..panel.raters.len()).filter_map(of).collect()
}

/// How far a judge's preference hangs on which text stood first: raters `ab-1` and `ba-1` saw the same items.
fn order_effect(panel: &Panel, seed: u64) -> Option<OrderEffect> {
    let order = |answer: &Answer| panel.raters[answer.rater].name.split_once('-');
    let (mut pairs, mut changed) = (0, 0);
    let mut first: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for answer in &panel.answers {
        let (Some((shown, repeat)), Some(preferred)) = (order(answer), answer.preferred) else { continue };
        let fine_tuned_first = shown == "ab";
        match preferred {
            Preferred::Equal => {}
            side => {
                let is_first = (side == Preferred::FineTuned) == fine_tuned_first;
                first.entry(answer.item).or_default().push(f64::from(u8::from(is_first)));
            }
        }
        if fine_tuned_first {
            let turned = panel.answers.iter().find(|other| {
                other.item == answer.item && order(other) == Some(("ba", repeat)) && other.preferred.is_some()
            });
            if let Some(turned) = turned {
                pairs += 1;
                changed += usize::from(turned.preferred != answer.preferred);
            }
        }
    }
    let shares: Vec<f64> = first.values().map(|of_item| mean(of_item)).collect();
    (pairs > 0).then(|| OrderEffect { pairs, changed, first_place: mean_interval(&shares, seed) })
}

//! People, judge and measures on the same texts: how far they put them in the same order, and where they part.
//!
//! Two sources are compared by Spearman's rank correlation over the texts that both have a number for, the texts of one row
//! drawn together in the bootstrap of its interval. Panels meet by every criterion that both were asked; measures meet each
//! panel by its first criterion, which is the level in the questionnaire that is part of the program.

use super::panel::mean;
use super::rated::Rated;
use crate::record::ratings::{Apart, Correlation, Kind, Panel, Source};
use crate::record::texts::{Measure, System};
use crate::statistics::{grouped_interval, ranks, spearman};
use crate::texts::copying::Answers;
use crate::texts::word_list::WordList;
use crate::texts::{Measures, measure};
use std::collections::BTreeMap;

/// Measures that a text has by itself, and that a level shows in.
const MEASURES: [Measure; 5] = [
    Measure::AboveLevel,
    Measure::FleschKincaid,
    Measure::SentenceLength,
    Measure::Mtld,
    Measure::Repeated4grams,
];

/// Texts on which two sources part, at most.
const NAMED: usize = 3;

/// A text: its row and who wrote it.
type Text = (usize, System);
/// What a source gave to texts.
type Values = BTreeMap<Text, f64>;

/// Every two sources among `panels` and measures, the words of the texts rated by `list`.
pub(super) fn correlations(rated: &Rated, panels: &[Panel], list: &WordList) -> Vec<Correlation> {
    let seed = rated.seed();
    let mut found = Vec::new();
    for (right, panel) in panels.iter().enumerate() {
        for (left, other) in panels[..right].iter().enumerate() {
            for criterion in panel.criteria.iter().map(|criterion| criterion.key.as_str()) {
                let of =
                    |index, panel| (Source::Panel(index, criterion.to_string()), scores(panel, criterion));
                found.extend(correlated(of(left, other), of(right, panel), seed));
            }
        }
    }
    let measured = measured(rated, panels, list);
    for (index, panel) in panels.iter().enumerate() {
        let Some(criterion) = panel.level().map(|criterion| criterion.key.as_str()) else {
            continue;
        };
        for (measure, values) in &measured {
            let left = (Source::Panel(index, criterion.to_string()), scores(panel, criterion));
            found.extend(correlated(left, (Source::Measure(*measure), values.clone()), seed));
        }
    }
    found
}

/// Mean score of each text by `criterion`, repeats left out.
fn scores(panel: &Panel, criterion: &str) -> Values {
    let Some(place) = panel.criteria.iter().position(|asked| asked.key == criterion) else {
        return Values::new();
    };
    let mut texts: BTreeMap<Text, Vec<f64>> = BTreeMap::new();
    for answer in panel.answers.iter().filter(|answer| answer.kind != Kind::Repeat) {
        let other = answer.kind.other(panel.against);
        for (system, scores) in [(System::FineTuned, &answer.fine_tuned), (other, &answer.other)] {
            if let Some(score) = scores.get(place).filter(|score| **score > 0) {
                texts.entry((answer.row, system)).or_default().push(f64::from(*score));
            }
        }
    }
    texts.into_iter().map(|(text, scores)| (text, mean(&scores))).collect()
}

/// Each measure of every text that some panel rated.
fn measured(rated: &Rated, panels: &[Panel], list: &WordList) -> Vec<(Measure, Values)> {
    let mut texts: Vec<Text> = panels
        .iter()
        .flat_map(|panel| {
            panel.answers.iter().flat_map(|answer| {
                [(answer.row, System::FineTuned), (answer.row, answer.kind.other(panel.against))]
            })
        })
        .collect();
    texts.sort_unstable();
    texts.dedup();
    // Whose words they are is no matter of the level: no answers to look them up in.
    let nothing = Answers::new([]);
    let measures: Vec<(Text, Measures)> = texts
        .into_iter()
        .filter_map(|(row, system)| Some(((row, system), measure(rated.text(row, system)?, list, &nothing))))
        .collect();
    let of = |wanted: Measure| {
        let value = |(text, of): &(Text, Measures)| Some((*text, wanted.of(of, rated.record.level)?));
        (wanted, measures.iter().filter_map(value).collect())
    };
    MEASURES.into_iter().map(of).collect()
}

fn correlated(left: (Source, Values), right: (Source, Values), seed: u64) -> Option<Correlation> {
    let (texts, pairs): (Vec<Text>, Vec<[f64; 2]>) =
        left.1.iter().filter_map(|(text, value)| Some((*text, [*value, *right.1.get(text)?]))).unzip();
    if texts.is_empty() {
        return None;
    }
    let rows: Vec<usize> = texts.iter().map(|(row, _)| *row).collect();
    let rho = grouped_interval(&pairs, &rows, seed, |pairs: &[[f64; 2]]| {
        let side = |side: usize| pairs.iter().map(|pair| pair[side]).collect::<Vec<_>>();
        spearman(&side(0), &side(1))
    });
    // More of these measures is harder, so that a text of the level has less of them.
    let is_turned = matches!(right.0, Source::Measure(_));
    let apart = apart(&texts, &pairs, is_turned);
    Some(Correlation { left: left.0, right: right.0, texts: texts.len(), rho, apart })
}

/// The texts whose two ranks are farther apart than half of the ranks there are, the farthest first.
fn apart(texts: &[Text], pairs: &[[f64; 2]], is_turned: bool) -> Vec<Apart> {
    let side =
        |side: usize, sign: f64| ranks(&pairs.iter().map(|pair| sign * pair[side]).collect::<Vec<_>>());
    let (left, right) = (side(0, 1.0), side(1, if is_turned { -1.0 } else { 1.0 }));
    let distance = |index: usize| (left[index] - right[index]).abs();
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.retain(|&index| distance(index) > texts.len() as f64 / 2.0);
    order.sort_by(|&one, &two| distance(two).total_cmp(&distance(one)));
    order
        .into_iter()
        .take(NAMED)
        .map(|index| {
            let ((row, system), [left, right]) = (texts[index], pairs[index]);
            Apart { row, system, left, right }
        })
        .collect()
}

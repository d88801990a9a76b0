//! What people and judge models said of a run's texts: `ratings.json`, beside the record and bound to its texts.
//!
//! A panel is a group of raters who were shown the same items: people with sheets, or one judge model asked in both orders
//! and several times, each such round counting as a rater. What each of them answered is kept beside what follows from it.

use super::texts::{Measure, System};
use crate::statistics::Interval;
use serde::{Deserialize, Serialize};

/// The newest layout of `ratings.json`.
pub const SCHEMA: u32 = 1;

/// Everything that was said of a run's texts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ratings {
    /// Layout number of this file.
    pub schema: u32,
    /// SHA-256 of the run's texts, as [`super::Texts::sha256`] gives it: ratings of other texts are not this run's.
    pub texts: String,
    /// People first, then judges by their names.
    pub panels: Vec<Panel>,
    /// Every two sources that rated or measured the same texts: panels with each other, and each with the measures.
    #[serde(default)]
    pub correlations: Vec<Correlation>,
}

impl Ratings {
    /// Whether a file that may be anyone's fits together: each correlation is of panels that are there.
    ///
    /// # Errors
    /// One line: the correlation, expected and got.
    pub(super) fn check(&self) -> Result<(), String> {
        for (place, of) in self.correlations.iter().enumerate() {
            for source in [&of.left, &of.right] {
                if let Source::Panel(index, _) = source
                    && *index >= self.panels.len()
                {
                    let panels = self.panels.len();
                    return Err(format!(
                        "correlations[{place}]: expected one of {panels} panels, got number {index}"
                    ));
                }
            }
        }
        Ok(())
    }

    /// The correlations of a panel's [`Panel::level`], each with its place and the panel's index.
    pub(crate) fn by_level(&self) -> impl Iterator<Item = (usize, usize, &Correlation)> {
        self.correlations.iter().enumerate().filter_map(|(place, of)| match &of.left {
            Source::Panel(left, key) if self.panels[*left].level()?.key == *key => Some((place, *left, of)),
            _ => None,
        })
    }
}

/// What raters are asked about one text, answered by a whole number from 1 to 5.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Criterion {
    /// Its name in records, sheets' columns and a judge's answers: `level_fit`.
    pub key: String,
    /// Its name in a document, in Turkish.
    pub name: String,
    /// What is asked, in Turkish.
    pub question: String,
    /// What 1, 2, 3, 4 and 5 mean, in Turkish.
    pub anchors: [String; 5],
}

/// Raters who were shown the same items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Panel {
    /// Who they are.
    pub who: Who,
    /// The system that stood beside the fine-tuned one.
    pub against: System,
    /// What they were asked.
    pub criteria: Vec<Criterion>,
    /// Rows on which the two systems were set side by side; ceiling items and repeats are counted apart.
    pub items: usize,
    /// Rows on which the fine-tuned text stood beside the reference.
    pub ceiling_items: usize,
    /// Items that were shown a second time, their sides exchanged.
    pub repeats: usize,
    /// The raters, in the order of the sheets; one who returned nothing has no answers.
    pub raters: Vec<Rater>,
    /// Every answer: rater after rater, each in the order of the items.
    pub answers: Vec<Answer>,
    /// Each criterion of each system; one nobody answered has no entry.
    pub scores: Vec<SystemScore>,
    /// The fine-tuned system against the other, and against the reference, by each criterion.
    pub differences: Vec<ScoreDifference>,
    /// Which text was preferred, over the items that set the two systems side by side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preference: Option<Preference>,
    /// How far the raters agree; empty where there is one.
    pub agreement: Vec<Agreement>,
    /// How far each rater agrees with itself, from the repeats.
    pub consistency: Vec<Consistency>,
    /// How far a judge's preference hangs on the order in which the two texts were shown; absent of people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderEffect>,
}

impl Panel {
    /// The first criterion, which is the level: measures are held against it, and findings speak of it.
    pub fn level(&self) -> Option<&Criterion> {
        self.criteria.first()
    }

    /// Raters who answered something.
    pub fn answered(&self) -> usize {
        self.raters.iter().filter(|rater| rater.answered > 0).count()
    }
}

/// Who rated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    /// People, by sheets.
    People,
    /// A model, by requests.
    Judge(Judge),
}

impl Who {
    /// The judge's model; none of people, who stand before all judges.
    pub fn name(&self) -> Option<&str> {
        match self {
            Who::People => None,
            Who::Judge(judge) => Some(&judge.model),
        }
    }

    /// Where in a panel its name stands.
    pub(crate) fn path(&self) -> &'static str {
        match self {
            Who::People => "who",
            Who::Judge(_) => "who.judge.model",
        }
    }
}

/// A judge model, and how it was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judge {
    /// The model as the server names it.
    pub model: String,
    /// The server's address, without user, password and query.
    pub endpoint: String,
    /// Version of the rubric: the name of its template.
    pub rubric: String,
    /// SHA-256 of the rubric's template.
    pub rubric_sha256: String,
    /// Sampling temperature that was asked for.
    pub temperature: f64,
    /// Seed that was asked for.
    pub seed: u64,
    /// Times each item was asked in each order.
    pub repeats: usize,
    /// Requests, those of a second try included.
    pub requests: usize,
    /// Answers that were malformed twice and count as none.
    pub malformed: usize,
    /// The judge and the judged model are of one family, by their names.
    pub is_of_family: bool,
}

/// One rater of a panel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rater {
    /// `1`, `2`; of a judge `ab-1`, `ba-1`: the order and the repeat.
    pub name: String,
    /// Items answered, if only in part.
    pub answered: usize,
    /// Items asked.
    pub asked: usize,
}

/// What one rater said of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Index into the raters.
    pub rater: usize,
    /// The item's number in the key, from 1.
    pub item: usize,
    /// The row of the texts.
    pub row: usize,
    /// Why the item was shown.
    pub kind: Kind,
    /// Scores of the fine-tuned text, one a criterion, from 1 to 5; 0 where there is no answer.
    pub fine_tuned: Vec<u8>,
    /// Scores of the text beside it.
    pub other: Vec<u8>,
    /// The preferred text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred: Option<Preferred>,
}

/// Why an item is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The fine-tuned text beside the other system's.
    Compared,
    /// The fine-tuned text beside the reference: what a rater gives to the best there is.
    Ceiling,
    /// A compared item once more, its sides exchanged.
    Repeat,
}

impl Kind {
    /// The system beside the fine-tuned one, where `against` is the one that is compared.
    pub fn other(self, against: System) -> System {
        if self == Kind::Ceiling { System::Reference } else { against }
    }
}

/// The preferred text of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preferred {
    /// The fine-tuned system's.
    FineTuned,
    /// The other one.
    Other,
    /// Neither.
    Equal,
}

/// One criterion of one system, over the texts that were rated by it: each text's raters first averaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SystemScore {
    /// The criterion's key.
    pub criterion: String,
    /// Whose texts.
    pub system: System,
    /// Texts with a score.
    pub texts: usize,
    /// Mean over the texts, with the interval of a bootstrap over them.
    pub mean: Interval,
    /// Median over the texts.
    pub median: f64,
}

/// The fine-tuned system against another by one criterion, on the items that showed both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreDifference {
    /// The criterion's key.
    pub criterion: String,
    /// The other system.
    pub against: System,
    /// Items with a score of both.
    pub items: usize,
    /// Fine-tuned minus other, with the interval of a paired bootstrap over items.
    pub difference: Interval,
    /// Two-sided p of the signed-rank test over items; 1 where no item tells the two apart.
    pub p: f64,
    /// The same, adjusted by Holm over the criteria against this system.
    pub adjusted_p: f64,
    /// W+: the sum of the ranks of the items on which the fine-tuned text has more; 0 where there is nothing to rank.
    pub positive_rank_sum: f64,
}

impl ScoreDifference {
    /// Whether the two differ by both standards: the adjusted p at 0.05, and an interval without 0.
    pub fn is_significant(&self) -> bool {
        self.adjusted_p <= 0.05 && (self.difference.low > 0.0 || self.difference.high < 0.0)
    }
}

/// Which text was preferred, item by item: an item goes to the side that more raters chose, and is equal where neither has
/// more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preference {
    /// Items for the fine-tuned text.
    pub fine_tuned: usize,
    /// Items for the other one.
    pub other: usize,
    /// Items for neither.
    pub equal: usize,
    /// Two-sided p of the exact sign test over the items that are not equal; 1 where there are none.
    pub p: f64,
    /// Chance that a rater prefers the fine-tuned text, an equal answer counting as half for each side: the mean over the
    /// items, with the interval of a bootstrap over them.
    pub chance: Interval,
    /// Bradley and Terry's strengths of the two systems and the reference, with the sum 1; empty where the answers leave them
    /// open, since one system won or lost all of its comparisons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub strengths: Vec<Strength>,
}

/// How strong a system is among those that it was compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Strength {
    /// Whose.
    pub system: System,
    /// The chance of i over j is s_i / (s_i + s_j).
    pub strength: f64,
}

/// How far the raters of a panel agree by one criterion. A figure that the answers do not give is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The criterion's key; `preference` for the preferred side.
    pub criterion: String,
    /// Texts with the answers of at least two raters.
    pub texts: usize,
    /// Krippendorff's alpha, ordinal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<Interval>,
    /// Cohen's kappa with quadratic weights, the mean over all pairs of raters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kappa: Option<Interval>,
    /// ICC(2,k) over the texts that all raters answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icc: Option<Interval>,
    /// Kendall's W over the same texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kendall_w: Option<Interval>,
}

/// How far one rater repeats itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Consistency {
    /// Index into the raters.
    pub rater: usize,
    /// Pairs of scores of one text by one criterion, first and second time.
    pub pairs: usize,
    /// Share of the pairs that are equal.
    pub equal: f64,
    /// Mean distance of a pair, in points.
    pub distance: f64,
    /// Items whose preference was given twice.
    pub preferences: usize,
    /// How many of them went to the same text, or were equal both times.
    pub kept: usize,
}

/// How far a judge's preference hangs on the order of the texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderEffect {
    /// Pairs of one item and repeat answered in both orders.
    pub pairs: usize,
    /// Pairs whose preference changed with the order.
    pub changed: usize,
    /// Share of the first place among all answers that prefer a side; absent where none does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_place: Option<Interval>,
}

/// Who or what gave a number for a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A panel by a criterion: index into the panels, and the criterion's key.
    Panel(usize, String),
    /// A measure of the texts.
    Measure(Measure),
}

/// Spearman's rank correlation of two sources over the texts that both have a number for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Correlation {
    /// One.
    pub left: Source,
    /// The other; a measure stands here.
    pub right: Source,
    /// Texts with both numbers.
    pub texts: usize,
    /// Spearman's rho, with the interval of a bootstrap over rows; absent where a source gives one number to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rho: Option<Interval>,
    /// The texts on which the two are farthest apart in their ranks, the farthest first; at most three.
    pub apart: Vec<Apart>,
}

/// A text on which two sources part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Apart {
    /// The row of the texts.
    pub row: usize,
    /// Whose text.
    pub system: System,
    /// What the left source gave.
    pub left: f64,
    /// What the right source gave.
    pub right: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document would look for it.
    #[test]
    fn a_correlation_of_a_panel_that_is_not_there_is_refused() {
        let of = |right| Correlation {
            left: Source::Measure(Measure::Mtld),
            right,
            texts: 1,
            rho: None,
            apart: vec![],
        };
        let ratings = |right| Ratings { correlations: vec![of(right)], ..Ratings::default() };
        assert_eq!(ratings(Source::Measure(Measure::AboveLevel)).check(), Ok(()));
        let refused = ratings(Source::Panel(3, "level_fit".into())).check().expect_err("no panel");
        assert_eq!(refused, "correlations[0]: expected one of 0 panels, got number 3");
    }
}

//! The success criteria of a run, as checks that can fail.

use super::{Finding, Kind};
use crate::record::ratings::Who;
use crate::record::{RunRecord, Status};
use crate::report::measures::{self, Mask};
use crate::report::quantity::{Quantities, Quantity};
use serde::Serialize;

/// One criterion, checked on a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Criterion {
    /// What was asked.
    pub name: CriterionName,
    /// The answer.
    pub outcome: Outcome,
    /// The numbers that the answer rests on.
    pub evidence: Quantities,
}

/// The answer to a criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Met,
    /// It does not.
    NotMet,
    /// The record does not tell.
    Undetermined,
}

/// What a criterion asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CriterionName {
    /// The run came to its end.
    Completed,
    /// The training loss fell.
    TrainLossFell,
    /// The evaluation loss fell during the training.
    EvalLossFell,
    /// The evaluation loss did not rise after its lowest value.
    NoOverfit,
    /// The learning rate reached the recipe's peak.
    PeakReached,
    /// The response loss is below the base model's, beyond chance.
    MaskedImproved,
    /// The full-text loss is below the base model's, beyond chance.
    FullImproved,
    /// The perplexity on the responses is below the base model's, beyond chance.
    PerplexityFell,
    /// Fewer parameters are trained than the base model has.
    FewerParameters,
    /// No evaluation row was trained on.
    NoLeakage,
    /// No more of the held-out words than the profile allows stand in running words of the training answers.
    LowOverlap,
    /// The fine-tuned texts keep to the level's words as their references do.
    LevelKept,
    /// No row was cut, and each has a target.
    NoTruncation,
    /// Seeds, file digests and the commit of an unchanged working copy are recorded.
    Reproducible,
    /// Neither the demonstration model nor synthetic rows.
    ThesisMaterial,
    /// Repeated with other seeds.
    SeveralSeeds,
    /// People have rated texts of the model.
    HumanRating,
    /// A language model has rated texts of the model.
    ModelRating,
    /// Measures, people and a language model agree: the seed's three ways of validation.
    Triangulated,
}

impl CriterionName {
    /// Every criterion, in the order of the document.
    pub const ALL: [CriterionName; 19] = [
        Self::Completed,
        Self::TrainLossFell,
        Self::EvalLossFell,
        Self::NoOverfit,
        Self::PeakReached,
        Self::MaskedImproved,
        Self::FullImproved,
        Self::PerplexityFell,
        Self::LevelKept,
        Self::FewerParameters,
        Self::NoLeakage,
        Self::LowOverlap,
        Self::NoTruncation,
        Self::Reproducible,
        Self::ThesisMaterial,
        Self::SeveralSeeds,
        Self::HumanRating,
        Self::ModelRating,
        Self::Triangulated,
    ];
}

/// What a criterion is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Group {
    /// The training went as planned.
    Training,
    /// The fine-tuned model is better than the base.
    Comparison,
    /// The method is sound.
    Method,
    /// The result carries a thesis.
    Thesis,
}

impl CriterionName {
    /// What it is about.
    pub(crate) fn group(self) -> Group {
        match self {
            Self::Completed
            | Self::TrainLossFell
            | Self::EvalLossFell
            | Self::NoOverfit
            | Self::PeakReached => Group::Training,
            Self::MaskedImproved | Self::FullImproved | Self::PerplexityFell | Self::LevelKept => {
                Group::Comparison
            }
            Self::FewerParameters
            | Self::NoLeakage
            | Self::LowOverlap
            | Self::NoTruncation
            | Self::Reproducible => Group::Method,
            Self::ThesisMaterial
            | Self::SeveralSeeds
            | Self::HumanRating
            | Self::ModelRating
            | Self::Triangulated => Group::Thesis,
        }
    }
}

/// All criteria on `record`; `findings` are the same record's.
pub fn criteria(record: &RunRecord, findings: &[Finding]) -> Vec<Criterion> {
    CriterionName::ALL.into_iter().map(|name| check(name, record, findings)).collect()
}

fn check(name: CriterionName, record: &RunRecord, findings: &[Finding]) -> Criterion {
    use CriterionName as Name;
    let dataset = &record.dataset;
    let (outcome, evidence): (Outcome, Quantities) = match name {
        Name::Completed => (
            met(record.status == Status::Completed),
            [
                ("made", measures::steps_made(record)),
                ("planned", Quantity::new("training.total_steps", record.training.total_steps)),
            ]
            .into(),
        ),
        Name::TrainLossFell => either(findings, Kind::TrainLossFell, Kind::TrainLossRose),
        Name::EvalLossFell => either(findings, Kind::EvalLossFell, Kind::EvalLossRose),
        Name::NoOverfit => no_overfit(record, findings),
        Name::PeakReached => peak(record),
        Name::MaskedImproved => improved(findings, Mask::Masked),
        Name::FullImproved => improved(findings, Mask::Full),
        Name::PerplexityFell => perplexity(record, findings),
        Name::LevelKept => level_kept(findings),
        Name::FewerParameters => either(findings, Kind::TrainableShare, Kind::TrainableExceedsBase),
        Name::NoLeakage => (
            met(dataset.leaked_rows == 0),
            [
                ("leaked", Quantity::new("dataset.leaked_rows", dataset.leaked_rows)),
                ("eval_rows", Quantity::new("dataset.eval_rows", dataset.eval_rows)),
            ]
            .into(),
        ),
        Name::LowOverlap => either(findings, Kind::OverlapLow, Kind::OverlapHigh),
        Name::NoTruncation => (
            met(dataset.truncated_rows == 0 && dataset.rows_without_target == 0),
            [
                ("truncated", Quantity::new("dataset.truncated_rows", dataset.truncated_rows)),
                ("without", Quantity::new("dataset.rows_without_target", dataset.rows_without_target)),
            ]
            .into(),
        ),
        Name::Reproducible => reproducible(record),
        Name::ThesisMaterial => (met(!record.model.demonstration && !dataset.synthetic), Quantities::new()),
        Name::SeveralSeeds => match findings.iter().find(|finding| finding.kind == Kind::SeveralSeeds) {
            Some(finding) => (Outcome::Met, [("n", finding.evidence["n"].clone())].into()),
            None => {
                let seed = Quantity::new("recipe.train.seed", record.recipe.train.seed);
                (Outcome::NotMet, [("seed", seed)].into())
            }
        },
        Name::HumanRating => rated(record, true),
        Name::ModelRating => rated(record, false),
        Name::Triangulated => triangulated(findings),
    };
    Criterion { name, outcome, evidence }
}

fn met(holds: bool) -> Outcome {
    if holds { Outcome::Met } else { Outcome::NotMet }
}

/// Met by one finding, not met by its opposite, undetermined where the record allowed neither.
fn either(findings: &[Finding], good: Kind, bad: Kind) -> (Outcome, Quantities) {
    match findings.iter().find(|finding| finding.kind == good || finding.kind == bad) {
        Some(finding) => (met(finding.kind == good), finding.evidence.clone()),
        None => (Outcome::Undetermined, Quantities::new()),
    }
}

/// Judged by the best evaluation against the last, which needs two.
fn no_overfit(record: &RunRecord, findings: &[Finding]) -> (Outcome, Quantities) {
    let holds = |kind: Kind| findings.iter().any(|finding| finding.kind == kind);
    let (Some(best), Some((index, last))) = (&record.training.best, measures::last_eval(record)) else {
        return (Outcome::Undetermined, Quantities::new());
    };
    if holds(Kind::TooFewEvaluations) {
        return (Outcome::Undetermined, Quantities::new());
    }
    let evidence = [
        ("best", Quantity::new("training.best.loss", best.loss)),
        ("best_step", Quantity::new("training.best.step", best.step)),
        ("last", Quantity::new(format!("training.evals[{index}].loss"), last.loss)),
        ("last_step", Quantity::new(format!("training.evals[{index}].step"), last.step)),
    ];
    (met(last.loss <= best.loss), evidence.into())
}

fn peak(record: &RunRecord) -> (Outcome, Quantities) {
    let peak = Quantity::new("recipe.train.learning_rate", record.recipe.train.learning_rate);
    match measures::highest_learning_rate(record) {
        Some(highest) => (met(highest.real() >= peak.real()), [("highest", highest), ("peak", peak)].into()),
        None => (Outcome::Undetermined, Quantities::new()),
    }
}

/// Only a tested improvement is one; an untested one leaves the question open.
fn improved(findings: &[Finding], mask: Mask) -> (Outcome, Quantities) {
    let direction = findings
        .iter()
        .find(|finding| finding.mask == Some(mask) && finding.kind != Kind::BaselineWorseThanUniform);
    let Some(finding) = direction else { return (Outcome::Undetermined, Quantities::new()) };
    let outcome = match finding.kind {
        Kind::Improved => Outcome::Met,
        Kind::ImprovedUntested => Outcome::Undetermined,
        _ => Outcome::NotMet,
    };
    (outcome, finding.evidence.clone())
}

/// Perplexity is the loss's exponential: what the test says of one holds for the other.
fn perplexity(record: &RunRecord, findings: &[Finding]) -> (Outcome, Quantities) {
    let (outcome, of_loss) = improved(findings, Mask::Masked);
    let Some(pair) = measures::both_scores(record, Mask::Masked) else { return (outcome, Quantities::new()) };
    let mut evidence =
        Quantities::from([("before", pair.baseline_perplexity()), ("after", pair.fine_tuned_perplexity())]);
    evidence.extend(of_loss.into_iter().filter(|(name, _)| *name == "p"));
    (outcome, evidence)
}

/// Open where no list of levels was given, or where the texts are too few to tell.
fn level_kept(findings: &[Finding]) -> (Outcome, Quantities) {
    let unsure = findings.iter().find(|finding| finding.kind == Kind::TextsOfUnsureLevel);
    match unsure {
        Some(finding) => (Outcome::Undetermined, finding.evidence.clone()),
        None => either(findings, Kind::TextsOfTheLevel, Kind::TextsAboveLevel),
    }
}

/// Met where people, or a judge, answered; open where nobody was asked.
fn rated(record: &RunRecord, by_people: bool) -> (Outcome, Quantities) {
    let panels = record.ratings.iter().flat_map(|ratings| ratings.panels.iter().enumerate());
    let found = panels.into_iter().find(|(_, panel)| (panel.who == Who::People) == by_people);
    let Some((index, panel)) = found.filter(|(_, panel)| !panel.answers.is_empty()) else {
        return (Outcome::Undetermined, Quantities::new());
    };
    let path = format!("ratings.panels[{index}]");
    let raters = Quantity::new(format!("count({path}.raters who answered)"), panel.answered());
    (
        Outcome::Met,
        [("raters", raters), ("items", Quantity::new(format!("{path}.items"), panel.items))].into(),
    )
}

/// Met where people and judge surely go together and the words above the level with them; not met where either is surely
/// turned round.
fn triangulated(findings: &[Finding]) -> (Outcome, Quantities) {
    let find = |kinds: [Kind; 2]| findings.iter().find(|finding| kinds.contains(&finding.kind));
    let ratings = find([Kind::RatingsConverge, Kind::RatingsPart]);
    let measure = find([Kind::MeasureConverges, Kind::MeasureParts]);
    let (Some(ratings), Some(measure)) = (ratings, measure) else {
        return (Outcome::Undetermined, Quantities::new());
    };
    let is_met = ratings.kind == Kind::RatingsConverge && measure.kind == Kind::MeasureConverges;
    let evidence =
        [("ratings", ratings.evidence["rho"].clone()), ("measure", measure.evidence["rho"].clone())];
    (met(is_met), evidence.into())
}

fn reproducible(record: &RunRecord) -> (Outcome, Quantities) {
    let evidence = [
        ("seed", Quantity::new("recipe.train.seed", record.recipe.train.seed)),
        ("split_seed", Quantity::new("recipe.data.split_seed", record.recipe.data.split_seed)),
    ];
    let outcome = match (&record.environment.git_commit, record.environment.git_dirty) {
        (Some(_), false) => Outcome::Met,
        (Some(_), true) => Outcome::NotMet,
        (None, _) => Outcome::Undetermined,
    };
    (outcome, evidence.into())
}

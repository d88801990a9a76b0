//! Claims that were checked: what a record allows one to say, each with its evidence.
//!
//! A finding is a typed value. Its Turkish sentences stand in `templates/bulgular.md.j2`, one macro for the
//! results and one for the discussion a kind; the templates print what is in this list and decide nothing.

mod comparison;
pub mod criteria;
mod data;
mod model;
mod seeds;
mod training;

use super::measures::Mask;
use super::quantity::{Quantities, Quantity};
use crate::record::RunRecord;
use serde::Serialize;

/// One claim that holds for a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What is claimed.
    pub kind: Kind,
    /// How much a reader must mind it.
    pub severity: Severity,
    /// Which loss it speaks of, where it speaks of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask: Option<Mask>,
    /// The numbers that make it true, by the names that its sentences use, with their record paths.
    pub evidence: Quantities,
}

/// How much a reader must mind a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Narrows what may be concluded.
    Caution,
    /// Forbids a conclusion.
    Warning,
}

/// Where the sentences of a finding belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Whether the run came to its end.
    Status,
    /// The rows.
    Data,
    /// The base model.
    Model,
    /// What is trained beside it.
    Adapter,
    /// How the frozen weights are stored.
    Weights,
    /// The training loss and its gradients.
    TrainLoss,
    /// The evaluation loss during the training.
    EvalLoss,
    /// The learning rate.
    LearningRate,
    /// Base against fine-tuned.
    Comparison,
    /// How much was run, against what would be needed.
    Course,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Topic; 10] = [
        Topic::Status,
        Topic::Data,
        Topic::Model,
        Topic::Adapter,
        Topic::Weights,
        Topic::TrainLoss,
        Topic::EvalLoss,
        Topic::LearningRate,
        Topic::Comparison,
        Topic::Course,
    ];

    /// Its name in templates: `weights`.
    pub fn name(self) -> &'static str {
        match self {
            Topic::Status => "status",
            Topic::Data => "data",
            Topic::Model => "model",
            Topic::Adapter => "adapter",
            Topic::Weights => "weights",
            Topic::TrainLoss => "train_loss",
            Topic::EvalLoss => "eval_loss",
            Topic::LearningRate => "learning_rate",
            Topic::Comparison => "comparison",
            Topic::Course => "course",
        }
    }
}

/// Declares the kinds once: variant, topic, severity, and when it holds. `Topic` and `Severity` are the caller's.
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident: $topic:ident, $severity:ident;)+) => {
        /// What a finding claims.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind {
            $($(#[$doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind, in the order in which findings are listed.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)+];

            /// Where its sentences belong.
            pub fn topic(self) -> Topic {
                match self { $(Kind::$kind => Topic::$topic,)+ }
            }

            /// How much a reader must mind it.
            pub fn severity(self) -> Severity {
                match self { $(Kind::$kind => Severity::$severity,)+ }
            }
        }
    };
}
pub(super) use kinds;

kinds! {
    /// The run stopped at an error.
    RunFailed: Status, Warning;
    /// The run had not come to its end when the record was written.
    RunUnfinished: Status, Warning;
    /// Cut to a few rows and steps to try the program out.
    SmokeRun: Status, Warning;
    /// Made with the embedded demonstration model.
    DemonstrationModel: Model, Warning;
    /// The rows were made by a program.
    SyntheticData: Data, Warning;
    /// Fewer steps than the recipe's epochs ask for.
    StepsCut: Course, Caution;
    /// The training was done with one seed.
    SingleSeed: Course, Caution;
    /// The training was repeated with other seeds.
    SeveralSeeds: Comparison, Note;
    /// The response loss fell with every seed, or rose with every seed.
    SeedsAgree: Comparison, Note;
    /// The response loss fell with some seeds only.
    SeedsDisagree: Comparison, Caution;

    /// Evaluation rows whose text was also trained on.
    LeakedRows: Data, Warning;
    /// Rows that repeat an earlier one.
    DuplicateRows: Data, Caution;
    /// Rows cut at the length limit.
    TruncatedRows: Data, Caution;
    /// Rows whose response was cut away whole.
    RowsWithoutTarget: Data, Warning;
    /// No row is longer than 512 tokens.
    TokensWithin512: Data, Note;
    /// Some rows are longer than 512 tokens.
    TokensOver512: Data, Note;

    /// How many parameters are trained, and how many are not.
    TrainableShare: Adapter, Note;
    /// The adapter has more parameters than the base model.
    TrainableExceedsBase: Adapter, Caution;
    /// The base model's projections are stored quantized.
    QuantizedBase: Weights, Note;
    /// The base model is stored as it came, unquantized.
    DenseBase: Weights, Note;

    /// The merged model holds the file's own weights, which were not the ones evaluated.
    MergedIntoOriginal: Weights, Caution;
    /// The merged model holds the quantized weights, made dense again.
    MergedIntoDequantized: Weights, Note;

    /// Warmup at least as long as the run: the peak rate was never reached.
    PeakNeverReached: LearningRate, Warning;
    /// The rate never left the warmup: the cosine never began.
    CosineNeverBegan: LearningRate, Caution;
    /// The first step's learning rate was 0.
    FirstStepWithoutRate: LearningRate, Note;
    /// The last step's loss is below the first's.
    TrainLossFell: TrainLoss, Note;
    /// The last step's loss is not below the first's.
    TrainLossRose: TrainLoss, Warning;
    /// The last step's window holds fewer than half the tokens of the first.
    LastWindowShort: TrainLoss, Note;
    /// Gradients were scaled down in some steps.
    GradientsClipped: TrainLoss, Note;
    /// Gradients were never scaled down.
    GradientsNeverClipped: TrainLoss, Note;
    /// Fewer than two evaluations: no course to judge.
    TooFewEvaluations: EvalLoss, Caution;
    /// The last evaluation's loss is below the first's.
    EvalLossFell: EvalLoss, Note;
    /// The last evaluation's loss is not below the first's.
    EvalLossRose: EvalLoss, Warning;
    /// The last evaluation is the best.
    BestIsLast: EvalLoss, Note;
    /// The evaluation loss was lowest before the end.
    EvalLossTurned: EvalLoss, Caution;
    /// The evaluation loss is noticeably above the late training loss.
    GapAbove: EvalLoss, Note;
    /// The evaluation loss is not noticeably above the late training loss.
    GapNotAbove: EvalLoss, Note;
    /// The Trainer's way of averaging gives another figure.
    TrainerLossDiffers: EvalLoss, Note;

    /// The base model's loss is above that of a uniform guess.
    BaselineWorseThanUniform: Comparison, Warning;
    /// The loss fell, and the interval and the test say so.
    Improved: Comparison, Note;
    /// The loss fell, but not beyond what chance explains.
    ImprovedUncertainly: Comparison, Caution;
    /// The loss fell; no test was made.
    ImprovedUntested: Comparison, Caution;
    /// The loss rose, and the interval and the test say so.
    Worsened: Comparison, Warning;
    /// The loss rose, but not beyond what chance explains.
    WorsenedUncertainly: Comparison, Warning;
    /// The loss rose; no test was made.
    WorsenedUntested: Comparison, Warning;
    /// The two losses are equal.
    Unchanged: Comparison, Warning;
    /// The response loss fell while the full-text loss did not.
    OnlyMaskedImproved: Comparison, Caution;
    /// The full-text loss fell while the response loss did not.
    OnlyFullImproved: Comparison, Caution;
    /// The loss fell surely, and by less than one percent.
    ImprovedBarely: Comparison, Caution;
    /// The interval of the loss is wider than the digits that the text prints.
    TooFewRowsForDigits: Comparison, Caution;
}

impl Kind {
    /// Whether the first lines of a document must say it: its numbers are no result of a thesis, or not yet.
    pub fn is_warning_on_top(self) -> bool {
        matches!(
            self,
            Kind::RunFailed
                | Kind::RunUnfinished
                | Kind::SmokeRun
                | Kind::DemonstrationModel
                | Kind::SyntheticData
        )
    }

    /// The name in records and templates: `peak_never_reached`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        // Digits begin a word too, but serde's snake_case keeps them attached: tokens_within512.
        name
    }

    fn with<const N: usize>(self, evidence: [(&'static str, Quantity); N]) -> Finding {
        Finding { kind: self, severity: self.severity(), mask: None, evidence: evidence.into() }
    }
}

/// Everything that holds for `record`, by topic; of findings on both losses the response comes first.
pub fn findings(record: &RunRecord) -> Vec<Finding> {
    let mut findings = run(record);
    findings.extend(data::findings(record));
    findings.extend(model::findings(record));
    findings.extend(training::findings(record));
    findings.extend(comparison::findings(record));
    findings.extend(seeds::findings(record));
    // The sort is stable: within a topic the findings keep the order in which its text tells them.
    findings.sort_by_key(|finding| Topic::ALL.iter().position(|topic| *topic == finding.kind.topic()));
    findings
}

/// What kind of run this was.
fn run(record: &RunRecord) -> Vec<Finding> {
    use crate::record::Status;
    let mut findings = Vec::new();
    let planned = Quantity::new("training.total_steps", record.training.total_steps);
    let made = super::measures::steps_made(record);
    match record.status {
        Status::Failed => {
            let step = record.failure.as_ref().map_or(0, |failure| failure.step);
            let step = Quantity::new("failure.step", step);
            findings.push(Kind::RunFailed.with([
                ("step", step),
                ("planned", planned.clone()),
                ("made", made),
            ]));
        }
        Status::Running => {
            findings.push(Kind::RunUnfinished.with([("planned", planned.clone()), ("made", made)]))
        }
        Status::Completed => {}
    }
    let rows = Quantity::new("dataset.rows", record.dataset.rows);
    if record.smoke {
        findings.push(Kind::SmokeRun.with([("rows", rows.clone()), ("planned", planned.clone())]));
    }
    if record.model.demonstration {
        let parameters = Quantity::new("model.parameters", record.model.parameters);
        findings.push(Kind::DemonstrationModel.with([("parameters", parameters)]));
    }
    if record.dataset.synthetic {
        findings.push(Kind::SyntheticData.with([("rows", rows)]));
    }
    let asked = super::measures::steps_of_epochs(record);
    // A smoke run is cut by what it is, and says so.
    if planned.real() < asked.real() && !record.smoke {
        let epochs = Quantity::new("recipe.train.epochs", record.recipe.train.epochs);
        findings.push(Kind::StepsCut.with([("planned", planned), ("asked", asked), ("epochs", epochs)]));
    }
    findings
}

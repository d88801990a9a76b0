//! What a record of one run allows one to say. The sentences stand in `templates/bulgular.md.j2`, one macro for the
//! results and one for the discussion a kind.

mod run;
mod data;
mod model;
mod training;
mod choice;
mod comparison;
mod seeds;
mod samples;
mod texts;
mod ratings;
pub mod criteria;
pub mod verdict;

use super::finding::{self, Claim, kinds};
use super::profile::Limits;
use crate::record::RunRecord;

/// One claim that holds for a run.
pub type Finding = finding::Finding<Kind>;

kinds! {
    topics {
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
        /// The texts that both wrote.
        Samples,
        /// What all texts measure.
        Texts,
        /// What people said of them.
        People,
        /// What a judge model said of them.
        Judge,
        /// Measures, people and judge together.
        Triangulation,
        /// How much was run, against what would be needed.
        Course,
    }

    /// The run stopped at an error.
    RunFailed: Status, Disqualification;
    /// The run had not come to its end when the record was written.
    RunUnfinished: Status, Disqualification;
    /// Cut to a few rows and steps to try the program out.
    SmokeRun: Status, Disqualification;
    /// Made with the embedded demonstration model.
    DemonstrationModel: Model, Disqualification;
    /// The rows were made by a program.
    SyntheticData: Data, Disqualification;
    /// Fewer steps than the recipe's epochs ask for.
    StepsCut: Course, Caution;
    /// The checkpoint, or the end of the training, was chosen on the rows that report the result.
    ChosenOnReportedRows: Course, Caution;
    /// It was chosen on other rows.
    ChosenOnOtherRows: Course, Note;
    /// Several evaluations, but too few to tell where the loss turned.
    FewEvaluations: Course, Caution;
    /// The training ended before its last planned step, since the evaluation loss no longer fell.
    EarlyStopped: Course, Note;
    /// It would have, and did not.
    EarlyStopUnused: Course, Note;
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
    /// More of the held-out words stand in running words of the training answers than the profile allows.
    OverlapHigh: Data, Warning;
    /// No more of them than that.
    OverlapLow: Data, Note;
    /// The evaluation loss during the training is of rows that report nothing.
    ValidationApart: Data, Note;
    /// The split kept near duplicates together.
    GroupedNearDuplicates: Data, Note;
    /// The split kept rows with the same value in a field together.
    GroupedByField: Data, Note;
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
    /// It is, and the training loss did not fall: no overfitting to be read from it.
    GapWithoutFit: EvalLoss, Note;
    /// The evaluation loss is not noticeably above the late training loss.
    GapNotAbove: EvalLoss, Note;
    /// The Trainer's way of averaging gives another loss.
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
    /// The loss on the prompts rose, and the interval and the test say so.
    PromptRose: Comparison, Note;
    /// The loss on the prompts fell, and the interval and the test say so.
    PromptFell: Comparison, Note;
    /// The loss on the prompts did neither beyond chance.
    PromptUnsure: Comparison, Note;

    /// The rows that overlap least with the training answers gained less than the others.
    LeastOverlapGainedLess: Comparison, Caution;
    /// They gained more than the others.
    LeastOverlapGainedMore: Comparison, Note;
    /// What the two halves gained cannot be told apart.
    LeastOverlapGainedAlike: Comparison, Note;

    /// Some sample texts repeat themselves.
    SamplesRepeat: Samples, Caution;
    /// No sample text repeats itself.
    SamplesDoNotRepeat: Samples, Note;

    /// In more than half of the measures in which they differ surely, the fine-tuned texts are nearer to the references than
    /// the base model's.
    TextsNearer: Texts, Note;
    /// They are not.
    TextsNotNearer: Texts, Caution;
    /// The same against the base model that was told to write at the level.
    TextsNearerThanPrompted: Texts, Note;
    /// They are not nearer than those.
    TextsNotNearerThanPrompted: Texts, Caution;
    /// The fine-tuned texts hold surely more of the training answers than the references do.
    TextsCopyMore: Texts, Caution;
    /// They hold no more, as far as can be told.
    TextsCopyNoMore: Texts, Note;
    /// The fine-tuned texts hold no more words above the level than the references, within the profile's margin.
    TextsOfTheLevel: Texts, Note;
    /// They hold surely more of them.
    TextsAboveLevel: Texts, Caution;
    /// They may hold more of them than the margin allows.
    TextsOfUnsureLevel: Texts, Caution;
    /// The fine-tuned texts repeat themselves surely more than the references do.
    TextsRepeatMore: Texts, Caution;
    /// They repeat themselves no more, as far as can be told.
    TextsRepeatNoMore: Texts, Note;
    /// The level of a word is its frequency: nothing is said of levels.
    WordsByFrequency: Texts, Note;

    /// People prefer the fine-tuned texts, and the interval and the test say so.
    PeoplePreferTuned: People, Note;
    /// They prefer the other system's.
    PeoplePreferOther: People, Caution;
    /// They prefer neither beyond chance.
    PeoplePreferNeither: People, Caution;
    /// People find the fine-tuned texts nearer to the level than the other system's.
    PeopleFindNearer: People, Note;
    /// They find them farther.
    PeopleFindFarther: People, Caution;
    /// They find them neither.
    PeopleFindAlike: People, Caution;
    /// People rate the fine-tuned texts below the references.
    PeopleBelowReference: People, Caution;
    /// They do not, as far as can be told.
    PeopleNotBelowReference: People, Note;
    /// The raters agree on the level: Krippendorff's alpha lies surely above the profile's limit.
    RatersAgree: People, Note;
    /// Whether it does is open.
    RatersUnsure: People, Caution;
    /// It lies surely below.
    RatersDisagree: People, Caution;
    /// One person rated: nothing is known of agreement.
    SingleRater: People, Caution;
    /// Some sheets did not come back, or not whole.
    SheetsIncomplete: People, Caution;

    /// The judge prefers the fine-tuned texts, and the interval and the test say so.
    JudgePrefersTuned: Judge, Note;
    /// It prefers the other system's.
    JudgePrefersOther: Judge, Caution;
    /// It prefers neither beyond chance.
    JudgePrefersNeither: Judge, Caution;
    /// The judge finds the fine-tuned texts nearer to the level than the other system's.
    JudgeFindsNearer: Judge, Note;
    /// It finds them farther.
    JudgeFindsFarther: Judge, Caution;
    /// It finds them neither.
    JudgeFindsAlike: Judge, Caution;
    /// The judge surely favours one place.
    JudgeFollowsOrder: Judge, Caution;
    /// It does not, as far as can be told.
    JudgeKeepsToTexts: Judge, Note;
    /// The judge is of the judged model's family.
    JudgeOfFamily: Judge, Caution;
    /// Some of the judge's answers could not be read.
    JudgeMalformed: Judge, Caution;

    /// Neither people nor a judge were asked.
    NotRated: Triangulation, Caution;
    /// No person was asked.
    PeopleMissing: Triangulation, Caution;
    /// No judge was asked.
    JudgeMissing: Triangulation, Caution;
    /// People and judge put the texts in the same order, surely.
    RatingsConverge: Triangulation, Note;
    /// They put them in opposite orders, surely.
    RatingsPart: Triangulation, Caution;
    /// Neither is sure.
    RatingsUnsure: Triangulation, Caution;
    /// Texts with more words above the level were surely found farther from it.
    MeasureConverges: Triangulation, Note;
    /// They were surely found nearer to it.
    MeasureParts: Triangulation, Caution;
    /// Neither is sure.
    MeasureUnsure: Triangulation, Caution;
}

/// Everything that holds for `record` by the `limits` of a profile, by topic; of findings on both losses the response comes first.
pub fn findings(record: &RunRecord, limits: Limits) -> Vec<Finding> {
    let mut findings = run::findings(record);
    findings.extend(data::findings(record, limits));
    findings.extend(model::findings(record));
    findings.extend(training::findings(record));
    findings.extend(choice::findings(record));
    findings.extend(comparison::findings(record));
    findings.extend(seeds::findings(record));
    findings.extend(samples::findings(record));
    findings.extend(texts::findings(record, limits));
    findings.extend(ratings::findings(record, limits));
    // The sort is stable: within a topic the findings keep the order in which its text tells them.
    findings.sort_by_key(|finding| Kind::TOPICS.iter().position(|topic| *topic == finding.kind.topic()));
    findings
}

//! How sure a difference between two models is: the same rows, scored by both. And what raters say of them, and how far
//! they agree.
//!
//! With row i's token count t_i and NLL sums b_i (baseline) and f_i (fine-tuned), the token-weighted losses
//! are B = Σ b_i / Σ t_i and F = Σ f_i / Σ t_i, in nats a token. A row is the unit that was sampled, so rows
//! are resampled and rows change sides; tokens of one row are not independent of each other.
//!
//! - [`compare`]: intervals of B, F and B - F (paired bootstrap), two tests, an effect size;
//! - [`gap`]: how far the gains on two different sets of rows are apart;
//! - [`holm`]: p-values that survive being looked at together;
//! - [`summarize`]: the same figure over several training seeds;
//! - [`ranks`], [`median`]: what the order of numbers says;
//! - [`signed_rank`]: whether paired differences lean to one side;
//! - [`grouped_interval`], [`mean_interval`]: the bootstrap of any figure, what belongs together drawn together;
//! - [`spearman`]: whether two numbers put the same texts in one order;
//! - [`sign_test`], [`bradley_terry`]: which of two systems, or of several, is preferred;
//! - [`agreement`]: how far raters agree.
//!
//! No number made here is NaN or infinite. What is undefined for some rows is `None`, left out of the record.
//! All of it runs on one thread and draws from the streams of `random`: equal rows and an equal seed give
//! equal numbers, whatever else the machine does.

mod random;
mod bootstrap;
mod gap;
mod multiple;
mod seeds;
mod ranks;
mod significance;
mod grouped;
mod correlation;
mod preference;
pub mod agreement;

pub use bootstrap::Interval;
pub use correlation::spearman;
pub use gap::{Gap, gap};
pub use grouped::{GROUPED_RESAMPLES, grouped_interval, mean_interval};
pub use multiple::holm;
pub use preference::{bradley_terry, sign_test};
pub use ranks::{median, ranks};
pub use seeds::{Summary, summarize};
pub use significance::{Wilcoxon, WilcoxonMethod, signed_rank};

use random::Stream;
use serde::{Deserialize, Serialize};

/// Bootstrap resamples, and sign flips, of [`compare`].
pub const RESAMPLES: usize = 10_000;

/// Confidence of every interval.
pub(crate) const CONFIDENCE: f64 = 0.95;

/// A larger NLL sum is not a measurement; squares and sums of smaller ones cannot overflow.
const LARGEST_NLL: f64 = 1e100;

/// One evaluation row under one mask, scored by both models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedRow {
    /// Counted tokens.
    pub tokens: usize,
    /// UTF-8 bytes of the counted text.
    pub bytes: usize,
    /// Sum of -ln p over the counted tokens, base model.
    pub baseline_nll: f64,
    /// The same sum, fine-tuned model.
    pub fine_tuned_nll: f64,
}

impl PairedRow {
    /// Loss of the base model minus loss of the fine-tuned one, in nats a token; positive: improved.
    fn mean_difference(&self) -> f64 {
        self.baseline_nll / self.tokens as f64 - self.fine_tuned_nll / self.tokens as f64
    }
}

/// Base and fine-tuned model compared under both masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Response tokens and their end-of-sequence token.
    pub masked: Comparison,
    /// Every token that has a predecessor.
    pub full: Comparison,
    /// The tokens of the full text that are none of the response; absent in records that did not tell them apart, and where
    /// no row has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompt: Option<Comparison>,
}

/// Base and fine-tuned model compared on the same rows, under one mask.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Rows with at least one counted token; the others take no part.
    pub rows: usize,
    /// Bootstrap resamples, and sign flips of the permutation test.
    pub resamples: usize,
    /// Confidence of every interval below.
    pub confidence: f64,
    /// The base model.
    pub baseline: Performance,
    /// The fine-tuned model.
    pub fine_tuned: Performance,
    /// B - F in nats a token, its interval from paired resamples; positive: improved.
    pub difference: Interval,
    /// (B - F) / B as a fraction; absent where some resample's B is not positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_loss_reduction: Option<Interval>,
    /// (exp B - exp F) / exp B = 1 - exp(-(B - F)) as a fraction; absent where that overflows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_perplexity_reduction: Option<Interval>,
    /// Two-sided p of the paired permutation test on B - F. Its floor is 1 / (resamples + 1); it is 1 for one
    /// row and for two equal models, where every flip is as extreme as what was seen.
    pub permutation_p: f64,
    /// Signed-rank test on the rows' mean losses; absent where no row's loss changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wilcoxon: Option<Wilcoxon>,
    /// d_z: mean of the rows' loss differences over their standard deviation (n - 1), each row counted once
    /// (Lakens 2013). Absent for one row, and where the differences are constant up to rounding.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect_size: Option<f64>,
    /// Rows whose loss fell.
    pub improved: usize,
    /// Rows whose loss rose.
    pub worsened: usize,
    /// Rows whose loss is exactly what it was.
    pub unchanged: usize,
}

/// One model on the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Performance {
    /// Σ NLL / Σ tokens, in nats a token.
    pub loss: Interval,
    /// exp of the loss and of its bounds; absent where that overflows (a loss above 709).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perplexity: Option<Interval>,
    /// Σ NLL / (ln 2 Σ bytes), comparable between tokenizers; absent where the rows have no bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_byte: Option<f64>,
}

impl Comparison {
    /// Whether the two losses differ by both standards: the permutation test at 1 - confidence, and an
    /// interval of the difference without 0. The interval alone would call one row, or five that agree, sure.
    pub fn is_significant(&self) -> bool {
        self.permutation_p <= 1.0 - self.confidence
            && (self.difference.low > 0.0 || self.difference.high < 0.0)
    }
}

/// Compares two models on the same rows with [`RESAMPLES`] resamples and as many sign flips.
///
/// Equal `rows` in equal order and an equal `seed` give equal numbers. Masked and full rows of one evaluation
/// may share a seed: where both have the same number of rows they then meet the same resamples.
///
/// With one row, or rows that are all alike, every resample is the same and an interval is a point: it says
/// that nothing is known of the spread, not that there is none. Few rows give intervals that are too narrow:
/// about 92 % instead of 95 % at 50 rows, 90 % at 20; see `bootstrap.rs`.
///
/// A measure of the rows' texts, each row counted once, is compared in the same way: a token a row makes B and F plain
/// means. `improved` then says that the measure fell, whichever direction is the better one, and a perplexity says nothing.
///
/// ```
/// use tezgah::statistics::{PairedRow, compare};
/// // Share above the level of the same four prompts, answered by two systems.
/// let (prompted, fine_tuned) = ([0.12, 0.20, 0.08, 0.16], [0.06, 0.08, 0.07, 0.11]);
/// let rows: Vec<PairedRow> = prompted
///     .into_iter()
///     .zip(fine_tuned)
///     .map(|(baseline_nll, fine_tuned_nll)| PairedRow { tokens: 1, bytes: 0, baseline_nll, fine_tuned_nll })
///     .collect();
/// let comparison = compare(&rows, 3407).expect("four rows");
/// // 0.56 / 4 - 0.32 / 4. No resample can leave the smallest and the largest difference of a row.
/// assert!((comparison.difference.estimate - 0.06).abs() < 1e-12);
/// assert!(comparison.difference.low >= 0.01 && comparison.difference.high <= 0.12);
/// assert_eq!((comparison.improved, comparison.worsened), (4, 0));
/// // Four rows have 16 signs, of which two are as extreme: no test can call them sure.
/// assert!(!comparison.is_significant());
/// ```
///
/// `None` where no row has tokens, or where an NLL is no finite number below 1e100.
pub fn compare(rows: &[PairedRow], seed: u64) -> Option<Comparison> {
    compare_with_resamples(rows, seed, RESAMPLES)
}

/// [`compare`] with another number of resamples and flips, for simulations; 0 is taken as 1.
pub fn compare_with_resamples(rows: &[PairedRow], seed: u64, resamples: usize) -> Option<Comparison> {
    let rows: Vec<PairedRow> = rows.iter().copied().filter(|row| row.tokens > 0).collect();
    let is_measured = |nll: f64| nll.abs() < LARGEST_NLL;
    if rows.is_empty()
        || !rows.iter().all(|row| is_measured(row.baseline_nll) && is_measured(row.fine_tuned_nll))
    {
        return None;
    }
    let resamples = resamples.max(1);

    let intervals =
        bootstrap::paired(&rows, &mut random::stream(seed, Stream::Bootstrap), resamples, CONFIDENCE);
    let sum_differences: Vec<f64> = rows.iter().map(|row| row.baseline_nll - row.fine_tuned_nll).collect();
    let mean_differences: Vec<f64> = rows.iter().map(PairedRow::mean_difference).collect();
    let mut flips = random::stream(seed, Stream::SignFlips);

    let bytes: f64 = rows.iter().map(|row| row.bytes as f64).sum();
    let performance = |loss: Interval, nll: fn(&PairedRow) -> f64| Performance {
        loss,
        perplexity: loss.map(f64::exp),
        bits_per_byte: (bytes > 0.0)
            .then(|| rows.iter().map(nll).sum::<f64>() / (std::f64::consts::LN_2 * bytes)),
    };
    let improved = sum_differences.iter().filter(|&&difference| difference > 0.0).count();
    let worsened = sum_differences.iter().filter(|&&difference| difference < 0.0).count();

    Some(Comparison {
        rows: rows.len(),
        resamples,
        confidence: CONFIDENCE,
        baseline: performance(intervals.baseline, |row| row.baseline_nll),
        fine_tuned: performance(intervals.fine_tuned, |row| row.fine_tuned_nll),
        difference: intervals.difference,
        relative_loss_reduction: intervals.relative,
        // expm1 keeps the digits of a small difference; rising in B - F, so the bounds keep their order.
        relative_perplexity_reduction: intervals.difference.map(|difference| -(-difference).exp_m1()),
        permutation_p: significance::permutation_p(&sum_differences, &mut flips, resamples),
        wilcoxon: signed_rank(&mean_differences),
        effect_size: effect_size(&rows, &mean_differences),
        improved,
        worsened,
        unchanged: rows.len() - improved - worsened,
    })
}

/// d_z = mean / standard deviation (n - 1) of the rows' loss differences.
fn effect_size(rows: &[PairedRow], differences: &[f64]) -> Option<f64> {
    let (mean, deviation) = (seeds::mean(differences), seeds::standard_deviation(differences)?);
    // 2.3 - 2.0 and 1.3 - 1.0 differ in their last bits: a spread of that size is rounding, and dividing by
    // it would report an effect of 1e15.
    let largest_loss = rows
        .iter()
        .map(|row| row.baseline_nll.abs().max(row.fine_tuned_nll.abs()) / row.tokens as f64)
        .fold(0.0, f64::max);
    (deviation > 1e-12 * largest_loss).then(|| mean / deviation)
}

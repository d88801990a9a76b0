//! How far raters agree who answered the same texts.
//!
//! - [`alpha()`]: Krippendorff's, ordinal; takes what is there, however many answers are missing;
//! - [`kappa()`]: Cohen's with quadratic weights, of each pair of raters;
//! - [`icc()`]: ICC(2,k), how far the mean of these raters would come back from as many others;
//! - [`kendall_w()`]: whether the raters put the texts in the same order.
//!
//! 1 is full agreement in all of them. 0 is what chance gives in the first three; W has 1 / raters then. None is defined
//! where all answers are equal: raters who cannot tell texts apart may agree or not care, and no figure knows which.

mod alpha;
mod kappa;
mod icc;
mod kendall;

pub use alpha::alpha;
pub use icc::icc;
pub use kappa::kappa;
pub use kendall::kendall_w;

use super::bootstrap::Interval;
use super::grouped::grouped_interval;

/// What raters said of texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// At least 1.
    raters: usize,
    /// Text after text, each with one value a rater.
    values: Vec<Option<f64>>,
}

impl Answers {
    /// One row a text, one column a rater, `None` where there is no answer. A rater who answered nothing must not have a
    /// column: no text would be answered by all.
    ///
    /// `None` where there is no text or no rater, where the rows differ in length, or where an answer is no finite number.
    pub fn new(rows: Vec<Vec<Option<f64>>>) -> Option<Answers> {
        let raters = rows.first()?.len();
        let is_table = raters > 0 && rows.iter().all(|row| row.len() == raters);
        let values: Vec<Option<f64>> = rows.into_iter().flatten().collect();
        let is_finite = values.iter().flatten().all(|value| value.is_finite());
        (is_table && is_finite).then_some(Answers { raters, values })
    }

    /// Texts with the answers of at least two raters.
    pub fn texts(&self) -> usize {
        self.shared().count()
    }

    /// All texts.
    fn rows(&self) -> impl Iterator<Item = &[Option<f64>]> {
        self.values.chunks_exact(self.raters)
    }

    /// The texts with the answers of at least two raters.
    fn shared(&self) -> impl Iterator<Item = &[Option<f64>]> {
        self.rows().filter(|row| row.iter().flatten().count() >= 2)
    }

    /// The answers to the texts that all raters answered: text after text, each with one value a rater.
    fn complete(&self) -> Vec<f64> {
        let rows = self.rows().filter(|row| row.iter().all(Option::is_some));
        rows.flatten().flatten().copied().collect()
    }
}

/// A figure of `answers` with its interval from a bootstrap over texts, those of one of the `groups` drawn together, [`super::GROUPED_RESAMPLES`] of them, as Zapf
/// et al. (2016) recommend for alpha.
///
/// Equal answers and an equal seed meet the same resamples in every figure. A resample on which the figure is undefined is
/// left out; `None` where it is on the answers themselves, or on more than half of the resamples.
///
/// ```
/// use tezgah::statistics::agreement::{self, Answers};
/// let rows = [[1, 1, 2], [2, 2, 2], [3, 3, 4], [4, 5, 4], [5, 5, 5], [2, 1, 2]];
/// let answers = rows.map(|row| row.map(|score| Some(f64::from(score))).to_vec()).to_vec();
/// let answers = Answers::new(answers).expect("three raters each");
/// let alpha = agreement::with_interval(&answers, &[0, 1, 2, 3, 4, 5], 42, agreement::alpha).expect("the texts differ");
/// assert!(alpha.low <= alpha.estimate && alpha.estimate <= alpha.high && alpha.estimate > 0.85);
/// ```
pub fn with_interval(
    answers: &Answers,
    groups: &[usize],
    seed: u64,
    figure: impl Fn(&Answers) -> Option<f64>,
) -> Option<Interval> {
    let rows: Vec<&[Option<f64>]> = answers.rows().collect();
    grouped_interval(&rows, groups, seed, |drawn| {
        figure(&Answers { raters: answers.raters, values: drawn.concat() })
    })
}

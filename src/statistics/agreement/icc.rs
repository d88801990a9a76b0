//! The intraclass correlation ICC(2,k) of Shrout and Fleiss (1979): raters drawn at random, absolute agreement, the mean of
//! k raters; ICC(A,k) of McGraw and Wong (1996).
//!
//! From the mean squares of n texts (R), k raters (C) and the rest (E) of a two-way layout with one answer a cell:
//! ICC = (MS_R - MS_E) / (MS_R + (MS_C - MS_E) / n). The denominator estimates the variance of a text's mean.

use super::Answers;

/// A sum of squares, or a difference of some, below this share of the total is rounding.
const ROUNDING: f64 = 1e-12;

/// ICC(2,k) over the texts that all raters answered.
///
/// `None` below two such texts or two raters, and where the denominator is not positive: all answers are equal, or raters
/// contradict each other so much that the estimated variance of a text's mean is 0 or negative. The quotient of two negative
/// numbers, n or more, would read as more than full agreement.
pub fn icc(answers: &Answers) -> Option<f64> {
    let raters = answers.raters;
    let complete = answers.complete();
    // Counted from the first answer: sums of whole numbers stay whole, and those of equal ones are exactly 0.
    let origin = *complete.first()?;
    let values: Vec<f64> = complete.iter().map(|value| value - origin).collect();
    let (n, k) = ((values.len() / raters) as f64, raters as f64);
    if n < 2.0 || k < 2.0 {
        return None;
    }
    let mut of_raters: Vec<f64> = vec![0.0; raters];
    let (mut total, mut squares, mut text_squares) = (0.0, 0.0, 0.0);
    for text in values.chunks_exact(raters) {
        let sum: f64 = text.iter().sum();
        total += sum;
        text_squares += sum * sum;
        squares += text.iter().map(|value| value * value).sum::<f64>();
        for (of_rater, value) in of_raters.iter_mut().zip(text) {
            *of_rater += value;
        }
    }
    let rater_squares: f64 = of_raters.iter().map(|sum| sum * sum).sum();

    // The sums of squares, each times n k.
    let all = n * k * squares - total * total;
    let beyond_rounding = |sum: f64| if sum > ROUNDING * all { sum } else { 0.0 };
    let of_texts = beyond_rounding(n * text_squares - total * total);
    let of_raters = beyond_rounding(k * rater_squares - total * total);
    let rest = beyond_rounding(n * k * squares - n * text_squares - k * rater_squares + total * total);

    let (texts, raters) = (of_texts / (n - 1.0), of_raters / (k - 1.0));
    let rest = rest / ((n - 1.0) * (k - 1.0));
    let variance = texts + (raters - rest) / n;
    (variance > ROUNDING * all).then(|| (texts - rest) / variance)
}

//! Length against the reference.

use super::words;

/// Words of `text` / words of `reference`; 1: as long. `None` where the reference has no words.
///
/// The length ratio of BLEU's brevity penalty (Papineni, Roukos, Ward and Zhu 2002), a text at a time.
pub fn ratio(text: &str, reference: &str) -> Option<f64> {
    let expected = words::words(reference).len();
    (expected > 0).then(|| words::words(text).len() as f64 / expected as f64)
}

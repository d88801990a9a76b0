//! Findings on the sample texts.

use super::{Finding, Kind};
use crate::record::{RunRecord, Sample};
use crate::report::finding::Claim;
use crate::report::quantity::Quantity;
use crate::texts::{repetition, words};

/// Share of a text's 4-grams that stood in it before, from which on it turns in a circle: a text of the references has
/// a few percent.
const REPEATING: f64 = 0.25;

pub(super) fn findings(record: &RunRecord) -> Option<Finding> {
    let samples = &record.samples;
    // What its sentences say is true of the likeliest token alone; where all texts were measured, they are judged together.
    if samples.is_empty() || record.recipe.samples.temperature > 0.0 || record.texts.is_some() {
        return None;
    }
    let count = |name: &str, text: fn(&Sample) -> &str| {
        let repeating = samples.iter().filter(|sample| repeats(text(sample))).count();
        Quantity::new(format!("count(samples[].{name} that repeats itself)"), repeating)
    };
    let (base, tuned) =
        (count("baseline", |sample| &sample.baseline), count("fine_tuned", |sample| &sample.fine_tuned));
    let is_found = base.real() + tuned.real() > 0.0;
    let kind = if is_found { Kind::SamplesRepeat } else { Kind::SamplesDoNotRepeat };
    Some(kind.with([
        ("count", Quantity::new("len(samples)", samples.len())),
        ("base", base),
        ("tuned", tuned),
        ("limit", Quantity::new("limit(repeated 4-grams)", REPEATING)),
    ]))
}

/// Whether a text says the same again and again, by [`repetition::repeated`].
fn repeats(text: &str) -> bool {
    let words = words::words(text);
    let keys: Vec<&str> = words.iter().map(|word| word.key.as_str()).collect();
    repetition::repeated(&keys) >= REPEATING
}

//! How simple the adapters of several levels write, prompt by prompt.

use super::texts::pair;
use crate::level::Level;
use crate::record::levels::{AdapterTexts, LevelTexts, MeasureMean, TextGap};
use crate::record::texts::Measure;
use crate::statistics::{PairedRow, compare, holm};
use crate::texts::copying::Answers;
use crate::texts::word_list::WordList;
use crate::texts::{Measures, measure};

/// Measures the texts of each adapter, which answer the same prompts in the same order.
pub fn measured(adapters: &[(Level, Vec<String>)], list: &WordList, seed: u64) -> LevelTexts {
    // Copies are a run's own question: the adapters were trained on different answers.
    let none = Answers::new([]);
    let values: Vec<(Level, Vec<Measures>)> = adapters
        .iter()
        .map(|(level, texts)| (*level, texts.iter().map(|text| measure(text, list, &none)).collect()))
        .collect();
    let mut neighbours: Vec<TextGap> = values
        .windows(2)
        .flat_map(|two| LevelTexts::MEASURES.map(|measure| gap(&two[0], &two[1], measure, seed)))
        .flatten()
        .collect();
    let adjusted = holm(&neighbours.iter().map(|gap| gap.p).collect::<Vec<_>>());
    neighbours.iter_mut().zip(adjusted).for_each(|(gap, p)| gap.p = p);
    LevelTexts {
        prompts: adapters.first().map_or(0, |(_, texts)| texts.len()),
        word_lists: list.sources().to_vec(),
        adapters: values.iter().map(|(level, texts)| means(*level, texts, seed)).collect(),
        neighbours,
    }
}

fn means(level: Level, texts: &[Measures], seed: u64) -> AdapterTexts {
    let mean = |measure: Measure| {
        let rows: Vec<PairedRow> =
            texts.iter().filter_map(|of| measure.of(of, Level::A1).map(|value| pair(value, value))).collect();
        Some(MeasureMean { measure, mean: compare(&rows, seed)?.baseline.loss })
    };
    AdapterTexts { level, means: LevelTexts::MEASURES.into_iter().filter_map(mean).collect() }
}

fn gap(
    lower: &(Level, Vec<Measures>),
    higher: &(Level, Vec<Measures>),
    measure: Measure,
    seed: u64,
) -> Option<TextGap> {
    let both = lower.1.iter().zip(&higher.1);
    let rows: Vec<PairedRow> = both
        .filter_map(|(lower, higher)| {
            Some(pair(measure.of(higher, Level::A1)?, measure.of(lower, Level::A1)?))
        })
        .collect();
    let compared = compare(&rows, seed)?;
    let (difference, p) = (compared.difference, compared.permutation_p);
    Some(TextGap { levels: [lower.0, higher.0], measure, difference, p })
}

//! What the texts of a run's systems measure, each row counted once: means with intervals, and the fine-tuned model against
//! the others on the same rows.

use crate::data::alpaca::Row;
use crate::level::{Level, WordLevel};
use crate::record::texts::{
    Chosen, Measure, Measured, Profile, Sample, SampleMeasures, System, Text, TextDifference, Texts,
};
use crate::statistics::{PairedRow, compare, holm};
use crate::texts::copying::Answers;
use crate::texts::word_list::WordList;
use crate::texts::{Measures, length, measure};

/// Rows whose texts are shown.
const SHOWN: [Chosen; 3] = [Chosen::Best, Chosen::Median, Chosen::Worst];

/// What texts are measured by.
pub struct Yardstick<'a> {
    /// The level that was asked for.
    pub level: Level,
    /// Words and their levels.
    pub list: &'a WordList,
    /// The answers that the fine-tuned model was trained on.
    pub train: &'a [Row],
    /// The rows that the prompts are of.
    pub rows: &'a [Row],
    /// Seed of the resampling.
    pub seed: u64,
}

/// One text with its measures.
struct Read<'a> {
    text: &'a Text,
    measures: Measures,
    length_ratio: Option<f64>,
}

impl Read<'_> {
    fn value(&self, measure: Measure, level: Level) -> Option<f64> {
        match measure {
            Measure::Stopped => Some(f64::from(self.text.stopped)),
            Measure::LengthRatio => self.length_ratio,
            of_words => of_words.of(&self.measures, level),
        }
    }
}

/// Measures what the systems wrote into `texts`, the rows' own answers beside them, and chooses the samples to be read.
pub fn measured(texts: &mut Texts, by: &Yardstick) -> Vec<Sample> {
    let answers = Answers::new(by.train.iter().map(|row| row.output.as_str()));
    let references = references(&texts.rows, by.rows);
    let read = |text| Read::of(text, by, &answers);
    let all: Vec<Read> = texts.rows.iter().chain(&references).map(read).collect();
    let of: Vec<(System, Vec<&Read>)> = System::ALL
        .into_iter()
        .map(|system| (system, all.iter().filter(|read| read.text.system == system).collect()))
        .filter(|(_, texts): &(_, Vec<_>)| !texts.is_empty())
        .collect();
    let profiles = of.iter().map(|(system, texts)| profile(*system, texts)).collect();
    let values: Vec<(System, Vec<RowValues>)> =
        of.iter().map(|(system, texts)| (*system, values(texts, by.level))).collect();
    let measures = means(&values, by.seed);
    let differences = differences(&values, by.seed);
    let samples = samples(&of, by);
    texts.word_lists = by.list.sources().to_vec();
    (texts.profiles, texts.measures, texts.differences) = (profiles, measures, differences);
    samples
}

impl<'a> Read<'a> {
    fn of(text: &'a Text, by: &Yardstick, answers: &Answers) -> Self {
        let measures = measure(&text.text, by.list, answers);
        let length_ratio = by.rows.get(text.row).and_then(|row| length::ratio(&text.text, &row.output));
        Read { text, measures, length_ratio }
    }
}

/// The answers of the rows that were written for; an answer of a row has ended by itself.
fn references(texts: &[Text], rows: &[Row]) -> Vec<Text> {
    let mut written: Vec<usize> = texts.iter().map(|text| text.row).collect();
    written.sort_unstable();
    written.dedup();
    let reference = |row: usize| {
        let text = rows.get(row)?.output.clone();
        Some(Text { row, system: System::Reference, draw: 0, text, tokens: 0, stopped: true })
    };
    written.into_iter().filter_map(reference).collect()
}

fn profile(system: System, texts: &[&Read]) -> Profile {
    let (mut levels, mut frequency, mut words) = ([0usize; 7], [0usize; 3], 0);
    for Read { measures, .. } in texts {
        for (sum, count) in levels.iter_mut().zip(measures.levels.levels) {
            *sum += count;
        }
        levels[WordLevel::ALL.len()] += measures.levels.off_list;
        words += measures.levels.words();
        let of = measures.frequency;
        for (sum, count) in frequency.iter_mut().zip([of.first_thousand, of.second_thousand, of.rarer]) {
            *sum += count;
        }
    }
    let all = frequency.iter().sum::<usize>().max(1) as f64;
    Profile {
        system,
        words,
        levels: levels.map(|count| count as f64 / words.max(1) as f64),
        frequency: frequency.map(|count| count as f64 / all),
    }
}

/// A row, and the mean of each measure over a system's texts of it.
type RowValues = (usize, [Option<f64>; Measure::ALL.len()]);

fn values(texts: &[&Read], level: Level) -> Vec<RowValues> {
    let of_row = |own: &[&Read]| {
        let mean = |measure| {
            let values: Vec<f64> = own.iter().filter_map(|read| read.value(measure, level)).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        (own[0].text.row, Measure::ALL.map(mean))
    };
    // A system writes row after row.
    texts.chunk_by(|one, next| one.text.row == next.text.row).map(of_row).collect()
}

pub(super) fn pair(first: f64, second: f64) -> PairedRow {
    PairedRow { tokens: 1, bytes: 0, baseline_nll: first, fine_tuned_nll: second }
}

fn means(values: &[(System, Vec<RowValues>)], seed: u64) -> Vec<Measured> {
    let mut means = Vec::new();
    for (index, measure) in Measure::ALL.into_iter().enumerate() {
        for (system, rows) in values {
            let rows: Vec<PairedRow> =
                rows.iter().filter_map(|(_, values)| values[index].map(|value| pair(value, value))).collect();
            if let Some(found) = compare(&rows, seed) {
                means.push(Measured {
                    measure,
                    system: *system,
                    rows: rows.len(),
                    mean: found.baseline.loss,
                });
            }
        }
    }
    means
}

fn differences(values: &[(System, Vec<RowValues>)], seed: u64) -> Vec<TextDifference> {
    let Some((_, own)) = values.iter().find(|(system, _)| *system == System::FineTuned) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for (against, others) in values.iter().filter(|(system, _)| *system != System::FineTuned) {
        let mut found = Vec::new();
        for (index, measure) in Measure::ALL.into_iter().enumerate() {
            let rows: Vec<PairedRow> = own
                .iter()
                .filter_map(|(row, own)| {
                    let (_, other) = others.iter().find(|(other, _)| other == row)?;
                    Some(pair(own[index]?, other[index]?))
                })
                .collect();
            found.extend(compare(&rows, seed).map(|compared| TextDifference {
                measure,
                against: *against,
                rows: rows.len(),
                difference: compared.difference,
                p: compared.permutation_p,
                adjusted_p: 1.0,
            }));
        }
        let adjusted = holm(&found.iter().map(|difference| difference.p).collect::<Vec<_>>());
        for (difference, adjusted_p) in found.iter_mut().zip(adjusted) {
            difference.adjusted_p = adjusted_p;
        }
        all.extend(found);
    }
    all
}

/// The rows that [`Chosen`] names, by the first text of each.
fn samples(of: &[(System, Vec<&Read>)], by: &Yardstick) -> Vec<Sample> {
    let texts =
        |wanted: System| of.iter().find(|(system, _)| *system == wanted).map(|(_, texts)| texts.as_slice());
    let first = |system: System, row: usize| {
        texts(system)?.iter().copied().find(|read| read.text.row == row && read.text.draw == 0)
    };
    let mut ranked: Vec<(f64, f64, usize)> = texts(System::FineTuned)
        .unwrap_or_default()
        .iter()
        .filter(|read| read.text.draw == 0)
        .map(|read| {
            let row = read.text.row;
            let above = |read: &Read| read.measures.levels.above(by.level).unwrap_or(1.0);
            let reference = first(System::Reference, row).map_or(0.0, above);
            ((above(read) - reference).abs(), read.measures.copied.share(), row)
        })
        .collect();
    ranked.sort_by(|left, right| {
        left.0.total_cmp(&right.0).then(left.1.total_cmp(&right.1)).then(left.2.cmp(&right.2))
    });
    let place = |chosen| match chosen {
        Chosen::Best => 0,
        Chosen::Median => ranked.len() / 2,
        Chosen::Worst => ranked.len().saturating_sub(1),
    };
    let mut shown: Vec<(Chosen, usize)> =
        SHOWN.into_iter().filter_map(|chosen| Some((chosen, ranked.get(place(chosen))?.2))).collect();
    // Of one row, or two, the names are of the same.
    shown.dedup_by_key(|(_, row)| *row);
    shown.into_iter().filter_map(|(chosen, row)| sample(chosen, row, &first, by)).collect()
}

fn sample<'a>(
    chosen: Chosen,
    row: usize,
    first: &impl Fn(System, usize) -> Option<&'a Read<'a>>,
    by: &Yardstick,
) -> Option<Sample> {
    let (baseline, fine_tuned) = (first(System::Baseline, row)?, first(System::FineTuned, row)?);
    let prompted = first(System::Prompted, row);
    let read = [Some(baseline), prompted, Some(fine_tuned), first(System::Reference, row)];
    let measures = read.into_iter().flatten().map(|read| SampleMeasures {
        system: read.text.system,
        above_level: read.measures.levels.above(by.level),
        text: read.measures.clone(),
    });
    let Row { instruction, input, output } = by.rows.get(row)?.clone();
    Some(Sample {
        row,
        chosen: Some(chosen),
        instruction,
        input,
        reference: output,
        baseline: baseline.text.text.clone(),
        baseline_capped: !baseline.text.stopped,
        prompted: prompted.map(|read| read.text.text.clone()),
        fine_tuned: fine_tuned.text.text.clone(),
        fine_tuned_capped: !fine_tuned.text.stopped,
        measures: measures.collect(),
    })
}

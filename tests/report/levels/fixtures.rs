//! The runs of `fixtures`, moved to other levels and given other effects; their statistics are computed again from
//! their rows.

use crate::fixtures::fixture;
use crate::fixtures::measured::rescore;
use std::sync::OnceLock;
use tezgah::evaluate::simplicity;
use tezgah::level::Level;
use tezgah::record::RunRecord;
use tezgah::record::levels::{CrossMatrix, LevelRating, LevelTexts, LevelsRecord, OwnAdvantage, compare};
use tezgah::record::repeated;
use tezgah::statistics::Interval;
use tezgah::texts::word_list::WordList;

const EFFECTS: [f64; 5] = [1.0, 0.86, 0.75, 0.52, 0.4];

/// A run at another level, its loss lowered by `factor` times as much.
pub(super) fn at(name: &str, level: Level, factor: f64) -> RunRecord {
    let mut record = fixture(name);
    let place = Level::ALL.iter().position(|other| *other == level).expect("a level");
    record.level = level;
    record.dataset.words.mean += 31.0 * place as f64;
    record.dataset.tokens.mean += 47.5 * place as f64;
    record.training.seconds *= 1.0 + 0.3 * place as f64;
    for row in &mut record.evaluation.rows {
        let (before, after) = (row.baseline, row.fine_tuned.as_mut().expect("an evaluated run"));
        after.masked = before.masked - factor * (before.masked - after.masked);
        after.full = before.full - factor * (before.full - after.full);
    }
    rescore(&mut record.evaluation, 42);
    record
}

pub(super) fn five() -> Vec<RunRecord> {
    static FIVE: OnceLock<Vec<RunRecord>> = OnceLock::new();
    let make =
        || Level::ALL.into_iter().zip(EFFECTS).map(|(level, factor)| at("iyi", level, factor)).collect();
    FIVE.get_or_init(make).clone()
}

/// The matrix of `records`, as their own losses have it on its diagonal: an adapter so many levels away keeps
/// `kept(distance)` of the own adapter's gain.
pub(super) fn cross(records: &[RunRecord], kept: impl Fn(usize, usize) -> f64) -> CrossMatrix {
    let base_loss: Vec<f64> = records
        .iter()
        .map(|record| record.evaluation.baseline.as_ref().expect("scores").masked.loss)
        .collect();
    let own: Vec<f64> = records
        .iter()
        .map(|record| record.evaluation.fine_tuned.as_ref().expect("scores").masked.loss)
        .collect();
    let count = records.len();
    let loss = |adapter: usize, set: usize| match adapter == set {
        true => own[set],
        false => base_loss[set] - kept(adapter, set) * (base_loss[set] - own[set]),
    };
    let levels: Vec<Level> = records.iter().map(|record| record.level).collect();
    CrossMatrix {
        adapters: levels.clone(),
        eval_sets: levels,
        loss: (0..count).map(|adapter| (0..count).map(|set| loss(adapter, set)).collect()).collect(),
        base_loss,
        advantage: Vec::new(),
        texts: None,
    }
}

/// The same with the own adapters' advantages tested: `half` around each estimate is its interval.
pub(super) fn tested(mut matrix: CrossMatrix, half: impl Fn(Level) -> f64) -> CrossMatrix {
    let sets = matrix.eval_sets.clone();
    let of_set = |(column, level): (usize, &Level)| {
        let losses: Vec<f64> = matrix.loss.iter().map(|row| row[column]).collect();
        let others = losses.iter().sum::<f64>() - losses[column];
        let estimate = others / (losses.len() - 1) as f64 - losses[column];
        let (low, high) = (estimate - half(*level), estimate + half(*level));
        let is_apart = low > 0.0 || high < 0.0;
        OwnAdvantage {
            eval_set: *level,
            difference: Interval { estimate, low, high },
            confidence: 0.95,
            p: if is_apart { 0.0005 } else { 0.4 },
        }
    };
    matrix.advantage = sets.iter().enumerate().map(of_set).collect();
    matrix
}

pub(super) fn compared(records: &[RunRecord], cross: Option<CrossMatrix>) -> LevelsRecord {
    compare(records, cross).unwrap_or_else(|error| panic!("{error}"))
}

/// Every comparison that is read over, each named for what it shows; made once, as its resamples take time.
pub(super) fn comparisons() -> Vec<(&'static str, LevelsRecord)> {
    static COMPARISONS: OnceLock<Vec<(&str, LevelsRecord)>> = OnceLock::new();
    COMPARISONS.get_or_init(build).clone()
}

fn build() -> Vec<(&'static str, LevelsRecord)> {
    vec![
        ("bes_duzey", five_levels()),
        ("iki_duzey", two_levels()),
        ("eksik", incomplete()),
        ("farkli_modeller", differing_models()),
        ("matrissiz", without_matrix()),
        ("gosterim", demonstration()),
        ("kazancsiz", without_gain()),
        ("sinirli", at_the_edges()),
        ("sinanmis", with_tests()),
        ("metinleri_zorlasan", writing([5, 9, 15])),
        ("metinleri_kismen", writing([5, 9, 9])),
        ("metinleri_ayni", writing([9, 9, 9])),
        ("puanlanmis", rated()),
    ]
}

/// Each adapter the best at home, and worth less the farther away; A1 with three seeds.
pub(super) fn five_levels() -> LevelsRecord {
    let mut records = five();
    let mut repeated = vec![records[0].clone(), records[0].clone(), records[0].clone()];
    for (index, (record, factor)) in repeated.iter_mut().zip([1.0, 0.97, 1.02]).enumerate() {
        *record = at("iyi", Level::A1, factor);
        record.recipe.train.seed = 3407 + index as u64;
    }
    records[0].replicates = Some(repeated::summarize(&repeated).expect("runs of three seeds"));
    let matrix = cross(&records, |adapter, set| 0.8 - 0.12 * adapter.abs_diff(set) as f64);
    compared(&records, Some(matrix))
}

/// Both adapters lower both levels about equally.
pub(super) fn two_levels() -> LevelsRecord {
    let records = [at("iyi", Level::A1, 1.0), at("iyi", Level::B1, 0.7)];
    let matrix = cross(&records, |_, _| 0.94);
    compared(&records, Some(matrix))
}

/// A2 failed, B2 has no record; B1 got worse, C1 has no rows; the matrix lacks C1.
pub(super) fn incomplete() -> LevelsRecord {
    let mut failed = fixture("iraksayan");
    failed.level = Level::A2;
    let mut untested = at("iyi", Level::C1, 0.6);
    untested.evaluation.rows.clear();
    untested.evaluation.statistics = None;
    untested.environment.cpu = "AMD EPYC 9654".into();
    let records = [at("iyi", Level::A1, 1.0), failed, at("iyi", Level::B1, -0.3), untested];
    let matrix = cross(&[records[0].clone(), records[2].clone()], |_, _| 0.2);
    compared(&records, Some(matrix))
}

/// Another model at C1, the same one in another storage at B1, settings that differ.
fn differing_models() -> LevelsRecord {
    let mut stored = at("iyi", Level::B1, 0.8);
    stored.model.quantization = tezgah::recipe::Quantization::Q8_0;
    stored.recipe.model.quantization = tezgah::recipe::Quantization::Q8_0;
    stored.recipe.lora.rank = 64;
    compared(&[fixture("ekran_karti"), stored, at("iyi", Level::A2, 0.9)], None)
}

/// No matrix; two neighbours that are hardly apart.
fn without_matrix() -> LevelsRecord {
    let effects = [0.9, 0.905, 0.4, 0.41, 0.7];
    let runs: Vec<RunRecord> =
        Level::ALL.into_iter().zip(effects).map(|(level, factor)| at("iyi", level, factor)).collect();
    compared(&runs, None)
}

/// The embedded model and rows: differences of no weight, and adapters that are best on the other level.
fn demonstration() -> LevelsRecord {
    let records = [at("gosterim", Level::A1, 1.0), at("gosterim", Level::A2, 0.5)];
    let matrix = cross(&records, |_, _| 1.05);
    compared(&records, Some(matrix))
}

/// Nothing was learned anywhere, one level leaked, one repeated beyond doubt; others wait for their end.
fn without_gain() -> LevelsRecord {
    let mut running = fixture("suren");
    running.level = Level::B2;
    let mut unevaluated = at("iyi", Level::C1, 1.0);
    unevaluated.evaluation.fine_tuned = None;
    let records =
        [at("belirsiz", Level::A1, -1.0), at("iyi", Level::A2, -0.2), at("sizintili", Level::B1, 1.0)];
    let matrix = cross(&records, |_, _| 0.5);
    let mut all = records.to_vec();
    all.extend([running, unevaluated]);
    compared(&all, Some(matrix))
}

/// Rising gains and falling losses; a level that is sure only alone; adapters that help nobody else.
fn at_the_edges() -> LevelsRecord {
    let records = [at("belirsiz", Level::A1, 1.0), at("iyi", Level::A2, 0.5), at("iyi", Level::B1, 0.9)];
    let matrix = cross(&records, |_, _| -0.4);
    let mut record = compared(&records, Some(matrix));
    // p of one test below 0.05, above it among all: set here, since no seeded rows give it for sure.
    let statistics = record.levels[0].statistics.as_mut().expect("tested");
    statistics.masked.permutation_p = 0.03;
    statistics.masked.difference.low = 0.0005;
    record.holm[0].masked = 0.06;
    record
}

/// Texts of adapters that write sentences of so many words, a little different from prompt to prompt.
fn written(lengths: &[(Level, usize)]) -> LevelTexts {
    let text = |length: usize, prompt: usize| {
        let sentence = |of: usize| {
            let words: Vec<String> =
                (0..length + (prompt + of) % 3).map(|word| WORDS[(word * of + prompt) % 8].into()).collect();
            format!("The {}.", words.join(" "))
        };
        (1..5).map(sentence).collect::<Vec<_>>().join(" ")
    };
    let texts = |length: usize| (0..20).map(|prompt| text(length, prompt)).collect();
    let adapters: Vec<(Level, Vec<String>)> =
        lengths.iter().map(|(level, length)| (*level, texts(*length))).collect();
    simplicity::measured(&adapters, &WordList::by_frequency(), 42)
}

const WORDS: [&str; 8] = ["dog", "house", "little", "garden", "is", "under", "beautiful", "tree"];

fn writing(lengths: [usize; 3]) -> LevelsRecord {
    let records = &five()[..3];
    let mut matrix = cross(records, |_, _| 0.5);
    let levels: Vec<(Level, usize)> = Level::ALL.into_iter().zip(lengths).collect();
    matrix.texts = Some(written(&levels));
    compared(records, Some(matrix))
}

/// Texts that people rated at two levels, and a judge at one of them.
fn rated() -> LevelsRecord {
    let mut record = writing([5, 9, 15]);
    let interval = |estimate: f64| Interval { estimate, low: estimate - 0.25, high: estimate + 0.25 };
    let of = |level, judge: Option<&str>, score: f64, difference: Option<f64>| LevelRating {
        level,
        judge: judge.map(str::to_string),
        raters: 3,
        fine_tuned: interval(score),
        difference: difference.map(interval),
    };
    record.ratings = vec![
        of(Level::A1, None, 4.25, Some(1.5)),
        of(Level::A1, Some("Qwen3-8B"), 3.75, Some(0.5)),
        of(Level::A2, None, 3.5, None),
    ];
    record
}

/// An adapter that is surely better at home, one that may be, and one that is surely worse there.
fn with_tests() -> LevelsRecord {
    let records = &five()[..3];
    let matrix = cross(records, |_, set| if set == 2 { 1.3 } else { 0.5 });
    compared(records, Some(tested(matrix, |level| if level == Level::A2 { 0.9 } else { 0.05 })))
}

//! Sweeps by their losses: each run is the run `iyi` of `fixtures` with another level, seed, setting and selection loss.

use crate::fixtures::fixture;
use std::sync::OnceLock;
use tezgah::level::Level;
use tezgah::record::sweep::{Assignment, SweepRecord, SweepRun, collect};
use tezgah::record::{RunRecord, Status, Validation};

pub(super) type Planned = (SweepRun, Option<RunRecord>);

const RANK: &str = "lora.rank";
const RATE: &str = "train.learning_rate";
const EPOCHS: &str = "train.epochs";

/// A run that is not begun.
pub(super) fn unstarted(level: Level, settings: &[(&str, &str)], seed: u64) -> Planned {
    let mut name = level.label().to_lowercase();
    for (path, value) in settings {
        name.push_str(&format!("-{path}-{value}"));
    }
    let settings =
        settings.iter().map(|(path, value)| Assignment { path: path.to_string(), value: value.to_string() });
    let settings = settings.collect();
    (
        SweepRun { name: format!("{name}-seed-{seed}"), level, seed, settings, status: None, result: None },
        None,
    )
}

/// A finished run whose checkpoint was chosen at `loss`. Its parameters and its time follow its rank.
pub(super) fn finished(level: Level, settings: &[(&str, &str)], seed: u64, loss: f64) -> Planned {
    static RUN: OnceLock<RunRecord> = OnceLock::new();
    let run = RUN.get_or_init(|| {
        let mut run = fixture("iyi");
        // What no sweep reads, and 124 of them a run.
        run.evaluation.rows.clear();
        run
    });
    let mut record = RunRecord { level, ..run.clone() };
    record.recipe.train.seed = seed;
    for (path, value) in settings {
        record.recipe.set(path, value).expect("a setting");
    }
    let rank = record.recipe.lora.rank as u64;
    record.model.trainable_parameters = 305_280 * rank;
    record.training.seconds = 600.0 + rank as f64;
    record.training.best.as_mut().expect("evaluated").loss = loss;
    (unstarted(level, settings, seed).0, Some(record))
}

/// A run that came so far, without an evaluation.
fn stopped(level: Level, settings: &[(&str, &str)], seed: u64, status: Status) -> Planned {
    let (run, record) = finished(level, settings, seed, 1.0);
    let mut record = record.expect("a run with a record");
    record.status = status;
    record.evaluation.fine_tuned = None;
    (run, Some(record))
}

pub(super) fn collected(planned: &[Planned]) -> SweepRecord {
    collect(planned).unwrap_or_else(|error| panic!("{error}"))
}

/// Every sweep that is read over, each named for what it shows.
pub(crate) fn sweeps() -> Vec<(&'static str, SweepRecord)> {
    static SWEEPS: OnceLock<Vec<(&str, SweepRecord)>> = OnceLock::new();
    let make = || {
        [
            ("acik", clear()),
            ("tek", single()),
            ("bes_tek", five_of_one_seed()),
            ("orta", undecided()),
            ("sinirda", sure_alone()),
            ("kotu", worse()),
            ("eksik", incomplete()),
            ("baslamadi", not_begun()),
            ("gosterim", demonstration()),
            ("testli", with_test_part()),
            ("cok_ayarli", several_axes()),
        ]
        .map(|(name, planned)| (name, collected(&planned)))
        .into()
    };
    SWEEPS.get_or_init(make).clone()
}

/// Five levels, two ranks, three seeds; the larger rank is better by far more than the seeds differ.
pub(super) fn clear() -> Vec<Planned> {
    let mut planned = Vec::new();
    for (place, level) in Level::ALL.into_iter().enumerate() {
        for (rank, gain) in [("16", 0.0), ("128", 0.05)] {
            for (turn, seed) in [3407, 1, 2].into_iter().enumerate() {
                let noise = 0.001 * ((turn * 2 + place) % 4) as f64
                    + if gain > 0.0 { 0.0007 * turn as f64 } else { 0.0 };
                planned.push(finished(level, &[(RANK, rank)], seed, 0.9 + 0.2 * place as f64 - gain + noise));
            }
        }
    }
    planned
}

/// One level, one seed: nothing can be shown.
pub(super) fn single() -> Vec<Planned> {
    vec![finished(Level::A1, &[(RANK, "16")], 3407, 0.95), finished(Level::A1, &[(RANK, "128")], 3407, 0.93)]
}

/// The same on every level: five pairs are one too few.
fn five_of_one_seed() -> Vec<Planned> {
    let mut planned = Vec::new();
    for (place, level) in Level::ALL.into_iter().enumerate() {
        let loss = 0.9 + 0.2 * place as f64;
        planned.push(finished(level, &[(RANK, "16")], 3407, loss));
        planned.push(finished(level, &[(RANK, "128")], 3407, loss - 0.01 * (place + 1) as f64));
    }
    planned
}

/// Ranks that the seeds hide: on A1 the smallest is as good within one standard error, on B1 it is the best.
pub(super) fn undecided() -> Vec<Planned> {
    let losses = [
        (Level::A1, "16", [1.00, 1.04, 0.98, 1.02]),
        (Level::A1, "64", [1.01, 1.00, 1.03, 0.99]),
        (Level::A1, "128", [0.98, 1.05, 0.99, 1.00]),
        (Level::B1, "16", [1.50, 1.54, 1.47, 1.52]),
        (Level::B1, "64", [1.53, 1.50, 1.55, 1.51]),
        (Level::B1, "128", [1.52, 1.55, 1.48, 1.53]),
    ];
    let of = |(level, rank, losses): (Level, &'static str, [f64; 4])| {
        let seeds = [3407, 1, 2, 3].into_iter().zip(losses);
        seeds.map(move |(seed, loss)| finished(level, &[(RANK, rank)], seed, loss))
    };
    losses.into_iter().flat_map(of).collect()
}

/// Three ranks, six seeds that all agree: p is 2 / 2^6 each, and three times that among three contrasts.
fn sure_alone() -> Vec<Planned> {
    let mut planned = Vec::new();
    for (place, rank) in ["16", "64", "128"].into_iter().enumerate() {
        for seed in 1..7 {
            let loss = 1.0 - 0.02 * place as f64 + 0.001 * (seed * (place as u64 + 1)) as f64;
            planned.push(finished(Level::A2, &[(RANK, rank)], seed, loss));
        }
    }
    planned
}

/// The larger rank is surely worse; the number of epochs changes nothing at all.
fn worse() -> Vec<Planned> {
    let mut planned = Vec::new();
    for level in [Level::A1, Level::A2] {
        for (rank, loss) in [("16", 1.0), ("128", 1.04)] {
            for epochs in ["3.0", "4.5"] {
                for seed in 1..5 {
                    let noise = 0.002 * seed as f64 * if rank == "16" { 1.0 } else { 1.3 };
                    planned.push(finished(level, &[(RANK, rank), (EPOCHS, epochs)], seed, loss + noise));
                }
            }
        }
    }
    planned
}

/// On A1 two combinations with other numbers of seeds and one that waits; on B1 whatever can happen to a run.
pub(super) fn incomplete() -> Vec<Planned> {
    let (small, middle, large) = ([(RANK, "16")], [(RANK, "64")], [(RANK, "128")]);
    let mut planned = vec![
        finished(Level::A1, &small, 3407, 1.00),
        finished(Level::A1, &small, 1, 1.02),
        finished(Level::A1, &small, 2, 1.01),
        finished(Level::A1, &large, 3407, 0.99),
        finished(Level::A1, &large, 1, 1.00),
        unstarted(Level::A1, &middle, 3407),
        stopped(Level::B1, &small, 3407, Status::Failed),
        stopped(Level::B1, &small, 1, Status::Running),
        stopped(Level::B1, &small, 2, Status::Interrupted),
        stopped(Level::B1, &large, 3407, Status::Completed),
    ];
    planned.extend([1, 2, 4, 5, 6].map(|seed| unstarted(Level::B1, &large, seed)));
    planned
}

/// Nothing is begun.
fn not_begun() -> Vec<Planned> {
    let runs = [(Level::A1, "16"), (Level::A1, "128"), (Level::C1, "16"), (Level::C1, "128")];
    runs.map(|(level, rank)| unstarted(level, &[(RANK, rank)], 3407)).into()
}

/// The embedded model, cut to a few steps.
fn demonstration() -> Vec<Planned> {
    let mut planned = single();
    for (_, record) in &mut planned {
        let record = record.as_mut().expect("a finished run");
        record.smoke = true;
        record.model.demonstration = true;
    }
    planned
}

/// Seeds alone vary, and rows that report nothing choose.
fn with_test_part() -> Vec<Planned> {
    let seeds = [(3407, 1.10), (1, 1.12), (2, 1.07)];
    let mut planned: Vec<Planned> =
        seeds.into_iter().map(|(seed, loss)| finished(Level::B2, &[], seed, loss)).collect();
    for (_, record) in &mut planned {
        let dataset = &mut record.as_mut().expect("a finished run").dataset;
        dataset.validation = Some(Validation { rows: 62, sha256: "5e".repeat(32) });
    }
    planned
}

/// Three ranks, two rates, two levels, three seeds: 64 and 128 are alike, 16 is behind.
pub(super) fn several_axes() -> Vec<Planned> {
    let mut planned = Vec::new();
    for (place, level) in [Level::A1, Level::C1].into_iter().enumerate() {
        for (index, rank) in ["16", "64", "128"].into_iter().enumerate() {
            for (turn, rate) in ["1e-4", "2e-4"].into_iter().enumerate() {
                for (draw, seed) in [3407, 1, 2].into_iter().enumerate() {
                    let behind = if rank == "16" { 0.05 } else { 0.0 };
                    let noise = 0.004 * ((draw * (index + 2) + 3 * turn * index + place) % 5) as f64;
                    let loss = 0.9 + 0.7 * place as f64 + behind - 0.01 * turn as f64 + noise;
                    planned.push(finished(level, &[(RANK, rank), (RATE, rate)], seed, loss));
                }
            }
        }
    }
    planned
}

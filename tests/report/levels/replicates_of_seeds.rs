//! Runs that differ in their training seed alone, and those that do not.

use super::fixtures::at;
use tezgah::level::Level;
use tezgah::record::repeated;
use tezgah::record::{RunRecord, Status};

type Change<'a> = &'a dyn Fn(&mut Vec<RunRecord>);

#[test]
fn replicates_are_runs_of_one_recipe() {
    let runs = || {
        let mut runs = vec![at("iyi", Level::A1, 1.0), at("iyi", Level::A1, 0.9), at("iyi", Level::A1, 1.2)];
        for (run, seed) in runs.iter_mut().zip([3407, 0, 7]) {
            run.recipe.train.seed = seed;
        }
        runs
    };
    let summary = repeated::summarize(&runs()).expect("three seeds");
    assert_eq!(summary.runs.iter().map(|run| run.seed).collect::<Vec<_>>(), [3407, 0, 7]);
    // The gain is the factor times the fixture's: statistics.mean and stdev of (1, 0.9, 1.2) are 31/30 and 0.1527525.
    let gain = summary.runs[0].masked_improvement;
    let improvement = &summary.masked.improvement;
    assert_eq!(improvement.n, 3);
    assert!((improvement.mean / gain - 31.0 / 30.0).abs() < 1e-9);
    assert!((improvement.standard_deviation.expect("three") / gain - 0.152_752_523_165_194_7).abs() < 1e-9);
    assert!((improvement.max / gain - 1.2).abs() < 1e-9 && (improvement.min / gain - 0.9).abs() < 1e-9);

    let changes: [(Change, &str); 9] = [
        (&|runs| runs.clear(), "at least two training seeds, got none"),
        (&|runs| runs.truncate(1), "at least two training seeds, got seed 3407 alone"),
        (&|runs| runs[2].recipe.train.seed = 3407, "expected one run a seed, got two of 3407"),
        (&|runs| runs[1].recipe.lora.rank = 64, "got lora.rank 64 at seed 0, 128 at seed 3407"),
        (&|runs| runs[2].dataset.train_sha256 = "00".into(), "got dataset.train_sha256 00 at seed 7"),
        (&|runs| runs[2].level = Level::B2, "got level B2 at seed 7, A1 at seed 3407"),
        (&|runs| runs[2].model.sha256 = "ff".into(), "got model.sha256 ff"),
        (&|runs| runs[1].status = Status::Failed, "got one that is not: seed 0"),
        (&|runs| runs[1].evaluation.fine_tuned = None, "got one that is not: seed 0"),
    ];
    for (change, message) in changes {
        let mut runs = runs();
        change(&mut runs);
        let error = repeated::summarize(&runs).expect_err(message).to_string();
        assert!(error.contains(message), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

//! Agreement, preference and rank correlation against krippendorff, scikit-learn, pingouin, choix and scipy
//! (tests/reference/agreement/make_fixtures.py); their intervals against the documented stream and what they promise.

use super::{fixture, numbers};
use crate::support::{close, number};
use serde_json::Value;
use tezgah::statistics::agreement::{self, Answers};
use tezgah::statistics::{
    Interval, bradley_terry, grouped_interval, mean_interval, median, ranks, sign_test, signed_rank, spearman,
};

type Figure = fn(&Answers) -> Option<f64>;

const FIGURES: [(&str, Figure); 4] = [
    ("alpha", agreement::alpha),
    ("kappa", agreement::kappa),
    ("icc", agreement::icc),
    ("kendall_w", agreement::kendall_w),
];

fn expected() -> Value {
    fixture(include_str!("../../reference/agreement/expected.json"))
}

/// The entries of one list of the fixture, each with its name where it has one.
fn entries(key: &str) -> Vec<(String, Value)> {
    let entries = expected()[key].as_array().expect("a list").clone();
    entries.into_iter().map(|entry| (entry["name"].as_str().unwrap_or_default().to_owned(), entry)).collect()
}

/// Every text a group of its own.
fn each(rows: &Value) -> Vec<usize> {
    (0..rows.as_array().expect("rows").len()).collect()
}

fn answers(rows: &Value) -> Answers {
    let row = |row: &Value| row.as_array().expect("a row").iter().map(Value::as_f64).collect();
    Answers::new(rows.as_array().expect("rows").iter().map(row).collect()).expect("a table")
}

/// `None` where the peer has no number, else that number.
#[track_caller]
fn check(place: &str, ours: Option<f64>, theirs: &Value) {
    match ours {
        Some(ours) if theirs.is_f64() => close(place, ours, number(theirs), 1e-9),
        _ => assert!(ours.is_none() && theirs.is_null(), "{place}: {ours:?}, the reference has {theirs}"),
    }
}

#[test]
fn figures_of_agreement_equal_those_of_the_peers() {
    let cases = entries("agreement");
    let mut compared = Vec::new();
    for (name, case) in &cases {
        let answers = answers(&case["answers"]);
        for (key, figure) in FIGURES {
            // The script says which peer refuses which case.
            if let Some(theirs) = case.get(key) {
                check(&format!("{name}: {key}"), figure(&answers), theirs);
                compared.push((key, theirs.is_null()));
            }
        }
    }
    for (key, _) in FIGURES {
        let count = |is_null: bool| compared.iter().filter(|entry| **entry == (key, is_null)).count();
        assert!(count(false) >= 12 && count(true) >= 2, "{key}: {} and {}", count(false), count(true));
    }
    // The paper's own result on its own example.
    let (_, paper) =
        cases.iter().find(|(name, _)| name.starts_with("Krippendorff")).expect("the paper's case");
    let alpha = agreement::alpha(&answers(&paper["answers"])).expect("defined");
    assert_eq!(format!("{alpha:.3}"), "0.815");
}

/// Where the peer refuses to answer, or answers with a quotient that is no agreement.
#[test]
fn what_is_undefined_is_none() {
    let whole = |rows: &[&[i32]]| {
        let row = |row: &&[i32]| row.iter().map(|score| Some(f64::from(*score))).collect();
        Answers::new(rows.iter().map(row).collect()).expect("a table")
    };
    // Mean squares of texts and raters 0, of the rest 1/2: -1/2 over -1/4 is 2.
    assert_eq!(agreement::icc(&whole(&[&[1, 2], &[2, 1]])), None);
    let alone = whole(&[&[1], &[2], &[3]]);
    assert!(FIGURES.iter().all(|(_, figure)| figure(&alone).is_none()));
    assert_eq!(alone.texts(), 0);

    let number = Some(1.0);
    assert_eq!(Answers::new(Vec::new()), None);
    assert_eq!(Answers::new(vec![Vec::new(); 3]), None);
    assert_eq!(Answers::new(vec![vec![number, None], vec![number]]), None);
    for unusable in [f64::NAN, f64::INFINITY] {
        assert_eq!(Answers::new(vec![vec![number, Some(unusable)]]), None);
        assert_eq!(spearman(&[1.0, 2.0], &[1.0, unusable]), None);
        assert_eq!(signed_rank(&[1.0, unusable]), None);
        assert_eq!(median(&[1.0, unusable]), None);
        assert_eq!(mean_interval(&[1.0, unusable], 1), None);
        assert_eq!(bradley_terry(&[vec![0.0, 1.0], vec![unusable, 0.0]]), None);
    }
    assert_eq!(spearman(&[1.0, 2.0], &[1.0]), None);
    assert_eq!(spearman(&[], &[]), None);
    assert_eq!((signed_rank(&[0.0, 0.0]), median(&[]), mean_interval(&[], 1)), (None, None, None));
    assert_eq!(grouped_interval(&[1.0, 2.0], &[0], 1, |_| Some(1.0)), None);
}

#[test]
fn only_the_order_of_values_counts_for_alpha_and_w() {
    for (name, case) in entries("agreement") {
        let rows = case["answers"].as_array().expect("rows").iter().map(|row| {
            let answers = row.as_array().expect("a row").iter();
            answers.map(|answer| answer.as_f64().map(|value| (value / 100.0).exp())).collect()
        });
        let stretched = Answers::new(rows.collect()).expect("a table");
        for (key, figure) in [FIGURES[0], FIGURES[3]] {
            assert_eq!(figure(&stretched), figure(&answers(&case["answers"])), "{name}: {key}");
        }
    }
}

#[test]
fn an_interval_of_agreement_holds_the_figure_and_hangs_on_the_seed_alone() {
    for (name, case) in entries("agreement") {
        let answers = answers(&case["answers"]);
        for (key, figure) in FIGURES {
            let interval = agreement::with_interval(&answers, &each(&case["answers"]), 3407, figure);
            let Some(Interval { estimate, low, high }) = interval else {
                // Two texts: half of all resamples draw one of them twice, on which W is undefined.
                assert!(figure(&answers).is_none() || answers.texts() <= 2, "{name}: {key}");
                continue;
            };
            assert_eq!(Some(estimate), figure(&answers), "{name}: {key}");
            assert!(low <= estimate + 1e-12 && estimate <= high + 1e-12, "{name}: {key}: {interval:?}");
            assert_eq!(
                agreement::with_interval(&answers, &each(&case["answers"]), 3407, figure),
                interval,
                "{name}: {key}"
            );
            if name == "all raters equal on everything" {
                assert_eq!((low, estimate, high), (1.0, 1.0, 1.0), "{key}");
            }
            if name == "40 texts, 3 raters" {
                let other =
                    agreement::with_interval(&answers, &each(&case["answers"]), 0, figure).expect("defined");
                assert!(other.low != low && low < high, "{key}: {other:?}, {interval:?}");
            }
        }
    }
}

/// The resamples are the documented stream's, and on each the figure is the peer's.
#[test]
fn intervals_are_drawn_from_the_documented_stream() {
    let file = expected();
    let seed = file["seed"].as_u64().expect("a seed");
    let bounds = |place: &str, ours: Option<Interval>, theirs: &Value| {
        let ours = ours.unwrap_or_else(|| panic!("{place}: no interval"));
        close(&format!("{place} low"), ours.low, number(&theirs[0]), 1e-9);
        close(&format!("{place} high"), ours.high, number(&theirs[1]), 1e-9);
    };
    for (name, case) in entries("intervals") {
        if let Some(theirs) = case.get("alpha") {
            let (_, rated) =
                entries("agreement").into_iter().find(|(other, _)| *other == name).expect("its answers");
            let (rated, each) = (answers(&rated["answers"]), each(&rated["answers"]));
            bounds(&name, agreement::with_interval(&rated, &each, seed, agreement::alpha), theirs);
            continue;
        }
        let (left, right) = (numbers(&case["left"]), numbers(&case["right"]));
        let groups: Vec<usize> = numbers(&case["groups"]).into_iter().map(|group| group as usize).collect();
        let pairs: Vec<[f64; 2]> = left.iter().zip(&right).map(|(left, right)| [*left, *right]).collect();
        let side = |pairs: &[[f64; 2]], side: usize| pairs.iter().map(|pair| pair[side]).collect::<Vec<_>>();
        let rho = grouped_interval(&pairs, &groups, seed, |drawn| spearman(&side(drawn, 0), &side(drawn, 1)));
        bounds("rho", rho, &case["rho"]);
        let mean = |drawn: &[f64]| Some(drawn.iter().sum::<f64>() / drawn.len() as f64);
        bounds("mean", grouped_interval(&left, &groups, seed, mean), &case["mean"]);
        bounds("ungrouped mean", mean_interval(&left, seed), &case["ungrouped_mean"]);
    }
}

/// Four copies of each of 25 values are 25 observations, not 100: the interval is twice as wide as if they were.
#[test]
fn what_belongs_together_is_drawn_together() {
    let values: Vec<f64> = (0..100).map(|index| f64::from(index / 4 % 7)).collect();
    let groups: Vec<usize> = (0..100).map(|index| index / 4).collect();
    let mean = |drawn: &[f64]| Some(drawn.iter().sum::<f64>() / drawn.len() as f64);
    let together = grouped_interval(&values, &groups, 5, mean).expect("values");
    let apart = mean_interval(&values, 5).expect("values");
    let ratio = (together.high - together.low) / (apart.high - apart.low);
    assert!((1.85..2.15).contains(&ratio), "{ratio}");
    close("mean", together.estimate, apart.estimate, 1e-12);
}

/// A resample without a figure is left out, and most of them are too many.
#[test]
fn undefined_resamples_are_left_out() {
    // A resample of n holds a given value with chance 1 - (1 - 1/n)^n: 3/4 of two, 19/27 of three.
    let holding = |wanted: &'static [usize]| {
        move |drawn: &[usize]| wanted.iter().all(|value| drawn.contains(value)).then_some(1.0)
    };
    let point = Some(Interval { estimate: 1.0, low: 1.0, high: 1.0 });
    assert_eq!(grouped_interval(&[0, 1], &[0, 1], 9, holding(&[0])), point);
    // All three: 6 of 27.
    assert_eq!(grouped_interval(&[0, 1, 2], &[0, 1, 2], 9, holding(&[0, 1, 2])), None);
}

#[test]
fn strengths_equal_choix() {
    for (name, case) in entries("bradley_terry") {
        let wins: Vec<Vec<f64>> = case["wins"].as_array().expect("a table").iter().map(numbers).collect();
        let Some(ours) = bradley_terry(&wins) else {
            assert!(case["strengths"].is_null(), "{name}: none, the reference has {}", case["strengths"]);
            continue;
        };
        assert!(!case["strengths"].is_null(), "{name}: {ours:?}, and the reference has none");
        for (ours, theirs) in ours.iter().zip(numbers(&case["strengths"])) {
            close(&name, *ours, theirs, 1e-9);
        }
        close(&name, ours.iter().sum(), 1.0, 1e-12);
    }
    // Two systems are determined also where one won all, but not where they never met.
    assert_eq!(bradley_terry(&[vec![0.0, 5.0], vec![0.0, 0.0]]), Some(vec![1.0, 0.0]));
    for unusable in [vec![], vec![vec![0.0]], vec![vec![0.0; 2]; 2], vec![vec![0.0, 1.0], vec![1.0]]] {
        assert_eq!(bradley_terry(&unusable), None, "{unusable:?}");
    }
}

#[test]
fn tests_and_correlations_equal_scipy() {
    for (_, case) in entries("sign_test") {
        let count = |key: &str| case[key].as_u64().expect("a count") as usize;
        close(&case.to_string(), sign_test(count("wins"), count("losses")), number(&case["p"]), 1e-9);
    }
    assert_eq!(sign_test(0, 0), 1.0);
    for (name, case) in entries("spearman") {
        check(&name, spearman(&numbers(&case["left"]), &numbers(&case["right"])), &case["rho"]);
    }
    for (name, case) in entries("signed_rank") {
        let test = signed_rank(&numbers(&case["differences"])).expect("differences");
        close(&name, test.p, number(&case["p"]), 1e-9);
        assert_eq!(test.positive_rank_sum, number(&case["positive_rank_sum"]), "{name}");
    }
    // scipy.stats.rankdata and numpy.median of the same lists.
    assert_eq!(ranks(&[3.0, -0.0, 7.5, 0.0, 3.0, 3.0]), [4.0, 1.5, 6.0, 1.5, 4.0, 4.0]);
    assert_eq!((median(&[5.0, 1.0, 4.0]), median(&[5.0, 1.0, 4.0, 2.0])), (Some(4.0), Some(3.0)));
}

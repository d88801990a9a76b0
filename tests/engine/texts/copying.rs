//! Copies against sets of tuples in Python, `make_fixtures.py`.

use super::{fixture, rows};
use tezgah::texts::copying::{Answers, Copied};

#[test]
fn equals_the_count_by_python() {
    let rows = rows();
    let train = rows["trained on"].as_array().expect("answers").iter();
    let train = Answers::new(train.map(|answer| answer.as_str().expect("a text")));
    let fixture = fixture(include_str!("../../reference/texts/copying.json"));
    let cases = fixture.as_array().expect("a list");
    for case in cases {
        let text = case["text"].as_str().expect("a text");
        let expected: Copied = serde_json::from_value(case.clone()).expect("its numbers");
        assert_eq!(train.copied(text), expected, "{text}");
    }
    // All, some and none of the words are covered, and spans shorter than a window are found.
    let shares: Vec<f64> =
        cases.iter().map(|case| train.copied(case["text"].as_str().expect("a text")).share()).collect();
    assert!(
        shares.contains(&0.0)
            && shares.contains(&1.0)
            && shares.iter().any(|share| (0.3..0.9).contains(share))
    );
    assert!(cases.iter().any(|case| (1..8).contains(&case["longest"].as_u64().expect("a count"))));
}

#[test]
fn a_span_lies_in_one_answer_and_windows_overlap() {
    let train = Answers::new(["One two three four. Five six seven", "eight nine. It's done!"]);
    let copied = |text: &str| (train.copied(text).covered_words, train.copied(text).longest);
    assert_eq!(copied("one two three four five six seven eight nine"), (0, 7));
    let train = Answers::new(["a b c d e f g h i j", "a b c d e f g h i j", "c d x"]);
    let copied = |text: &str| (train.copied(text).covered_words, train.copied(text).longest);
    assert_eq!(copied("A, b (c) d e f g -- h i j!"), (10, 10));
    assert_eq!(copied("b c d e f g h i x a b c d e f g h"), (16, 8));
    assert_eq!(Answers::new([]).copied("a b"), Copied { words: 2, covered_words: 0, longest: 0 });
    assert_eq!(Answers::new(["", "..."]).copied("").share(), 0.0);
}

//! How much of the held-out answers stands in the training answers.

use super::tiny;
use tezgah::data::alpaca::{Row, read};
use tezgah::data::overlap::measure;
use tezgah::record::Overlap;
use tezgah::texts::copying::Answers;

/// Against sets of tuples in Python, `tests/reference/overlap.py`.
#[test]
fn equals_the_count_by_python() {
    let rows = |name: &str| read(tiny(name)).expect("rows").rows;
    let overlap = measure(&rows("train.json"), &rows("eval.json"));
    let expected: Overlap =
        serde_json::from_str(include_str!("../../reference/overlap.json")).expect("the reference");
    assert_eq!(overlap, expected);
    assert!(overlap.covered_words > 0.05 && overlap.rows.iter().any(|row| row.nearest.is_none()));
}

/// A text's copied share is the one that the overlap has of the same answer: [`tezgah::texts::copying`] searches otherwise.
#[test]
fn a_generated_text_would_be_measured_alike() {
    let (train, held_out) =
        ["train.json", "eval.json"].map(|name| read(tiny(name)).expect("rows").rows).into();
    let answers = Answers::new(train.iter().map(|row| row.output.as_str()));
    let overlap = measure(&train, &held_out);
    for (row, of_row) in held_out.iter().zip(overlap.rows) {
        let copied = answers.copied(&row.output);
        assert_eq!((copied.words, copied.covered_words), (of_row.words, of_row.covered_words));
    }
}

fn row(output: &str) -> Row {
    Row { instruction: "Write.".into(), input: String::new(), output: output.into() }
}

#[test]
fn a_window_lies_in_one_answer_and_case_and_signs_do_not_count() {
    let train = [row("One two three four. Five six seven"), row("eight nine. It's done!")];
    let of = |text: &str| measure(&train, &[row(text)]).rows[0].clone();
    // Seven running words of the first answer and the next answer's first are no window.
    assert_eq!(of("one two three four five six seven eight").covered_words, 0);
    let train = [row("One two three four. Five six seven eight nine")];
    let of_row =
        measure(&train, &[row("ONE, two -- three four five six seven eight... it's")]).rows[0].clone();
    assert_eq!((of_row.words, of_row.covered_words, of_row.nearest), (9, 8, Some(0)));
    assert_eq!(of("IT’S done"), of("it’s done?"));
    assert_eq!((of("It's done").verbatim_sentences, of("Its done").verbatim_sentences), (1, 0));
}

#[test]
fn answers_without_words_overlap_with_nothing() {
    let overlap = measure(&[], &[row("..."), row("")]);
    assert_eq!((overlap.covered_words, overlap.verbatim_sentences, overlap.rows.len()), (0.0, 0.0, 2));
}

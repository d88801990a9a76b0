//! Repeats, leaks, lengths and their histograms.

use super::{row, tiny};
use tezgah::data::alpaca::{Row, read};
use tezgah::data::checks::{Checks, check, lengths, word_lengths};

#[test]
fn counts_repeats_over_all_rows_and_leaks_by_answer() {
    let train =
        [row("a", "", "One two."), row("a", "", "One two."), row("b", "", "Three."), row("a", "x", "Four.")];
    let evaluation = [
        row("a", "", "One two."),          // a repeat and a leak
        row("other", "", " One\r\ntwo. "), // a leak: the same answer under another task
        row("b", "", "Five."),             // neither
        row("a", "y", "Six."),             // neither
        row("b", "", "Five."),             // a repeat inside the evaluation rows
    ];
    assert_eq!(check(&train, &[], &evaluation), Checks { duplicate_rows: 3, leaked_rows: 2 });
    assert_eq!(check(&train, &[], &[]), Checks { duplicate_rows: 1, leaked_rows: 0 });
}

#[test]
fn counts_words_as_python_does() {
    // w = [len(r["output"].split()) for r in train + eval]; sum(w) / len(w), min(w), max(w)
    let rows: Vec<Row> =
        ["train.json", "eval.json"].iter().flat_map(|file| read(tiny(file)).unwrap().rows).collect();
    let words = word_lengths(&rows);
    assert_eq!((words.mean, words.min, words.max), (4749.0 / 48.0, 72, 131));
}

#[test]
fn histograms_have_round_edges_and_hold_every_row() {
    let of = |values: &[usize]| lengths(values).histogram;
    assert_eq!((of(&[7]).first, of(&[7]).width, of(&[7]).counts), (7, 1, vec![1]));
    let words = of(&(77..=134).collect::<Vec<_>>());
    assert_eq!((words.first, words.width, words.counts.len()), (76, 2, 30));
    assert_eq!((words.counts[0], words.counts[1], words.counts[29]), (1, 2, 1));
    for spread in [29, 30, 31, 59, 60, 149, 150, 1999, 123_456] {
        let values: Vec<usize> = (0..=spread).step_by(1 + spread / 997).map(|value| value + 13).collect();
        let histogram = of(&values);
        assert_eq!(histogram.counts.iter().sum::<usize>(), values.len());
        assert!((11..=30).contains(&histogram.counts.len()), "{spread}: {}", histogram.counts.len());
        assert_eq!(histogram.first % histogram.width, 0);
        assert!(histogram.counts[0] > 0 && histogram.counts[histogram.counts.len() - 1] > 0);
    }
    let empty = lengths(&[]);
    assert_eq!((empty.mean, empty.min, empty.max, empty.histogram.counts), (0.0, 0, 0, vec![]));
}

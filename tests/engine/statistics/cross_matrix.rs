//! The matrix of adapters and levels.

use tezgah::evaluate::cross;
use tezgah::evaluate::nll::RowSums;
use tezgah::level::Level;
use tezgah::record::RowNll;
use tezgah::statistics::Interval;

/// Two levels with rows of 10 and 30 tokens; sums chosen by hand.
#[test]
fn the_matrix_is_of_sums_and_its_advantages_of_paired_rows() {
    let rows = |nll: [f64; 2]| -> Vec<RowSums> {
        let row = |(nll, masked_tokens)| RowSums {
            nll: RowNll { masked: nll, full: 0.0 },
            masked_tokens,
            full_tokens: 0,
        };
        nll.into_iter().zip([10, 30]).map(row).collect()
    };
    let base = [rows([20.0, 60.0]), rows([40.0, 40.0])];
    // Each adapter on the rows of A1, then of C1.
    let adapted = [[rows([10.0, 10.0]), rows([30.0, 30.0])], [rows([15.0, 25.0]), rows([10.0, 10.0])]];
    let adapted: Vec<Vec<Vec<RowSums>>> = adapted.into_iter().map(Vec::from).collect();
    let matrix = cross::matrix(&[Level::A1, Level::C1], &base, &adapted, 42);
    assert_eq!(matrix.base_loss, [2.0, 2.0]);
    assert_eq!(matrix.loss, [[0.5, 1.5], [1.0, 0.5]]);

    // On A1 the other adapter loses 5 and 15 more in 10 and 30 tokens: 0.5 a token whichever rows are drawn.
    let [a1, c1] = matrix.advantage.as_slice() else { panic!("two sets: {:?}", matrix.advantage) };
    assert_eq!((a1.eval_set, c1.eval_set), (Level::A1, Level::C1));
    assert_eq!(a1.difference, Interval { estimate: 0.5, low: 0.5, high: 0.5 });
    // On C1 20 and 20: 2.0 where only the short row is drawn, 2/3 where only the long one is, 1.0 for both.
    let Interval { estimate, low, high } = c1.difference;
    for (got, expected) in [(estimate, 1.0), (low, 20.0 / 30.0), (high, 2.0)] {
        assert!((got - expected).abs() < 1e-12, "{got} against {expected}");
    }
    // Two rows have four sign flips, of which two are as extreme: p is about one half, and 1 after Holm's factor 2.
    assert!(a1.p > 0.9 && c1.p > 0.9 && !a1.is_sure() && !c1.is_sure(), "{:?}", matrix.advantage);

    let alone = cross::matrix(&[Level::B1], &base[..1], &[vec![rows([1.0, 2.0])]], 42);
    assert!(alone.advantage.is_empty());
}

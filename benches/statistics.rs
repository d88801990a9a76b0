//! The statistics of one level: both masks, 200 rows, 10,000 resamples and as many sign flips; meant to stay
//! under a second.
//!
//!     cargo bench --profile dev --bench statistics

use std::time::Instant;
use tezgah::random;
use tezgah::statistics::{PairedRow, RESAMPLES, compare};

/// Evaluation rows of the seed document.
const ROWS: usize = 200;

fn main() {
    let mut stream = random::stream(1, "bench/statistics");
    let rows: Vec<PairedRow> = (0..ROWS)
        .map(|_| {
            let tokens = 100 + random::below(&mut stream, 100) as usize;
            let loss = 2.0 + random::unit(&mut stream);
            PairedRow {
                tokens,
                bytes: 4 * tokens,
                baseline_nll: loss * tokens as f64,
                fine_tuned_nll: (loss - 0.2 * random::unit(&mut stream)) * tokens as f64,
            }
        })
        .collect();
    let started = Instant::now();
    let both = [1, 2].map(|seed| compare(&rows, seed));
    let seconds = started.elapsed().as_secs_f64();
    println!("{ROWS} rows, {RESAMPLES} resamples, two masks: {seconds:.3} s");
    assert!(both.iter().all(Option::is_some), "200 rows are enough for every test");
}

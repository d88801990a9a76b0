//! # C1: the advanced level
//!
//! **Question.** C1 rows are the longest and the rarest in their words: inversion, nominalisation,
//! hedging. Does the same small update, with the same settings as at A1, still fit them, or does the gap
//! between training and evaluation loss open first here?
//!
//! **Read.** The two curves of the first figure and the finding below it on how they ended; and the chart
//! of the rows, where an update that fits some texts and not others shows as rows whose loss rose. For
//! the gap to be C1's, it must be wider than at the other four.
//!
//! | | |
//! |---|---|
//! | reads | the sample rows in `data/c1.json`, or `--data FILE` |
//! | writes | `reports/c1`: record, Turkish results document, three thesis sections, charts, adapter |
//! | run | `cargo run --example c1`, or with a model of your own: `-- --model DIR` |

use std::process::ExitCode;
use tezgah::level::Level;
use tezgah::run::{Listing, Question};
use tezgah::thesis;

/// ## Settings
///
/// Those of the thesis in everything that moves a loss; see A2 for why. A rank of 128 is much for 1800 beginner rows. If
/// it is little for these, this is where it shows. At 2048 tokens no row of the sample is cut; rows of your own may be,
/// and the number that was is in the document.
pub(crate) fn question() -> Question {
    let mut recipe = thesis::recipe();
    // Up to 235 words an answer, 440 tokens of the demonstration model.
    recipe.samples.max_new_tokens = 448;
    let source = Listing { file: file!(), text: include_str!("c1.rs") };
    Question { level: Level::C1, rows: include_bytes!("../data/c1.json"), source, recipe }
}

fn main() -> ExitCode {
    thesis::main(&question())
}

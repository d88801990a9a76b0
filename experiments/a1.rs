//! # A1: the beginner's level
//!
//! **Question.** How much does a low-rank update, learned from 1800 short beginner answers, lower the
//! loss of a small instruction model on 200 answers it has never seen: on the answers alone, and on the
//! whole text?
//!
//! | | |
//! |---|---|
//! | reads | the sample rows in `data/a1.json`, or `--data FILE` |
//! | writes | `reports/a1`: record, Turkish results document, three thesis sections, charts, adapter |
//! | run | `cargo run --example a1`, or with a model of your own: `-- --model DIR` |

use std::process::ExitCode;
use tezgah::level::Level;
use tezgah::run::{Listing, Question};
use tezgah::thesis;

/// ## Settings
///
/// Those of the thesis. A1 is the level that the others are held against.
pub(crate) fn question() -> Question {
    let recipe = thesis::recipe();
    let source = Listing { file: file!(), text: include_str!("a1.rs") };
    Question { level: Level::A1, rows: include_bytes!("../data/a1.json"), source, recipe }
}

fn main() -> ExitCode {
    thesis::main(&question())
}

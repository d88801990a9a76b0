//! # B1: the intermediate level
//!
//! **Question.** At B1 the rows begin to argue: relative clauses, first conditionals, opinions with a
//! reason. An instruction model has read much of this register already. How much of A1's gain is left
//! where the base model is closer to its subject?
//!
//! **Read.** The base model's loss before the gain: if the question's premise holds, the baseline in
//! section 4.2 lies below A1's, and the relative reduction with it. If the baseline is not lower, the
//! premise is wrong, and the rest of the question falls with it.
//!
//! | | |
//! |---|---|
//! | reads | the sample rows in `data/b1.json`, or `--data FILE` |
//! | writes | `reports/b1`: record, Turkish results document, three thesis sections, charts, adapter |
//! | run | `cargo run --example b1`, or with a model of your own: `-- --model DIR` |

use std::process::ExitCode;
use tezgah::level::Level;
use tezgah::run::{Listing, Question};
use tezgah::thesis;

/// ## Settings
///
/// Those of the thesis in everything that moves a loss; see A2 for why. What is B1's own is what they meet: longer rows
/// make larger batches of 16, so a run that kept its activations at A1 may have to compute them again here. That costs
/// time and changes no number, and the document says which of the two it was.
pub(crate) fn question() -> Question {
    let mut recipe = thesis::recipe();
    // Up to 180 words an answer, 277 tokens of the demonstration model.
    recipe.samples.max_new_tokens = 288;
    let source = Listing { file: file!(), text: include_str!("b1.rs") };
    Question { level: Level::B1, rows: include_bytes!("../data/b1.json"), source, recipe }
}

fn main() -> ExitCode {
    thesis::main(&question())
}

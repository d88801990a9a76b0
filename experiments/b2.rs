//! # B2: the upper intermediate level
//!
//! **Question.** Passives, reported speech and linked arguments are what a base model writes by itself.
//! If the update still lowers the loss here, is it on the answers, or on the frame around them: the
//! heading, the instruction, the end of the text?
//!
//! **Read.** Masked and full loss side by side, in section 4.2. The full loss counts the prompt's tokens
//! as well, which were never trained on. A full loss that falls much more than the masked one would say
//! that the frame was learned.
//!
//! | | |
//! |---|---|
//! | reads | the sample rows in `data/b2.json`, or `--data FILE` |
//! | writes | `reports/b2`: record, Turkish results document, three thesis sections, charts, adapter |
//! | run | `cargo run --example b2`, or with a model of your own: `-- --model DIR` |

use std::process::ExitCode;
use tezgah::level::Level;
use tezgah::run::{Listing, Question};
use tezgah::thesis;

/// ## Settings
///
/// Those of the thesis in everything that moves a loss; see A2 for why. The loss in training is on the answers alone,
/// here as everywhere: trained on the whole text, the two masks could not be set against each other. Both are taken
/// before and after, in one pass over the rows each time.
pub(crate) fn question() -> Question {
    let mut recipe = thesis::recipe();
    // Up to 205 words an answer, 339 tokens of the demonstration model.
    recipe.samples.max_new_tokens = 352;
    let source = Listing { file: file!(), text: include_str!("b2.rs") };
    Question { level: Level::B2, rows: include_bytes!("../data/b2.json"), source, recipe }
}

fn main() -> ExitCode {
    thesis::main(&question())
}

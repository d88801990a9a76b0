//! # Five levels, one comparison
//!
//! **Question.** Does the same update teach every level as much, and does it teach the level or only the format? The
//! first is read off the five runs. For the second every adapter is measured on every level's held-out
//! answers: an adapter that learned its level must be better at home than abroad.
//!
//! | | |
//! |---|---|
//! | reads | what the experiments of the levels read; `--data DIR` with a file for each level |
//! | writes | `reports/<level>` and `reports/karsilastirma`: record, Turkish text, charts |
//! | run | `cargo run --example levels`, or some of them: `-- a1 b2`; all flags of the experiments |
#![allow(dead_code, reason = "of a level's program the question is asked, and its main is not called")]

mod a1;
mod a2;
mod b1;
mod b2;
mod c1;

use clap::Parser;
use std::process::ExitCode;
use tezgah::cli::{EXIT_CODES, Flags};
use tezgah::device;
use tezgah::level::Level;
use tezgah::run::{self, Question};
use tezgah::{series, thesis};

/// What the user typed.
#[derive(Debug, Parser)]
#[command(
    name = "levels",
    about = "Runs the experiments of several CEFR levels and compares them: what is done is skipped, what is missing is named",
    after_help = format!("For several levels --data names a folder: a1.json or training_data_a1.json (.jsonl), and so on\n\n{EXIT_CODES}")
)]
struct Arguments {
    /// Levels to run: a1 a2 b1 b2 c1; all without any
    levels: Vec<Level>,
    #[command(flatten)]
    flags: Flags,
}

fn main() -> ExitCode {
    let Arguments { levels, flags } = Arguments::parse();
    let mut questions: Vec<Question> =
        vec![a1::question(), a2::question(), b1::question(), b2::question(), c1::question()];
    questions.retain(|question| levels.is_empty() || levels.contains(&question.level));
    run::answer(device::among_threads(|| series::levels::run(&questions, thesis::PROCEDURE, &flags)))
}
